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
		"private-use scheme, confidential": {"com.example.app:/cb", false, "public client"},
		"host in other letters":            {"https://bücher.example/cb", false, "punycode"},
		"host in punycode":                 {"https://xn--bcher-kva.example/cb", false, ""},
		"path in other letters":            {"https://app.example.com/ü", false, "percent-encoded"},
		"path percent-encoded":             {"https://app.example.com/%C3%BC", false, ""},
		"markup":                           {`https://app.example.com/cb"><x`, false, "percent-encode"},
		"curly brackets":                   {"https://app.example.com/{id}", false, "percent-encode"},
		"null character":                   {"https://app.example.com/\x00", false, "control characters"},
		"lonely percent":                   {"https://app.example.com/cb?x=100%", false, "%25"},
		"percent without digits":           {"https://app.example.com/%zz", false, "%25"},
		"percent in the host":              {"https://app%2eexample.com/", false, "absolute"},
		"brackets in the path":             {"https://app.example.com/[x]", false, "%5B"},
		"brackets without address":         {"https://[example.com]/", false, "absolute"},
		"address with a zone":              {"https://[fe80::1%25eth0]/", false, "zone"},
		"IPv6 address":                     {"https://[2001:db8::1]:8443/cb", false, ""},
		"port 0":                           {"https://app.example.com:0/", false, "port"},
		"port too high":                    {"https://app.example.com:65536/", false, "port"},
		"colon without port":               {"https://app.example.com:/", false, "port"},
		"empty label":                      {"https://app..example.com/", false, "host name"},
		"comma in the host":                {"https://app,example.com/", false, "host name"},
		"quotes in the host":               {"https://app'example.com/", false, "host name"},
		"underscore in the host":           {"https://my_app.example.com/", false, ""},
		"scheme in capitals":               {"HTTPS://app.example.com/cb", false, "lower case"},
		"host in capitals":                 {"https://App.example.com/cb", false, ""},
		"app's scheme, confidential":       {"app.immich:///oauth-callback", false, "https address of that server"},
		"app's scheme, public":             {"app.immich:///oauth-callback", true, ""},
		"app's scheme in other letters":    {"com.example.app:/ü", true, "percent-encoded"},
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

func TestRedirectHost(t *testing.T) {
	for uri, want := range map[string]string{
		"https://App.example.com:8443/cb":         "app.example.com",
		"http://[::1]:8090/cb":                    "::1",
		"com.example.app:/cb":                     "app.example.com",
		"com.other.app://payroll.example.com/cb":  "app.other.com",
		"app.immich:///cb":                        "immich.app",
		"com.example.app://user@app.example.com/": "app.example.com",
	} {
		if got := oidc.RedirectHost(uri); got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}
