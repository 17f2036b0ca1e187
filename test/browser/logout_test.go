package browser_test

import (
	"slices"
	"testing"
)

// The application logs out through the provider: the next login needs the password again, but no consent.
func TestLogoutFromTheApplication(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.toLogin(s)
	b.logIn(username, s.password)
	b.allow(s)
	b.signedIn(s)
	b.forget()
	b.click("#sign-out")
	b.at(s.app)
	b.reads("#title", "Not signed in")
	if !b.saw(s.issuer + "/oauth2/logout") {
		b.fatalf("the provider was not asked to log out: %v", b.visited)
	}
	if names := b.cookieNames(s.issuer); slices.ContainsFunc(names, isSession) {
		b.fatalf("the session's cookie is still there: %v", names)
	}
	b.toLogin(s)
	b.logIn(username, s.password)
	b.signedIn(s)
}

// Any site can send a browser to the logout page, so that without proof the person is asked.
func TestLogoutWithoutProofIsConfirmed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.open(s.issuer + "/login")
	b.logIn(username, s.password)
	b.reads("h1", "You are logged in")
	b.open(s.issuer + "/oauth2/logout")
	b.reads("h1", "Log out?")
	b.click("main a.button") // Cancel
	b.reads("h1", "You are logged in")
	b.open(s.issuer + "/oauth2/logout")
	b.click("form button")
	b.reads("h1", "You are logged out")
	b.open(s.issuer + "/")
	b.reads("h1", "You are not logged in")
}
