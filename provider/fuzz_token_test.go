package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
)

// posted sends a form to the provider without a network.
func posted(issuer *providertest.Issuer, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header[header[i]] = []string{header[i+1]}
	}
	answer := httptest.NewRecorder()
	issuer.Provider.Handler().ServeHTTP(answer, r)
	return answer
}

// FuzzClientAssertion: only what the client's key signed proves the client.
func FuzzClientAssertion(f *testing.F) {
	issuer, _ := newIssuer(f)
	key := newSigningKey(f, "k1")
	addSigner(f, issuer, signingClient(f, key))
	claims := assertionClaims(issuer)
	good := key.sign(f, claims, nil)
	stranger := newSigningKey(f, "k1")
	for _, assertion := range []string{
		good, stranger.sign(f, claims, nil), stranger.sign(f, claims, map[string]any{"jwk": stranger.public()}), "..", "a.b.c", "", good + ".", "." + good,
		strings.Replace(good, ".", "..", 1), "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", good[:len(good)-4], strings.Repeat("A", 10000),
	} {
		f.Add(assertion, oidc.AssertionTypeJWT)
	}
	f.Add(good, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
	signed := good[:strings.LastIndexByte(good, '.')]
	f.Fuzz(func(t *testing.T, assertion, kind string) {
		answer := posted(issuer, oidc.PathToken, url.Values{
			"grant_type": {"client_credentials"}, "client_assertion": {assertion}, "client_assertion_type": {kind},
		})
		switch {
		case answer.Code >= 500:
			t.Fatalf("answers %d %s", answer.Code, answer.Body)
		case answer.Code == http.StatusOK && !strings.HasPrefix(strings.NewReplacer("\r", "", "\n", "").Replace(assertion), signed):
			t.Fatalf("%q proves the client", assertion)
		}
	})
}

// FuzzDPoPProof: only what the key in its header signed binds a token, and nothing makes the provider fail.
func FuzzDPoPProof(f *testing.F) {
	issuer := newWorkIssuer(f)
	key := newSigningKey(f, "")
	good := key.proof(f, issuer, "POST", issuer.Endpoint(oidc.PathToken), "")
	for _, proof := range []string{
		good, key.proof(f, issuer, "GET", issuer.Endpoint(oidc.PathToken), ""), "", "..", "a.b.c", good + "," + good, good[:len(good)-4],
		key.proof(f, issuer, "POST", "http://%zz", ""), "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6Im5vbmUifQ.e30.", strings.Repeat("A", 10000),
		key.proof(f, issuer, "POST", issuer.Endpoint(oidc.PathToken), "", map[string]any{"iat": 1e300}, map[string]any{"jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}),
	} {
		f.Add(proof)
	}
	signed := good[:strings.LastIndexByte(good, '.')]
	f.Fuzz(func(t *testing.T, proof string) {
		answer := posted(issuer, oidc.PathToken, workForm(), "Dpop", proof)
		switch {
		case answer.Code >= 500:
			t.Fatalf("answers %d %s", answer.Code, answer.Body)
		case answer.Code == http.StatusOK && !strings.HasPrefix(strings.NewReplacer("\r", "", "\n", "").Replace(proof), signed):
			t.Fatalf("%q is a proof", proof)
		}
	})
}

// FuzzRefreshToken: no value but the one that was issued gives tokens, and none that was not issued revokes anything.
func FuzzRefreshToken(f *testing.F) {
	issuer, _ := newIssuer(f)
	issuer.AddClient(refreshingClient())
	token := exchange(f, issuer, newCode(f, issuer)).text("refresh_token")
	for _, value := range []string{"", token[:26], token[:len(token)-1], token + "A", strings.ToUpper(token), token[:26] + strings.Repeat("A", 64), strings.Repeat("A", 90), strings.Repeat("\n", 90)} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if value == token {
			return
		}
		app := url.Values{"client_id": {"app"}, "client_secret": {"secret-of-app"}}
		app.Set("grant_type", "refresh_token")
		app.Set("refresh_token", value)
		if answer := posted(issuer, oidc.PathToken, app); answer.Code != http.StatusBadRequest {
			t.Fatalf("the token endpoint answers %d %s", answer.Code, answer.Body)
		}
		app.Set("token", value)
		if answer := posted(issuer, oidc.PathRevocation, app); answer.Code != http.StatusOK && value != "" {
			t.Fatalf("revocation answers %d %s", answer.Code, answer.Body)
		}
		app.Set("token", token)
		if answer := posted(issuer, oidc.PathIntrospection, app); !strings.HasPrefix(answer.Body.String(), `{"active":true`) {
			t.Fatalf("the token is revoked by %q", value)
		}
	})
}

// FuzzIntrospection: nothing is said of what was not issued, and nothing makes the provider fail.
func FuzzIntrospection(f *testing.F) {
	issuer, tokens := newJWTIssuer(f, "openid")
	token := tokens.text("access_token")
	for _, value := range []string{
		"", ".", "..", "a.b.c", token[:len(token)-1], token + ".", tokens.text("id_token"), "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.e30.",
		strings.Repeat("A", 51), tokens.text("refresh_token")[:89],
	} {
		f.Add(value, "access_token")
	}
	signed := token[:strings.LastIndexByte(token, '.')]
	f.Fuzz(func(t *testing.T, value, hint string) {
		answer := posted(issuer, oidc.PathIntrospection, url.Values{
			"client_id": {"app"}, "client_secret": {"secret-of-app"}, "token": {value}, "token_type_hint": {hint},
		})
		known := value == tokens.text("refresh_token") || strings.HasPrefix(strings.NewReplacer("\r", "", "\n", "").Replace(value), signed)
		switch {
		case answer.Code >= 500:
			t.Fatalf("answers %d %s", answer.Code, answer.Body)
		case answer.Code == http.StatusOK && !known && answer.Body.String() != inactive:
			t.Fatalf("of %q it is told %s", value, answer.Body)
		}
	})
}
