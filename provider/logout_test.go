package provider_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
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
		"with where to go but not for whom":   {[]string{"post_logout_redirect_uri", loggedOutURI}, false, 200, true, "", "Log out?"},
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

// OpenID Connect RP-Initiated Logout 2: a hint whose signing key is gone proves nothing, and does no harm. Neither it nor
// an ID token may end up in a URL.
func TestLogoutHints(t *testing.T) {
	issuer, rp := logoutIssuer(t)
	browser := issuer.NewBrowser(t)
	token, _ := rp.loginIn(browser)
	hint, _ := token.Extra("id_token").(string)
	bound := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {loggedOutURI}, "state": {"s"}}

	page := browser.Get(issuer.Endpoint(oidc.PathLogout) + "?" + url.Values{"id_token_hint": {hint[:len(hint)-8] + "AAAAAAAA"}}.Encode())
	if page.Status != http.StatusBadRequest {
		t.Errorf("a forged hint is answered with %d", page.Status)
	}
	signers := issuer.Registry.Keys()
	for _, key := range signers.All() {
		issuer.Registry.Remove(registration.KindSigningKey, key.KeyID)
	}
	issuer.AddKey("ES256", issuer.Clock.Now())
	page = browser.Get(issuer.Endpoint(oidc.PathLogout) + "?" + bound.Encode())
	if page.Status != http.StatusOK || page.Form == nil || strings.Contains(page.Body, "Example App") || strings.Contains(page.Body, hint) {
		t.Fatalf("a hint of a key that is gone is answered with %d\n%s", page.Status, page.Body)
	}
	if page = browser.Submit(page, nil); page.Callback != nil || page.Status != http.StatusOK || strings.Contains(page.Body, loggedOutURI) {
		t.Errorf("a hint that proves nothing leads to %v\n%s", page.Callback, page.Body)
	}
	if isLoggedIn(issuer, browser) {
		t.Error("the person has confirmed and is still logged in")
	}
}

// What is not validated must not be used (OpenID Connect RP-Initiated Logout section 4): whoever has made an ID token up, with
// a key that nobody knows, does not decide where the browser goes. client_id and a URI that is registered for it do (section 3),
// once the person agrees.
func TestLogoutHintOfAnUnknownKey(t *testing.T) {
	_, foreign := logoutIssuer(t)
	token, _ := foreign.login()
	hint, _ := token.Extra("id_token").(string)
	for name, c := range map[string]struct {
		fields url.Values
		status int
		leads  string
	}{
		"the hint alone":       {url.Values{}, http.StatusOK, ""},
		"with client_id":       {url.Values{"client_id": {"app"}}, http.StatusOK, loggedOutURI + "?state=s"},
		"of another client_id": {url.Values{"client_id": {"other"}}, http.StatusBadRequest, ""},
	} {
		for _, loggedIn := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, logged in: %v", name, loggedIn), func(t *testing.T) {
				issuer, rp := logoutIssuer(t)
				browser := issuer.NewBrowser(t)
				if loggedIn {
					rp.loginIn(browser)
				}
				fields := url.Values{"id_token_hint": {ofIssuer(t, hint, issuer.URL)}, "post_logout_redirect_uri": {loggedOutURI}, "state": {"s"}}
				maps.Copy(fields, c.fields)
				page := browser.Get(issuer.Endpoint(oidc.PathLogout) + "?" + fields.Encode())
				if loggedIn && page.Callback != nil {
					t.Fatalf("unasked, it leads to %s", page.Callback)
				}
				if page.Form != nil && loggedIn {
					page = browser.Submit(page, nil)
				}
				leads := ""
				if page.Callback != nil {
					leads = page.Callback.String()
				}
				if leads != c.leads || leads == "" && (page.Status != c.status || strings.Contains(page.Body, loggedOutURI+`"`)) {
					t.Errorf("status %d, leads to %q\n%s", page.Status, leads, page.Body)
				}
			})
		}
	}
}

// ofIssuer puts another issuer into an ID token, whose signature nobody can check any more.
func ofIssuer(t *testing.T, token, issuer string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	claims["iss"] = issuer
	if payload, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2]
}

// A form from another site brings no cookies. What its ID token proves travels on, the token itself does not.
func TestLogoutByPostFromAnotherSite(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(form url.Values)
		status   int
		loggedIn bool
		says     string
	}{
		"of the session":         {func(url.Values) {}, 303, false, ""},
		"with a huge parameter":  {func(form url.Values) { form.Set("ui_locales", strings.Repeat("x", 10<<10)) }, 303, false, ""},
		"with a huge state":      {func(form url.Values) { form.Set("state", strings.Repeat("x", 20<<10)) }, 414, true, ""},
		"without hint":           {func(form url.Values) { form.Del("id_token_hint"); form.Set("client_id", "app") }, 200, true, "Log out?"},
		"with a forged hint":     {func(form url.Values) { form.Set("id_token_hint", form.Get("id_token_hint")+"A") }, 400, true, "id_token_hint"},
		"to an unregistered URI": {func(form url.Values) { form.Set("post_logout_redirect_uri", "https://evil.example") }, 400, true, "not registered"},
		"with a forged proof": {func(form url.Values) {
			form.Set("logout_proof", form.Get("id_token_hint")) // an ID token is no proof of a logout
			form.Set("client_id", "app")
			form.Del("id_token_hint")
		}, 200, true, "Log out?"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, rp := logoutIssuer(t)
			browser := issuer.NewBrowser(t)
			token, _ := rp.loginIn(browser)
			hint, _ := token.Extra("id_token").(string)
			form := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {loggedOutURI}, "state": {"s"}}
			c.change(form)
			// As a browser sends it: without cookies, which come with the redirect.
			cookies := browser.Cookies()
			r := newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathLogout), form, "Sec-Fetch-Site", "cross-site")
			answer := sendOnce(t, issuer, r)
			location := answer.Header.Get("Location")
			if answer.StatusCode != http.StatusSeeOther {
				if answer.StatusCode != c.status || !isLoggedIn(issuer, browser) {
					t.Errorf("answers %d", answer.StatusCode)
				}
				return
			}
			if strings.Contains(location, hint) || strings.Contains(location, "id_token_hint") {
				t.Errorf("the ID token is in the URL %s", location)
			}
			u, err := r.URL.Parse(location)
			if err != nil {
				t.Fatal(err)
			}
			browser.SetCookies(cookies...)
			page := browser.Get(u.String())
			if page.Status != c.status || isLoggedIn(issuer, browser) != c.loggedIn || !strings.Contains(page.Body, c.says) {
				t.Errorf("answers %d, logged in: %v\n%s", page.Status, isLoggedIn(issuer, browser), page.Body)
			}
		})
	}
}

// sendOnce sends a request and follows no redirect.
func sendOnce(t testing.TB, issuer *providertest.Issuer, r *http.Request) *http.Response {
	t.Helper()
	response, err := issuer.Client().Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// What stands in for an ID token is good for a moment, for its own session only, and for nothing else.
func TestLogoutProofIsShortLived(t *testing.T) {
	issuer, rp := logoutIssuer(t)
	browser, other := issuer.NewBrowser(t), issuer.NewBrowser(t)
	token, _ := rp.loginIn(browser)
	rp.loginIn(other)
	hint, _ := token.Extra("id_token").(string)
	answer := sendOnce(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathLogout), url.Values{"id_token_hint": {hint}}, "Origin", "https://app.example.com"))
	location := issuer.Endpoint("") + answer.Header.Get("Location")
	if other.Get(location); !isLoggedIn(issuer, other) {
		t.Error("it ends another session")
	}
	proof, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	raw := proof.Query().Get("logout_proof")
	if raw == "" {
		t.Fatalf("there is no proof in %s", location)
	}
	if page := browser.Get(issuer.Endpoint(oidc.PathLogout) + "?id_token_hint=" + raw); page.Status != http.StatusBadRequest || !isLoggedIn(issuer, browser) {
		t.Errorf("as an ID token it is answered with %d", page.Status)
	}
	issuer.Clock.Advance(2 * time.Minute)
	if browser.Get(location); !isLoggedIn(issuer, browser) {
		t.Error("it is good after two minutes")
	}
}

// An application's server has the ID token and no cookie. The session that it names ends, and everybody hears of it who can; what a browser
// would have to load is not told to somebody else.
func TestLogoutByTheServerOfAnApplication(t *testing.T) {
	for _, mode := range []string{registration.SubjectPublic, registration.SubjectPairwise} {
		for name, c := range map[string]struct {
			method string
			header []string
			leads  bool
		}{
			"get":                         {http.MethodGet, nil, false},
			"get, with where to go":       {http.MethodGet, nil, true},
			"post":                        {http.MethodPost, nil, false},
			"a browser without a session": {http.MethodGet, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, false},
		} {
			t.Run(mode+" "+name, func(t *testing.T) {
				var audit bytes.Buffer
				issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Audit = provider.NewAuditLogger(&audit) }))
				issuer.SetSettings(registration.Settings{PairwiseSalt: strings.Repeat("s", 32)})
				client := appClient()
				client.SubjectMode, client.PostLogoutRedirectURIs = mode, []string{loggedOutURI}
				rp := newRelyingParty(t, issuer, issuer.AddClient(client))
				told := answering(t, 200)
				addReceiver(t, issuer, "told", told, func(*registration.Client) {})
				framed := addFrontchannel(t, issuer, "framed", "https://framed.example/bye")
				browser, other := issuer.NewBrowser(t), issuer.NewBrowser(t)
				token, idToken := rp.loginIn(browser)
				browser.Get(authorizeURL(issuer, "client_id", "told"))
				framed.loginIn(browser)
				rp.loginIn(other)
				hint, _ := token.Extra("id_token").(string)
				form := url.Values{"id_token_hint": {hint}}
				if c.leads {
					form.Set("post_logout_redirect_uri", loggedOutURI)
				}
				r := newRequest(t, c.method, issuer.Endpoint(oidc.PathLogout)+"?"+form.Encode(), nil, c.header...)
				if c.method == http.MethodPost {
					r = newRequest(t, c.method, issuer.Endpoint(oidc.PathLogout), form)
				}
				answer := sendOnce(t, issuer, r)
				body, err := io.ReadAll(answer.Body)
				if err != nil {
					t.Fatal(err)
				}
				if location := answer.Header.Get("Location"); c.leads != (location == loggedOutURI) || !c.leads && (answer.StatusCode != http.StatusOK || strings.Contains(string(body), "framed.example")) {
					t.Errorf("answers %d, leads to %q\n%s", answer.StatusCode, location, body)
				}
				if isLoggedIn(issuer, browser) || !isLoggedIn(issuer, other) {
					t.Error("the session goes on, or another ends")
				}
				if got := told.tokens(issuer, "told", 1)[0]; got["sid"] == nil {
					t.Errorf("a client is told %v", got)
				}
				record := ""
				for line := range strings.SplitSeq(audit.String(), "\n") {
					if strings.Contains(line, `"session.ended"`) {
						record += line
					}
				}
				if strings.Count(record, `"reason":"application"`) != 1 || !strings.Contains(record, `"client_id":"app"`) || !strings.Contains(record, `"sub":"sub-ada"`) {
					t.Errorf("the audit log has %s for %s", record, idToken.Subject)
				}
				// Once more there is nothing to end, which is no error.
				if answer := sendOnce(t, issuer, newRequest(t, http.MethodGet, issuer.Endpoint(oidc.PathLogout)+"?id_token_hint="+hint, nil)); answer.StatusCode != http.StatusOK {
					t.Errorf("a second time: %d", answer.StatusCode)
				}
			})
		}
	}
}

// What proves nothing ends nothing: a hint that was changed, one of a client that is switched off, and none at all.
func TestLogoutByAServerThatProvesNothing(t *testing.T) {
	issuer, rp := logoutIssuer(t)
	browser := issuer.NewBrowser(t)
	token, idToken := rp.loginIn(browser)
	hint, _ := token.Extra("id_token").(string)
	var session struct {
		ID string `json:"sid"`
	}
	if err := idToken.Claims(&session); err != nil {
		t.Fatal(err)
	}
	for name, query := range map[string]url.Values{
		"changed": {"id_token_hint": {hint[:len(hint)-8] + "AAAAAAAA"}}, "none": {"client_id": {"app"}}, "a session's name": {"client_id": {"app"}, "sid": {session.ID}, "logout_hint": {session.ID}},
		"of another client": {"id_token_hint": {hint}, "client_id": {"other"}},
	} {
		sendOnce(t, issuer, newRequest(t, http.MethodGet, issuer.Endpoint(oidc.PathLogout)+"?"+query.Encode(), nil))
		sendOnce(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathLogout), query))
		if !isLoggedIn(issuer, browser) {
			t.Fatalf("%s ends the session", name)
		}
	}
	registered, _ := issuer.Registry.Client("app")
	off := *registered
	off.Disabled = true
	issuer.AddClient(off)
	sendOnce(t, issuer, newRequest(t, http.MethodGet, issuer.Endpoint(oidc.PathLogout)+"?id_token_hint="+hint, nil))
	if !isLoggedIn(issuer, browser) {
		t.Error("a client that is switched off ends the session")
	}
}

// OpenID Connect Core sections 8.1 and 17.3: clients of two sectors cannot find out by the session that two subjects are one person. Those of one
// sector know it by one name, and each is told of its end by the name that it knows.
func TestSessionsOfPairwiseClients(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.SetSettings(registration.Settings{PairwiseSalt: strings.Repeat("s", 32)})
	browser := issuer.NewBrowser(t)
	sids := map[string]string{}
	hints := map[string]string{}
	receivers := map[string]*receiver{}
	for clientID, sector := range map[string]string{"one": "one.example", "same": "one.example", "two": "two.example", "public": ""} {
		receivers[clientID] = answering(t, 200)
		rp := addReceiver(t, issuer, clientID, receivers[clientID], func(c *registration.Client) {
			if c.SectorIdentifier = sector; sector != "" {
				c.SubjectMode = registration.SubjectPairwise
			}
		})
		token, idToken := rp.loginIn(browser)
		claims := map[string]any{}
		if err := idToken.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		sids[clientID], _ = claims["sid"].(string)
		hints[clientID], _ = token.Extra("id_token").(string)
	}
	if sids["one"] == "" || sids["one"] != sids["same"] || sids["one"] == sids["two"] || sids["one"] == sids["public"] || sids["two"] == sids["public"] {
		t.Errorf("the sids are %v", sids)
	}
	if browser.Get(issuer.Endpoint(oidc.PathLogout) + "?id_token_hint=" + hints["two"]); isLoggedIn(issuer, browser) {
		t.Error("the hint of a pairwise client is not understood")
	}
	for clientID, rec := range receivers {
		if got := rec.tokens(issuer, clientID, 1)[0]; got["sid"] != sids[clientID] {
			t.Errorf("%s is told of %v, not %s", clientID, got["sid"], sids[clientID])
		}
	}
}

// Nobody is sent anywhere but to what is registered, to the letter.
func TestLogoutIsNoOpenRedirect(t *testing.T) {
	issuer, _ := logoutIssuer(t)
	for _, uri := range []string{
		"https://evil.example", "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x",
		loggedOutURI + "/", loggedOutURI + "?x", loggedOutURI + "#x", loggedOutURI + "%2f..", "https://app.example.com@evil.example/bye",
		"https://APP.example.com/bye", "http://app.example.com/bye", "https://app.example.com:443/bye", " " + loggedOutURI, loggedOutURI + "\r\nX: y",
		callback, // which is registered, but for logins
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			form := url.Values{"client_id": {"app"}, "post_logout_redirect_uri": {uri}}
			r := newRequest(t, method, issuer.Endpoint(oidc.PathLogout)+"?"+form.Encode(), nil)
			if method == http.MethodPost {
				r = newRequest(t, method, issuer.Endpoint(oidc.PathLogout), form)
			}
			if got := sendOnce(t, issuer, r); got.StatusCode != http.StatusBadRequest || got.Header.Get("Location") != "" {
				t.Errorf("%s %q is answered with %d to %q", method, uri, got.StatusCode, got.Header.Get("Location"))
			}
		}
	}
}

// The form that confirms a logout is taken from this browser's own page and session only.
func TestLogoutFormOfAnotherBrowser(t *testing.T) {
	issuer, rp := logoutIssuer(t)
	attacker, victim := issuer.NewBrowser(t), issuer.NewBrowser(t)
	rp.loginIn(attacker)
	rp.loginIn(victim)
	page := attacker.Get(issuer.Endpoint(oidc.PathLogout) + "?client_id=app")
	if got := victim.Submit(page, nil); got.Status != http.StatusForbidden || !isLoggedIn(issuer, victim) {
		t.Errorf("the attacker's form is answered with %d", got.Status)
	}
	own := victim.Get(issuer.Endpoint(oidc.PathLogout) + "?client_id=app")
	r := newRequest(t, http.MethodPost, issuer.Endpoint("/logout"), own.Form.Fields, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
	if got := victim.Do(r); got.Status != http.StatusForbidden || !isLoggedIn(issuer, victim) {
		t.Errorf("a form from another site is answered with %d", got.Status)
	}
}

// The hint's subject is the one by which its client knows the person.
func TestLogoutHintOfAClientWithItsOwnSubjects(t *testing.T) {
	for _, mode := range []string{registration.SubjectPairwise, registration.SubjectEmail, registration.SubjectUserUUID} {
		t.Run(mode, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			issuer.SetSettings(registration.Settings{PairwiseSalt: strings.Repeat("s", 32)})
			client := appClient()
			client.SubjectMode = mode
			rp := newRelyingParty(t, issuer, issuer.AddClient(client))
			browser := issuer.NewBrowser(t)
			token, idToken := rp.loginIn(browser)
			if idToken.Subject == "sub-ada" {
				t.Fatal("the subject is the public one")
			}
			hint, _ := token.Extra("id_token").(string)
			if browser.Get(issuer.Endpoint(oidc.PathLogout) + "?id_token_hint=" + hint); isLoggedIn(issuer, browser) {
				t.Error("the hint is not understood")
			}
		})
	}
}
