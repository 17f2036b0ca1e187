package provider_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// introspected asks about a token as the client app, with parameters added.
func introspected(t testing.TB, issuer *providertest.Issuer, token string, added ...string) answer {
	t.Helper()
	return post(t, issuer, oidc.PathIntrospection, append([]string{"client_id", "app", "client_secret", "secret-of-app", "token", token}, added...)...)
}

const inactive = `{"active":false}`

// RFC 7662 2.2: what is told of a token that is good.
func TestIntrospection(t *testing.T) {
	for _, format := range []string{registration.FormatOpaque, registration.FormatJWT} {
		t.Run(format, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := refreshingClient()
			client.AccessTokenFormat = format
			issuer.AddClient(client)
			tokens := exchange(t, issuer, newCode(t, issuer, "scope", "openid profile"))
			access := introspected(t, issuer, tokens.text("access_token"), "token_type_hint", "access_token")
			for name, want := range map[string]any{
				"active": true, "scope": "openid profile", "client_id": "app", "username": "ada", "token_type": "Bearer", "sub": "sub-ada",
				"iss": issuer.URL, "aud": issuer.URL,
			} {
				if access.body[name] != want {
					t.Errorf("%s is %v; want %v", name, access.body[name], want)
				}
			}
			issued, _ := access.body["iat"].(float64)
			if expires, _ := access.body["exp"].(float64); expires-issued != 900 || int64(issued) < issuer.Clock.Now().Unix()-60 {
				t.Errorf("iat %v, exp %v", access.body["iat"], access.body["exp"])
			}
			if _, given := access.body["jti"]; given != (format == registration.FormatJWT) {
				t.Errorf("jti is %v", access.body["jti"])
			}
			refresh := introspected(t, issuer, tokens.text("refresh_token"), "token_type_hint", "access_token") // a wrong hint: 2.1
			if refresh.body["active"] != true || refresh.text("sub") != "sub-ada" || refresh.text("scope") != "openid profile" || refresh.body["token_type"] != nil {
				t.Errorf("the refresh token: %s", refresh.raw)
			}
			if got := access.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q", got)
			}
		})
	}
}

// RFC 7662 4 and 5: who is told, and that nothing is told of a token that is not good.
func TestIntrospectionOfWhatIsNotGood(t *testing.T) {
	issuer, first := newRefreshing(t, "openid")
	second := refreshed(t, issuer, first.text("refresh_token"))
	for name, token := range map[string]string{
		"nonsense": "nonsense", "dots": "a.b.c", "a used refresh token": first.text("refresh_token"),
		"an invented refresh token": first.text("refresh_token")[:80] + "AAAAAAAAAA", "long": strings.Repeat("A", 20<<10),
	} {
		if got := introspected(t, issuer, token); got.status != 200 || got.raw != inactive {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	if got := introspected(t, issuer, second.text("refresh_token")); got.body["active"] != true {
		t.Fatalf("asking has changed something: %s", got.raw)
	}
	issuer.Clock.Advance(16 * time.Minute)
	if got := introspected(t, issuer, second.text("access_token")); got.raw != inactive {
		t.Errorf("an expired access token: %s", got.raw)
	}
	issuer.Clock.Advance(721 * time.Hour)
	if got := introspected(t, issuer, second.text("refresh_token")); got.raw != inactive {
		t.Errorf("an idle refresh token: %s", got.raw)
	}
}

// RFC 7662 2.1: the endpoint is for those who prove themselves, and tells them what concerns them.
func TestWhoMayIntrospect(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := refreshingClient()
	client.Resources = []string{"https://api.example.com", "https://other.example.com"}
	issuer.AddClient(client)
	for id, resources := range map[string][]string{"api": {"https://api.example.com"}, "stranger": {"https://stranger.example.com"}, "none": nil} {
		server := workerClient()
		server.ClientID, server.Resources = id, resources
		issuer.AddClient(server)
	}
	native := appClient()
	native.ClientID, native.TokenEndpointAuthMethod = "native", registration.AuthMethodNone
	issuer.AddClient(native)
	tokens := exchange(t, issuer, newCode(t, issuer), "resource", "https://api.example.com")
	token := tokens.text("access_token")
	if got := introspected(t, issuer, token); got.text("aud") != "https://api.example.com" {
		t.Errorf("its client is told %s", got.raw)
	}
	for id, active := range map[string]bool{"api": true, "stranger": false, "none": false} {
		got := post(t, issuer, oidc.PathIntrospection, "client_id", id, "client_secret", "secret-of-"+id, "token", token)
		if got.status != 200 || got.body["active"] != active || !active && got.raw != inactive {
			t.Errorf("%s is told %d %s", id, got.status, got.raw)
		}
	}
	if got := post(t, issuer, oidc.PathIntrospection, "client_id", "api", "client_secret", "secret-of-api", "token", tokens.text("refresh_token")); got.raw != inactive {
		t.Errorf("a resource server is told of a refresh token: %s", got.raw)
	}
	for name, form := range map[string][]string{
		"nobody":          {"token", token},
		"a wrong secret":  {"client_id", "app", "client_secret", "wrong", "token", token},
		"a public client": {"client_id", "native", "token", token},
	} {
		if got := post(t, issuer, oidc.PathIntrospection, form...); got.status != http.StatusUnauthorized || got.text("error") != "invalid_client" {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	for name, form := range map[string][]string{"no token": {}, "two tokens": {"token", token, "token", token}} {
		form = append(slices.Clone(form), "client_id", "app", "client_secret", "secret-of-app")
		if got := post(t, issuer, oidc.PathIntrospection, form...); got.status != http.StatusBadRequest || got.text("error") != "invalid_request" {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	if got := get(t, issuer, oidc.PathIntrospection+"?token="+token); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET answers %d", got.status)
	}
}
