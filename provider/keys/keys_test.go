package keys_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func document(t *testing.T, name, algorithm string, created time.Time, phases ...registration.Phase) registration.SigningKey {
	t.Helper()
	doc := registration.SigningKey{Name: name, Algorithm: algorithm, CreatedAt: created}
	for _, phase := range phases {
		kid, jwk, err := keys.Generate(algorithm, 0)
		if err != nil {
			t.Fatal(err)
		}
		doc.Keys = append(doc.Keys, registration.Key{KeyID: kid, Phase: phase, PrivateJWK: jwk})
	}
	return doc
}

func newSet(t *testing.T, docs ...registration.SigningKey) *keys.Set {
	t.Helper()
	set, err := keys.NewSet(docs)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestEveryAlgorithmSignsAndVerifies(t *testing.T) {
	for _, algorithm := range registration.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			doc := document(t, "k", algorithm, time.Unix(0, 0), registration.PhaseActive)
			if err := doc.Validate(); err != nil {
				t.Fatalf("a generated key does not validate: %v", err)
			}
			set := newSet(t, doc)
			signer, ok := set.Signer(algorithm)
			if !ok {
				t.Fatal("no signer")
			}
			token, err := signer.Sign([]byte(`{"sub":"ada"}`))
			if err != nil {
				t.Fatal(err)
			}
			header := decodeHeader(t, token)
			if header["kid"] != doc.Keys[0].KeyID || header["alg"] != algorithm || header["typ"] != "JWT" {
				t.Errorf("header is %v", header)
			}
			payload, err := set.Verify(token)
			if err != nil || string(payload) != `{"sub":"ada"}` {
				t.Errorf("Verify returned %q, %v", payload, err)
			}
			var published jose.JSONWebKeySet
			if err := json.Unmarshal(set.JWKS(), &published); err != nil {
				t.Fatal(err)
			}
			key := published.Key(doc.Keys[0].KeyID)
			if len(key) != 1 || key[0].Use != "sig" || key[0].Algorithm != algorithm || !key[0].IsPublic() {
				t.Errorf("JWKS holds %s", set.JWKS())
			}
		})
	}
}

func decodeHeader(t *testing.T, token string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.SplitN(token, ".", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]any{}
	if err := json.Unmarshal(raw, &header); err != nil {
		t.Fatal(err)
	}
	return header
}

func TestSetChoosesSigners(t *testing.T) {
	old, young := time.Unix(1000, 0), time.Unix(2000, 0)
	es := document(t, "es", "ES256", old, registration.PhaseRetiring, registration.PhaseActive, registration.PhaseActive)
	rs := document(t, "rs", "RS256", young, registration.PhasePublished, registration.PhaseActive)
	tie := document(t, "a-tie", "ES384", old, registration.PhasePublished)
	set := newSet(t, rs, es, tie)

	for name, want := range map[string]struct{ algorithm, keyID string }{
		"the oldest document with an active key is the default":       {"", es.Keys[1].KeyID},
		"the first active key of a document signs":                    {"ES256", es.Keys[1].KeyID},
		"a published key does not sign while an active one is beside": {"RS256", rs.Keys[1].KeyID},
	} {
		t.Run(name, func(t *testing.T) {
			signer, ok := set.Signer(want.algorithm)
			if !ok || signer.KeyID() != want.keyID {
				t.Errorf("got %v, %v", signer, ok)
			}
		})
	}
	if _, ok := set.Signer("ES384"); ok {
		t.Error("a key that is only published signs")
	}
	if got := set.Algorithms(); !slices.Equal(got, []string{"RS256", "ES256"}) {
		t.Errorf("Algorithms = %v", got)
	}
	if a, p, r := set.Count(registration.PhaseActive), set.Count(registration.PhasePublished), set.Count(registration.PhaseRetiring); a != 3 || p != 2 || r != 1 {
		t.Errorf("counts are %d active, %d published, %d retiring", a, p, r)
	}
	var published jose.JSONWebKeySet
	if err := json.Unmarshal(set.JWKS(), &published); err != nil || len(published.Keys) != 6 {
		t.Errorf("JWKS holds %d keys, want all 6 (%v)", len(published.Keys), err)
	}
}

func TestDefaultSignerOfOneSecond(t *testing.T) {
	at := time.Unix(1000, 0)
	a, b := document(t, "a", "ES256", at, registration.PhaseActive), document(t, "b", "ES256", at, registration.PhaseActive)
	rsa := document(t, "z", "RS256", at, registration.PhaseActive)
	for name, test := range map[string]struct {
		docs []registration.SigningKey
		want registration.SigningKey
	}{
		"RS256 goes first":           {[]registration.SigningKey{a, rsa}, rsa},
		"equal algorithms: the name": {[]registration.SigningKey{b, a}, a},
	} {
		t.Run(name, func(t *testing.T) {
			signer, ok := newSet(t, test.docs...).Signer("")
			if !ok || signer.KeyID() != test.want.Keys[0].KeyID {
				t.Error("another key is the default")
			}
		})
	}
}

func TestEmptySet(t *testing.T) {
	set := newSet(t)
	if string(set.JWKS()) != `{"keys":[]}` {
		t.Errorf("JWKS = %s", set.JWKS())
	}
	if _, ok := set.Signer(""); ok {
		t.Error("an empty set signs")
	}
}

func TestTheSameKeyTwiceIsPublishedOnce(t *testing.T) {
	a := document(t, "a", "ES256", time.Unix(1, 0), registration.PhaseActive)
	b := a
	b.Name, b.CreatedAt = "b", time.Unix(2, 0)
	var published jose.JSONWebKeySet
	if err := json.Unmarshal(newSet(t, b, a).JWKS(), &published); err != nil || len(published.Keys) != 1 {
		t.Errorf("JWKS holds %d keys (%v)", len(published.Keys), err)
	}
}

func TestNewSetNamesABadKeyWithoutItsMaterial(t *testing.T) {
	doc := document(t, "broken", "RS256", time.Unix(1, 0), registration.PhaseActive)
	doc.Algorithm = "ES256"
	_, err := keys.NewSet([]registration.SigningKey{doc})
	if err == nil || !strings.Contains(err.Error(), "broken") || !strings.Contains(err.Error(), "keys[0]") {
		t.Fatalf("error is %v", err)
	}
	var jwk map[string]string
	if json.Unmarshal(doc.Keys[0].PrivateJWK, &jwk) != nil || strings.Contains(err.Error(), jwk["d"]) {
		t.Error("the error holds the private exponent")
	}
}

func TestVerifyRefuses(t *testing.T) {
	doc := document(t, "k", "RS256", time.Unix(1, 0), registration.PhaseActive)
	set := newSet(t, doc)
	signer, _ := set.Signer("")
	good, err := signer.Sign([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	foreign := newSet(t, document(t, "k", "RS256", time.Unix(1, 0), registration.PhaseActive))
	foreignSigner, _ := foreign.Signer("")
	stranger, err := foreignSigner.Sign([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	var public jose.JSONWebKeySet
	if err := json.Unmarshal(set.JWKS(), &public); err != nil {
		t.Fatal(err)
	}
	modulus, err := public.Keys[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	hs, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: modulus, KeyID: doc.Keys[0].KeyID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	macJWS, err := hs.Sign([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	mac, err := macJWS.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	own, err := doc.Keys[0].Parse("PS256")
	if err != nil {
		t.Fatal(err)
	}
	ps, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: own}, nil)
	if err != nil {
		t.Fatal(err)
	}
	otherJWS, err := ps.Sign([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	other, err := otherJWS.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"empty":                        "",
		"no JWS":                       "a.b",
		"another provider's key":       stranger,
		"changed payload":              parts[0] + "." + encode([]byte(`{"sub":"eve"}`)) + "." + parts[2],
		"alg none (RFC 8725 3.2)":      encode([]byte(`{"alg":"none","kid":"`+doc.Keys[0].KeyID+`"}`)) + "." + parts[1] + ".",
		"alg PS256 of a key for RS256": other,
		"MAC keyed with a public key":  mac,
	} {
		t.Run(name, func(t *testing.T) {
			if payload, err := set.Verify(token); err == nil {
				t.Errorf("accepted with payload %q", payload)
			}
		})
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		algorithm string
		bits      int
	}{
		"unknown algorithm": {"HS256", 0},
		"short RSA key":     {"RS256", 1024},
		"huge RSA key":      {"RS256", 16384},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := keys.Generate(c.algorithm, c.bits); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestSignIsSafeForConcurrentUse(t *testing.T) {
	set := newSet(t, document(t, "k", "ES256", time.Unix(1, 0), registration.PhaseActive))
	signer, _ := set.Signer("")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			token, err := signer.Sign([]byte(`{"a":1}`))
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := set.Verify(token); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// BenchmarkSignRS256 compares a registered key with one that go-jose is given directly.
func BenchmarkSignRS256(b *testing.B) {
	kid, jwk, err := keys.Generate("RS256", 2048)
	if err != nil {
		b.Fatal(err)
	}
	set, err := keys.NewSet([]registration.SigningKey{{Name: "k", Algorithm: "RS256", Keys: []registration.Key{{KeyID: kid, Phase: registration.PhaseActive, PrivateJWK: jwk}}}})
	if err != nil {
		b.Fatal(err)
	}
	registered, _ := set.Signer("")
	generated, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	direct, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: generated}, nil)
	if err != nil {
		b.Fatal(err)
	}
	payload := []byte(strings.Repeat("x", 400))
	b.Run("go-jose", func(b *testing.B) {
		for b.Loop() {
			jws, err := direct.Sign(payload)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := jws.CompactSerialize(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("registered", func(b *testing.B) {
		for b.Loop() {
			if _, err := registered.Sign(payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// RFC 8725 section 3.11: what is signed as one type of token is no token of another.
func TestTypesOfTokens(t *testing.T) {
	set := newSet(t, document(t, "a", "ES256", time.Now(), registration.PhaseActive))
	signer, _ := set.Signer("")
	all := []keys.Type{keys.TypeJWT, keys.TypeAccessToken, keys.TypeLogoutToken}
	for _, signed := range all {
		token, err := signer.SignAs(signed, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, wanted := range all {
			if _, err := set.VerifyAs(wanted, token); (err == nil) != (signed == wanted) {
				t.Errorf("%s as %s: %v", signed, wanted, err)
			}
		}
	}
	if _, err := signer.SignAs("banana", []byte(`{}`)); err == nil {
		t.Error("anything can be signed")
	}
}
