package browser_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const rejected = "The username or password is wrong. Check both and try again."

// toLogin goes from the application to the provider's login page.
func (b *tab) toLogin(s *site) {
	b.t.Helper()
	b.open(s.app)
	b.click("#sign-in")
	b.at(s.issuer + "/login")
}

// logIn fills in the login page and sends it.
func (b *tab) logIn(name, password string) int64 {
	b.t.Helper()
	b.do(chromedp.Clear(chromedp.CSS("#username")), chromedp.SendKeys(chromedp.CSS("#username"), name),
		chromedp.SendKeys(chromedp.CSS("#password"), password))
	return b.click("form button").Status
}

// allow agrees on the consent page, which must be shown.
func (b *tab) allow(s *site) {
	b.t.Helper()
	b.at(s.issuer + "/consent")
	b.click("button[value=allow]")
}

// signedIn fails unless the application shows ada's claims.
func (b *tab) signedIn(s *site) {
	b.t.Helper()
	b.at(s.app + "/callback")
	b.reads("#title", "Signed in")
	b.reads("#name", fullName)
	for _, selector := range []string{"#id-token-claims", "#userinfo-claims"} {
		var claims struct {
			Name     string   `json:"name"`
			Username string   `json:"preferred_username"`
			Email    string   `json:"email"`
			Verified bool     `json:"email_verified"`
			Groups   []string `json:"groups"`
			Subject  string   `json:"sub"`
		}
		if err := json.Unmarshal([]byte(b.text(selector)), &claims); err != nil {
			b.fatalf("%s: %v", selector, err)
		}
		if claims.Name != fullName || claims.Username != username || claims.Email != email || !claims.Verified ||
			!slices.Equal(claims.Groups, []string{group}) || claims.Subject == "" {
			b.fatalf("%s are %+v", selector, claims)
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.toLogin(s)
	b.reads("h1", "Log in")
	b.reads(".lead", "to continue to "+appName)
	b.logIn(username, s.password)
	b.allow(s)
	b.signedIn(s)
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.expectComplaint("status of 403")
	b.toLogin(s)
	if status := b.logIn(username, "not-"+s.password); status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
	b.at(s.issuer + "/login")
	b.reads("[role=alert]", rejected)
	if name, password := b.value("#username"), b.value("#password"); name != username || password != "" {
		b.fatalf("the fields hold %q and a password of %d characters", name, len(password))
	}
	b.focused("password")
	if names := b.cookieNames(s.issuer); slices.ContainsFunc(names, isSession) {
		b.fatalf("a wrong password has begun a session: %v", names)
	}
	b.do(chromedp.SendKeys(chromedp.CSS("#password"), s.password))
	b.click("form button")
	b.allow(s)
	b.signedIn(s)
}

// Whoever guesses usernames must not learn which of them exist.
func TestUnknownUser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.expectComplaint("status of 403")
	answers := map[string]string{}
	for _, name := range []string{username, "nobody"} {
		b.toLogin(s)
		if status := b.logIn(name, "guess"); status != http.StatusForbidden {
			t.Errorf("%s: status %d", name, status)
		}
		b.reads("[role=alert]", rejected)
		if got := b.value("#username"); got != name {
			b.fatalf("the username field holds %q", got)
		}
		answers[name] = strings.ReplaceAll(b.withoutTokens(), name, "NAME")
	}
	if answers[username] != answers["nobody"] {
		t.Errorf("the pages differ:\n%s\n%s", answers[username], answers["nobody"])
	}
}

// withoutTokens returns the page's HTML without what differs from one request to the next.
func (b *tab) withoutTokens() string {
	b.t.Helper()
	return get(b, chromedp.Evaluate[string](`(() => {
		const page = document.documentElement.cloneNode(true);
		page.querySelector('[name=csrf_token]').remove();
		page.querySelector('form').removeAttribute('action');
		return page.outerHTML;
	})()`))
}

// The second login in the same browser needs neither password nor consent.
func TestSecondLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.toLogin(s)
	b.logIn(username, s.password)
	b.allow(s)
	b.signedIn(s)
	if !b.saw(s.issuer+"/login") || !b.saw(s.issuer+"/consent") {
		b.fatalf("the first login went without a page of the provider: %v", b.visited)
	}
	b.forget()
	b.open(s.app)
	b.click("#sign-in")
	b.signedIn(s)
	if b.saw(s.issuer+"/login") || b.saw(s.issuer+"/consent") || !b.saw(s.issuer+"/oauth2/authorize") {
		b.fatalf("the second login led through %v", b.visited)
	}
}
