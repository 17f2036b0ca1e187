package provider_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// jwtClient gets JWT access tokens.
func jwtClient() registration.Client {
	c := refreshingClient()
	c.AccessTokenFormat = registration.FormatJWT
	c.Scope += " groups"
	return c
}

func newJWTIssuer(t testing.TB, scope string) (*providertest.Issuer, answer) {
	t.Helper()
	issuer, _ := newIssuer(t)
	user := ada()
	user.Groups = []string{"staff"}
	issuer.AddUser(user, password)
	issuer.AddClient(jwtClient())
	tokens := exchange(t, issuer, newCode(t, issuer, "scope", scope))
	if tokens.status != http.StatusOK {
		t.Fatalf("the code answers %d %s", tokens.status, tokens.raw)
	}
	return issuer, tokens
}

// RFC 9068 2: what a JWT access token holds.
func TestJWTAccessToken(t *testing.T) {
	issuer, tokens := newJWTIssuer(t, "openid groups")
	token := tokens.text("access_token")
	header := decodeSegment(t, token, 0)
	if header["typ"] != "at+jwt" || header["alg"] != "ES256" || header["kid"] == "" { // 2.1
		t.Errorf("the header is %v", header)
	}
	claims := decodeSegment(t, token, 1)
	idToken := decodeSegment(t, tokens.text("id_token"), 1)
	for name, want := range map[string]any{ // 2.2, 2.2.1, 2.2.2 and 2.2.3.1
		"iss": issuer.URL, "sub": "sub-ada", "aud": issuer.URL, "client_id": "app", "scope": "openid groups",
		"auth_time": idToken["auth_time"], "amr": idToken["amr"], "acr": idToken["acr"], "groups": []any{"staff"}, "iat": idToken["iat"],
		"exp": idToken["iat"].(float64) + tokens.body["expires_in"].(float64),
	} {
		if !reflect.DeepEqual(claims[name], want) {
			t.Errorf("%s is %v; want %v", name, claims[name], want)
		}
	}
	if id, _ := claims["jti"].(string); id == "" || claims["cnf"] != nil {
		t.Errorf("jti is %v, cnf %v", claims["jti"], claims["cnf"])
	}
	if got := userinfo(t, issuer, token); got.status != 200 || got.text("sub") != "sub-ada" {
		t.Errorf("userinfo answers %d %s", got.status, got.raw)
	}
	// A resource server verifies it with keys and issuer from discovery.
	provider, err := gooidc.NewProvider(t.Context(), issuer.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Verifier(&gooidc.Config{ClientID: issuer.URL}).Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	again := refreshed(t, issuer, tokens.text("refresh_token")).text("access_token")
	if decodeSegment(t, again, 1)["jti"] == claims["jti"] {
		t.Error("two tokens have one jti")
	}
}

// RFC 9068 2.2: the subject of a token of a client that acts for itself is the client.
func TestJWTAccessTokenOfAClient(t *testing.T) {
	issuer, _ := newIssuer(t)
	worker := workerClient()
	worker.AccessTokenFormat = registration.FormatJWT
	issuer.AddClient(worker)
	claims := decodeSegment(t, worked(t, issuer, "resource", "https://jobs.example.com").text("access_token"), 1)
	if claims["sub"] != "worker" || claims["aud"] != "https://jobs.example.com" || claims["auth_time"] != nil || claims["groups"] != nil {
		t.Errorf("the claims are %v", claims)
	}
}

// A JWT access token ends with what it came from, although it says itself how long it is good.
func TestJWTAccessTokenEndsWithItsGrant(t *testing.T) {
	for name, end := range map[string]func(issuer *providertest.Issuer, tokens answer){
		"it expires":          func(i *providertest.Issuer, _ answer) { i.Clock.Advance(15*time.Minute + time.Second) },
		"the consent is gone": func(i *providertest.Issuer, _ answer) { _, _ = i.Store.Revoke(t.Context(), "sub-ada", "app") },
		"the person is gone":  func(i *providertest.Issuer, _ answer) { i.RemoveUser("ada") },
		"the client is gone":  func(i *providertest.Issuer, _ answer) { i.RemoveClient("app") },
		"the session is gone": func(i *providertest.Issuer, _ answer) {
			sessions, _ := i.Store.SessionsOf(t.Context(), "sub-ada")
			_ = i.Store.EndSession(t.Context(), sessions[0].ID, nil)
		},
		"it is revoked": func(i *providertest.Issuer, tokens answer) { revoked(t, i, tokens.text("access_token")) },
	} {
		t.Run(name, func(t *testing.T) {
			issuer, tokens := newJWTIssuer(t, "openid")
			end(issuer, tokens)
			if got := userinfo(t, issuer, tokens.text("access_token")); got.status != http.StatusUnauthorized {
				t.Errorf("userinfo answers %d", got.status)
			}
			if got := introspected(t, issuer, tokens.text("access_token")); got.status == 200 && got.body["active"] != false {
				t.Errorf("introspection answers %s", got.raw)
			}
		})
	}
}

// RFC 8725 3.11, RFC 9068 4: no token passes for one of another type.
func TestTokensAreNotMistakenForOthers(t *testing.T) {
	issuer, tokens := newJWTIssuer(t, "openid")
	if got := userinfo(t, issuer, tokens.text("id_token")); got.status != http.StatusUnauthorized {
		t.Errorf("an ID token is an access token: %d", got.status)
	}
	if got := introspected(t, issuer, tokens.text("id_token")); got.raw != `{"active":false}` {
		t.Errorf("an ID token is introspected: %s", got.raw)
	}
	if got := userinfo(t, issuer, tokens.text("refresh_token")); got.status != http.StatusUnauthorized {
		t.Errorf("a refresh token is an access token: %d", got.status)
	}
	if got := refreshed(t, issuer, tokens.text("access_token")); got.text("error") != "invalid_grant" {
		t.Errorf("an access token is a refresh token: %s", got.raw)
	}
	page := issuer.NewBrowser(t).Get(issuer.Endpoint(oidc.PathLogout) + "?id_token_hint=" + tokens.text("access_token"))
	if page.Status != http.StatusBadRequest {
		t.Errorf("an access token is an id_token_hint: %d", page.Status)
	}
	segments := strings.Split(tokens.text("access_token"), ".")
	for name, token := range map[string]string{
		"no signature":      segments[0] + "." + segments[1] + ".",
		"another signature": segments[0] + "." + segments[1] + "." + strings.Split(tokens.text("id_token"), ".")[2],
		"alg none":          "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + segments[1] + ".",
	} {
		if got := userinfo(t, issuer, token); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got.status)
		}
	}
}

// Two issuers may have the same keys, one a copy of the other. A token is good only for the one that issued it.
func TestJWTAccessTokenOfAnotherIssuer(t *testing.T) {
	kid, jwk, err := keys.Generate("ES256", 0)
	if err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(registration.SigningKey{Name: "shared", Algorithm: "ES256", Keys: []registration.Key{
		{KeyID: kid, Phase: registration.PhaseActive, PrivateJWK: jwk},
	}})
	if err != nil {
		t.Fatal(err)
	}
	shared := memory.New()
	issuers := make([]*providertest.Issuer, 2)
	for n, path := range []string{"", "/other"} {
		issuers[n], _ = newIssuer(t, providertest.WithPath(path), providertest.WithStore(shared), providertest.WithAlgorithms())
		if err := issuers[n].Registry.Upsert(registration.KindSigningKey, "shared", document); err != nil {
			t.Fatal(err)
		}
		issuers[n].AddClient(jwtClient())
	}
	token := exchange(t, issuers[0], newCode(t, issuers[0])).text("access_token")
	for n, want := range []int{200, 401} {
		if got := userinfo(t, issuers[n], token); got.status != want {
			t.Errorf("issuer %d answers %d %s", n, got.status, got.raw)
		}
		if got := introspected(t, issuers[n], token); got.body["active"] != (want == 200) {
			t.Errorf("issuer %d tells %s", n, got.raw)
		}
	}
}
