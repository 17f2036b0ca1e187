package provider_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

const another = "purple elephants sing quietly"

// loggedIn returns a browser in which ada is logged in.
func loggedIn(t *testing.T, issuer *providertest.Issuer) *providertest.Browser {
	t.Helper()
	return loggedInAs(t, issuer, "ada", password)
}

func loggedInAs(t *testing.T, issuer *providertest.Issuer, username, secret string) *providertest.Browser {
	t.Helper()
	browser := issuer.NewBrowser(t)
	page := browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {username}, "password": {secret}})
	if page.Status != http.StatusOK || !strings.Contains(page.Body, "You are logged in") {
		t.Fatalf("the login answers %d\n%s", page.Status, page.Body)
	}
	return browser
}

func isIn(issuer *providertest.Issuer, browser *providertest.Browser) bool {
	return strings.Contains(browser.Get(issuer.Endpoint("/")).Body, "You are logged in")
}

// Every page of the account asks for a login first, and leads back to itself.
func TestAccountNeedsALogin(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithPath("/realm"))
	for _, path := range []string{"/account", "/account/sessions", "/account/applications", "/account/password"} {
		browser := issuer.NewBrowser(t)
		page := browser.Get(issuer.Endpoint(path))
		if !page.Asks("username") || page.URL.Query().Get("return_to") != path {
			t.Fatalf("%s leads to %s", path, page.URL)
		}
		page = browser.Submit(page, url.Values{"username": {"ada"}, "password": {"wrong"}})
		page = browser.Submit(page, url.Values{"username": {"ada"}, "password": {password}})
		if page.Status != http.StatusOK || page.URL.Path != "/realm"+path {
			t.Errorf("the login leads to %s with %d", page.URL, page.Status)
		}
		if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s has the policy %s", path, policy)
		}
	}
	form := url.Values{"end": {"all"}}
	if page := issuer.NewBrowser(t).Do(newRequest(t, http.MethodPost, issuer.Endpoint("/account/sessions"), form)); !page.Asks("username") {
		t.Errorf("a form of nobody answers %d", page.Status)
	}
}

// The login page leads to pages of ours and nowhere else.
func TestNoOpenRedirectAfterLogin(t *testing.T) {
	issuer, _ := newIssuer(t)
	for _, to := range []string{
		"https://evil.example/account", "//evil.example/account", `/\evil.example/account`, "/account/../../evil", "/account#x", "/accounts",
		"account", "/oauth2/authorize?client_id=app", "javascript:alert(1)", "/account\r\nX: y", "%2faccount", "/account?" + strings.Repeat("x", 2000), "/login", "",
	} {
		browser := issuer.NewBrowser(t)
		page := browser.Get(issuer.Endpoint("/login?return_to=" + url.QueryEscape(to)))
		if page.Asks("username") {
			page = browser.Submit(page, url.Values{"username": {"ada"}, "password": {password}})
		}
		if page.Callback != nil || page.URL.Path != "/login" && page.URL.Path != "/" {
			t.Errorf("%q leads to %s %s", to, page.URL, page.Callback)
		}
	}
}

func TestAccountShowsWhatIsKnown(t *testing.T) {
	issuer, _ := newIssuer(t)
	user := ada()
	user.PhoneNumber, user.Groups, user.Address = "+44 20 1234", []string{"analysts", "<b>"}, &registration.Address{Locality: "London", PostalCode: "W1"}
	issuer.AddUser(user, password)
	page := loggedIn(t, issuer).Get(issuer.Endpoint("/account"))
	for _, words := range []string{"Ada Lovelace", "ada@example.com <small>verified", "&#43;44 20 1234", "analysts, &lt;b&gt;", "W1 London", `href="/account/password"`} {
		if !strings.Contains(page.Body, words) {
			t.Errorf("%q is missing in\n%s", words, page.Body)
		}
	}
	if strings.Contains(page.Body, "$argon2id") || strings.Contains(page.Body, "sub-ada") {
		t.Error("the page shows what is nobody's business")
	}
}

var sessionButton = regexp.MustCompile(`name="session" value="([^"]+)"`)

// A person sees their browsers, and ends one, the others or all; nobody else's.
func TestSessionsOfAPerson(t *testing.T) {
	audit := &stream{}
	issuer, _ := newIssuer(t, withAudit(audit))
	issuer.AddUser(registration.User{Username: "grace"}, password)
	here, there, third, grace := loggedIn(t, issuer), loggedIn(t, issuer), loggedIn(t, issuer), loggedInAs(t, issuer, "grace", password)
	sessions := func(b *providertest.Browser) (*providertest.Page, []string) {
		page := b.Get(issuer.Endpoint("/account/sessions"))
		var ids []string
		for _, match := range sessionButton.FindAllStringSubmatch(page.Body, -1) {
			ids = append(ids, match[1])
		}
		return page, ids
	}
	page, ids := sessions(here)
	_, idsThere := sessions(there)
	_, idsGrace := sessions(grace)
	if len(ids) != 3 || len(idsGrace) != 1 || ids[0] == idsThere[0] || strings.Count(page.Body, "this browser") != 1 {
		t.Fatalf("there are %v, %v and %v\n%s", ids, idsThere, idsGrace, page.Body)
	}
	if !strings.Contains(page.Body, "last used just now</p>\n<p class=\"fine\">logged in just now</p>\n<p class=\"fine\">127.0.0.1</p>") {
		t.Errorf("the page is\n%s", page.Body)
	}
	after := here.Submit(page, url.Values{"session": {idsThere[0]}})
	if isIn(issuer, there) || !isIn(issuer, here) || !strings.Contains(after.Body, `role="status">You are logged out there.`) {
		t.Errorf("after ending one:\n%s", after.Body)
	}
	here.Submit(page, url.Values{"session": {idsGrace[0]}})
	here.Submit(page, url.Values{"session": {"no-such"}})
	if !isIn(issuer, grace) {
		t.Error("somebody else's session was ended")
	}
	here.Submit(page, url.Values{"end": {"others"}})
	if isIn(issuer, third) || !isIn(issuer, here) || !isIn(issuer, grace) {
		t.Error("after ending the others")
	}
	again := loggedIn(t, issuer)
	page, _ = sessions(here)
	if page = here.Submit(page, url.Values{"end": {"all"}}); !strings.Contains(page.Body, "You are logged out") || isIn(issuer, again) || isIn(issuer, here) {
		t.Errorf("after ending all:\n%s", page.Body)
	}
	if n := len(audit.records(t, "session.ended")); n != 3 {
		t.Errorf("%d records of sessions that were ended", n)
	}
	if _, ids = sessions(loggedIn(t, issuer)); len(ids) != 1 {
		t.Errorf("%d sessions are left", len(ids))
	}
}

// Forms of the account that do not come from its own pages change nothing.
func TestAccountFormsFromElsewhere(t *testing.T) {
	issuer, _ := newIssuer(t)
	browser, other := loggedIn(t, issuer), loggedIn(t, issuer)
	for path, fields := range map[string]url.Values{
		"/account/sessions":     {"end": {"all"}},
		"/account/applications": {"client_id": {"app"}},
		"/account/password":     {"current": {password}, "next": {another}, "repeat": {another}},
	} {
		page := browser.Get(issuer.Endpoint(path))
		token := browser.Get(issuer.Endpoint("/account")).Form.Fields["csrf_token"] // of another form
		page.Form = &providertest.Form{Action: path, Fields: url.Values{"csrf_token": token}}
		if page = browser.Submit(page, fields); page.Status != http.StatusForbidden {
			t.Errorf("%s answers %d", path, page.Status)
		}
	}
	if !isIn(issuer, browser) || !isIn(issuer, other) {
		t.Error("a session was ended")
	}
}

// What a person has agreed to can be taken back: consent is asked again, and refresh tokens are dead.
func TestRevokeAnApplication(t *testing.T) {
	audit := &stream{}
	issuer := providertest.New(t, providertest.WithAlgorithms("ES256"), withAudit(audit))
	issuer.AddUser(ada(), password)
	client := refreshingClient()
	client.Consent, client.Scope = registration.ConsentRemember, client.Scope+" api:read"
	issuer.AddClient(client)
	other := appClient()
	other.ClientID, other.ClientName = "other", "Other App"
	issuer.AddClient(other)

	browser := issuer.NewBrowser(t)
	code := browser.Authorize(authorizeURL(issuer, "scope", "openid email offline_access api:read", "prompt", "consent"), "ada", password).Query().Get("code")
	first := exchange(t, issuer, code)
	if page := browser.Get(authorizeURL(issuer, "client_id", "other")); page.Callback == nil {
		t.Fatalf("the other application is not let in:\n%s", page.Body)
	}
	page := browser.Get(issuer.Endpoint("/account/applications"))
	for _, words := range []string{"Example App", "Other App", "Your e-mail address", "<small>api:read</small>", "last used just now"} {
		if !strings.Contains(page.Body, words) {
			t.Errorf("%q is missing in\n%s", words, page.Body)
		}
	}
	page = browser.Submit(page, url.Values{"client_id": {"app"}})
	if strings.Contains(page.Body, "Example App") || !strings.Contains(page.Body, "Other App") || !strings.Contains(page.Body, `role="status"`) {
		t.Errorf("after revoking the page is\n%s", page.Body)
	}
	if got := refreshed(t, issuer, first.text("refresh_token")); got.text("error") != "invalid_grant" {
		t.Errorf("the refresh token answers %d %s", got.status, got.raw)
	}
	if got := userinfo(t, issuer, first.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("the access token answers %d", got.status)
	}
	if page := browser.Get(authorizeURL(issuer, "scope", "openid email")); !page.Asks("decision") {
		t.Errorf("consent is not asked again: %s", page.URL)
	}
	browser.Submit(browser.Get(issuer.Endpoint("/account/applications")), url.Values{"client_id": {"stranger"}})
	if records := audit.records(t, "consent.revoked"); len(records) != 1 || records[0]["client_id"] != "app" || records[0]["sub"] != "sub-ada" {
		t.Errorf("the records are %v", records)
	}
	// What has expired is no access.
	issuer.Clock.Advance(30 * time.Hour)
	if page := loggedIn(t, issuer).Get(issuer.Endpoint("/account/applications")); !strings.Contains(page.Body, "No application has access") {
		t.Errorf("later the page is\n%s", page.Body)
	}
}

func TestLoginKeepsWhereItCameFrom(t *testing.T) {
	issuer, _ := newIssuer(t)
	browser := issuer.NewBrowser(t)
	page := browser.Get(issuer.Endpoint("/login"))
	r := newRequest(t, http.MethodPost, page.URL.String(), url.Values{"username": {"ada"}, "password": {password}, "csrf_token": page.Form.Fields["csrf_token"]})
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 \xff"+strings.Repeat("x", 9000))
	browser.Do(r)
	sessions, err := issuer.Store.SessionsOf(t.Context(), "sub-ada")
	if err != nil || len(sessions) != 1 || len(sessions[0].UserAgent) > 255 || strings.Contains(sessions[0].UserAgent, "\xff") || sessions[0].Address != "127.0.0.1" {
		t.Fatalf("%v, %+v", err, sessions)
	}
	if page := browser.Get(issuer.Endpoint("/account/sessions")); !strings.Contains(page.Body, "Firefox on Linux") {
		t.Errorf("the page is\n%s", page.Body)
	}
}
