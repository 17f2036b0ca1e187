package provider_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

func changePassword(issuer *providertest.Issuer, browser *providertest.Browser, current, next, repeat string) *providertest.Page {
	page := browser.Get(issuer.Endpoint("/account/password"))
	return browser.Submit(page, url.Values{"current": {current}, "next": {next}, "repeat": {repeat}})
}

func mayLogIn(t *testing.T, issuer *providertest.Issuer, secret string) bool {
	t.Helper()
	browser := issuer.NewBrowser(t)
	page := browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {"ada"}, "password": {secret}})
	return page.Status == http.StatusOK
}

func TestChangePassword(t *testing.T) {
	audit := &stream{}
	issuer, _ := newIssuer(t, withAudit(audit))
	browser, elsewhere := loggedIn(t, issuer), loggedIn(t, issuer)
	before := sessionCookie(t, browser)
	page := changePassword(issuer, browser, password, another, another)
	if page.Status != http.StatusOK || page.URL.Path != "/account" || !strings.Contains(page.Body, "Your password is changed") {
		t.Fatalf("answers %d at %s\n%s", page.Status, page.URL, page.Body)
	}
	if after := sessionCookie(t, browser); after == nil || after.Value == before.Value || !isIn(issuer, browser) {
		t.Error("this browser has no new session")
	}
	thief := issuer.NewBrowser(t)
	thief.SetCookies(before)
	if isIn(issuer, elsewhere) || isIn(issuer, thief) {
		t.Error("a session of the old password is alive")
	}
	if mayLogIn(t, issuer, password) || !mayLogIn(t, issuer, another) {
		t.Error("the old password is still the one that counts")
	}
	if records := audit.records(t, "password.changed"); len(records) != 1 || records[0]["sub"] != "sub-ada" {
		t.Errorf("the records are %v", records)
	}
	for _, record := range audit.records(t, "") {
		for _, secret := range []string{password, another} {
			if strings.Contains(strings.TrimSpace(strings.Join(textsOf(record), " ")), secret) {
				t.Errorf("a password stands in %v", record)
			}
		}
	}
	// The administrator wins: with another password registered, the chosen one counts for nothing.
	issuer.AddUser(ada(), "set by the administrator")
	if isIn(issuer, browser) || mayLogIn(t, issuer, another) || !mayLogIn(t, issuer, "set by the administrator") {
		t.Error("the administrator's password is not the one that counts")
	}
}

func textsOf(record auditRecord) []string {
	var texts []string
	for _, value := range record {
		if text, ok := value.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

func TestPasswordsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		current, next, repeat string
		status                int
		says, field           string
	}{
		"wrong current password": {"wrong", another, another, 403, "The current password is wrong", "current"},
		"no current password":    {"", another, another, 403, "The current password is wrong", "current"},
		"not repeated":           {password, another, another + "!", 422, "not the same both times", "repeat"},
		"short":                  {password, "tiny!", "tiny!", 422, "too short", "next"},
		"of 1 KB and more":       {password, strings.Repeat("abc def", 200), strings.Repeat("abc def", 200), 422, "too long", "next"},
		"the username":           {password, "adaadaada1234", "adaadaada1234", 422, "own name", "next"},
		"common":                 {password, "Password1234", "Password1234", 422, "guessed first", "next"},
		"the same":               {password, password, password, 422, "the one that you have", "next"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			browser, elsewhere := loggedIn(t, issuer), loggedIn(t, issuer)
			page := changePassword(issuer, browser, c.current, c.next, c.repeat)
			if page.Status != c.status || !strings.Contains(page.Body, c.says) || !strings.Contains(page.Body, "<title>Error: Change password") {
				t.Fatalf("answers %d\n%s", page.Status, page.Body)
			}
			field := regexp.MustCompile(`<input id="([a-z]+)"[^>]* aria-invalid="true" aria-describedby="alert`).FindStringSubmatch(page.Body)
			if len(field) != 2 || field[1] != c.field {
				t.Errorf("the field is %q", field)
			}
			if strings.Contains(page.Body, c.next) {
				t.Error("the page repeats a password")
			}
			if !mayLogIn(t, issuer, password) || !isIn(issuer, elsewhere) {
				t.Error("something was changed")
			}
		})
	}
}

// Whoever finds a browser open must not guess its person's password there.
func TestPasswordChangeCountsAsLogin(t *testing.T) {
	issuer, _ := newIssuer(t)
	browser := loggedIn(t, issuer)
	for range 5 {
		if page := changePassword(issuer, browser, "wrong", another, another); page.Status != http.StatusForbidden {
			t.Fatalf("answers %d", page.Status)
		}
	}
	page := changePassword(issuer, browser, password, another, another)
	if page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") != "1" || !strings.Contains(page.Body, "Wait 1 second") {
		t.Fatalf("answers %d\n%s", page.Status, page.Body)
	}
	issuer.Clock.Advance(2 * time.Second)
	if page := changePassword(issuer, browser, password, another, another); page.Status != http.StatusOK {
		t.Errorf("after waiting it answers %d", page.Status)
	}
}

// Nobody gets a password here who has none.
func TestNoPasswordToChange(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Authenticator = trustingPeople{} }))
	browser := issuer.NewBrowser(t)
	browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {"ada"}, "password": {"x"}})
	if page := browser.Get(issuer.Endpoint("/account")); page.Status != http.StatusOK || strings.Contains(page.Body, "/account/password") {
		t.Errorf("the account answers %d\n%s", page.Status, page.Body)
	}
	if page := browser.Get(issuer.Endpoint("/account/password")); page.Status != http.StatusNotFound {
		t.Errorf("the password page answers %d", page.Status)
	}
}

// trustingPeople is an Authenticator that knows nothing of passwords.
type trustingPeople struct{}

func (trustingPeople) Authenticate(context.Context, string, string) (identity.Identity, error) {
	return identity.Identity{Subject: "sub-ada", Methods: []string{"otp"}}, nil
}

// A login that was under way with the old password while it was changed begins no session.
func TestLoginDuringAPasswordChange(t *testing.T) {
	racing := &racingStore{}
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { racing.Store, o.Store = o.Store, racing }))
	browser := loggedIn(t, issuer)
	racing.before = func() { changePassword(issuer, browser, password, another, another) }
	late := issuer.NewBrowser(t)
	page := late.Submit(late.Get(issuer.Endpoint("/login")), url.Values{"username": {"ada"}, "password": {password}})
	if page.Status != http.StatusForbidden || isIn(issuer, late) {
		t.Errorf("the login answers %d", page.Status)
	}
	if !isIn(issuer, browser) {
		t.Error("the browser in which the password was changed is not logged in")
	}
}

// racingStore does something just before a session begins.
type racingStore struct {
	store.Store
	before func()
}

func (s *racingStore) CreateSession(ctx context.Context, session store.Session) error {
	if before := s.before; before != nil {
		s.before = nil
		before()
	}
	return s.Store.CreateSession(ctx, session)
}

// When the provider dies just after a password was changed, no session of the old one is left.
func TestCrashAfterAPasswordChange(t *testing.T) {
	dying := &dyingStore{}
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { dying.Store, o.Store = o.Store, dying }))
	browser, elsewhere := loggedIn(t, issuer), loggedIn(t, issuer)
	page := changePassword(issuer, browser, password, another, another)
	if page.Status != http.StatusServiceUnavailable || mayLogIn(t, issuer, password) {
		t.Fatalf("answers %d", page.Status)
	}
	dying.dead = false
	if isIn(issuer, elsewhere) {
		t.Error("a session of the old password is alive")
	}
}

// dyingStore changes one password, and nothing after that.
type dyingStore struct {
	store.Store
	dead bool
}

func (s *dyingStore) PutPassword(ctx context.Context, p store.Password) error {
	defer func() { s.dead = true }()
	return s.Store.PutPassword(ctx, p)
}

func (s *dyingStore) SessionsOf(ctx context.Context, subject string) ([]store.Session, error) {
	if s.dead {
		return nil, store.ErrUnavailable
	}
	return s.Store.SessionsOf(ctx, subject)
}
