package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
)

const loggedOutURI = "https://app.example.com/bye"

// OpenID Connect RP-Initiated Logout 2 and 3.
func TestLogout(t *testing.T) {
	for name, c := range map[string]struct {
		query    []string // name, value; the value HINT stands for ada's ID token
		post     bool
		status   int
		loggedIn bool
		leads    string
		says     string
	}{
		"with nothing":                        {nil, false, 200, true, "", "Log out?"},
		"with the client":                     {[]string{"client_id", "app"}, false, 200, true, "", "Example App asks to log you out"},
		"with a hint":                         {[]string{"id_token_hint", "HINT"}, false, 200, false, "", "You are logged out"},
		"with a hint by POST":                 {[]string{"id_token_hint", "HINT"}, true, 200, false, "", "You are logged out"},
		"with a hint and the client":          {[]string{"id_token_hint", "HINT", "client_id", "app"}, false, 200, false, "", "You are logged out"},
		"with a hint and where to go":         {[]string{"id_token_hint", "HINT", "post_logout_redirect_uri", loggedOutURI, "state", "a b"}, false, 303, false, loggedOutURI + "?state=a+b", ""},
		"with where to go, unconfirmed":       {[]string{"client_id", "app", "post_logout_redirect_uri", loggedOutURI}, false, 200, true, "", "Log out?"},
		"with a hint and an unregistered URI": {[]string{"id_token_hint", "HINT", "post_logout_redirect_uri", loggedOutURI + "/"}, false, 400, true, "", "not registered"},
		"with an unregistered URI":            {[]string{"client_id", "app", "post_logout_redirect_uri", "https://evil.example"}, false, 400, true, "", "not registered"},
		"with where to go but not for whom":   {[]string{"post_logout_redirect_uri", loggedOutURI}, false, 400, true, "", "not registered"},
		"with a hint that is none":            {[]string{"id_token_hint", "a.b.c"}, false, 400, true, "", "id_token_hint"},
		"with a hint of another client":       {[]string{"id_token_hint", "HINT", "client_id", "other"}, false, 400, true, "", "id_token_hint"},
		"with a parameter twice":              {[]string{"state", "a", "state", "b"}, false, 400, true, "", "more than once"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, rp := logoutIssuer(t)
			browser := issuer.NewBrowser(t)
			token, _ := rp.loginIn(browser)
			hint, _ := token.Extra("id_token").(string)
			issuer.Clock.Advance(time.Hour) // an expired ID token is still a hint
			query := url.Values{}
			for i := 0; i < len(c.query); i += 2 {
				query.Add(c.query[i], strings.ReplaceAll(c.query[i+1], "HINT", hint))
			}
			r := newRequest(t, http.MethodGet, issuer.Endpoint(oidc.PathLogout)+"?"+query.Encode(), nil)
			if c.post {
				r = newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathLogout), query, "Sec-Fetch-Site", "cross-site")
			}
			page := browser.Do(r)
			if page.Status != c.status || !strings.Contains(page.Body, c.says) {
				t.Errorf("answers %d\n%s", page.Status, page.Body)
			}
			if page.Callback != nil && page.Callback.String() != c.leads || page.Callback == nil && c.leads != "" {
				t.Errorf("leads to %v", page.Callback)
			}
			if loggedIn := isLoggedIn(issuer, browser); loggedIn != c.loggedIn {
				t.Errorf("logged in: %v", loggedIn)
			}
		})
	}
}

func logoutIssuer(t *testing.T) (*providertest.Issuer, *relyingParty) {
	t.Helper()
	issuer, _ := newIssuer(t)
	client := appClient()
	client.PostLogoutRedirectURIs = []string{loggedOutURI}
	app := issuer.AddClient(client)
	client.ClientID = "other"
	issuer.AddClient(client)
	return issuer, newRelyingParty(t, issuer, app)
}

func isLoggedIn(issuer *providertest.Issuer, browser *providertest.Browser) bool {
	return strings.Contains(browser.Get(issuer.Endpoint("/")).Body, "You are logged in")
}

// An ID token of another login must not end this one unasked.
func TestHintOfAnotherSessionIsConfirmed(t *testing.T) {
	issuer, rp := logoutIssuer(t)
	token, _ := rp.login()
	hint, _ := token.Extra("id_token").(string)
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	page := browser.Get(issuer.Endpoint(oidc.PathLogout) + "?id_token_hint=" + hint)
	if !strings.Contains(page.Body, "Log out?") || !isLoggedIn(issuer, browser) {
		t.Errorf("answers %d\n%s", page.Status, page.Body)
	}
}

func TestConfirmedLogout(t *testing.T) {
	for name, c := range map[string]struct {
		fields   url.Values
		status   int
		loggedIn bool
	}{
		"confirmed":                     {nil, 303, false},
		"confirmed without token":       {url.Values{"csrf_token": {""}}, 403, true},
		"confirmed with a forged token": {url.Values{"csrf_token": {strings.Repeat("A", 43)}}, 403, true},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, rp := logoutIssuer(t)
			browser := issuer.NewBrowser(t)
			rp.loginIn(browser)
			page := browser.Get(issuer.Endpoint(oidc.PathLogout) + "?client_id=app&state=s&post_logout_redirect_uri=" + url.QueryEscape(loggedOutURI))
			page = browser.Submit(page, c.fields)
			if page.Status != c.status || isLoggedIn(issuer, browser) != c.loggedIn {
				t.Errorf("answers %d, logged in: %v", page.Status, isLoggedIn(issuer, browser))
			}
			if !c.loggedIn && page.Callback.String() != loggedOutURI+"?state=s" {
				t.Errorf("leads to %s", page.Callback)
			}
		})
	}
}

func TestLogoutOfSomeoneWhoIsNotLoggedIn(t *testing.T) {
	issuer, _ := logoutIssuer(t)
	browser := issuer.NewBrowser(t)
	if page := browser.Get(issuer.Endpoint(oidc.PathLogout)); !strings.Contains(page.Body, "You are logged out") {
		t.Errorf("answers %d\n%s", page.Status, page.Body)
	}
	page := browser.Get(issuer.Endpoint(oidc.PathLogout) + "?client_id=app&post_logout_redirect_uri=" + url.QueryEscape(loggedOutURI))
	if page.Callback == nil || page.Callback.String() != loggedOutURI {
		t.Errorf("leads to %v", page.Callback)
	}
}

// The cookie of a session that was ended is worth nothing, even to someone who kept it.
func TestEndedSessionStaysEnded(t *testing.T) {
	issuer, rp := logoutIssuer(t)
	browser := issuer.NewBrowser(t)
	token, _ := rp.loginIn(browser)
	hint, _ := token.Extra("id_token").(string)
	kept := sessionCookie(t, browser)
	browser.Get(issuer.Endpoint(oidc.PathLogout) + "?id_token_hint=" + hint)
	if sessionCookie(t, browser) != nil {
		t.Error("the cookie is still there")
	}
	browser.SetCookies(kept)
	if isLoggedIn(issuer, browser) {
		t.Error("the cookie is still good")
	}
}
