package provider_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// addFrontchannel registers a client whose front-channel logout URI is uri.
func addFrontchannel(t testing.TB, issuer *providertest.Issuer, clientID, uri string) *relyingParty {
	t.Helper()
	client := appClient()
	client.ClientID, client.PostLogoutRedirectURIs, client.FrontchannelLogoutURI = clientID, []string{loggedOutURI}, uri
	client.FrontchannelLogoutSessionRequired = true
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	client.RedirectURIs = append(client.RedirectURIs, u.Scheme+"://"+u.Host+"/callback") // section 2: of the same origin
	return newRelyingParty(t, issuer, issuer.AddClient(client))
}

// OpenID Connect Front-Channel Logout 2 and 3.
func TestFrontchannelLogout(t *testing.T) {
	issuer, _ := newIssuer(t)
	first := addFrontchannel(t, issuer, "first", "https://first.example/bye?tenant=a&b=1")
	second := addFrontchannel(t, issuer, "second", "https://second.example:8443/bye")
	addFrontchannel(t, issuer, "never", "https://never.example/bye")
	off := addFrontchannel(t, issuer, "off", "https://off.example/bye")
	browser := issuer.NewBrowser(t)
	token, idToken := first.loginIn(browser)
	second.loginIn(browser)
	off.loginIn(browser)
	registered, _ := issuer.Registry.Client("off")
	disabled := *registered
	disabled.Disabled = true
	issuer.AddClient(disabled)
	var session struct {
		ID string `json:"sid"`
	}
	if err := idToken.Claims(&session); err != nil {
		t.Fatal(err)
	}
	hint, _ := token.Extra("id_token").(string)
	page := browser.Get(issuer.Endpoint(oidc.PathLogout) + "?" + url.Values{
		"id_token_hint": {hint}, "post_logout_redirect_uri": {loggedOutURI}, "state": {"secret state"},
	}.Encode())
	body := html.UnescapeString(page.Body)
	both := "iss=" + url.QueryEscape(issuer.URL) + "&sid=" + session.ID
	for _, want := range []string{
		`src="https://first.example/bye?tenant=a&b=1&` + both + `"`,
		`src="https://second.example:8443/bye?` + both + `"`,
		`<noscript><meta http-equiv="refresh" content="2;url=` + loggedOutURI + `?state=secret+state"></noscript>`,
		`href="` + loggedOutURI + `?state=secret+state" rel="noreferrer"`,
		`referrerpolicy="no-referrer"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("there is no %s in\n%s", want, body)
		}
	}
	if page.Status != http.StatusOK || strings.Contains(body, "never.example") || strings.Contains(body, "off.example") || strings.Count(body, "<iframe") != 2 {
		t.Errorf("answers %d\n%s", page.Status, body)
	}
	policy := page.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "; frame-src https://first.example https://second.example:8443;") || !strings.Contains(policy, "default-src 'none'") ||
		!strings.Contains(policy, "frame-ancestors 'none'") || page.Header.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("the policy is %s", policy)
	}
	if isLoggedIn(issuer, browser) {
		t.Error("the session goes on")
	}
	if page = browser.Get(issuer.Endpoint(oidc.PathLogout)); strings.Contains(page.Body, "<iframe") || strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-src") {
		t.Error("a page has frames without anybody to tell")
	}
}

// Without anywhere to go the page stays; when somebody else logs in it goes on to where they want to.
func TestFrontchannelLogoutElsewhere(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddUser(registration.User{Username: "bob"}, password)
	rp := addFrontchannel(t, issuer, "chat", "https://chat.example/bye")
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	if page := logOut(issuer, browser); !strings.Contains(page.Body, "<iframe") || strings.Contains(page.Body, "refresh") {
		t.Errorf("answers\n%s", page.Body)
	}
	rp.loginIn(browser)
	page := browser.Get(authorizeURL(issuer, "prompt", "login"))
	page = browser.Submit(page, url.Values{"username": {"bob"}, "password": {password}})
	_, next, found := strings.Cut(html.UnescapeString(page.Body), "2;url=")
	next, _, _ = strings.Cut(next, `"`)
	if !found || !strings.Contains(page.Body, "<iframe") || !strings.HasPrefix(next, oidc.PathAuthorization+"?") {
		t.Fatalf("answers\n%s", page.Body)
	}
	if page = browser.Get(issuer.Endpoint(next)); page.Callback == nil || page.Callback.Query().Get("code") == "" {
		t.Errorf("it goes on to %v", page.Callback)
	}
}

// In a real browser every application is told, also while one hangs, and the person gets where they are to go.
func TestBrowserFrontchannelLogout(t *testing.T) {
	var mu sync.Mutex
	var told, referrers []string
	release := make(chan struct{})
	apps := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if told = append(told, r.URL.Path); r.Header.Get("Referer") != "" && r.URL.Path != "/favicon.ico" {
			referrers = append(referrers, r.Header.Get("Referer"))
		}
		mu.Unlock()
		if r.URL.Path == "/hangs" {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		if r.URL.Path == "/bye" { // it answers later than the page would go on a second time
			select {
			case <-time.After(4 * time.Second):
			case <-r.Context().Done():
			}
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>app</title><h1 id=" + r.URL.Path[1:] + ">app</h1>"))
	}))
	t.Cleanup(apps.Close)
	t.Cleanup(func() { close(release) })
	c := newRealBrowser(t)
	for _, id := range []string{"hangs", "listens"} {
		client := appClient()
		client.ClientID, client.FrontchannelLogoutURI = id, apps.URL+"/"+id
		client.RedirectURIs = []string{c.app.URL + "/callback", apps.URL + "/callback"}
		client.PostLogoutRedirectURIs = []string{apps.URL + "/bye"}
		c.issuer.AddClient(client)
		c.open("client_id", id)
		if id == "hangs" {
			c.logIn(password)
		}
		c.answer()
	}
	c.do(chromedp.Navigate(c.issuer.Endpoint(oidc.PathLogout) + "?client_id=listens&state=s&post_logout_redirect_uri=" + url.QueryEscape(apps.URL+"/bye")))
	c.do(chromedp.WaitVisible("form button"), chromedp.Click("form button"), chromedp.WaitVisible("#bye"))
	mu.Lock()
	defer mu.Unlock()
	if n := len(slices.DeleteFunc(slices.Clone(told), func(path string) bool { return path != "/bye" })); n != 1 {
		t.Errorf("the address after the logout is opened %d times", n)
	}
	if !slices.Contains(told, "/hangs") || !slices.Contains(told, "/listens") || !slices.Contains(told, "/bye") || len(referrers) != 0 {
		t.Errorf("told %v, referrers %v", told, referrers)
	}
}
