package provider_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// groupIssuer has a client for the group matrix-users, bob who is in it, and ada who is not.
func groupIssuer(t *testing.T, opts ...providertest.Option) *providertest.Issuer {
	t.Helper()
	issuer, _ := newIssuer(t, opts...)
	client := appClient()
	client.AllowedGroups, client.Consent = []string{"matrix-users", "admins"}, registration.ConsentRemember
	issuer.AddClient(client)
	issuer.AddUser(registration.User{Username: "bob", Groups: []string{"staff", "matrix-users"}}, password)
	return issuer
}

// A person whom the application is not for is told so on a page that names the application, and from which they can go on.
func TestAccessIsDenied(t *testing.T) {
	var audit bytes.Buffer
	issuer := groupIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Audit = provider.NewAuditLogger(&audit) }))
	browser := issuer.NewBrowser(t)
	page := loginPage(t, issuer, browser)
	if page.Status != http.StatusForbidden || page.Callback != nil {
		t.Fatalf("answers %d, callback %v", page.Status, page.Callback)
	}
	for _, text := range []string{"Example App is not for this account", "Ada Lovelace", "Use another account", "Back to the application"} {
		if !strings.Contains(page.Body, text) {
			t.Errorf("the page does not say %q:\n%s", text, page.Body)
		}
	}
	if strings.Contains(page.Body, "matrix-users") {
		t.Error("the page tells strangers what groups there are")
	}
	for _, part := range []string{`"event":"access.denied"`, `"client_id":"app"`, `"sub":"sub-ada"`, `"reason":"group"`} {
		if !strings.Contains(audit.String(), part) {
			t.Errorf("the audit log has no %s: %s", part, audit.String())
		}
	}
	if none := browser.Get(authorizeURL(issuer, "prompt", "none")).Answer(); none.Get("error") != "access_denied" {
		t.Errorf("with prompt none the application is told %v", none)
	}
	if back := browser.Submit(page, url.Values{"decision": {"deny"}}).Answer(); back.Get("error") != "access_denied" || back.Get("state") != "state-1" {
		t.Errorf("going back, the application is told %v", back)
	}
	if forced := browser.Submit(page, url.Values{"decision": {"allow"}}); forced.Status != http.StatusForbidden || forced.Callback != nil {
		t.Errorf("agreeing answers %d, callback %v", forced.Status, forced.Callback)
	}
	if foreign := browser.Submit(page, url.Values{"decision": {"deny"}, "csrf_token": {"guess"}}); foreign.Status != http.StatusForbidden || foreign.Callback != nil {
		t.Errorf("going back without the form's token answers %d, callback %v (CSRF)", foreign.Status, foreign.Callback)
	}
}

// From that page a person can log in as somebody else.
func TestAccessAsSomebodyElse(t *testing.T) {
	issuer := groupIssuer(t)
	browser := issuer.NewBrowser(t)
	page := loginPage(t, issuer, browser)
	_, after, _ := strings.Cut(page.Body, `<a class="button quiet" href="`)
	link, _, _ := strings.Cut(after, `"`)
	login := browser.Get(issuer.Endpoint(strings.ReplaceAll(link, "&amp;", "&")))
	consent := browser.Submit(login, url.Values{"username": {"bob"}, "password": {password}})
	if answer := browser.Submit(consent, url.Values{"decision": {"allow"}}).Answer(); answer.Get("code") == "" {
		t.Errorf("the answer is %v", answer)
	}
}

// Who leaves the groups while the consent page is open does not get in any more.
func TestAccessThatEndsMeanwhile(t *testing.T) {
	issuer := groupIssuer(t)
	browser := issuer.NewBrowser(t)
	consent := browser.Submit(browser.Get(authorizeURL(issuer)), url.Values{"username": {"bob"}, "password": {password}})
	issuer.AddUser(registration.User{Username: "bob", Groups: []string{"staff"}}, password)
	if page := browser.Submit(consent, url.Values{"decision": {"allow"}}); page.Status != http.StatusForbidden || !strings.Contains(page.Body, "is not for this account") {
		t.Errorf("answers %d, callback %v", page.Status, page.Callback)
	}
}
