package registration

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The values of Client.TokenEndpointAuthMethod (RFC 7591 section 2). The empty value accepts basic and post alike.
const (
	AuthMethodAny   = ""
	AuthMethodBasic = "client_secret_basic"
	AuthMethodPost  = "client_secret_post"
	// AuthMethodPrivateKeyJWT: the client signs an assertion with a key of its own (RFC 7523 section 2.2).
	AuthMethodPrivateKeyJWT = "private_key_jwt"
	AuthMethodNone          = "none"
)

// AudienceIssuer is the value of Client.ClientAssertionAudience by which an assertion must have the issuer, and nothing else, as aud.
const AudienceIssuer = "Issuer"

// The values of Client.GrantTypes (RFC 7591 section 2, RFC 8628 section 4).
const (
	GrantCode              = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
)

// GrantTypes lists every grant type.
func GrantTypes() []string {
	return []string{GrantCode, GrantRefreshToken, GrantClientCredentials, GrantDeviceCode}
}

// The values of Client.AccessTokenFormat.
const (
	FormatOpaque = "Opaque"
	// FormatJWT is the profile of RFC 9068.
	FormatJWT = "JWT"
)

// The values of Client.SubjectMode: what "sub" tells a client.
const (
	// SubjectPublic is User.Subject, the same for every client.
	SubjectPublic = "Public"
	// SubjectPairwise differs for every sector (OpenID Connect Core section 8.1).
	SubjectPairwise = "Pairwise"
	// SubjectUsername is User.Username, SubjectEmail is User.Email.
	SubjectUsername = "Username"
	SubjectEmail    = "Email"
	// SubjectUserUUID is User.Subject where that is a UUID, else a UUID made from it.
	SubjectUserUUID = "UserUUID"
	// SubjectExpression is what Client.SubjectExpression gives.
	SubjectExpression = "Expression"
)

// The values of Client.Consent: when a person is asked to agree to what the client wants to know.
const (
	ConsentAlways   = "Always"
	ConsentRemember = "Remember"
	ConsentNever    = "Never"
)

// The values of Client.BackchannelLogoutIdentifies: what a logout token names (OpenID Connect Back-Channel Logout section 2.4).
const (
	// LogoutIdentifiesSession: the session that has ended, and its user.
	LogoutIdentifiesSession = "Session"
	// LogoutIdentifiesUser: the user alone, all of whose sessions the client is to end.
	LogoutIdentifiesUser = "User"
)

// The values of Client.RefreshTokenRotation.
const (
	RefreshTokenRotationAlways = "Always"
	// RefreshTokenRotationNever: a refresh token stays good until it expires (FAPI 2.0 Security Profile section 5.3.2.1). What keeps a stolen
	// one useless is the key of the client.
	RefreshTokenRotationNever = "Never"
)

// Client is the registration of one OAuth 2.0 client, in the names of RFC 7591 section 2 and OpenID Connect Dynamic
// Client Registration section 2 where they exist.
type Client struct {
	ClientID string `json:"client_id"`
	// UID tells this client from others that have had, or will have, its ID. What was given to a client of another UID (codes, tokens,
	// what people have agreed to, part in their sessions) is not there for this one. It is never told anybody. Empty is a UID like any other.
	UID string `json:"uid,omitempty"`
	// Owner is the namespace of whom the client is for, where there are namespaces: what clients share is shared fairly between owners. Its
	// source knows it; it is not part of the document.
	Owner       string `json:"-"`
	ClientName  string `json:"client_name,omitempty"`
	Description string `json:"description,omitempty"`
	LogoURI     string `json:"logo_uri,omitempty"`
	ClientURI   string `json:"client_uri,omitempty"`
	PolicyURI   string `json:"policy_uri,omitempty"`
	TosURI      string `json:"tos_uri,omitempty"`
	// RedirectURIs may be empty only for a client without the grant type authorization_code.
	RedirectURIs           []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	// Scope is the space-separated list of scopes the client may ask for: those of oidc.Scopes and any others that resource
	// servers understand. It holds "openid" unless client_credentials is the only grant type.
	Scope string `json:"scope"`
	// GrantTypes are those of the GrantTypes function that the client may use; empty means authorization_code.
	GrantTypes []string `json:"grant_types,omitempty"`
	// TokenEndpointAuthMethod is one of the AuthMethod constants.
	TokenEndpointAuthMethod string `json:"token_endpoint_auth_method,omitempty"`
	// IDTokenSignedResponseAlg is a JWS algorithm (RFC 7518 section 3.1); empty means that of the provider's default key.
	IDTokenSignedResponseAlg string `json:"id_token_signed_response_alg,omitempty"`

	// Secrets are the hashes of every client secret that is accepted now. Empty for a public client.
	Secrets []ClientSecret `json:"secrets,omitempty"`
	// RequirePKCE refuses authorization requests without a code_challenge. Public clients need one in any case.
	RequirePKCE bool `json:"require_pkce,omitempty"`
	// Consent is one of the Consent constants; empty means Remember.
	Consent string `json:"consent,omitempty"`
	// UserinfoSignedResponseAlg makes the answer of userinfo a JWT signed with that algorithm; empty means plain JSON.
	UserinfoSignedResponseAlg string `json:"userinfo_signed_response_alg,omitempty"`
	// RequestObjectSigningAlg is the algorithm that every request object must be signed with: one of Algorithms, or none; empty means any of
	// them (OpenID Connect Dynamic Client Registration section 2).
	RequestObjectSigningAlg string `json:"request_object_signing_alg,omitempty"`
	// RequireSignedRequestObject refuses authorization requests without a signed request object (RFC 9101 section 10.5).
	RequireSignedRequestObject bool `json:"require_signed_request_object,omitempty"`
	// ClientAssertionAudience is AudienceIssuer, or empty: then the aud of assertions may also be, or list, the token endpoint or the endpoint that is called.
	ClientAssertionAudience string `json:"client_assertion_audience,omitempty"`
	// JWKS holds the public keys (RFC 7517 section 5) with which the client signs assertions and request objects, JWKSURI where they are.
	// A private_key_jwt client has one of the two.
	JWKS    json.RawMessage `json:"jwks,omitempty"`
	JWKSURI string          `json:"jwks_uri,omitempty"`
	// AccessTokenFormat is FormatOpaque or FormatJWT; empty means FormatOpaque.
	AccessTokenFormat string `json:"access_token_format,omitempty"`
	// DPoPBoundAccessTokens refuses token requests without a DPoP proof (RFC 9449 section 5.2).
	DPoPBoundAccessTokens bool `json:"dpop_bound_access_tokens,omitempty"`
	// RequirePushedRequests refuses authorization requests that were not pushed (RFC 9126 section 6).
	RequirePushedRequests bool `json:"require_pushed_authorization_requests,omitempty"`
	// Resources are the resource indicators (RFC 8707) that the client may ask tokens for: absolute URIs without fragment.
	Resources []string `json:"resources,omitempty"`
	// SubjectMode is one of the Subject constants; empty means SubjectPublic.
	SubjectMode string `json:"subject_mode,omitempty"`
	// SectorIdentifier is the host name that clients with the same pairwise subjects share; empty means the host of the redirect URIs.
	SectorIdentifier string `json:"sector_identifier,omitempty"`
	// SubjectExpression gives the "sub" of SubjectExpression: a text that is another for every person and never changes.
	SubjectExpression string    `json:"subject_expression,omitempty"`
	SubjectExamples   []Example `json:"subject_examples,omitempty"`
	// Claims are told beside those of the directory or in their place.
	Claims []Claim `json:"claims,omitempty"`
	// ClaimsIn is one of the ClaimsIn constants, for claims of both kinds; empty means ClaimsInBoth.
	ClaimsIn string `json:"claims_in,omitempty"`
	// AllowedGroups are the groups of which a person must be in one; empty means that everybody may use the client.
	AllowedGroups []string `json:"allowed_groups,omitempty"`
	// AccessRule gives true for those who may use the client, of those whom AllowedGroups admits; empty means all of them.
	AccessRule     string    `json:"access_rule,omitempty"`
	AccessExamples []Example `json:"access_examples,omitempty"`
	// Contacts are whom to ask about the client: e-mail addresses, URLs or a few words (RFC 7591 section 2).
	Contacts []string `json:"contacts,omitempty"`

	BackchannelLogoutURI             string `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired bool   `json:"backchannel_logout_session_required,omitempty"`
	// BackchannelLogoutIdentifies is one of the LogoutIdentifies constants: what a logout token names; empty means LogoutIdentifiesSession.
	BackchannelLogoutIdentifies string `json:"backchannel_logout_identifies,omitempty"`
	// BackchannelLogoutOnExpiry: the client is told also of sessions that nobody has logged out of, but that have run out.
	BackchannelLogoutOnExpiry         bool   `json:"backchannel_logout_on_expiry,omitempty"`
	FrontchannelLogoutURI             string `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelLogoutSessionRequired bool   `json:"frontchannel_logout_session_required,omitempty"`

	// RefreshTokenRotation is one of the RefreshTokenRotation constants; empty means RefreshTokenRotationAlways.
	RefreshTokenRotation string `json:"refresh_token_rotation,omitempty"`

	// SynologySSO lets the client speak the protocol of Synology SSO Server; nil: it does not.
	SynologySSO *SynologySSOClient `json:"synology_sso,omitempty"`

	// Disabled refuses every request of the client while its registration stays.
	Disabled bool `json:"disabled,omitempty"`
	// Lifetimes override those of Settings where they are set.
	Lifetimes Lifetimes `json:"lifetimes,omitzero"`
}

// ClientSecret is what the provider knows of one client secret.
type ClientSecret struct {
	// ID names the secret in status and logs. It tells nothing about the secret.
	ID string `json:"id"`
	// Hash is "sha256:<base64url>" of a secret with at least 190 bits of entropy, or an argon2id PHC string of another.
	Hash string `json:"hash"`
	// Pending says that the application has not been given the secret yet. It works all the same: it must, before anybody has it.
	Pending bool `json:"pending,omitempty"`
	// NotAfter is when the secret stops working, by the clock of the provider; zero means never.
	NotAfter time.Time `json:"not_after,omitzero"`
}

// Valid tells whether a registration may hold the secret.
func (s ClientSecret) Valid() bool {
	return s.ID != "" && validateSecretHash(s.Hash) == nil
}

// Public tells whether the client has no secret (RFC 6749 section 2.1).
func (c *Client) Public() bool {
	return c.TokenEndpointAuthMethod == AuthMethodNone
}

// MayUse tells whether the client may use a grant type.
func (c *Client) MayUse(grantType string) bool {
	if len(c.GrantTypes) == 0 {
		return grantType == GrantCode
	}
	return slices.Contains(c.GrantTypes, grantType)
}

// Scopes returns the scopes that the client may ask for.
func (c *Client) Scopes() []string {
	return strings.Fields(c.Scope)
}

// clientIDPattern keeps client IDs to characters that mean the same with and without form-urlencoding, because some
// relying parties do not encode them in the Basic header as RFC 6749 section 2.3.1 asks.
var clientIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

// uidPattern takes the UIDs of Kubernetes, and what people may think of.
var uidPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{0,128}$`)

// Validate returns every fault of the registration, each as a *FieldError. It compiles the expressions and tries their examples.
func (c *Client) Validate() error {
	errs := []error{}
	if !clientIDPattern.MatchString(c.ClientID) {
		errs = append(errs, invalid("client_id", "must be 1 to 255 of the characters A-Z a-z 0-9 . _ -"))
	}
	if !uidPattern.MatchString(c.UID) {
		errs = append(errs, invalid("uid", "must be at most 128 of the characters A-Z a-z 0-9 . _ : -"))
	}
	errs = append(errs, c.validateURIs()...)
	errs = append(errs, c.validateScopes()...)
	errs = append(errs, c.validateSecrets()...)
	if c.IDTokenSignedResponseAlg != "" && !slices.Contains(Algorithms(), c.IDTokenSignedResponseAlg) {
		errs = append(errs, invalid("id_token_signed_response_alg", "must be one of %s", strings.Join(Algorithms(), " ")))
	}
	if !slices.Contains([]string{"", ConsentAlways, ConsentRemember, ConsentNever}, c.Consent) {
		errs = append(errs, invalid("consent", "must be Always, Remember or Never"))
	}
	errs = append(errs, c.validateGrants()...)
	errs = append(errs, c.validateRefreshRotation()...)
	errs = append(errs, c.validateLogout()...)
	errs = append(errs, c.validateSubject()...)
	errs = append(errs, c.validateExpressions()...)
	errs = append(errs, c.validateContacts()...)
	for _, f := range []struct{ field, text string }{{"client_name", c.ClientName}, {"description", c.Description}} {
		if err := oidc.ValidateDisplayText(f.text); err != nil {
			errs = append(errs, invalid(f.field, "%s", err))
		}
	}
	errs = append(errs, c.Lifetimes.validate("lifetimes")...)
	errs = append(errs, c.SynologySSO.validate()...)
	return errors.Join(errs...)
}

func (c *Client) validateGrants() []error {
	var errs []error
	for i, g := range c.GrantTypes {
		if !slices.Contains(GrantTypes(), g) {
			errs = append(errs, invalid(index("grant_types", i), "must be one of %s", strings.Join(GrantTypes(), " ")))
		}
	}
	if c.MayUse(GrantRefreshToken) && !c.MayUse(GrantCode) && !c.MayUse(GrantDeviceCode) {
		errs = append(errs, invalid("grant_types", "must hold %s or %s beside %s", GrantCode, GrantDeviceCode, GrantRefreshToken))
	}
	if c.MayUse(GrantClientCredentials) && c.Public() {
		errs = append(errs, invalid("grant_types", "must not hold %s for a public client", GrantClientCredentials))
	}
	if !slices.Contains([]string{"", FormatOpaque, FormatJWT}, c.AccessTokenFormat) {
		errs = append(errs, invalid("access_token_format", "must be Opaque or JWT"))
	}
	if c.UserinfoSignedResponseAlg != "" && !slices.Contains(Algorithms(), c.UserinfoSignedResponseAlg) {
		errs = append(errs, invalid("userinfo_signed_response_alg", "must be one of %s", strings.Join(Algorithms(), " ")))
	}
	for i, r := range c.Resources {
		if err := oidc.ValidateResource(r); err != nil {
			errs = append(errs, invalid(index("resources", i), "%s", err))
		}
	}
	return errs
}

// validateRefreshRotation refuses refresh tokens that are good more than once for a client from which a stolen one could be used.
func (c *Client) validateRefreshRotation() []error {
	switch c.RefreshTokenRotation {
	case "", RefreshTokenRotationAlways:
		return nil
	case RefreshTokenRotationNever:
	default:
		return []error{invalid("refresh_token_rotation", "must be Always or Never")}
	}
	if c.Public() || c.TokenEndpointAuthMethod != AuthMethodPrivateKeyJWT && !c.DPoPBoundAccessTokens {
		return []error{invalid("refresh_token_rotation",
			"must not be Never unless token_endpoint_auth_method is private_key_jwt, or dpop_bound_access_tokens is true for a confidential client")}
	}
	return nil
}

func (c *Client) validateLogout() []error {
	switch {
	case !slices.Contains([]string{"", LogoutIdentifiesSession, LogoutIdentifiesUser}, c.BackchannelLogoutIdentifies):
		return []error{invalid("backchannel_logout_identifies", "must be Session or User")}
	case c.BackchannelLogoutIdentifies == LogoutIdentifiesUser && c.BackchannelLogoutSessionRequired:
		return []error{invalid("backchannel_logout_identifies", "must be Session while backchannel_logout_session_required is true")}
	}
	return nil
}

// RotatesRefreshTokens reports whether each use of a refresh token gives another one in its place.
func (c *Client) RotatesRefreshTokens() bool {
	return c.RefreshTokenRotation != RefreshTokenRotationNever
}

func (c *Client) validateSubject() []error {
	var errs []error
	if !slices.Contains([]string{"", SubjectPublic, SubjectPairwise, SubjectUsername, SubjectEmail, SubjectUserUUID, SubjectExpression}, c.SubjectMode) {
		errs = append(errs, invalid("subject_mode", "must be Public, Pairwise, Username, Email, UserUUID or Expression"))
	}
	if c.SubjectMode == SubjectPairwise && c.Sector() == "" {
		errs = append(errs, invalid("sector_identifier", "must be set for pairwise subjects, because the redirect URIs do not have one and the same host"))
	}
	return errs
}

// Sector returns the sector identifier of pairwise subjects (OpenID Connect Core section 8.1), or "" when the client has none.
func (c *Client) Sector() string {
	if c.SectorIdentifier != "" {
		return c.SectorIdentifier
	}
	host := ""
	for _, uri := range c.RedirectURIs {
		u, err := url.Parse(uri)
		if err != nil || u.Hostname() == "" || host != "" && u.Hostname() != host {
			return ""
		}
		host = u.Hostname()
	}
	return host
}

func (c *Client) validateURIs() []error {
	var errs []error
	if len(c.RedirectURIs) == 0 && c.MayUse(GrantCode) {
		errs = append(errs, invalid("redirect_uris", "must hold at least one URI to which a login can return"))
	}
	for _, f := range []struct{ field, uri string }{
		{"backchannel_logout_uri", c.BackchannelLogoutURI}, {"frontchannel_logout_uri", c.FrontchannelLogoutURI}, {"jwks_uri", c.JWKSURI},
	} {
		if err := oidc.ValidateRedirectURI(f.uri, false); f.uri != "" && err != nil {
			errs = append(errs, invalid(f.field, "%s", err))
		}
	}
	if c.FrontchannelLogoutURI != "" && !slices.ContainsFunc(c.RedirectURIs, func(uri string) bool { return sameOrigin(uri, c.FrontchannelLogoutURI) }) {
		errs = append(errs, invalid("frontchannel_logout_uri", "must have the scheme, host and port of one of the redirect URIs"))
	}
	for i, uri := range c.RedirectURIs {
		if err := oidc.ValidateRedirectURI(uri, c.Public()); err != nil {
			errs = append(errs, invalid(index("redirect_uris", i), "%s", err))
		}
	}
	for i, uri := range c.PostLogoutRedirectURIs {
		if err := oidc.ValidateRedirectURI(uri, c.Public()); err != nil {
			errs = append(errs, invalid(index("post_logout_redirect_uris", i), "%s", err))
		}
	}
	pages := []struct{ field, uri string }{
		{"logo_uri", c.LogoURI}, {"client_uri", c.ClientURI}, {"policy_uri", c.PolicyURI}, {"tos_uri", c.TosURI},
	}
	for _, p := range pages {
		if p.uri == "" {
			continue
		}
		if _, err := oidc.ParseURI(p.uri); err != nil {
			errs = append(errs, invalid(p.field, "%s", err))
		} else if !webPage(p.uri) {
			errs = append(errs, invalid(p.field, "must be an absolute https or http URL"))
		}
	}
	return errs
}

// sameOrigin tells whether two URIs agree in what a front-channel logout URI must share with a redirect URI (OpenID Connect
// Front-Channel Logout section 2).
func sameOrigin(a, b string) bool {
	u, errU := url.Parse(a)
	v, errV := url.Parse(b)
	return errU == nil && errV == nil && u.Scheme == v.Scheme && strings.EqualFold(u.Host, v.Host)
}

func webPage(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func (c *Client) validateScopes() []error {
	var errs []error
	scopes := c.Scopes()
	people := c.MayUse(GrantCode) || c.MayUse(GrantDeviceCode)
	if people && !slices.Contains(scopes, oidc.ScopeOpenID) {
		errs = append(errs, invalid("scope", "must hold openid"))
	}
	for _, s := range scopes {
		if !oidc.ValidScope(s) {
			errs = append(errs, invalid("scope", "%q must be 1 to 128 printable ASCII characters without quotes and backslashes", s))
		}
	}
	if slices.Contains(scopes, oidc.ScopeOfflineAccess) && !c.MayUse(GrantRefreshToken) {
		errs = append(errs, invalid("scope", "must not hold offline_access without the grant type refresh_token"))
	}
	return errs
}

func (c *Client) validateSecrets() []error {
	var errs []error
	switch c.TokenEndpointAuthMethod {
	case AuthMethodAny, AuthMethodBasic, AuthMethodPost:
		if len(c.Secrets) == 0 {
			errs = append(errs, invalid("secrets", "must hold at least one secret; a public client has token_endpoint_auth_method none"))
		}
	case AuthMethodNone:
		if len(c.Secrets) > 0 {
			errs = append(errs, invalid("secrets", "must be empty for a client whose token_endpoint_auth_method is none"))
		}
	case AuthMethodPrivateKeyJWT:
		if len(c.Secrets) > 0 {
			errs = append(errs, invalid("secrets", "must be empty for a client whose token_endpoint_auth_method is private_key_jwt"))
		}
	default:
		errs = append(errs, invalid("token_endpoint_auth_method", "must be client_secret_basic, client_secret_post, private_key_jwt, none or empty"))
	}
	errs = append(errs, c.validateKeys()...)
	errs = append(errs, c.validateSigned()...)
	for i, s := range c.Secrets {
		if s.ID == "" {
			errs = append(errs, invalid(index("secrets", i)+".id", "must not be empty"))
		}
		if err := validateSecretHash(s.Hash); err != nil {
			errs = append(errs, invalid(index("secrets", i)+".hash", "%s", err))
		}
	}
	return errs
}

func (c *Client) validateKeys() []error {
	alg := c.RequestObjectSigningAlg
	signs := c.RequireSignedRequestObject || slices.Contains(Algorithms(), alg)
	switch {
	case len(c.JWKS) > 0 && c.JWKSURI != "":
		return []error{invalid("jwks", "must not be set together with jwks_uri")}
	case !c.HasKeys() && c.TokenEndpointAuthMethod == AuthMethodPrivateKeyJWT:
		return []error{invalid("jwks", "must be set, or jwks_uri, for a client whose token_endpoint_auth_method is private_key_jwt")}
	case !c.HasKeys() && signs:
		return []error{invalid("jwks", "must be set, or jwks_uri, for a client that signs its request objects")}
	case len(c.JWKS) > 0:
		if _, err := ParseClientKeys(c.JWKS); err != nil {
			return []error{invalid("jwks", "%s", err)}
		}
	}
	return nil
}

// HasKeys reports whether the client is registered with keys that it signs with.
func (c *Client) HasKeys() bool { return len(c.JWKS) > 0 || c.JWKSURI != "" }

// validateSigned checks how the client signs assertions and request objects.
func (c *Client) validateSigned() []error {
	alg, known := c.RequestObjectSigningAlg, oidc.RequestObjectAlgorithms(Algorithms())
	switch {
	case alg != "" && !slices.Contains(known, alg):
		return []error{invalid("request_object_signing_alg", "must be one of %s", strings.Join(known, " "))}
	case c.ClientAssertionAudience != "" && c.ClientAssertionAudience != AudienceIssuer:
		return []error{invalid("client_assertion_audience", "must be Issuer or empty")}
	case c.ClientAssertionAudience != "" && c.TokenEndpointAuthMethod != AuthMethodPrivateKeyJWT:
		return []error{invalid("client_assertion_audience", "must be empty unless token_endpoint_auth_method is private_key_jwt")}
	case alg == oidc.AlgorithmNone && c.RequireSignedRequestObject:
		return []error{invalid("request_object_signing_alg", "must not be none beside require_signed_request_object; remove one of the two")}
	}
	return nil
}

// maxClientKeys bounds how many signatures an assertion without kid makes the provider try.
const maxClientKeys = 16

// ParseClientKeys reads the public keys of a client: a JSON Web Key Set (RFC 7517 section 5). Keys of kinds that cannot
// sign are left out. It returns an error when none is left, or when a private key is among them, which must never have left the client.
func ParseClientKeys(jwks []byte) (*jose.JSONWebKeySet, error) {
	set := &jose.JSONWebKeySet{}
	if err := json.Unmarshal(jwks, set); err != nil {
		return nil, errors.New("must be a JSON Web Key Set: {\"keys\": [...]}")
	}
	usable := &jose.JSONWebKeySet{}
	for _, key := range set.Keys {
		_, symmetric := key.Key.([]byte)
		switch {
		case !key.Valid() || symmetric || key.Use == "enc":
			continue
		case !key.IsPublic():
			return nil, errors.New("must hold public keys only; replace the private key in it, which others have seen now")
		}
		usable.Keys = append(usable.Keys, key)
	}
	switch {
	case len(usable.Keys) == 0:
		return nil, errors.New("must hold at least one public RSA, elliptic curve or Ed25519 key")
	case len(usable.Keys) > maxClientKeys:
		return nil, errors.New("must hold at most 16 keys")
	}
	return usable, nil
}
