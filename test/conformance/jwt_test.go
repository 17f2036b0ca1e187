package conformance_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// algorithms are those that a token may be signed with.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// jwks fetches the provider's keys.
func jwks(t *testing.T) jose.JSONWebKeySet {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, shared.endpoint(t, "jwks_uri"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := shared.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	return set
}

// verify checks the signature of a token of the provider with the key that its header names (OpenID Connect Core section
// 10.1), and returns header and claims.
func verify(t *testing.T, token string) (jose.Header, map[string]any) {
	t.Helper()
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		t.Fatalf("it is no signed token: %v", err)
	}
	header := signed.Signatures[0].Header
	set := jwks(t)
	keys := set.Key(header.KeyID)
	if len(keys) != 1 || keys[0].Algorithm != header.Algorithm {
		t.Fatalf("%d keys have the kid %q of a token of %s", len(keys), header.KeyID, header.Algorithm)
	}
	payload, err := signed.Verify(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return header, claims
}

// checkIDToken checks all that OpenID Connect Core sections 2, 3.1.3.6 and 3.1.3.7 ask of every ID token.
func checkIDToken(t *testing.T, a app, token, nonce, accessToken string) map[string]any {
	t.Helper()
	header, claims := verify(t, token)
	wanted := a.IDTokenSignedResponseAlg
	if wanted == "" {
		wanted = "RS256"
	}
	if header.Algorithm != wanted {
		t.Errorf("alg is %s", header.Algorithm)
	}
	if claims["iss"] != shared.issuer || claims["aud"] != a.ClientID {
		t.Errorf("iss is %v, aud is %v", claims["iss"], claims["aud"])
	}
	if azp, there := claims["azp"]; there && azp != a.ClientID {
		t.Errorf("azp is %v", azp)
	}
	if sub, _ := claims["sub"].(string); sub == "" || len(sub) > 255 {
		t.Errorf("sub is %v", claims["sub"])
	}
	now := time.Now().Unix()
	iat, exp := seconds(t, claims, "iat"), seconds(t, claims, "exp")
	if iat > now+1 || iat < now-60 || exp <= now || exp <= iat {
		t.Errorf("iat is %d, exp is %d, now it is %d", iat, exp, now)
	}
	if authTime := seconds(t, claims, "auth_time"); authTime > iat {
		t.Errorf("auth_time is %d, iat is %d", authTime, iat)
	}
	got, there := claims["nonce"]
	if nonce == "" && there || nonce != "" && got != nonce {
		t.Errorf("nonce is %v, sent was %q", got, nonce)
	}
	if claims["at_hash"] != halfHash(accessToken) {
		t.Errorf("at_hash is %v", claims["at_hash"])
	}
	// A device has no session of a browser.
	if sid, _ := claims["sid"].(string); sid == "" && a.MayUse(registration.GrantCode) {
		t.Errorf("sid is %v", claims["sid"])
	}
	return claims
}

// seconds returns a claim that is a time: an integer (RFC 7519 section 2).
func seconds(t *testing.T, claims map[string]any, name string) int64 {
	t.Helper()
	value, ok := claims[name].(float64)
	if !ok || value != float64(int64(value)) {
		t.Errorf("%s is %v", name, claims[name])
	}
	return int64(value)
}

// halfHash is at_hash with a signature algorithm on SHA-256 (OpenID Connect Core section 3.1.3.6).
func halfHash(token string) string {
	h := crypto.SHA256.New()
	h.Write([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// unsigned returns a token as somebody writes it who has no key (RFC 7515 appendix A.5).
func unsigned(t *testing.T, claims any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
}

// withoutSignature returns a token with alg none and the claims of another.
func withoutSignature(token string) string {
	parts := strings.Split(token, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertion proves the client "signer" (RFC 7523 section 2.2), with claims changed. A nil value takes one away.
func assertion(t *testing.T, clientID string, changed ...any) string {
	t.Helper()
	now := time.Now()
	claims := map[string]any{
		"iss": clientID, "sub": clientID, "aud": shared.issuer, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for i := 0; i+1 < len(changed); i += 2 {
		name, _ := changed[i].(string)
		if claims[name] = changed[i+1]; changed[i+1] == nil {
			delete(claims, name)
		}
	}
	return sign(t, signerKey(), map[jose.HeaderKey]any{"kid": "signer-1"}, claims)
}

// sign returns a token of ES256.
func sign(t *testing.T, key *ecdsa.PrivateKey, header map[jose.HeaderKey]any, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{ExtraHeaders: header})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
