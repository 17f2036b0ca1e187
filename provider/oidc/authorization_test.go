package oidc_test

import (
	"encoding/base64"
	"errors"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

func TestParameters(t *testing.T) {
	p, malformed := oidc.ReadParameters("a=1&b=&c=2&c=2&d")
	for name, want := range map[string]string{"a": "1", "b": "", "c": "", "d": "", "e": ""} {
		if got := p.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if malformed || p.Repeated("a", "b", "c") != "c" || p.Repeated("a", "b") != "" {
		t.Errorf("malformed %v, repeated %q", malformed, p.Repeated("a", "b", "c"))
	}
	if got := p.Encode("c", "d"); got != "a=1&b=" {
		t.Errorf("encoded as %q", got)
	}
	if p, malformed := oidc.ReadParameters("a=1&b=%zz"); !malformed || p.Get("a") != "1" {
		t.Error("a malformed part is not told, or takes the rest with it")
	}
}

func TestReadAuthorization(t *testing.T) {
	r, err := read("response_type=code&scope=openid+email+openid&state=s&nonce=n&prompt=login+consent&max_age=60&ui_locales=de+en&login_hint=ada")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Scopes, []string{"openid", "email"}) || r.State != "s" || r.Nonce != "n" || !r.Prompt("login") || !r.Prompt("consent") ||
		r.Prompt("none") || r.MaxAge != time.Minute || !slices.Equal(r.UILocales, []string{"de", "en"}) || r.LoginHint != "ada" {
		t.Errorf("read as %+v", r)
	}
	if r, err = read("response_type=code&scope=openid"); err != nil || r.MaxAge >= 0 {
		t.Errorf("without max_age: %+v, %v", r, err)
	}
}

// OIDC Core 3.1.2.1: any number of seconds, also one that no clock of ours can hold.
func TestReadMaxAge(t *testing.T) {
	const longest = math.MaxInt64 / time.Second * time.Second
	for text, want := range map[string]time.Duration{
		"0": 0, "00": 0, "3600": time.Hour, "4294967296": 4294967296 * time.Second, "9223372037": longest, "18446744073709551616": longest,
	} {
		if r, err := read("response_type=code&scope=openid&max_age=" + text); err != nil || r.MaxAge != want {
			t.Errorf("max_age %s: %+v, %v", text, r, err)
		}
	}
	for _, text := range []string{"-1", "%2B1", "1.5", "soon", "1e3", "%201"} {
		if _, err := read("response_type=code&scope=openid&max_age=" + text); !errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidRequest}) {
			t.Errorf("max_age %s: %v", text, err)
		}
	}
}

func read(query string) (*oidc.AuthorizationRequest, error) {
	p, _ := oidc.ReadParameters(query)
	return oidc.ReadAuthorization(p)
}

func TestErrorIs(t *testing.T) {
	_, err := read("scope=openid")
	if !errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidRequest}) || errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidScope}) {
		t.Errorf("error is %v", err)
	}
}

func TestVerifyChallenge(t *testing.T) {
	// RFC 7636 appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for name, c := range map[string]struct {
		challenge, verifier string
		want                bool
	}{
		"right":             {challenge, verifier, true},
		"another verifier":  {challenge, verifier[1:] + "a", false},
		"the challenge":     {challenge, challenge, false},
		"empty challenge":   {"", verifier, false},
		"empty verifier":    {challenge, "", false},
		"padded challenge":  {challenge + "=", verifier, false},
		"shorter challenge": {challenge[:42], verifier, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := oidc.VerifyChallenge(c.challenge, c.verifier); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// OpenID Connect Core appendix A.3 has the at_hash of this token for RS256.
func TestHalfHash(t *testing.T) {
	const token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
	for algorithm, want := range map[string]string{
		"RS256": "77QmUPtjPfzWtF2AnpK9RQ", "PS256": "77QmUPtjPfzWtF2AnpK9RQ", "ES256": "77QmUPtjPfzWtF2AnpK9RQ",
	} {
		if got := oidc.HalfHash(algorithm, token); got != want {
			t.Errorf("%s: %s", algorithm, got)
		}
	}
	for algorithm, length := range map[string]int{"RS384": 32, "ES384": 32, "PS512": 43, "ES512": 43, "EdDSA": 43} {
		if got := oidc.HalfHash(algorithm, token); len(got) != length {
			t.Errorf("%s: %s has %d characters", algorithm, got, len(got))
		}
	}
}

func TestAnswerURL(t *testing.T) {
	for name, c := range map[string]struct{ uri, want string }{
		"no query":           {"https://a/b", "https://a/b?x=1+2&y=%26"},
		"a query":            {"https://a/b?c=%20d", "https://a/b?c=%20d&x=1+2&y=%26"},
		"an empty query":     {"https://a/b?", "https://a/b?x=1+2&y=%26"},
		"a query that ends":  {"https://a/b?c&", "https://a/b?c&x=1+2&y=%26"},
		"private-use scheme": {"com.example.app:/b", "com.example.app:/b?x=1+2&y=%26"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := oidc.AnswerURL(c.uri, "x", "1 2", "empty", "", "y", "&"); got != c.want {
				t.Errorf("got %s", got)
			}
		})
	}
	if got := oidc.AnswerURL("https://a/b", "x", ""); got != "https://a/b" {
		t.Errorf("with nothing to add: %s", got)
	}
}

func TestParseIssuer(t *testing.T) {
	for issuer, valid := range map[string]bool{
		"https://id.example.com": true, "https://id.example.com/": true, "https://id.example.com/a/b/": true, "http://localhost:8080": true,
		"http://[::1]:8080/a": true, "https://id.example.com:8443": true,
		"http://id.example.com": false, "https://id.example.com?a": false, "https://id.example.com?": false, "https://id.example.com#": false,
		"https://u@id.example.com": false, "https:///a": false, "id.example.com": false, "": false,
		"https://id.example.com/a//b": false, "https://id.example.com/../b": false, "https://id.example.com/a/./b": false, "https://id.example.com//": false,
	} {
		if _, err := oidc.ParseIssuer(issuer); (err == nil) != valid {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

// FuzzReadAuthorization: whatever is sent, reading ends with a request that keeps the rules or with a protocol error, and
// the request reads the same after it has travelled through the pages.
func FuzzReadAuthorization(f *testing.F) {
	for _, query := range []string{
		"response_type=code&scope=openid&state=s&nonce=n",
		"response_type=code&scope=openid+email&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
		"response_type=code&scope=openid&prompt=none&max_age=0&state=%00%ff",
		"response_type=code&scope=openid&scope=openid", "response_type=code;scope=openid", "a=%zz&response_type=code", "max_age=99999999999999999999&scope=openid&response_type=code",
		"response_type=code&scope=openid&prompt=login+consent&ui_locales=de&login_hint=%22%3E", "request=e30.e30.&response_type=code&scope=openid",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		p, _ := oidc.ReadParameters(query)
		r, err := oidc.ReadAuthorization(p)
		if err != nil {
			var known *oidc.Error
			if !errors.As(err, &known) || known.Code == "" || !printable(known.Description) {
				t.Fatalf("error is %#v", err)
			}
			return
		}
		if !slices.Contains(r.Scopes, "openid") || r.CodeChallenge != "" && len(r.CodeChallenge) != 43 || r.Prompt("none") && len(r.Prompts) > 1 {
			t.Fatalf("read as %+v", r)
		}
		again, malformed := oidc.ReadParameters(p.Encode())
		second, err := oidc.ReadAuthorization(again)
		if err != nil || malformed || second.State != r.State || second.Nonce != r.Nonce || !slices.Equal(second.Scopes, r.Scopes) {
			t.Fatalf("read again as %+v, %v", second, err)
		}
	})
}

// FuzzReadRequestObject: whatever a client has signed, reading ends with parameters that are none of the JWT's own, or with a protocol error.
func FuzzReadRequestObject(f *testing.F) {
	for _, payload := range []string{
		`{"iss":"app","aud":"https://id.example.com","client_id":"app","scope":"openid","max_age":60,"claims":{"userinfo":{}},"resource":["https://a","https://b"]}`,
		`{"exp":1e400}`, `{"exp":"x"}`, `{"aud":[]}`, `{"aud":{}}`, `{"nonce":null}`, `{"a":1,"a":2}`, `{"max_age":1.5e3,"x":true,"y":[[]]}`, `[]`, `"x"`, `{} {}`, "{\"state\":\"\\ud800\"}", ``,
	} {
		f.Add([]byte(payload), true)
		f.Add([]byte(payload), false)
	}
	f.Fuzz(func(t *testing.T, payload []byte, required bool) {
		object, err := oidc.ReadRequestObject(payload, oidc.RequestObjectRules{Issuer: "https://id.example.com", ClientID: "app", Required: required}, time.Unix(1_800_000_000, 0))
		if err != nil {
			var known *oidc.Error
			if !errors.As(err, &known) || known.Code != oidc.CodeInvalidRequestObject || !printable(known.Description) {
				t.Fatalf("error is %#v", err)
			}
			return
		}
		for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "request", "request_uri"} {
			if object.Parameters.Has(name) {
				t.Fatalf("%s is a parameter", name)
			}
		}
		if required && (object.ExpiresAt.IsZero() || object.Parameters.Get("client_id") != "app") {
			t.Fatalf("read as %+v", object)
		}
	})
}

// printable tells whether a text is fit for error_description (RFC 6749 section 4.1.2.1).
func printable(text string) bool {
	for _, c := range []byte(text) {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// FuzzReadBasic: what a client sends is among the readings, whether it encodes as RFC 6749 section 2.3.1 asks or not.
func FuzzReadBasic(f *testing.F) {
	for _, c := range [][2]string{{"app", "s3cret"}, {"app", "a+b%2B c:\u00fc"}, {"a.b-c_d", "100%"}, {"app", ""}, {"app", "%zz"}, {"app", ":"}} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, id, secret string) {
		if id == "" || strings.ContainsAny(id, ":%+") {
			return // such IDs cannot be registered
		}
		want := oidc.Credentials{ClientID: id, Secret: secret}
		for _, sent := range []string{url.QueryEscape(id) + ":" + url.QueryEscape(secret), id + ":" + secret} {
			readings := oidc.ReadBasic("Basic " + base64.StdEncoding.EncodeToString([]byte(sent)))
			if !slices.Contains(readings, want) || len(readings) > 2 {
				t.Fatalf("%q is read as %q", sent, readings)
			}
		}
		oidc.ReadBasic(secret) // any header at all
	})
}

// FuzzMatchRedirectURI: only what is registered matches, but for the port of a native application's loopback address.
func FuzzMatchRedirectURI(f *testing.F) {
	for _, c := range [][2]string{
		{"https://a.example/cb", "https://a.example/cb"},
		{"https://a.example/cb", "https://a.example/cb/"},
		{"http://127.0.0.1/cb", "http://127.0.0.1:1/cb"},
		{"http://[::1]:1/cb", "http://[::1]:2/cb"},
		{"http://127.0.0.1/cb", "http://127.0.0.1@evil.example/cb"},
		{"http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb"},
		{"http://localhost/cb", "http://localhost:1/cb"},
		{"com.example:/cb", "com.example:/cb"},
	} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, registered, given string) {
		if oidc.MatchRedirectURI(registered, given, false) != (registered == given) {
			t.Fatal("a confidential client's URI matches otherwise than to the letter")
		}
		if registered == given || !oidc.MatchRedirectURI(registered, given, true) || oidc.ValidateRedirectURI(registered, true) != nil {
			return
		}
		r, errR := url.Parse(registered)
		g, errG := url.Parse(given)
		if errR != nil || errG != nil || g.Scheme != "http" || !oidc.IsLoopback(g.Hostname()) || g.User != nil ||
			g.RequestURI() != r.RequestURI() || g.Fragment != r.Fragment {
			t.Fatalf("%q matches %q", given, registered)
		}
	})
}

// What is too long is refused by name, before anything of it is stored.
func TestParametersThatAreTooLong(t *testing.T) {
	for name, longest := range map[string]int{
		"state": 2048, "nonce": 2048, "scope": 4096, "id_token_hint": 8192, "acr_values": 1024, "ui_locales": 512, "claims_locales": 512,
		"display": 64, "prompt": 128,
	} {
		p, _ := oidc.ReadParameters(url.Values{"response_type": {"code"}, "scope": {"openid"}, name: {strings.Repeat("x", longest+1)}}.Encode())
		_, err := oidc.ReadAuthorization(p)
		var refused *oidc.Error
		if !errors.As(err, &refused) || refused.Code != oidc.CodeInvalidRequest || !strings.Contains(refused.Description, name+" must not be longer than") {
			t.Errorf("a longer %s: %v", name, err)
		}
		if p, _ = oidc.ReadParameters(url.Values{"response_type": {"code"}, "scope": {"openid"}, name: {strings.Repeat("x", longest)}}.Encode()); name != "prompt" && name != "scope" {
			if _, err := oidc.ReadAuthorization(p); err != nil {
				t.Errorf("the longest %s: %v", name, err)
			}
		}
	}
}
