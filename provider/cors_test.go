package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// crossOriginPaths are the endpoints that a script of any website may call, and the others.
func crossOriginPaths() map[string]bool {
	return map[string]bool{
		oidc.PathDiscovery: true, oidc.PathServerMetadata: true, oidc.PathJWKS: true, oidc.PathToken: true, oidc.PathUserinfo: true,
		oidc.PathRevocation: true, oidc.PathPushedRequest: true,
		oidc.PathAuthorization: false, oidc.PathIntrospection: false, oidc.PathLogout: false, "/login": false, "/consent": false,
		"/logout": false, "/": false, "/assets/icon.svg": false,
	}
}

// The CORS protocol of the Fetch standard: what a browser asks before a request with such a header or content type.
func TestPreflight(t *testing.T) {
	issuer, _ := newIssuer(t)
	for path, allowed := range crossOriginPaths() {
		t.Run(path, func(t *testing.T) {
			got := send(t, issuer, newRequest(t, http.MethodOptions, issuer.Endpoint(path), nil, "Origin", "https://spa.example.com",
				"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,dpop,x-requested-with"))
			if !allowed {
				if got.status != http.StatusMethodNotAllowed || got.header.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("answers %d with %v", got.status, got.header)
				}
				return
			}
			if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != "*" ||
				got.header.Get("Access-Control-Allow-Methods") == "" || got.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("answers %d with %v", got.status, got.header)
			}
			if headers := got.header.Get("Access-Control-Allow-Headers"); headers != "authorization,dpop,x-requested-with" {
				t.Errorf("allowed are %q", headers)
			}
			if !strings.Contains(got.header.Get("Vary"), "Access-Control-Request-Headers") {
				t.Error("an answer for other headers is kept")
			}
		})
	}
}

// What is no list of headers does not come back, and nobody is shut out by not asking.
func TestPreflightForOddHeaders(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, asked := range map[string][]string{
		"nothing": nil, "empty": {""}, "a text": {"x y"}, "a line of markup": {"<script>"}, "very many": {strings.Repeat("x,", 1000) + "x"}, "twice": {"a", "b"},
	} {
		r := newRequest(t, http.MethodOptions, issuer.Endpoint(oidc.PathToken), nil, "Origin", "https://spa.example.com", "Access-Control-Request-Method", "POST")
		r.Header["Access-Control-Request-Headers"] = asked
		if got := send(t, issuer, r); got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, DPoP" {
			t.Errorf("%s: %d %q", name, got.status, got.header["Access-Control-Allow-Headers"])
		}
	}
}

// Errors can be read by the script as well, and no page and nothing that looks at a cookie can be read at all.
func TestCrossOriginAnswers(t *testing.T) {
	issuer, _ := newIssuer(t)
	get(t, issuer, oidc.PathDiscovery) // from now on it is served by the shorter way
	for path, allowed := range crossOriginPaths() {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := newRequest(t, method, issuer.Endpoint(path), url.Values{"a": {"b"}}, "Origin", "https://spa.example.com")
			response, err := issuer.Client().Transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if origin := response.Header.Get("Access-Control-Allow-Origin"); (origin == "*") != allowed || !allowed && origin != "" {
				t.Errorf("%s %s answers %d with Access-Control-Allow-Origin %q", method, path, response.StatusCode, origin)
			}
		}
	}
	got := get(t, issuer, oidc.PathUserinfo)
	if exposed := got.header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "WWW-Authenticate") {
		t.Errorf("the script cannot read why: %q", exposed)
	}
}
