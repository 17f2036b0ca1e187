package provider_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// A client that asks many times in one session is told once.
func TestClientsOfASessionAreToldOnce(t *testing.T) {
	issuer, _ := newIssuer(t)
	rec := answering(t, 200)
	addReceiver(t, issuer, "chat", rec)
	browser := loggedIn(t, issuer)
	var wait sync.WaitGroup
	cookies := browser.Cookies()
	for range 16 {
		tab := issuer.NewBrowser(t)
		tab.SetCookies(cookies...)
		wait.Go(func() {
			if page := tab.Get(authorizeURL(issuer, "client_id", "chat")); page.Callback == nil || page.Callback.Query().Get("code") == "" {
				t.Errorf("there is no code:\n%s", page.Body)
			}
		})
	}
	wait.Wait()
	logOut(issuer, browser)
	eventually(t, func() bool { return len(rec.received()) == 1 && waiting(t, issuer) == 0 })
	if n := len(rec.received()); n != 1 {
		t.Errorf("it is told %d times", n)
	}
}

// meanwhile is a store in which something happens just before a session ends, a code is issued or a session is renewed.
type meanwhile struct {
	store.Store
	beforeEnd, beforeGrant, beforeRenewal func()
}

func once(f *func()) {
	if run := *f; run != nil {
		*f = nil
		run()
	}
}

func (s *meanwhile) EndSession(ctx context.Context, id string, tell store.Tell) error {
	once(&s.beforeEnd)
	return s.Store.EndSession(ctx, id, tell)
}

func (s *meanwhile) CreateGrant(ctx context.Context, g store.Grant) error {
	once(&s.beforeGrant)
	return s.Store.CreateGrant(ctx, g)
}

func (s *meanwhile) RenewSession(ctx context.Context, session store.Session) error {
	once(&s.beforeRenewal)
	return s.Store.RenewSession(ctx, session)
}

func newMeanwhile(t *testing.T) (*providertest.Issuer, *meanwhile) {
	t.Helper()
	racing := &meanwhile{}
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { racing.Store, o.Store = o.Store, racing }))
	return issuer, racing
}

// exchangeAs redeems a code of a client of addReceiver.
func exchangeAs(t *testing.T, issuer *providertest.Issuer, clientID, code string) answer {
	t.Helper()
	return exchange(t, issuer, code, "client_id", clientID, "client_secret", "secret-of-"+clientID)
}

// A client that gets its code while the person is logging out is told, and the code is worth nothing.
func TestCodeIssuedDuringALogout(t *testing.T) {
	issuer, racing := newMeanwhile(t)
	rec := answering(t, 200)
	addReceiver(t, issuer, "chat", rec, func(c *registration.Client) {
		c.Scope, c.GrantTypes = "openid offline_access", []string{"authorization_code", "refresh_token"}
	})
	browser := loggedIn(t, issuer)
	tab := issuer.NewBrowser(t)
	tab.SetCookies(browser.Cookies()...)
	var code string
	racing.beforeEnd = func() {
		page := tab.Get(authorizeURL(issuer, "client_id", "chat", "scope", "openid offline_access"))
		code = page.Callback.Query().Get("code")
	}
	logOut(issuer, browser)
	if code == "" {
		t.Fatal("there is no code")
	}
	rec.tokens(issuer, "chat", 1)
	if got := exchangeAs(t, issuer, "chat", code); got.status != http.StatusBadRequest || got.text("error") != "invalid_grant" {
		t.Errorf("the code answers %d %s", got.status, got.raw)
	}
}

// A logout that comes before the code is stored leaves nothing behind.
func TestLogoutDuringAnAuthorization(t *testing.T) {
	issuer, racing := newMeanwhile(t)
	rec := answering(t, 200)
	addReceiver(t, issuer, "chat", rec)
	browser := loggedIn(t, issuer)
	tab := issuer.NewBrowser(t)
	tab.SetCookies(browser.Cookies()...)
	racing.beforeGrant = func() { logOut(issuer, browser) }
	page := tab.Return(tab.Get(authorizeURL(issuer, "client_id", "chat")))
	if page.Callback == nil || page.Callback.Query().Get("error") != "login_required" || page.Callback.Query().Get("code") != "" {
		t.Errorf("answers %v", page.Callback)
	}
	if waiting(t, issuer) != 0 || len(rec.received()) != 0 {
		t.Error("a client is told of a session that it knows nothing of")
	}
}

// A session that was ended while the person logs in once more stays ended, with the codes that were issued in it.
func TestLogoutDuringALogin(t *testing.T) {
	issuer, racing := newMeanwhile(t)
	browser := loggedIn(t, issuer)
	elsewhere := issuer.NewBrowser(t)
	elsewhere.SetCookies(browser.Cookies()...)
	code := browser.Get(authorizeURL(issuer)).Callback.Query().Get("code")
	before, err := issuer.Store.SessionsOf(t.Context(), "sub-ada")
	if err != nil || len(before) != 1 {
		t.Fatal(before, err)
	}
	racing.beforeRenewal = func() { logOut(issuer, elsewhere) }
	browser.Submit(browser.Get(authorizeURL(issuer, "prompt", "login")), url.Values{"username": {"ada"}, "password": {password}})
	after, err := issuer.Store.SessionsOf(t.Context(), "sub-ada")
	if err != nil || len(after) != 1 || after[0].ID == before[0].ID {
		t.Errorf("the sessions are %v (%v); the one before was %s", after, err, before[0].ID)
	}
	if got := exchange(t, issuer, code); got.text("error") != "invalid_grant" {
		t.Errorf("the code answers %d %s", got.status, got.raw)
	}
}

// A code with offline_access ends with its session like any other, however the session ends.
func TestCodeEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(issuer *providertest.Issuer, browser *providertest.Browser){
		"by logout": func(issuer *providertest.Issuer, browser *providertest.Browser) { logOut(issuer, browser) },
		"by time": func(issuer *providertest.Issuer, _ *providertest.Browser) {
			settings := issuer.Registry.Settings()
			issuer.SetSettings(registration.Settings{Sessions: registration.Sessions{Idle: registration.Duration(time.Second)}, Lifetimes: settings.Lifetimes})
			issuer.Clock.Advance(2 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			issuer.AddClient(refreshingClient())
			browser := loggedIn(t, issuer)
			code := browser.Get(authorizeURL(issuer, "scope", "openid offline_access")).Callback.Query().Get("code")
			end(issuer, browser)
			if got := exchange(t, issuer, code); got.text("error") != "invalid_grant" {
				t.Errorf("the code answers %d %s", got.status, got.raw)
			}
		})
	}
}

// A session that has merely run out is told of to those who want to know. One that is over because of what has become of its person is told
// of to everybody. Two replicas tell once.
func TestSessionsThatRunOut(t *testing.T) {
	for name, c := range map[string]struct {
		change func(issuer *providertest.Issuer)
		reason string
		told   []string
	}{
		"idle": {func(issuer *providertest.Issuer) {}, "expired", []string{"curious"}},
		"too old": {func(issuer *providertest.Issuer) {
			issuer.SetSettings(registration.Settings{Sessions: registration.Sessions{Idle: registration.Duration(1000 * time.Hour)}})
			issuer.Clock.Advance(200 * time.Hour)
		}, "expired", []string{"curious"}},
		"of a person who is disabled": {func(issuer *providertest.Issuer) {
			user := ada()
			user.Disabled = true
			issuer.AddUser(user, password)
		}, "disabled", []string{"chat", "curious"}},
		"of a person who is gone":           {func(issuer *providertest.Issuer) { issuer.RemoveUser("ada") }, "gone", []string{"chat", "curious"}},
		"of a person with another password": {func(issuer *providertest.Issuer) { issuer.AddUser(ada(), another) }, "credential", []string{"chat", "curious"}},
	} {
		t.Run(name, func(t *testing.T) {
			audit := &stream{}
			issuer, _ := newIssuer(t, withAudit(audit))
			receivers := map[string]*receiver{"chat": answering(t, 200), "curious": answering(t, 200)}
			browser := issuer.NewBrowser(t)
			for clientID, rec := range receivers {
				addReceiver(t, issuer, clientID, rec, func(c *registration.Client) { c.BackchannelLogoutOnExpiry = clientID == "curious" }).loginIn(browser)
			}
			c.change(issuer)
			issuer.Clock.Advance(13 * time.Hour)
			other, _, _ := replica(t, issuer, issuer.Store)
			var wait sync.WaitGroup
			for _, p := range []*provider.Provider{issuer.Provider, other} {
				wait.Go(func() {
					if _, err := p.Purge(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			eventually(t, func() bool { return waiting(t, issuer) == 0 })
			for clientID, rec := range receivers {
				want := 0
				if slices.Contains(c.told, clientID) {
					want = 1
				}
				if n := len(rec.received()); n != want {
					t.Errorf("%s is told %d times; want %d", clientID, n, want)
				}
			}
			records := audit.records(t, "session.ended")
			if len(records) > 0 && (records[0]["reason"] != c.reason || records[0]["sub"] != "sub-ada") || len(records) > 1 {
				t.Errorf("the records are %v", records)
			}
		})
	}
}
