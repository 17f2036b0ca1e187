package provider_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// What an attacker may try at the authorization endpoint, by the sections of RFC 9700 (OAuth 2.0 Security Best Current Practice).

// redirectVariants are redirect URIs that look like https://app.example.com/callback to a careless eye or parser.
func redirectVariants() map[string]string {
	return map[string]string{
		"scheme in capitals":             "HTTPS://app.example.com/callback",
		"host in capitals":               "https://App.Example.com/callback",
		"path in capitals":               "https://app.example.com/Callback",
		"http":                           "http://app.example.com/callback",
		"no scheme":                      "//app.example.com/callback",
		"the default port":               "https://app.example.com:443/callback",
		"another port":                   "https://app.example.com:8443/callback",
		"an empty port":                  "https://app.example.com:/callback",
		"an escaped letter":              "https://app.example.com/%63allback",
		"an escaped slash":               "https://app.example.com%2fcallback",
		"a slash more at the end":        "https://app.example.com/callback/",
		"a slash more in between":        "https://app.example.com//callback",
		"path traversal":                 "https://app.example.com/callback/../evil",
		"path traversal back to it":      "https://app.example.com/evil/../callback",
		"escaped path traversal":         "https://app.example.com/callback/%2e%2e/evil",
		"a path parameter":               "https://app.example.com/callback;a=b",
		"a dot at the end of the host":   "https://app.example.com./callback",
		"user info":                      "https://ada@app.example.com/callback",
		"the host as user info":          "https://app.example.com@evil.example/callback",
		"the host and port as user info": "https://app.example.com:443@evil.example/callback",
		"the host as a prefix":           "https://app.example.com.evil.example/callback",
		"a longer path":                  "https://app.example.com/callbackevil",
		"a query":                        "https://app.example.com/callback?next=https://evil.example",
		"an empty query":                 "https://app.example.com/callback?",
		"a fragment":                     "https://app.example.com/callback#fragment",
		"an empty fragment":              "https://app.example.com/callback#",
		"a Cyrillic letter":              "https://app.ex\u0430mple.com/callback",
		"a fullwidth dot":                "https://app\uff0eexample.com/callback",
		"an ideographic full stop":       "https://app.example\u3002com/callback",
		"punycode of a look-alike":       "https://app.xn--exmple-4nf.com/callback",
		"a backslash for a slash":        `https://app.example.com\callback`,
		"a backslash before user info":   `https://evil.example\@app.example.com/callback`,
		"backslashes for slashes":        `https:\\app.example.com/callback`,
		"one slash":                      "https:/app.example.com/callback",
		"three slashes":                  "https:///app.example.com/callback",
		"a tab":                          "https://app.exam\tple.com/callback",
		"a line break at the end":        "https://app.example.com/callback\n",
		"a line break with a header":     "https://app.example.com/callback\r\nSet-Cookie: a=b",
		"a space before it":              " https://app.example.com/callback",
		"a zero byte":                    "https://app.example.com/callback\x00.evil.example",
		"an escaped zero byte":           "https://app.example.com/callback%00",
		"no UTF-8":                       "https://app.example.com/callback\xff",
		"a script":                       "javascript:alert(1)//https://app.example.com/callback",
		"a document":                     "data:text/html,https://app.example.com/callback",
		"relative":                       "/callback",
		"a wildcard":                     "https://*.example.com/callback",
		"the provider itself":            "/oauth2/logout",
		"an IPv6 address with a zone":    "https://[fe80::1%25eth0]/callback",
	}
}

// loopbackVariants are those of http://127.0.0.1/callback and http://[::1]/callback, where any port may stand (RFC 8252 section 7.3).
func loopbackVariants() map[string]string {
	return map[string]string{
		"another loopback address":   "http://127.0.0.2:4711/callback",
		"a name":                     "http://localhost:4711/callback",
		"https":                      "https://127.0.0.1:4711/callback",
		"a port that is none":        "http://127.0.0.1:99999/callback",
		"a port that is no number":   "http://127.0.0.1:80a/callback",
		"an empty port":              "http://127.0.0.1:/callback",
		"two ports":                  "http://127.0.0.1:80:81/callback",
		"user info":                  "http://127.0.0.1:4711@evil.example/callback",
		"the short form":             "http://127.1:4711/callback",
		"a hexadecimal form":         "http://0x7f.0.0.1:4711/callback",
		"a decimal form":             "http://2130706433:4711/callback",
		"an octal form":              "http://0177.0.0.1:4711/callback",
		"a mapped IPv4 address":      "http://[::ffff:127.0.0.1]:4711/callback",
		"an IPv6 address unbraced":   "http://::1/callback",
		"an IPv4 address in braces":  "http://[127.0.0.1]:4711/callback",
		"an IPv6 address and a zone": "http://[::1%25lo]:4711/callback",
		"another path":               "http://127.0.0.1:4711/callback/",
		"a query":                    "http://127.0.0.1:4711/callback?a=b",
		"a backslash":                `http://127.0.0.1:4711\@evil.example/callback`,
		"a private-use scheme":       "com.example.other:/callback",
		"that scheme with slashes":   "com.example.app:///callback",
		"that scheme with a host":    "com.example.app://evil.example/callback",
	}
}

// RFC 9700 sections 4.1.1 and 4.11.2: nothing but a registered redirect URI gets anything, least of all the browser.
func TestHostileRedirectURIs(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddClient(registration.Client{
		ClientID: "native", TokenEndpointAuthMethod: registration.AuthMethodNone,
		RedirectURIs: []string{"http://127.0.0.1/callback", "http://[::1]/callback", "com.example.app:/callback"},
	})
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password) // somebody who has logged in is worth more to an attacker
	for clientID, variants := range map[string]map[string]string{"app": redirectVariants(), "native": loopbackVariants()} {
		for name, uri := range variants {
			t.Run(clientID+" "+name, func(t *testing.T) {
				for _, mode := range []string{"", "form_post"} {
					page := browser.Get(authorizeURL(issuer, "client_id", clientID, "redirect_uri", uri, "response_mode", mode,
						"code_challenge", challenge, "code_challenge_method", "S256"))
					if page.Status != http.StatusBadRequest || page.Callback != nil || page.Header.Get("Location") != "" || page.Form != nil {
						t.Errorf("answers %d, callback %v", page.Status, page.Callback)
					}
					if strings.Contains(page.Body, "href=\"http") || strings.Contains(page.Body, "href=\"javascript") || strings.Contains(page.Body, "refresh") {
						t.Errorf("the page leads on:\n%s", page.Body)
					}
				}
			})
		}
	}
	for name, uri := range redirectVariants() {
		if got := push(t, issuer, "redirect_uri", uri); got.status != http.StatusBadRequest || got.text("error") != "invalid_request" {
			t.Errorf("pushed, %s: %d %s", name, got.status, got.raw)
		}
	}
	for _, uri := range []string{"http://127.0.0.1:4711/callback", "http://[::1]:4711/callback", "com.example.app:/callback"} {
		page := browser.Get(authorizeURL(issuer, "client_id", "native", "redirect_uri", uri, "code_challenge", challenge, "code_challenge_method", "S256"))
		if !page.Asks("decision") {
			t.Errorf("%s, which is registered, answers %d %v", uri, page.Status, page.Callback)
		}
	}
}

// RFC 9700 section 4.4: the answers of two providers cannot be confused, because each names its own (RFC 9207).
func TestMixUp(t *testing.T) {
	first, _ := newIssuer(t)
	second, _ := newIssuer(t)
	for _, issuer := range []*providertest.Issuer{first, second} {
		for name, changed := range map[string][]string{
			"a code": nil, "an error": {"scope", "email"}, "a code that is posted": {"response_mode", "form_post"}, "an error that is posted": {"response_mode", "form_post", "scope", "email"},
		} {
			if got := loginOrAnswer(t, issuer, changed...).Answer(); !slices.Equal(got["iss"], []string{issuer.URL}) {
				t.Errorf("%s of %s has iss %q", name, issuer.URL, got["iss"])
			}
		}
		if !metadata(t, issuer).AuthorizationResponseIssParameterSupported {
			t.Error("the metadata do not tell that there is an iss")
		}
	}
	code := newCode(t, first)
	if got := exchange(t, second, code); got.text("error") != "invalid_grant" {
		t.Errorf("the code of one provider at the other: %d %s", got.status, got.raw)
	}
}

// RFC 9700 section 4.5: a stolen code is worth nothing in the attacker's own login.
func TestCodeInjection(t *testing.T) {
	issuer, _ := newIssuer(t)
	other := appClient()
	other.ClientID, other.RedirectURIs = "other", []string{callback, "https://app.example.com/second"}
	issuer.AddClient(other)
	verifier, attackers := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	code := newCode(t, issuer, "nonce", "the-victims", "code_challenge", oauth2.S256ChallengeFromVerifier(verifier), "code_challenge_method", "S256")
	for name, changed := range map[string][]string{
		"with the attacker's verifier":   {"code_verifier", attackers},
		"without a verifier":             {},
		"with the challenge as verifier": {"code_verifier", oauth2.S256ChallengeFromVerifier(verifier)},
		"at another client":              {"code_verifier", verifier, "client_id", "other", "client_secret", "secret-of-other"},
		"with another redirect URI":      {"code_verifier", verifier, "redirect_uri", "https://app.example.com/second"},
	} {
		if got := exchange(t, issuer, code, changed...); got.text("error") != "invalid_grant" || got.text("access_token") != "" {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	got := exchange(t, issuer, code, "code_verifier", verifier)
	if nonce := decodeSegment(t, got.text("id_token"), 1)["nonce"]; nonce != "the-victims" {
		t.Errorf("where it belongs it has the nonce %v, by which an injection shows", nonce)
	}
}

// RFC 9700 sections 2.1.1 and 4.8.2: nobody can take PKCE out of a login unnoticed.
func TestPKCEDowngrade(t *testing.T) {
	issuer, _ := newIssuer(t)
	verifier := oauth2.GenerateVerifier()
	if got := exchange(t, issuer, newCode(t, issuer), "code_verifier", verifier); got.text("error") != "invalid_grant" {
		t.Errorf("the challenge cut out of the request: %d %s", got.status, got.raw)
	}
	s256 := oauth2.S256ChallengeFromVerifier(verifier)
	for name, changed := range map[string][]string{
		"plain":                        {"code_challenge", verifier, "code_challenge_method", "plain"},
		"no method, which means plain": {"code_challenge", s256},
		"a method of another case":     {"code_challenge", s256, "code_challenge_method", "s256"},
		"an unknown method":            {"code_challenge", s256, "code_challenge_method", "S512"},
		"an empty challenge":           {"code_challenge_method", "S256"},
		"a challenge that is too long": {"code_challenge", s256 + "A", "code_challenge_method", "S256"},
	} {
		if got := loginOrAnswer(t, issuer, changed...).Answer(); got.Get("error") != "invalid_request" {
			t.Errorf("%s: %v", name, got)
		}
	}
	target := authorizeURL(issuer, "code_challenge", s256, "code_challenge_method", "S256") + "&code_challenge=" + url.QueryEscape(oauth2.S256ChallengeFromVerifier("x"))
	if got := returned(t, issuer, target).Answer(); got.Get("error") != "invalid_request" {
		t.Errorf("two challenges: %v", got)
	}
}

// RFC 9700 section 2.1.2: there is no way to a token in the front channel.
func TestResponseTypes(t *testing.T) {
	issuer, _ := newIssuer(t)
	for _, responseType := range []string{
		"token", "id_token", "id_token token", "code token", "code id_token", "code id_token token", "none", "CODE", "code code", " code", "code ", "code\x00", "code,token",
	} {
		page := loginOrAnswer(t, issuer, "response_type", responseType, "nonce", "n")
		answer := page.Answer()
		if answer.Get("error") != "unsupported_response_type" || answer.Has("code") || answer.Has("access_token") || answer.Has("id_token") || page.Callback.Fragment != "" {
			t.Errorf("%q: %v", responseType, page.Callback)
		}
	}
}

// A parameter that stands twice is two requests in one, of which the provider and something in front of it may each see
// another (RFC 6749 section 3.1).
func TestEachParameterTwice(t *testing.T) {
	issuer, _ := newIssuer(t)
	for _, name := range []string{
		"response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint",
		"ui_locales", "request", "request_uri", "id_token_hint", "acr_values", "display", "registration", "claims", "claims_locales", "dpop_jkt",
	} {
		page := returned(t, issuer, authorizeURL(issuer)+"&"+name+"=a&"+name+"=b")
		if answer := page.Answer(); answer.Get("error") != "invalid_request" || !strings.Contains(answer.Get("error_description"), name) {
			t.Errorf("%s: %d %v", name, page.Status, page.Callback)
		}
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		if page := issuer.NewBrowser(t).Get(authorizeURL(issuer) + "&" + name + "=a"); page.Status != http.StatusBadRequest || page.Callback != nil {
			t.Errorf("%s: %d %v", name, page.Status, page.Callback)
		}
	}
	if page := issuer.NewBrowser(t).Get(authorizeURL(issuer) + "&unknown=a&unknown=b"); !page.Asks("password") {
		t.Errorf("a parameter that means nothing here: %d %v", page.Status, page.Callback)
	}
}

// What is sent back is data: no parameter becomes a header, a cookie, another parameter or a part of a page.
func TestInjectionIntoTheAnswer(t *testing.T) {
	issuer, _ := newIssuer(t)
	handler := issuer.Provider.Handler()
	const header = "x\r\nSet-Cookie: planted=1\r\nX-Planted: 1\r\n\r\n<script>alert(1)</script>"
	for _, name := range []string{
		"state", "nonce", "scope", "prompt", "response_type", "response_mode", "claims", "login_hint", "ui_locales", "client_id", "redirect_uri", "request_uri", "display", "login_proof",
	} {
		for _, mode := range []string{"query", "form_post"} {
			request := httptest.NewRequest(http.MethodGet, "/oauth2/authorize?"+authorizeQuery(issuer, "response_mode", mode, name, header), nil)
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			for key, values := range answer.Result().Header {
				if strings.ContainsAny(strings.Join(values, ""), "\r\n") || strings.Contains(key, "Planted") || slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(v, "planted") }) {
					t.Errorf("%s by %s: header %s is %q", name, mode, key, values)
				}
			}
			if strings.Contains(answer.Body.String(), "<script>") {
				t.Errorf("%s by %s: the page is\n%s", name, mode, answer.Body)
			}
		}
	}
	page := issuer.NewBrowser(t).Get(authorizeURL(issuer, "prompt", "none", "state", "s&code=planted&iss=https://evil.example#code=planted"))
	if names := slices.Sorted(maps.Keys(page.Answer())); !slices.Equal(names, []string{"error", "error_description", "iss", "state"}) || page.Callback.Fragment != "" {
		t.Errorf("state becomes %v", page.Callback)
	}
}

func authorizeQuery(issuer *providertest.Issuer, changed ...string) string {
	_, query, _ := strings.Cut(authorizeURL(issuer, changed...), "?")
	return query
}

// RFC 9700 sections 4.2.4, 4.12 and 4.16: an answer cannot be framed, kept, read from a Referer or made of a repeated form.
func TestHeadersOfTheAuthorizationEndpoint(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentAlways)
	browser := issuer.NewBrowser(t)
	login := browser.Get(authorizeURL(issuer))
	consent := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
	redirect := browser.Submit(consent, url.Values{"decision": {"allow"}})
	formPost := browser.Submit(browser.Get(authorizeURL(issuer, "response_mode", "form_post")), url.Values{"decision": {"allow"}})
	for name, page := range map[string]*providertest.Page{
		"login": login, "consent": consent, "form_post": formPost, "error": browser.Get(authorizeURL(issuer, "client_id", "x")),
	} {
		if !strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || page.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s can be framed: %v", name, page.Header)
		}
		if page.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s can be kept: %v", name, page.Header)
		}
	}
	if redirect.Status != http.StatusSeeOther || redirect.Header.Get("Referrer-Policy") != "no-referrer" || redirect.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the redirect is %d with %v", redirect.Status, redirect.Header)
	}
}

// A proxy's or an attacker's idea of the host moves nothing: every URL is made of the issuer.
func TestForgedHost(t *testing.T) {
	issuer, _ := newIssuer(t)
	handler := issuer.Provider.Handler()
	request := httptest.NewRequest(http.MethodGet, "/oauth2/authorize?"+authorizeQuery(issuer), nil)
	request.Host = "evil.example"
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded", "X-Original-URL"} {
		request.Header.Set(name, "evil.example")
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if location := answer.Header().Get("Location"); !strings.HasPrefix(location, "/login?") {
		t.Errorf("leads to %s", location)
	}
}

// A hint, a state or a claims parameter as long as they come is answered or refused, never a fault.
func TestVeryLongParameters(t *testing.T) {
	issuer, _ := newIssuer(t)
	for _, name := range []string{"state", "nonce", "id_token_hint", "login_hint", "claims", "scope", "prompt", "ui_locales", "acr_values", "resource", "request_uri", "dpop_jkt", "code_challenge"} {
		for _, length := range []int{3000, 12000, 17 << 10} {
			page := issuer.NewBrowser(t).Get(authorizeURL(issuer, name, strings.Repeat("a ", length/2)))
			if page.Status >= http.StatusInternalServerError || page.Answer().Get("error") == oidc.CodeServerError {
				t.Errorf("%s of %d bytes: %d %v", name, length, page.Status, page.Answer())
			}
		}
	}
}
