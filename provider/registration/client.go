package registration

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The values of Client.TokenEndpointAuthMethod (RFC 7591 section 2). The empty value accepts basic and post alike.
const (
	AuthMethodAny   = ""
	AuthMethodBasic = "client_secret_basic"
	AuthMethodPost  = "client_secret_post"
	AuthMethodNone  = "none"
)

// The values of Client.Consent: when a person is asked to agree to what the client wants to know.
const (
	ConsentAlways   = "Always"
	ConsentRemember = "Remember"
	ConsentNever    = "Never"
)

// Client is the registration of one OAuth 2.0 client, in the names of RFC 7591 section 2 and OpenID Connect Dynamic
// Client Registration section 2 where they exist.
type Client struct {
	ClientID               string   `json:"client_id"`
	ClientName             string   `json:"client_name,omitempty"`
	Description            string   `json:"description,omitempty"`
	LogoURI                string   `json:"logo_uri,omitempty"`
	ClientURI              string   `json:"client_uri,omitempty"`
	PolicyURI              string   `json:"policy_uri,omitempty"`
	TosURI                 string   `json:"tos_uri,omitempty"`
	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	// Scope is the space-separated list of scopes the client may ask for. It always holds "openid".
	Scope string `json:"scope"`
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
	// NotAfter is when the secret stops working; zero means never.
	NotAfter time.Time `json:"not_after,omitzero"`
}

// Public tells whether the client has no secret (RFC 6749 section 2.1).
func (c *Client) Public() bool {
	return c.TokenEndpointAuthMethod == AuthMethodNone
}

// Scopes returns the scopes that the client may ask for.
func (c *Client) Scopes() []string {
	return strings.Fields(c.Scope)
}

// clientIDPattern keeps client IDs to characters that mean the same with and without form-urlencoding, because some
// relying parties do not encode them in the Basic header as RFC 6749 section 2.3.1 asks.
var clientIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

// Validate returns every fault of the registration, each as a *FieldError.
func (c *Client) Validate() error {
	errs := []error{}
	if !clientIDPattern.MatchString(c.ClientID) {
		errs = append(errs, invalid("client_id", "must be 1 to 255 of the characters A-Z a-z 0-9 . _ -"))
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
	errs = append(errs, c.Lifetimes.validate("lifetimes")...)
	return errors.Join(errs...)
}

func (c *Client) validateURIs() []error {
	var errs []error
	if len(c.RedirectURIs) == 0 {
		errs = append(errs, invalid("redirect_uris", "must hold at least one URI to which a login can return"))
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
		if p.uri != "" && !webPage(p.uri) {
			errs = append(errs, invalid(p.field, "must be an absolute https or http URL"))
		}
	}
	return errs
}

func webPage(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func (c *Client) validateScopes() []error {
	var errs []error
	scopes := c.Scopes()
	if !slices.Contains(scopes, oidc.ScopeOpenID) {
		errs = append(errs, invalid("scope", "must hold openid"))
	}
	for _, s := range scopes {
		if !slices.Contains(oidc.Scopes(), s) {
			errs = append(errs, invalid("scope", "%q is not one of %s", s, strings.Join(oidc.Scopes(), " ")))
		}
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
	default:
		errs = append(errs, invalid("token_endpoint_auth_method", "must be client_secret_basic, client_secret_post, none or empty"))
	}
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
