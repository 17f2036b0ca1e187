package provider_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// OAuth 2.0 Form Post Response Mode section 2: the answer is a page that posts itself to the redirect URI.
func TestFormPost(t *testing.T) {
	issuer, _ := newIssuer(t)
	const state = `a&b=c d+e%20<>"'é</form>`
	page := loginPage(t, issuer, issuer.NewBrowser(t), "response_mode", "form_post", "state", state)
	if page.Status != http.StatusOK || page.Posted == nil || page.Callback.String() != callback {
		t.Fatalf("answers %d\n%s", page.Status, page.Body)
	}
	if names := slices.Sorted(maps.Keys(page.Posted)); !slices.Equal(names, []string{"code", "iss", "state"}) {
		t.Errorf("posts %v", names)
	}
	if page.Posted.Get("state") != state || page.Posted.Get("iss") != issuer.URL {
		t.Errorf("posts %v", page.Posted)
	}
	if got := exchange(t, issuer, page.Posted.Get("code")); got.status != http.StatusOK {
		t.Errorf("the code is worth %d %s", got.status, got.raw)
	}
	checkFormPostPage(t, issuer, page)
}

// The page has no script of its own but one that the policy allows, a button for browsers without scripts, and is kept nowhere.
func checkFormPostPage(t *testing.T, issuer *providertest.Issuer, page *providertest.Page) {
	t.Helper()
	csp := page.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, part) {
			t.Errorf("the policy %q has no %s", csp, part)
		}
	}
	if strings.Contains(csp, "form-action") || strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %q: it stops the form, or allows scripts in the page", csp)
	}
	if page.Header.Get("Cache-Control") != "no-store" || page.Header.Get("Referrer-Policy") != "strict-origin" {
		t.Errorf("the page comes with %v", page.Header)
	}
	if !strings.Contains(page.Body, `<button type="submit">`) || strings.Count(page.Body, "<script") != 1 {
		t.Errorf("the page is %s", page.Body)
	}
	_, after, _ := strings.Cut(page.Body, `<script src="`)
	source, _, _ := strings.Cut(after, `"`)
	script := get(t, issuer, source)
	if script.status != http.StatusOK || !strings.HasPrefix(script.header.Get("Content-Type"), "text/javascript") || !strings.Contains(script.raw, "submit()") {
		t.Errorf("the script %s answers %d %s", source, script.status, script.raw)
	}
}

// Section 2 again: errors take the same way, with state and iss (RFC 9207 section 2).
func TestFormPostErrors(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, c := range map[string]struct {
		changed []string
		code    string
	}{
		"nobody is logged in":     {[]string{"prompt", "none"}, "login_required"},
		"scope is without openid": {[]string{"scope", "email"}, "invalid_scope"},
		"response_type is token":  {[]string{"response_type", "token"}, "unsupported_response_type"},
	} {
		t.Run(name, func(t *testing.T) {
			browser := issuer.NewBrowser(t)
			if c.code != "login_required" { // a mistake is told without asking where somebody has signed in
				browser = loggedIn(t, issuer)
			}
			page := browser.Get(authorizeURL(issuer, append(c.changed, "response_mode", "form_post")...))
			if page.Posted.Get("error") != c.code || page.Posted.Get("state") != "state-1" || page.Posted.Get("iss") != issuer.URL || page.Posted.Has("code") {
				t.Errorf("answers %d, posts %v", page.Status, page.Posted)
			}
			checkFormPostPage(t, issuer, page)
		})
	}
}

// A denial on the consent page is posted, too.
func TestFormPostAfterConsent(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentAlways)
	browser := issuer.NewBrowser(t)
	consent := loginPage(t, issuer, browser, "response_mode", "form_post")
	if page := browser.Submit(consent, url.Values{"decision": {"deny"}}); page.Posted.Get("error") != "access_denied" {
		t.Errorf("posts %v", page.Posted)
	}
	if page := browser.Submit(consent, url.Values{"decision": {"allow"}}); page.Posted.Get("code") == "" {
		t.Errorf("posts %v", page.Posted)
	}
}

// Where an answer can be posted to, and what other modes get (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1).
func TestResponseModes(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddClient(registration.Client{
		ClientID: "native", TokenEndpointAuthMethod: registration.AuthMethodNone, Consent: registration.ConsentNever,
		RedirectURIs: []string{"http://127.0.0.1/cb", "com.example.app:/cb", "https://app.example.com/cb?tenant=a%20b"},
	})
	pkce := []string{"client_id", "native", "code_challenge", challenge, "code_challenge_method", "S256"}
	for name, c := range map[string]struct {
		redirectURI, mode string
		posted            bool
		err               string
	}{
		"form_post to a loopback port":        {"http://127.0.0.1:4711/cb", "form_post", true, ""},
		"form_post to a private-use scheme":   {"com.example.app:/cb", "form_post", false, "invalid_request"},
		"form_post to a URI that has a query": {"https://app.example.com/cb?tenant=a%20b", "form_post", true, ""},
		"query to a private-use scheme":       {"com.example.app:/cb", "query", false, ""},
		"fragment":                            {"http://127.0.0.1:4711/cb", "fragment", false, "invalid_request"},
		"an unknown mode":                     {"http://127.0.0.1:4711/cb", "web_message", false, "invalid_request"},
		"a mode that is not unset":            {"http://127.0.0.1:4711/cb", " query", false, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			page := loginOrAnswer(t, issuer, append(pkce, "redirect_uri", c.redirectURI, "response_mode", c.mode)...)
			if page.Callback == nil || (page.Posted != nil) != c.posted {
				t.Fatalf("answers %d, callback %v, posts %v", page.Status, page.Callback, page.Posted)
			}
			answer := page.Answer()
			if answer.Get("error") != c.err || answer.Has("code") != (c.err == "") || answer.Get("iss") != issuer.URL || page.Callback.Fragment != "" {
				t.Errorf("the answer is %v", answer)
			}
			if c.posted && page.Callback.String() != c.redirectURI {
				t.Errorf("posts to %s", page.Callback)
			}
		})
	}
}

// loginOrAnswer opens a request of the client app and logs ada in where it is asked for.
func loginOrAnswer(t *testing.T, issuer *providertest.Issuer, changed ...string) *providertest.Page {
	t.Helper()
	browser := issuer.NewBrowser(t)
	page := browser.Get(authorizeURL(issuer, changed...))
	if page.Callback == nil && page.Asks("password") {
		page = browser.Submit(page, url.Values{"username": {"ada"}, "password": {password}})
	}
	return browser.Return(page)
}

// What a browser would change on the way is refused rather than sent back changed.
func TestStateThatAFormWouldChange(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, state := range map[string]string{"a line break": "a\nb", "a zero byte": "a\x00b", "no UTF-8": "a\xffb"} {
		t.Run(name, func(t *testing.T) {
			page := returned(t, issuer, authorizeURL(issuer, "response_mode", "form_post", "state", state))
			if page.Posted.Get("error") != "invalid_request" || page.Posted.Has("state") {
				t.Errorf("posts %q", page.Posted)
			}
		})
	}
}
