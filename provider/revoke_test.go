package provider_test

import (
	"net/http"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// revoked gives back a token as the client app, with parameters added.
func revoked(t testing.TB, issuer *providertest.Issuer, token string, added ...string) answer {
	t.Helper()
	return post(t, issuer, oidc.PathRevocation, append([]string{"client_id", "app", "client_secret", "secret-of-app", "token", token}, added...)...)
}

// RFC 7009 2.1: a refresh token goes with everything that came from the same grant, an opaque access token alone.
func TestRevocation(t *testing.T) {
	for name, c := range map[string]struct {
		format  string
		token   string
		access  int // what userinfo answers then
		refresh int // what the token endpoint answers then
	}{
		"refresh token, opaque access token": {registration.FormatOpaque, "refresh_token", 401, 400},
		"refresh token, JWT access token":    {registration.FormatJWT, "refresh_token", 401, 400},
		"opaque access token":                {registration.FormatOpaque, "access_token", 401, 200},
		"JWT access token":                   {registration.FormatJWT, "access_token", 401, 400},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := refreshingClient()
			client.AccessTokenFormat = c.format
			issuer.AddClient(client)
			tokens := exchange(t, issuer, newCode(t, issuer))
			for range 2 { // 2.2: what is revoked already is no error
				if got := revoked(t, issuer, tokens.text(c.token), "token_type_hint", c.token); got.status != 200 || got.raw != "" {
					t.Fatalf("answers %d %s", got.status, got.raw)
				}
			}
			if got := userinfo(t, issuer, tokens.text("access_token")); got.status != c.access {
				t.Errorf("userinfo answers %d", got.status)
			}
			if got := refreshed(t, issuer, tokens.text("refresh_token")); got.status != c.refresh {
				t.Errorf("the refresh token answers %d %s", got.status, got.raw)
			}
		})
	}
}

// A refresh token that was exchanged already still ends the login when it is given back.
func TestRevocationOfAUsedRefreshToken(t *testing.T) {
	issuer, first := newRefreshing(t, "openid")
	second := refreshed(t, issuer, first.text("refresh_token"))
	if got := revoked(t, issuer, first.text("refresh_token")); got.status != 200 {
		t.Fatalf("answers %d", got.status)
	}
	if got := refreshed(t, issuer, second.text("refresh_token")); got.text("error") != "invalid_grant" {
		t.Errorf("the token that followed answers %d", got.status)
	}
}

// RFC 7009 2.1: only for the client that the token was issued to; 2.2: no error for what is no token.
func TestRevocationIsRefused(t *testing.T) {
	issuer, tokens := newRefreshing(t, "openid")
	worker := workerClient()
	worker.AccessTokenFormat = registration.FormatJWT
	issuer.AddClient(worker)
	native := refreshingClient()
	native.ClientID, native.TokenEndpointAuthMethod = "native", registration.AuthMethodNone
	issuer.AddClient(native)
	own := worked(t, issuer).text("access_token")
	asWorker := []string{"client_id", "worker", "client_secret", "secret-of-worker"}
	for name, c := range map[string]struct {
		form   []string
		status int
		err    string
	}{
		"nobody":                            {[]string{"token", tokens.text("refresh_token")}, 401, "invalid_client"},
		"a wrong secret":                    {[]string{"token", tokens.text("refresh_token"), "client_id", "app", "client_secret", "x"}, 401, "invalid_client"},
		"no token":                          {asWorker, 400, "invalid_request"},
		"another's refresh token":           {append([]string{"token", tokens.text("refresh_token")}, asWorker...), 400, "invalid_grant"},
		"another's access token":            {append([]string{"token", tokens.text("access_token")}, asWorker...), 400, "invalid_grant"},
		"another's, by a public client":     {[]string{"token", tokens.text("refresh_token"), "client_id", "native"}, 400, "invalid_grant"},
		"nonsense":                          {append([]string{"token", "nonsense"}, asWorker...), 200, ""},
		"nonsense, by a public client":      {[]string{"token", "nonsense", "client_id", "native"}, 200, ""},
		"an invented refresh token":         {append([]string{"token", tokens.text("refresh_token")[:80] + "AAAAAAAAAA"}, asWorker...), 200, ""},
		"a JWT without a grant (2.2.1)":     {append([]string{"token", own}, asWorker...), 400, "unsupported_token_type"},
		"an unknown hint is ignored (2.1)":  {append([]string{"token", "nonsense", "token_type_hint", "banana"}, asWorker...), 200, ""},
		"an ID token is no token of theirs": {append([]string{"token", tokens.text("id_token")}, asWorker...), 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := post(t, issuer, oidc.PathRevocation, c.form...); got.status != c.status || got.text("error") != c.err {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
	if got := userinfo(t, issuer, tokens.text("access_token")); got.status != http.StatusOK {
		t.Errorf("one of them has revoked a token: %d", got.status)
	}
}

// RFC 7009 2.1: a public client revokes its own tokens by its client_id.
func TestRevocationByAPublicClient(t *testing.T) {
	issuer, _ := newIssuer(t)
	native := refreshingClient()
	native.TokenEndpointAuthMethod = registration.AuthMethodNone
	issuer.AddClient(native)
	code := newCode(t, issuer, "code_challenge", challenge, "code_challenge_method", "S256")
	tokens := exchange(t, issuer, code, "client_secret", "", "code_verifier", verifierOfChallenge)
	if got := post(t, issuer, oidc.PathRevocation, "client_id", "app", "token", tokens.text("refresh_token")); got.status != 200 {
		t.Fatalf("answers %d %s", got.status, got.raw)
	}
	if got := userinfo(t, issuer, tokens.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d", got.status)
	}
}
