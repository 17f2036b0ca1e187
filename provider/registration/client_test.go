package registration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func validClient() *registration.Client {
	hash := registration.HashSecret("0123456789abcdefghijklmnopqrstuv")
	return &registration.Client{
		ClientID:     "matrix.synapse",
		RedirectURIs: []string{"https://app.example.com/callback"},
		Scope:        "openid profile",
		Secrets:      []registration.ClientSecret{{ID: registration.SecretID(hash), Hash: hash}},
	}
}

// checkFields fails unless err holds exactly one FieldError, on field want, or is nil when want is "".
func checkFields(t *testing.T, err error, want string) {
	t.Helper()
	faults := registration.FieldErrors(err)
	if want == "" {
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return
	}
	if len(faults) != 1 || faults[0].Field != want || faults[0].Message == "" {
		t.Fatalf("got %v, want one fault in %s", err, want)
	}
}

func TestClientValidate(t *testing.T) {
	public := func(c *registration.Client) {
		c.TokenEndpointAuthMethod, c.Secrets = registration.AuthMethodNone, nil
	}
	for name, test := range map[string]struct {
		change func(*registration.Client)
		field  string
	}{
		"valid":        {func(*registration.Client) {}, ""},
		"valid public": {public, ""},
		"no client ID": {func(c *registration.Client) { c.ClientID = "" }, "client_id"},
		"assertions for the issuer alone": {func(c *registration.Client) {
			c.TokenEndpointAuthMethod, c.Secrets, c.JWKSURI, c.ClientAssertionAudience = "private_key_jwt", nil, "https://a.example/jwks", "Issuer"
		}, ""},
		"assertions for an unknown audience": {func(c *registration.Client) {
			c.TokenEndpointAuthMethod, c.Secrets, c.JWKSURI, c.ClientAssertionAudience = "private_key_jwt", nil, "https://a.example/jwks", "Any"
		}, "client_assertion_audience"},
		"an audience of no assertions":           {func(c *registration.Client) { c.ClientAssertionAudience = "Issuer" }, "client_assertion_audience"},
		"request objects of any algorithm":       {func(c *registration.Client) { c.RequestObjectSigningAlg, c.JWKSURI = "PS512", "https://a.example/jwks" }, ""},
		"request objects without signature":      {func(c *registration.Client) { c.RequestObjectSigningAlg = "none" }, ""},
		"request objects with a shared secret":   {func(c *registration.Client) { c.RequestObjectSigningAlg = "HS256" }, "request_object_signing_alg"},
		"request objects that nobody can verify": {func(c *registration.Client) { c.RequestObjectSigningAlg = "ES256" }, "jwks"},
		"signed requests that nobody can verify": {func(c *registration.Client) { c.RequireSignedRequestObject = true }, "jwks"},
		"signed requests without signature": {func(c *registration.Client) {
			c.RequestObjectSigningAlg, c.RequireSignedRequestObject, c.JWKSURI = "none", true, "https://a.example/jwks"
		}, "request_object_signing_alg"},
		"keys in two places":                   {func(c *registration.Client) { c.JWKS, c.JWKSURI = []byte(`{}`), "https://a.example/jwks" }, "jwks"},
		"colon in client ID":                   {func(c *registration.Client) { c.ClientID = "a:b" }, "client_id"},
		"UID":                                  {func(c *registration.Client) { c.UID = "0f6d2c1e-8a57-4d0b-9d55-3b1f0f6a7c11" }, ""},
		"UID that no database keeps":           {func(c *registration.Client) { c.UID = "a\x00b" }, "uid"},
		"no redirect URI":                      {func(c *registration.Client) { c.RedirectURIs = nil }, "redirect_uris"},
		"wildcard":                             {func(c *registration.Client) { c.RedirectURIs[0] = "https://*.example.com/" }, "redirect_uris[0]"},
		"http logout URI":                      {func(c *registration.Client) { c.PostLogoutRedirectURIs = []string{"http://example.com"} }, "post_logout_redirect_uris[0]"},
		"private-use scheme":                   {func(c *registration.Client) { c.RedirectURIs[0] = "com.example:/cb" }, "redirect_uris[0]"},
		"private-use scheme, public":           {func(c *registration.Client) { public(c); c.RedirectURIs[0] = "com.example:/cb" }, ""},
		"script as policy":                     {func(c *registration.Client) { c.PolicyURI = "javascript:alert(1)" }, "policy_uri"},
		"no openid":                            {func(c *registration.Client) { c.Scope = "profile" }, "scope"},
		"unusable scope":                       {func(c *registration.Client) { c.Scope = "openid \"admin\"" }, "scope"},
		"confidential without secret":          {func(c *registration.Client) { c.Secrets = nil }, "secrets"},
		"public with secret":                   {func(c *registration.Client) { c.TokenEndpointAuthMethod = "none" }, "secrets"},
		"unknown auth method":                  {func(c *registration.Client) { c.TokenEndpointAuthMethod = "magic" }, "token_endpoint_auth_method"},
		"secret instead of a hash":             {func(c *registration.Client) { c.Secrets[0].Hash = "0123456789abcdef" }, "secrets[0].hash"},
		"short digest":                         {func(c *registration.Client) { c.Secrets[0].Hash = "sha256:abc" }, "secrets[0].hash"},
		"secret without ID":                    {func(c *registration.Client) { c.Secrets[0].ID = "" }, "secrets[0].id"},
		"symmetric ID token algorithm":         {func(c *registration.Client) { c.IDTokenSignedResponseAlg = "HS256" }, "id_token_signed_response_alg"},
		"unsigned ID tokens":                   {func(c *registration.Client) { c.IDTokenSignedResponseAlg = "none" }, "id_token_signed_response_alg"},
		"front-channel logout of another host": {func(c *registration.Client) { c.FrontchannelLogoutURI = "https://elsewhere.example.com/out" }, "frontchannel_logout_uri"},
		"unknown consent":                      {func(c *registration.Client) { c.Consent = "Maybe" }, "consent"},
		"logout tokens of the user":            {func(c *registration.Client) { c.BackchannelLogoutIdentifies = "User" }, ""},
		"logout tokens of nobody":              {func(c *registration.Client) { c.BackchannelLogoutIdentifies = "Nobody" }, "backchannel_logout_identifies"},
		"logout tokens without required sid": {func(c *registration.Client) {
			c.BackchannelLogoutIdentifies, c.BackchannelLogoutSessionRequired = "User", true
		}, "backchannel_logout_identifies"},
		"no rotation with a secret alone": {func(c *registration.Client) { c.RefreshTokenRotation = "Never" }, "refresh_token_rotation"},
		"no rotation with DPoP":           {func(c *registration.Client) { c.RefreshTokenRotation, c.DPoPBoundAccessTokens = "Never", true }, ""},
		"no rotation with DPoP, public": {func(c *registration.Client) {
			public(c)
			c.RefreshTokenRotation, c.DPoPBoundAccessTokens = "Never", true
		}, "refresh_token_rotation"},
		"unknown rotation":                {func(c *registration.Client) { c.RefreshTokenRotation = "Often" }, "refresh_token_rotation"},
		"code that lives an hour":         {func(c *registration.Client) { c.Lifetimes.AuthorizationCode = registration.Duration(time.Hour) }, "lifetimes.authorization_code"},
		"negative access token lifetime":  {func(c *registration.Client) { c.Lifetimes.AccessToken = registration.Duration(-1) }, "lifetimes.access_token"},
		"ID token that lives for a month": {func(c *registration.Client) { c.Lifetimes.IDToken = registration.Duration(720 * time.Hour) }, "lifetimes.id_token"},
	} {
		t.Run(name, func(t *testing.T) {
			c := validClient()
			test.change(c)
			checkFields(t, c.Validate(), test.field)
		})
	}
}

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want string // part of the error; empty: none
	}{
		"valid":         {`{"client_id":"a","redirect_uris":["https://a.example.com"],"scope":"openid","token_endpoint_auth_method":"none"}`, ""},
		"unknown field": {`{"client_id":"a","disable":true}`, `unknown field "disable"`},
		"two documents": {`{"client_id":"a","redirect_uris":["https://a.example.com"],"scope":"openid","token_endpoint_auth_method":"none"}{}`, "followed by more data"},
		"wrong type":    {`{"client_id":7}`, "client_id: must be a string"},
		"not JSON":      {`client_id: a`, "not JSON"},
		"cut off":       {`{"client_id":"a"`, "not a complete JSON object"},
		"bad duration":  {`{"client_id":"a","lifetimes":{"id_token":"soon"}}`, `duration: must be text such as "15m"`},
		"invalid":       {`{"client_id":"a"}`, "redirect_uris"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := registration.Parse[registration.Client]([]byte(test.text))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
		})
	}
}

// A document may hold key material, so that an error must not repeat what stands in it.
func TestParseErrorsRepeatNoValues(t *testing.T) {
	for _, text := range []string{`{"keys":"hunter2"}`, `{"keys":[{"jwk":{"kty":"hunter2"}}],"algorithm":"RS256"}`, `{"algorithm":"RS256","keys":[{"kid":7,"phase":"hunter2"}]}`, `hunter2`} {
		_, err := registration.Parse[registration.SigningKey]([]byte(text))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got error %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"client_id":"a","redirect_uris":["https://a.example.com"],"scope":"openid","token_endpoint_auth_method":"none"}`))
	f.Add([]byte(`{"lifetimes":{"id_token":"15m"}}`))
	f.Add([]byte(`{"algorithm":"ES256","keys":[{"kid":"a","phase":"Active","jwk":{"kty":"EC"}}]}`))
	f.Add([]byte(`{"sub":"s","preferred_username":"ada","password_hash":"$argon2id$v=19$m=19456,t=2,p=1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := registration.Parse[registration.Client](data); err == nil && c.Validate() != nil {
			t.Error("parsed a client that is not valid")
		}
		if u, err := registration.Parse[registration.User](data); err == nil && u.Validate() != nil {
			t.Error("parsed a user that is not valid")
		}
		if k, err := registration.Parse[registration.SigningKey](data); err == nil && k.Validate() != nil {
			t.Error("parsed a signing key that is not valid")
		}
		if s, err := registration.Parse[registration.Settings](data); err == nil && s.Validate() != nil {
			t.Error("parsed settings that are not valid")
		}
	})
}
