package oidc_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// RFC 9449 4.3 (9), RFC 3986 6.2: which htu names an endpoint.
func TestProofURL(t *testing.T) {
	const endpoint = "https://id.example.com/a%20b/oauth2/token"
	now := time.Unix(1_800_000_000, 0)
	for htu, good := range map[string]bool{
		endpoint: true,
		"https://id.example.com:443/a%20b/oauth2/token":          true,
		"HTTPS://ID.Example.COM/a%20b/oauth2/token":              true,
		"https://id.example.com/a%20b/oauth2/%74oken":            true,
		"https://id.example.com/a%20b/oauth2/token?x#y":          true,
		"https://id.example.com:80/a%20b/oauth2/token":           false,
		"https://id.example.com:8443/a%20b/oauth2/token":         false,
		"http://id.example.com/a%20b/oauth2/token":               false,
		"http://id.example.com:443/a%20b/oauth2/token":           false,
		"https://id.example.com./a%20b/oauth2/token":             false,
		"https://id.example.com/a%20b/oauth2%2Ftoken":            false,
		"https://id.example.com/a%20b//oauth2/token":             false,
		"https://id.example.com/a%20b/oauth2/token/":             false,
		"https://id.example.com@evil.example/a%20b/oauth2/token": false,
		"https://user@id.example.com/a%20b/oauth2/token":         false,
		"//id.example.com/a%20b/oauth2/token":                    false,
		"":                                                       false,
	} {
		payload, err := json.Marshal(map[string]any{"jti": "1", "htm": "POST", "htu": htu, "iat": now.Unix()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = oidc.ReadProof(payload, oidc.ProofRequest{Method: "POST", URL: endpoint}, now)
		if (err == nil) != good {
			t.Errorf("%q: %v", htu, err)
		}
	}
}

// RFC 7519 4: a claim that stands twice means two things to two readers.
func TestClaimsThatStandTwice(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	proof := `{"jti":"1","htm":"POST","htu":"https://a/t","iat":1800000000`
	if _, err := oidc.ReadProof([]byte(proof+`}`), oidc.ProofRequest{Method: "POST", URL: "https://a/t"}, now); err != nil {
		t.Fatal(err)
	}
	if _, err := oidc.ReadProof([]byte(proof+`,"jti":"2"}`), oidc.ProofRequest{Method: "POST", URL: "https://a/t"}, now); err == nil {
		t.Error("a proof with two jti is good")
	}
	assertion := `{"iss":"c","sub":"c","aud":"https://a","jti":"1","exp":1800000060`
	if _, err := oidc.ReadAssertion([]byte(assertion+`}`), "c", []string{"https://a"}, now); err != nil {
		t.Fatal(err)
	}
	for _, twice := range []string{`,"sub":"c"}`, `,"aud":"https://a"}`} {
		if _, err := oidc.ReadAssertion([]byte(assertion+twice), "c", []string{"https://a"}, now); err == nil {
			t.Errorf("an assertion with %s again is good", twice)
		}
	}
	// Names are compared to the letter.
	if _, err := oidc.ReadAssertion([]byte(`{"ISS":"c","Sub":"c","aud":"https://a","jti":"1","exp":1800000060}`), "c", []string{"https://a"}, now); err == nil {
		t.Error("an assertion with ISS and Sub is good")
	}
}
