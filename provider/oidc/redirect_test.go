package oidc_test

import (
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

func TestValidateRedirectURI(t *testing.T) {
	for name, test := range map[string]struct {
		uri    string
		public bool
		want   string // part of the error; empty: none
	}{
		"https":                            {"https://app.example.com/cb?x=1", false, ""},
		"origin without slash":             {"https://nas.example.com:5001", false, ""},
		"http on localhost":                {"http://localhost:8090/cb", false, ""},
		"http on a name below localhost":   {"http://app.localhost/cb", false, ""},
		"http on 127.0.0.2":                {"http://127.0.0.2/cb", false, ""},
		"http on ::1":                      {"http://[::1]:8090/cb", false, ""},
		"http elsewhere":                   {"http://app.example.com/cb", false, "must use https"},
		"http on a name like localhost":    {"http://localhost.example.com/cb", false, "must use https"},
		"http on an address in a user":     {"http://127.0.0.1@example.com/", false, "user name"},
		"fragment":                         {"https://app.example.com/#", false, "fragment"},
		"wildcard host":                    {"https://*.example.com/", false, "wildcard"},
		"wildcard path":                    {"https://example.com/*", false, "wildcard"},
		"relative":                         {"/cb", false, "absolute"},
		"without scheme":                   {"app.example.com/cb", false, "absolute"},
		"without host":                     {"https:///cb", false, "with a host"},
		"opaque":                           {"https:app.example.com", false, "with a host"},
		"user":                             {"https://ada@app.example.com/", false, "user name"},
		"line break":                       {"https://app.example.com/\r\nSet-Cookie: a=b", false, "line breaks"},
		"backslash":                        {`https://app.example.com\@evil.example.com/`, false, "backslashes"},
		"script":                           {"javascript:alert(1)", true, "private-use scheme"},
		"private-use scheme":               {"com.example.app:/cb", true, ""},
		"private-use scheme, confidential": {"com.example.app:/cb", false, "only for public clients"},
		"empty":                            {"", false, "empty"},
		"too long":                         {"https://example.com/" + strings.Repeat("x", 2048), false, "2048"},
	} {
		t.Run(name, func(t *testing.T) {
			err := oidc.ValidateRedirectURI(test.uri, test.public)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
		})
	}
}

// RFC 9700 section 2.1: exact; RFC 8252 section 7.3: any port on a loopback address for native apps.
func TestMatchRedirectURI(t *testing.T) {
	for name, test := range map[string]struct {
		registered, given string
		public, want      bool
	}{
		"same":                           {"https://a.example.com/cb", "https://a.example.com/cb", false, true},
		"trailing slash":                 {"https://a.example.com", "https://a.example.com/", false, false},
		"case of the host":               {"https://a.example.com/cb", "https://A.example.com/cb", false, false},
		"default port":                   {"https://a.example.com/cb", "https://a.example.com:443/cb", false, false},
		"longer path":                    {"https://a.example.com/cb", "https://a.example.com/cb/../evil", false, false},
		"more query":                     {"https://a.example.com/cb", "https://a.example.com/cb?x=1", false, false},
		"encoded":                        {"https://a.example.com/cb", "https://a.example.com/%63b", false, false},
		"loopback port, native":          {"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true, true},
		"loopback port, native, IPv6":    {"http://[::1]:1/cb", "http://[::1]:51004/cb", true, true},
		"loopback port, native, no path": {"http://127.0.0.1", "http://127.0.0.1:51004", true, true},
		"loopback port, confidential":    {"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", false, false},
		"localhost port":                 {"http://localhost/cb", "http://localhost:51004/cb", true, false},
		"other loopback address":         {"http://127.0.0.1/cb", "http://127.0.0.2:51004/cb", true, false},
		"other path":                     {"http://127.0.0.1/cb", "http://127.0.0.1:51004/", true, false},
		"port that is none":              {"http://127.0.0.1/cb", "http://127.0.0.1:x/cb", true, false},
		"port out of range":              {"http://127.0.0.1/cb", "http://127.0.0.1:999999/cb", true, false},
		"IPv4 in brackets":               {"http://127.0.0.1/cb", "http://[127.0.0.1]:9/cb", true, false},
		"https on loopback":              {"https://127.0.0.1/cb", "https://127.0.0.1:51004/cb", true, false},
		"host that begins the same":      {"http://127.0.0.1/cb", "http://127.0.0.1.evil.example.com/cb", true, false},
		"user before the address":        {"http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example.com/cb", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := oidc.MatchRedirectURI(test.registered, test.given, test.public); got != test.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}
