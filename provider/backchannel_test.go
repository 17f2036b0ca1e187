package provider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coreos "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// receiver is an application's back-channel logout endpoint.
type receiver struct {
	*httptest.Server
	t testing.TB
	// answer decides what the nth request, from 0, is answered with.
	answer func(n int, w http.ResponseWriter, r *http.Request)

	mu     sync.Mutex
	bodies []string
}

func newReceiver(t testing.TB, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	rec := &receiver{t: t, answer: answer}
	rec.Server = httptest.NewServer(rec)
	t.Cleanup(rec.Close)
	return rec
}

// answering makes a receiver that answers with each status in turn, and with the last for ever.
func answering(t testing.TB, statuses ...int) *receiver {
	t.Helper()
	return newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(statuses[min(n, len(statuses)-1)])
	})
}

// ServeHTTP takes a logout token.
func (rec *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form := ""
	if err := r.ParseForm(); err == nil && r.Method == http.MethodPost && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		form = r.PostForm.Encode()
	}
	rec.mu.Lock()
	n := len(rec.bodies)
	rec.bodies = append(rec.bodies, form)
	rec.mu.Unlock()
	rec.answer(n, w, r)
}

func (rec *receiver) received() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.bodies)
}

// tokens waits for n requests and returns the claims of their logout tokens, verified as the client clientID would.
func (rec *receiver) tokens(issuer *providertest.Issuer, clientID string, n int) []map[string]any {
	rec.t.Helper()
	eventually(rec.t, func() bool { return len(rec.received()) >= n })
	ctx := coreos.ClientContext(rec.t.Context(), issuer.Client())
	discovered, err := coreos.NewProvider(ctx, issuer.URL)
	if err != nil {
		rec.t.Fatal(err)
	}
	verifier := discovered.Verifier(&coreos.Config{ClientID: clientID, Now: issuer.Clock.Now})
	var all []map[string]any
	for _, body := range rec.received() {
		form, err := url.ParseQuery(body)
		if err != nil || len(form) != 1 {
			rec.t.Fatalf("the form is %q", body)
		}
		raw := form.Get("logout_token")
		token, err := verifier.Verify(ctx, raw)
		if err != nil {
			rec.t.Fatal(err)
		}
		claims := map[string]any{}
		if err := token.Claims(&claims); err != nil {
			rec.t.Fatal(err)
		}
		jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.RS256})
		if err != nil {
			rec.t.Fatal(err)
		}
		claims["(typ)"], claims["(alg)"] = jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType], jws.Signatures[0].Protected.Algorithm
		all = append(all, claims)
	}
	return all
}

// eventually waits until something holds.
func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come to pass")
		}
	}
}

// addReceiver registers a client whose logout endpoint rec is.
func addReceiver(t testing.TB, issuer *providertest.Issuer, clientID string, rec *receiver, change ...func(*registration.Client)) *relyingParty {
	t.Helper()
	client := appClient()
	client.ClientID, client.PostLogoutRedirectURIs = clientID, []string{loggedOutURI}
	client.BackchannelLogoutURI = rec.URL + "/backchannel?tenant=1"
	for _, c := range change {
		c(&client)
	}
	return newRelyingParty(t, issuer, issuer.AddClient(client))
}

// logOut logs the person in a browser out on the start page.
func logOut(issuer *providertest.Issuer, browser *providertest.Browser) *providertest.Page {
	return browser.Submit(browser.Get(issuer.Endpoint("/")), nil)
}

func waiting(t testing.TB, issuer *providertest.Issuer) int {
	t.Helper()
	n, err := issuer.Store.CountNotices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// OpenID Connect Back-Channel Logout 2.4 and 2.5.
func TestBackchannelLogout(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithAlgorithms("ES256", "ES384"))
	issuer.SetSettings(registration.Settings{PairwiseSalt: strings.Repeat("s", 32)})
	plain, pairwise, idle, stranger := answering(t, 200), answering(t, 204), answering(t, 200), answering(t, 200)
	first := addReceiver(t, issuer, "plain", plain)
	second := addReceiver(t, issuer, "pairwise", pairwise, func(c *registration.Client) {
		c.SubjectMode, c.IDTokenSignedResponseAlg = registration.SubjectPairwise, "ES384"
	})
	addReceiver(t, issuer, "idle", idle)
	other := addReceiver(t, issuer, "stranger", stranger)

	browser := issuer.NewBrowser(t)
	_, idToken := first.loginIn(browser)
	first.loginIn(browser) // twice at the same client is one session of it
	_, pairwiseToken := second.loginIn(browser)
	other.login() // of the same person, in another browser
	var session struct {
		ID string `json:"sid"`
	}
	if err := idToken.Claims(&session); err != nil || session.ID == "" {
		t.Fatal(session, err)
	}
	if page := logOut(issuer, browser); page.Status != http.StatusOK {
		t.Fatalf("answers %d", page.Status)
	}
	for _, c := range []struct {
		rec                *receiver
		client, alg, owner string
	}{{plain, "plain", "ES256", idToken.Subject}, {pairwise, "pairwise", "ES384", pairwiseToken.Subject}} {
		got := c.rec.tokens(issuer, c.client, 1)[0]
		events, _ := json.Marshal(got["events"])
		iat, _ := got["iat"].(float64)
		exp, _ := got["exp"].(float64)
		jti, _ := got["jti"].(string)
		if got["(typ)"] != "logout+jwt" || got["(alg)"] != c.alg || got["sub"] != c.owner || (got["sid"] == session.ID) != (c.client == "plain") || got["sid"] == nil || got["iss"] != issuer.URL ||
			got["aud"] != c.client || string(events) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` ||
			exp-iat <= 0 || exp-iat > 120 || len(jti) < 22 || len(got) != 10 {
			t.Errorf("%s got %v", c.client, got)
		}
	}
	eventually(t, func() bool { return waiting(t, issuer) == 0 })
	if n := len(plain.received()) + len(pairwise.received()); n != 2 {
		t.Errorf("they got %d", n)
	}
	if len(idle.received())+len(stranger.received()) != 0 {
		t.Error("clients of other sessions were told")
	}
}

// OpenID Connect Back-Channel Logout section 2.4: without sid the client is to end every session of the user. A token must have sub or sid.
func TestBackchannelLogoutOfTheUser(t *testing.T) {
	issuer, _ := newIssuer(t)
	rec := answering(t, 200)
	c := addReceiver(t, issuer, "app", rec, func(c *registration.Client) {
		c.BackchannelLogoutIdentifies = registration.LogoutIdentifiesUser
	})
	browser := issuer.NewBrowser(t)
	_, idToken := c.loginIn(browser)
	logOut(issuer, browser)
	got := rec.tokens(issuer, "app", 1)[0]
	if _, has := got["sid"]; has || got["sub"] != idToken.Subject {
		t.Errorf("the logout token is %v; want sub and no sid", got)
	}
}

// Every way in which a session ends reaches its clients.
func TestEveryLogoutReachesClients(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *providertest.Issuer, *providertest.Browser, string){
		"on the start page": func(_ *testing.T, issuer *providertest.Issuer, browser *providertest.Browser, _ string) {
			logOut(issuer, browser)
		},
		"by the application": func(_ *testing.T, issuer *providertest.Issuer, browser *providertest.Browser, hint string) {
			browser.Get(issuer.Endpoint(oidc.PathLogout) + "?id_token_hint=" + hint)
		},
		"confirmed": func(_ *testing.T, issuer *providertest.Issuer, browser *providertest.Browser, _ string) {
			browser.Submit(browser.Get(issuer.Endpoint(oidc.PathLogout)+"?client_id=chat"), nil)
		},
		"by another person's login": func(_ *testing.T, issuer *providertest.Issuer, browser *providertest.Browser, _ string) {
			browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {"bob"}, "password": {password}})
		},
		"a long time after the login": func(t *testing.T, issuer *providertest.Issuer, browser *providertest.Browser, _ string) {
			issuer.Clock.Advance(10 * time.Hour)
			purgeAll(t, issuer)
			logOut(issuer, browser)
		},
		"when the session was renewed meanwhile": func(t *testing.T, issuer *providertest.Issuer, browser *providertest.Browser, _ string) {
			for range 30 { // 300 hours, longer than a session lasts
				issuer.Clock.Advance(10 * time.Hour)
				purgeAll(t, issuer)
				browser.Submit(browser.Get(authorizeURL(issuer, "prompt", "login")), url.Values{"username": {"ada"}, "password": {password}})
			}
			logOut(issuer, browser)
		},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			issuer.AddUser(registration.User{Username: "bob"}, password)
			rec := answering(t, 200)
			rp := addReceiver(t, issuer, "chat", rec)
			browser := issuer.NewBrowser(t)
			token, idToken := rp.loginIn(browser)
			hint, _ := token.Extra("id_token").(string)
			end(t, issuer, browser, hint)
			if got := rec.tokens(issuer, "chat", 1); got[0]["sub"] != idToken.Subject {
				t.Errorf("got %v", got)
			}
		})
	}
}

func purgeAll(t testing.TB, issuer *providertest.Issuer) {
	t.Helper()
	for {
		deleted, err := issuer.Provider.Purge(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if deleted == 0 {
			return
		}
	}
}

// The same person logging in again is no logout.
func TestLoginAgainTellsNobody(t *testing.T) {
	issuer, _ := newIssuer(t)
	rec := answering(t, 200)
	rp := addReceiver(t, issuer, "chat", rec)
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	browser.Submit(browser.Get(authorizeURL(issuer, "prompt", "login")), url.Values{"username": {"ada"}, "password": {password}})
	if n := waiting(t, issuer); n != 0 || len(rec.received()) != 0 {
		t.Errorf("%d notices wait", n)
	}
}

// An application that a person has revoked is told all the same, and is listed no longer although its session goes on.
func TestRevokedApplicationIsTold(t *testing.T) {
	issuer, _ := newIssuer(t)
	rec := answering(t, 200)
	rp := addReceiver(t, issuer, "chat", rec, func(c *registration.Client) { c.Consent, c.ClientName = registration.ConsentRemember, "Chat" })
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	page := browser.Get(issuer.Endpoint("/account/applications"))
	if !strings.Contains(page.Body, "Chat") || !page.Asks("client_id") {
		t.Fatalf("the application is not listed:\n%s", page.Body)
	}
	browser.Submit(page, url.Values{"client_id": {"chat"}})
	if page = browser.Get(issuer.Endpoint("/account/applications")); strings.Contains(page.Body, "Chat") {
		t.Errorf("it is still listed:\n%s", page.Body)
	}
	browser.Get(issuer.Endpoint(oidc.PathLogout) + "?client_id=chat")
	browser.Submit(browser.Get(issuer.Endpoint(oidc.PathLogout)), nil)
	rec.tokens(issuer, "chat", 1)
}
