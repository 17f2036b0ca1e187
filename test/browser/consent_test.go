package browser_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The consent page says in words what is shared, with the values, and who with whom.
func TestConsentSaysWhatIsShared(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.toLogin(s)
	b.logIn(username, s.password)
	b.at(s.issuer + "/consent")
	b.reads("h1", "Share with "+appName+"?")
	shared := b.text(".shared")
	for _, words := range []string{"Your name and profile", fullName, "Your e-mail address", email, "The groups you belong to", group} {
		if !strings.Contains(shared, words) {
			t.Errorf("%q is missing in %q", words, shared)
		}
	}
	for _, scope := range []string{"openid", "phone", "address of", "offline_access"} {
		if strings.Contains(shared, scope) {
			t.Errorf("%q stands in %q", scope, shared)
		}
	}
	if rows := get(b, chromedp.Evaluate[int](`document.querySelectorAll('.shared li').length`)); rows != 4 {
		t.Errorf("%d rows for 4 scopes: %q", rows, shared)
	}
	page := b.text("main")
	for _, words := range []string{fullName, "(" + username + ")", hostOf(s.app)} {
		if !strings.Contains(page, words) {
			t.Errorf("%q is missing in %q", words, page)
		}
	}
}

// Whoever denies is still logged in, and is asked again the next time.
func TestDeny(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.expectComplaint("status of 403")
	b.toLogin(s)
	b.logIn(username, s.password)
	b.at(s.issuer + "/consent")
	if response := b.click("button[value=deny]"); response.Status != http.StatusForbidden {
		t.Errorf("status %d", response.Status)
	}
	b.at(s.app + "/callback")
	b.reads("#title", "The provider declined")
	if got := b.text("#error"); !strings.HasPrefix(got, "access_denied: ") {
		b.fatalf("the application shows %q", got)
	}
	b.click("#sign-in")
	b.allow(s)
	b.signedIn(s)
}

// Someone else at the same browser can log in from the consent page.
func TestOtherAccount(t *testing.T) {
	t.Parallel()
	other := ""
	s := newSite(t, func(s *site) { other = s.create("user", "create", "grace")["password"] })
	b := newTab(t)
	b.toLogin(s)
	b.logIn("grace", other)
	b.at(s.issuer + "/consent")
	b.click("main a[href*='/login']")
	b.at(s.issuer + "/login")
	b.logIn(username, s.password)
	b.allow(s)
	b.signedIn(s)
}
