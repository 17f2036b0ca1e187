package conformance_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// RFC 9700 section 4.12: after a form with a password, browsers are sent on with 303 and never repeat the form elsewhere.
func TestRedirectsAfterForms(t *testing.T) {
	t.Parallel()
	p := newParty(t, "es256")
	page := p.open()
	action, err := page.URL.Parse(page.Form.Action)
	if err != nil {
		t.Fatal(err)
	}
	form := page.Form.Fields
	form.Set("username", username)
	form.Set("password", password)
	r := newForm(t, action.String(), form)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, cookie := range p.browser.Cookies() {
		r.AddCookie(cookie)
	}
	answer := send(t, r)
	if answer.status != http.StatusSeeOther {
		t.Errorf("answers %d", answer.status)
	}
	for _, cookie := range answer.header.Values("Set-Cookie") {
		lower := strings.ToLower(cookie)
		for _, attribute := range []string{"secure", "httponly", "samesite="} {
			if !strings.Contains(lower, attribute) {
				t.Errorf("a cookie without %s is set", attribute)
			}
		}
		if !strings.HasPrefix(cookie, "__Host-") && !strings.HasPrefix(cookie, "__Secure-") {
			t.Errorf("other hosts can set the cookie %s", strings.SplitN(cookie, "=", 2)[0])
		}
	}
}

// RFC 9700 sections 4.2.4 and 4.16, RFC 6749 section 10.13: pages tell nobody their address, are kept nowhere, and cannot be
// framed.
func TestPageHeaders(t *testing.T) {
	t.Parallel()
	p := newParty(t, "asking")
	login := p.open()
	consent := p.browser.Submit(login, url.Values{"username": {username}, "password": {password}})
	if !consent.Asks("decision") {
		t.Fatalf("shows %s", consent.URL)
	}
	for name, header := range map[string]http.Header{
		"login": login.Header, "consent": consent.Header, "error": p.open("redirect_uri", "https://attacker.example.com/").Header, "logout": p.leave().Header,
	} {
		policy := header.Get("Content-Security-Policy")
		for _, part := range []string{"frame-ancestors 'none'", "default-src 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q has no %s", name, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe-") {
			t.Errorf("%s: the policy is %q", name, policy)
		}
		if referrer := header.Get("Referrer-Policy"); referrer != "no-referrer" && referrer != "same-origin" && referrer != "strict-origin" {
			t.Errorf("%s: Referrer-Policy is %q", name, referrer)
		}
		if !strings.Contains(header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: Cache-Control is %q", name, header.Get("Cache-Control"))
		}
		if !strings.HasPrefix(header.Get("X-Content-Type-Options"), "nosniff") {
			t.Errorf("%s: X-Content-Type-Options is %q", name, header.Get("X-Content-Type-Options"))
		}
	}
}

// RFC 9700 section 4.1: what only looks like a registered redirect URI is none.
func TestRedirectURIsThatLookAlike(t *testing.T) {
	t.Parallel()
	p := newParty(t, "oidf-1")
	registered := p.app.RedirectURIs[0]
	u, err := url.Parse(registered)
	if err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{
		registered + "/", registered + "/../evil", registered + "#fragment", registered + "?", strings.ToUpper(registered),
		strings.Replace(registered, u.Host, "user@"+u.Host, 1), strings.Replace(registered, u.Host, u.Host+"@attacker.example.com", 1),
		strings.Replace(registered, u.Hostname(), u.Hostname()+".attacker.example.com", 1), strings.Replace(registered, "/callback", "/%63allback", 1),
		strings.Replace(registered, "http://", "https://", 1), strings.Replace(registered, u.Hostname(), "localhost", 1),
		registered + "%0d%0aX: y", registered + " ", " " + registered, `javascript:alert(1)//` + registered, "//" + u.Host + u.Path, u.Path,
	} {
		p.refused(p.open("redirect_uri", uri))
	}
}

// RFC 9700 section 2.1.1: a client that must use PKCE cannot do without, and none can take the challenge away afterwards.
func TestPKCERequired(t *testing.T) {
	t.Parallel()
	p := newParty(t, "strict")
	p.fails(p.open(), "invalid_request")
	const verifier = "a-verifier-of-enough-characters-0123456789~._"
	p.redeem(p.code("code_challenge", s256(verifier), "code_challenge_method", "S256")).fails(t, http.StatusBadRequest, "invalid_grant", "invalid_request")
	p.redeemed(p.redeem(p.code("code_challenge", s256(verifier), "code_challenge_method", "S256"), "code_verifier", verifier))
}

// RFC 9700 section 4.10.1 and RFC 6750 section 5.3: answers that hold tokens come over TLS only.
func TestNoPlainHTTP(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(shared.issuer, "https://", "http://", 1)+"/.well-known/openid-configuration", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if answer := send(t, r); answer.status < http.StatusBadRequest && answer.status/100 != 3 {
		t.Errorf("answers %d in plain text", answer.status)
	}
}
