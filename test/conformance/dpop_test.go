package conformance_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// proof is a DPoP proof (RFC 9449 section 4.2) with claims changed. A nil value takes one away.
func proof(t *testing.T, key *ecdsa.PrivateKey, method, target, accessToken string, changed ...any) string {
	t.Helper()
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": target, "iat": time.Now().Unix()}
	if accessToken != "" {
		sum := sha256.Sum256([]byte(accessToken))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	kind := any("dpop+jwt")
	for i := 0; i+1 < len(changed); i += 2 {
		name, _ := changed[i].(string)
		if name == "typ" {
			kind = changed[i+1]
			continue
		}
		if claims[name] = changed[i+1]; changed[i+1] == nil {
			delete(claims, name)
		}
	}
	header := map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: key.Public()}, "typ": kind}
	return sign(t, key, header, claims)
}

// bound sends a token request with a DPoP proof, once more with the nonce that the provider asks for (section 8).
func (p *party) bound(key *ecdsa.PrivateKey, fields ...string) reply {
	p.t.Helper()
	target := shared.endpoint(p.t, "token_endpoint")
	r := p.form("token_endpoint", fields...)
	r.Header.Set("DPoP", proof(p.t, key, http.MethodPost, target, ""))
	answer := send(p.t, r)
	if answer.text("error") != "use_dpop_nonce" {
		return answer
	}
	r = p.form("token_endpoint", fields...)
	r.Header.Set("DPoP", proof(p.t, key, http.MethodPost, target, "", "nonce", answer.header.Get("DPoP-Nonce")))
	return send(p.t, r)
}

func boundUserinfo(t *testing.T, token, proof string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, shared.endpoint(t, "userinfo_endpoint"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "DPoP "+token)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	return send(t, r)
}

// RFC 9449 sections 5 to 7: tokens that are of use only to whoever has the key.
func TestDPoP(t *testing.T) {
	t.Parallel()
	p := newParty(t, "bound")
	key := newKey(t)
	code := p.code("scope", "openid offline_access", "prompt", "consent")
	got := p.redeemed(p.bound(key, "grant_type", "authorization_code", "code", code, "redirect_uri", p.app.RedirectURIs[0]))
	if got.text("token_type") != "DPoP" {
		t.Fatalf("token_type is %s", got.text("token_type"))
	}
	target := shared.endpoint(t, "userinfo_endpoint")
	if r := boundUserinfo(t, got.access, proof(t, key, http.MethodGet, target, got.access)); r.status != http.StatusOK {
		t.Errorf("userinfo answers %d %s", r.status, r.raw)
	}
	once := proof(t, key, http.MethodGet, target, got.access)
	boundUserinfo(t, got.access, once)
	for name, wrong := range map[string]string{
		"none":                "",
		"used again":          once,
		"of another key":      proof(t, newKey(t), http.MethodGet, target, got.access),
		"of another token":    proof(t, key, http.MethodGet, target, got.access+"x"),
		"without token":       proof(t, key, http.MethodGet, target, ""),
		"for another method":  proof(t, key, http.MethodPost, target, got.access),
		"for another address": proof(t, key, http.MethodGet, shared.issuer+"/", got.access),
		"old":                 proof(t, key, http.MethodGet, target, got.access, "iat", time.Now().Add(-time.Hour).Unix()),
		"of another type":     proof(t, key, http.MethodGet, target, got.access, "typ", "JWT"),
		"without jti":         proof(t, key, http.MethodGet, target, got.access, "jti", nil),
	} {
		r := boundUserinfo(t, got.access, wrong)
		if challenge := r.header.Values("WWW-Authenticate"); r.status != http.StatusUnauthorized || !strings.Contains(strings.Join(challenge, ","), "DPoP") {
			t.Errorf("a proof %s: userinfo answers %d %s, challenge %q", name, r.status, r.raw, challenge)
		}
	}
	// Section 7.1: as a bearer token it is of no use.
	if r := userinfo(t, got.access); r.status != http.StatusUnauthorized {
		t.Errorf("as a bearer token: userinfo answers %d", r.status)
	}
	if r := p.post("introspection_endpoint", "token", got.access); r.body["active"] != true || r.body["cnf"] == nil || r.text("token_type") != "DPoP" {
		t.Errorf("introspection answers %s", r.raw)
	}
	if got.refresh == "" {
		t.Fatal("there is no refresh token")
	}
	p.nonce = "" // OpenID Connect Core section 12.2
	if again := p.redeemed(p.bound(key, "grant_type", "refresh_token", "refresh_token", got.refresh)); again.text("token_type") != "DPoP" {
		t.Errorf("after a refresh token_type is %s", again.text("token_type"))
	}
}

// RFC 9449 section 5: a client that is registered for it gets no other tokens, and a proof that is not good is refused.
func TestDPoPRefusals(t *testing.T) {
	t.Parallel()
	p := newParty(t, "bound")
	target := shared.endpoint(t, "token_endpoint")
	key := newKey(t)
	fields := func() []string {
		return []string{"grant_type", "authorization_code", "code", p.code(), "redirect_uri", p.app.RedirectURIs[0]}
	}
	p.token(fields()...).fails(t, http.StatusBadRequest, "invalid_dpop_proof", "invalid_request")
	for name, wrong := range map[string]string{
		"no token":            "nonsense",
		"for another method":  proof(t, key, http.MethodGet, target, ""),
		"for another address": proof(t, key, http.MethodPost, shared.issuer+"/oauth2/other", ""),
		"old":                 proof(t, key, http.MethodPost, target, "", "iat", time.Now().Add(-time.Hour).Unix()),
		"of another type":     proof(t, key, http.MethodPost, target, "", "typ", "JWT"),
		"without signature":   withoutSignature(proof(t, key, http.MethodPost, target, "")),
	} {
		t.Run(name, func(t *testing.T) {
			r := p.form("token_endpoint", fields()...)
			r.Header.Set("DPoP", wrong)
			send(t, r).fails(t, http.StatusBadRequest, "invalid_dpop_proof")
		})
	}
	// Section 10: a code that was asked for with a key is for that key.
	code := p.code("dpop_jkt", thumbprint(t, key))
	p.bound(newKey(t), "grant_type", "authorization_code", "code", code, "redirect_uri", p.app.RedirectURIs[0]).
		fails(t, http.StatusBadRequest, "invalid_grant", "invalid_dpop_proof")
}

func thumbprint(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	jwk := jose.JSONWebKey{Key: key.Public()}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}
