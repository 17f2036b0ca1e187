package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// material is one key of each type, made once for all tests of this file.
type material struct {
	rsa  *rsa.PrivateKey
	ec   map[string]*ecdsa.PrivateKey
	ed   ed25519.PrivateKey
	weak *rsa.PrivateKey
}

func newMaterial(t *testing.T) material {
	t.Helper()
	m := material{ec: map[string]*ecdsa.PrivateKey{}}
	var err error
	if m.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if m.weak, err = rsa.GenerateKey(rand.Reader, 1024); err != nil {
		t.Fatal(err)
	}
	for algorithm, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521(), "": elliptic.P224()} {
		if m.ec[algorithm], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	if _, m.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m material) of(algorithm string) crypto.Signer {
	switch algorithm {
	case "ES256", "ES384", "ES512":
		return m.ec[algorithm]
	case "EdDSA":
		return m.ed
	default:
		return m.rsa
	}
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func pkcs1(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

func sec1(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

func asJWK(t *testing.T, key jose.JSONWebKey) []byte {
	t.Helper()
	data, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Every form of every algorithm's key signs what its public half verifies, under the thumbprint of that very key.
func TestImportOfEveryFormAndAlgorithm(t *testing.T) {
	m := newMaterial(t)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not looked at")})
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}})
	for _, algorithm := range registration.Algorithms() {
		key := m.of(algorithm)
		forms := map[string][]byte{
			"PKCS#8":          pkcs8(t, key),
			"with a chain":    append(append([]byte{}, pkcs8(t, key)...), certificate...),
			"JWK":             asJWK(t, jose.JSONWebKey{Key: key}),
			"JWK with extras": asJWK(t, jose.JSONWebKey{Key: key, KeyID: "theirs", Algorithm: algorithm, Use: "sig"}),
			"with whitespace": append([]byte("\n\n"), append(pkcs8(t, key), '\n', ' ')...),
		}
		if r, is := key.(*rsa.PrivateKey); is {
			forms["PKCS#1"] = pkcs1(r)
		}
		if e, is := key.(*ecdsa.PrivateKey); is {
			forms["SEC1"] = sec1(t, e)
			forms["SEC1 after its parameters"] = append(append([]byte{}, parameters...), sec1(t, e)...)
		}
		want, err := registration.Thumbprint(&jose.JSONWebKey{Key: key.Public()})
		if err != nil {
			t.Fatal(err)
		}
		for form, data := range forms {
			t.Run(algorithm+" "+form, func(t *testing.T) {
				kid, jwk, err := keys.Import(data, algorithm)
				if err != nil || kid != want {
					t.Fatalf("got kid %q, want %q: %v", kid, want, err)
				}
				set := newSet(t, registration.SigningKey{Algorithm: algorithm, Keys: []registration.Key{{KeyID: kid, Phase: registration.PhaseActive, PrivateJWK: jwk}}})
				signer, _ := set.Signer(algorithm)
				token, err := signer.Sign([]byte("{}"))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := set.Verify(token); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

func TestImportRefuses(t *testing.T) {
	m := newMaterial(t)
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	legacy := pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("secret"),
	})
	public, err := x509.MarshalPKIXPublicKey(m.rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	broken := *m.rsa
	broken.Primes = append(broken.Primes[:0:0], m.rsa.Primes[0], m.weak.Primes[0])
	halves, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	withPrivateHalf := func(d []byte) []byte {
		var jwk map[string]string
		if err := json.Unmarshal(asJWK(t, jose.JSONWebKey{Key: m.ec["ES256"]}), &jwk); err != nil {
			t.Fatal(err)
		}
		jwk["d"] = base64.RawURLEncoding.EncodeToString(d)
		data, err := json.Marshal(jwk)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	const apart = "private and public halves do not belong together"
	for name, test := range map[string]struct {
		data            []byte
		algorithm, says string
	}{
		"halves of two EC keys":     {withPrivateHalf(bytes.Repeat([]byte{42}, 32)), "ES256", apart + "; use a P-256 key"},
		"an EC key of nothing":      {withPrivateHalf(make([]byte, 32)), "ES256", apart},
		"halves of two Ed25519s":    {asJWK(t, jose.JSONWebKey{Key: ed25519.PrivateKey(append(m.ed.Seed(), halves...))}), "EdDSA", "not a valid JSON Web Key"},
		"nothing":                   {[]byte(" \n"), "RS256", "is empty"},
		"something else":            {[]byte("hunter2"), "RS256", "neither PEM nor"},
		"weak RSA":                  {pkcs8(t, m.weak), "RS256", "RSA key of 1024 bits, which is too weak; use one of at least 2048"},
		"weak RSA, PKCS#1":          {pkcs1(m.weak), "PS512", "1024 bits"},
		"weak RSA, JWK":             {asJWK(t, jose.JSONWebKey{Key: m.weak}), "RS256", "1024 bits"},
		"RSA for ES256":             {pkcs1(m.rsa), "ES256", "is an RSA key, which does not fit ES256; use a P-256 key"},
		"RSA for EdDSA":             {pkcs1(m.rsa), "EdDSA", "use an Ed25519 key"},
		"P-256 for ES384":           {sec1(t, m.ec["ES256"]), "ES384", "key of P-256, which does not fit ES384; use a P-384 key"},
		"P-224":                     {sec1(t, m.ec[""]), "ES256", "P-224"},
		"P-521 for RS256":           {sec1(t, m.ec["ES512"]), "RS256", "use an RSA key"},
		"Ed25519 for ES256":         {pkcs8(t, m.ed), "ES256", "is an Ed25519 key, which does not fit ES256"},
		"X25519":                    {pkcs8(t, x25519), "EdDSA", "cannot sign"},
		"encrypted PKCS#8":          {pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("secret")}), "RS256", "is encrypted; decrypt it"},
		"encrypted in the old way":  {legacy, "RS256", "is encrypted; decrypt it"},
		"encrypted JWK":             {[]byte("eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1cifQ.a.b.c.d"), "RS256", "is encrypted"},
		"encrypted JWK, JSON":       {[]byte(`{"protected":"a","ciphertext":"secret"}`), "RS256", "is encrypted"},
		"a certificate":             {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), "RS256", "holds no private key"},
		"a public key":              {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), "RS256", "holds no private key"},
		"a public JWK":              {asJWK(t, jose.JSONWebKey{Key: m.rsa.Public()}), "RS256", "is a public JSON Web Key"},
		"a symmetric JWK":           {[]byte(`{"kty":"oct","k":"c2VjcmV0"}`), "RS256", "symmetric"},
		"a JWK set":                 {[]byte(`{"keys":[]}`), "RS256", "set of JSON Web Keys"},
		"a JWK for encryption":      {asJWK(t, jose.JSONWebKey{Key: m.rsa, Use: "enc"}), "RS256", `"use" is not "sig"`},
		"a JWK for another one":     {asJWK(t, jose.JSONWebKey{Key: m.rsa, Algorithm: "RS512"}), "RS256", `"alg" is not RS256`},
		"other JSON":                {[]byte(`{"password":"hunter2"}`), "RS256", "not a valid JSON Web Key"},
		"broken JSON":               {[]byte(`{"kty":"RSA","d":"hunter2`), "RS256", "neither PEM nor"},
		"two keys":                  {append(pkcs1(m.rsa), pkcs8(t, m.ed)...), "RS256", "more than one private key"},
		"OpenSSH's own format":      {pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: []byte("x")}), "RS256", "ssh-keygen -p -m PKCS8"},
		"a damaged block":           {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("hunter2")}), "RS256", "damaged"},
		"numbers that do not fit":   {asJWK(t, jose.JSONWebKey{Key: &broken}), "RS256", ""},
		"far too much of something": {[]byte(strings.Repeat("x", 100<<10)), "RS256", "more than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			kid, jwk, err := keys.Import(test.data, test.algorithm)
			if err == nil || kid != "" || jwk != nil {
				t.Fatalf("got %q, %v", kid, err)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("says %q, want %q", err, test.says)
			}
			d := base64.RawURLEncoding.EncodeToString(m.rsa.D.Bytes())
			for _, secret := range []string{"hunter2", "c2VjcmV0", d, d[:20]} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q tells what was there", err)
				}
			}
		})
	}
}

// What is left of a key that signs no more is enough to verify, in a document of another algorithm too, and cannot sign.
func TestRetiringKeysNeedNoPrivateHalf(t *testing.T) {
	for _, algorithm := range registration.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			old := document(t, "k", algorithm, time.Unix(0, 0), registration.PhaseActive)
			signer, _ := newSet(t, old).Signer("")
			token, err := signer.Sign([]byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			public, err := keys.Public(old.Keys[0].PrivateJWK)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := keys.Public(public); err != nil || string(again) != string(public) {
				t.Errorf("the public half of the public half is %s, %v", again, err)
			}
			if strings.Contains(string(public), `"d":`) {
				t.Fatalf("private: %s", public)
			}
			now := document(t, "k", "ES256", time.Unix(0, 0), registration.PhaseActive)
			now.Keys = append(now.Keys, registration.Key{KeyID: old.Keys[0].KeyID, Phase: registration.PhaseRetiring, PrivateJWK: public})
			if err := now.Validate(); err != nil {
				t.Fatal(err)
			}
			if _, err := newSet(t, now).Verify(token); err != nil {
				t.Error(err)
			}
			for _, phase := range []registration.Phase{registration.PhasePublished, registration.PhaseActive} {
				now.Keys[1].Phase = phase
				if now.Validate() == nil {
					t.Errorf("a key without private half is taken as %s", phase)
				}
			}
		})
	}
}
