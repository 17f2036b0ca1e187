package provider_test

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/synologysso"
)

const (
	appID       = "153fcb35b01571b49cb0adca3a4bda40"
	appPage     = "https://app.example.com"
	ssoLogin    = "/webman/sso/SSOOauth.cgi"
	ssoExchange = "/webman/sso/SSOAccessToken.cgi"
	ssoScript   = "/webman/sso/synoSSO-1.0.0.js"
)

func synologyClient() registration.Client {
	client := appClient()
	client.SynologySSO = &registration.SynologySSOClient{AppID: appID, RedirectURIs: []string{appPage, "https://other.example.com:8443/sso?x=1"}}
	return client
}

// synologyIssuer has the protocol switched on, and an application that speaks it.
func synologyIssuer(t testing.TB, opts ...providertest.Option) *providertest.Issuer {
	t.Helper()
	issuer, _ := newIssuer(t, opts...)
	issuer.AddClient(synologyClient())
	issuer.SetSettings(registration.Settings{SynologySSO: registration.SynologySSO{
		Enabled: true, DomainName: "MYDOMAIN.COM", LDAPBaseDN: "dc=myldap,dc=com",
	}})
	return issuer
}

// ssoQuery is the request of the manual flow, with some parameters changed; an empty value removes one.
func ssoQuery(changed ...string) string {
	q := url.Values{"app_id": {appID}, "redirect_uri": {appPage}, "synossoJSSDK": {"false"}, "scope": {"user_id"}, "state": {"fabc 21&cf"}}
	for i := 0; i+1 < len(changed); i += 2 {
		if q.Set(changed[i], changed[i+1]); changed[i+1] == "" {
			q.Del(changed[i])
		}
	}
	return q.Encode()
}

func ssoURL(issuer *providertest.Issuer, changed ...string) string {
	return issuer.Endpoint(ssoLogin) + "?" + ssoQuery(changed...)
}

// fromScript makes requests of the script.
func fromScript(more ...string) []string {
	return append([]string{"synossoJSSDK", "true", "inframe_id", "synosso-1"}, more...)
}

func fragmentOf(t *testing.T, page *providertest.Page) url.Values {
	t.Helper()
	if page.Callback == nil {
		t.Fatalf("the browser is still at %s, with status %d:\n%s", page.URL, page.Status, page.Body)
	}
	values, err := url.ParseQuery(page.Callback.EscapedFragment())
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// message is what a page tells the script, and whose pages may read it.
type message struct {
	uri    string
	values url.Values
	target string
}

var messagePattern = regexp.MustCompile(`data-data="([^"]*)" data-target="([^"]*)"`)

func messageOf(t *testing.T, page *providertest.Page) message {
	t.Helper()
	found := messagePattern.FindStringSubmatch(page.Body)
	if found == nil {
		t.Fatalf("%s answers %d without a message:\n%s", page.URL, page.Status, page.Body)
	}
	uri, fragment, _ := strings.Cut(html.UnescapeString(found[1]), "#")
	values, err := url.ParseQuery(fragment)
	if err != nil {
		t.Fatal(err)
	}
	return message{uri, values, html.UnescapeString(found[2])}
}

// logIntoApp opens a request and logs ada in where that is asked for.
func logIntoApp(t *testing.T, issuer *providertest.Issuer, browser *providertest.Browser, changed ...string) *providertest.Page {
	t.Helper()
	page := browser.Get(ssoURL(issuer, changed...))
	if page.Asks("username") {
		page = browser.Submit(page, url.Values{"username": {"ada"}, "password": {password}})
	}
	return page
}

func newSSOToken(t *testing.T, issuer *providertest.Issuer, changed ...string) string {
	t.Helper()
	token := fragmentOf(t, logIntoApp(t, issuer, issuer.NewBrowser(t), changed...)).Get("access_token")
	if token == "" {
		t.Fatal("there is no token")
	}
	return token
}

type exchanged struct {
	synologysso.Answer
	status int
	header http.Header
	raw    string
}

func exchangeToken(t testing.TB, issuer *providertest.Issuer, query url.Values, header ...string) exchanged {
	t.Helper()
	return fetch(t, issuer, issuer.Endpoint(ssoExchange)+"?"+query.Encode(), header...)
}

func fetch(t testing.TB, issuer *providertest.Issuer, target string, header ...string) exchanged {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := issuer.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	e := exchanged{status: response.StatusCode, header: response.Header, raw: string(body)}
	_ = json.Unmarshal(body, &e.Answer) // what is no JSON is compared as it is
	return e
}

func exchangeOf(token string, changed ...string) url.Values {
	q := url.Values{"action": {"exchange"}, "access_token": {token}, "app_id": {appID}}
	for i := 0; i+1 < len(changed); i += 2 {
		if q.Set(changed[i], changed[i+1]); changed[i+1] == "" {
			q.Del(changed[i])
		}
	}
	return q
}

// Without the settings asking for it nothing is there, whoever asks how.
func TestSynologyIsOffByDefault(t *testing.T) {
	issuer := synologyIssuer(t, providertest.WithPath("/realm"))
	issuer.SetSettings(registration.Settings{})
	host := strings.TrimSuffix(issuer.URL, "/realm")
	for _, path := range []string{ssoScript, ssoLogin, ssoExchange, "/webman/", "/webman/sso/"} {
		for _, base := range []string{host, issuer.URL} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
				request, err := http.NewRequestWithContext(t.Context(), method, base+path+"?"+ssoQuery(), http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				response, err := issuer.Client().Do(request)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close() // its status is all that is looked at
				if response.StatusCode != http.StatusNotFound {
					t.Errorf("%s %s answers %d", method, base+path, response.StatusCode)
				}
			}
		}
	}
	if page := issuer.NewBrowser(t).Get(issuer.Endpoint("/login?return_to=" + url.QueryEscape(ssoLogin+"?"+ssoQuery()))); strings.Contains(page.Body, "Example App") {
		t.Error("the login page names an application all the same")
	}
}

// A client that has not asked for it has no app_id, neither its own nor the one that would be made of its client ID.
func TestSynologyIsOptInPerClient(t *testing.T) {
	issuer := synologyIssuer(t)
	issuer.AddClient(appClient())
	for _, id := range []string{appID, registration.SynologyAppID("app")} {
		if page := issuer.NewBrowser(t).Get(ssoURL(issuer, "app_id", id)); page.Status != http.StatusBadRequest || !strings.Contains(page.Body, "invalid_app_id") {
			t.Errorf("%s answers %d:\n%s", id, page.Status, page.Body)
		}
	}
}

func TestSynologyScript(t *testing.T) {
	issuer := synologyIssuer(t, providertest.WithPath("/realm"))
	for _, base := range []string{issuer.URL, strings.TrimSuffix(issuer.URL, "/realm")} {
		got := fetch(t, issuer, base+ssoScript)
		if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/javascript") || !strings.Contains(got.raw, "SYNOSSO") {
			t.Errorf("%s answers %d %v", base, got.status, got.header)
		}
		if again := fetch(t, issuer, base+ssoScript, "If-None-Match", got.header.Get("ETag")); again.status != http.StatusNotModified || again.raw != "" {
			t.Errorf("asked again, it answers %d", again.status)
		}
	}
}

// The manual flow: a login, and the token and the state in the fragment, to the letter.
func TestSynologyManualFlow(t *testing.T) {
	for _, path := range []string{"", "/realm"} {
		issuer := synologyIssuer(t, providertest.WithPath(path))
		browser := issuer.NewBrowser(t)
		login := browser.Get(strings.TrimSuffix(issuer.URL, path) + ssoLogin + "?" + ssoQuery("synossoJSSDK", "False"))
		if !login.Asks("username") || !strings.Contains(login.Body, "Example App") {
			t.Fatalf("the application is not named on the login page, which answers %d:\n%s", login.Status, login.Body)
		}
		if policy := login.Header.Get("Content-Security-Policy"); strings.Contains(policy, "form-action") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("the policy of the login page is %q", policy)
		}
		back := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
		got := fragmentOf(t, back)
		want := appPage + "#access_token=" + got.Get("access_token") + "&state=fabc+21%26cf"
		if back.Callback.String() != want || got.Get("state") != "fabc 21&cf" || len(got) != 2 {
			t.Errorf("the browser goes to %s, want %s", back.Callback, want)
		}
		if back.Header.Get("Referrer-Policy") != "no-referrer" || back.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the redirect has %v", back.Header)
		}
		answer := exchangeToken(t, issuer, exchangeOf(got.Get("access_token")))
		if !answer.Success || answer.Data == nil || answer.Data.UserName != "ada" || answer.Data.UserID < 1024 || answer.Data.UserID > 1<<31-1 {
			t.Errorf("the exchange answers %s", answer.raw)
		}
		if answer.header.Get("Content-Type") != "application/json" || answer.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the exchange has %v", answer.header)
		}
		// Logged in already, nothing is asked; without a state there is none.
		if again := fragmentOf(t, browser.Get(ssoURL(issuer, "state", ""))); again.Get("access_token") == "" || again.Has("state") {
			t.Errorf("the second time the browser goes on with %v", again)
		}
	}
}

// The script's silent query shows nothing and asks nothing.
func TestSynologyQuery(t *testing.T) {
	issuer := synologyIssuer(t)
	browser := issuer.NewBrowser(t)
	query := fromScript("synossoJSSDKQuery", "true")
	page := browser.Get(ssoURL(issuer, query...))
	told := messageOf(t, page)
	if page.Status != http.StatusOK || told.values.Get("status") != "not_login" || told.values.Get("state") != "fabc 21&cf" || told.values.Has("access_token") || told.target != appPage {
		t.Errorf("nobody being logged in, the script is told %v", told)
	}
	checkFraming(t, page, true)
	logIntoApp(t, issuer, browser)
	page = browser.Get(ssoURL(issuer, query...))
	told = messageOf(t, page)
	if told.values.Get("status") != "login" || told.uri != appPage || told.target != appPage || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("somebody being logged in, the script is told %v", told)
	}
	checkFraming(t, page, true)
	if answer := exchangeToken(t, issuer, exchangeOf(told.values.Get("access_token"))); !answer.Success {
		t.Errorf("the exchange answers %s", answer.raw)
	}
	// The target is the origin of the redirect URI, and not of another one.
	if other := messageOf(t, browser.Get(ssoURL(issuer, append(query, "redirect_uri", "https://other.example.com:8443/sso?x=1")...))); other.target != "https://other.example.com:8443" {
		t.Errorf("the other page's message is for %s", other.target)
	}
}

// Where the person would have to agree, or may not use the application, the query says that nobody is logged in; the window shows why.
func TestSynologyConsentAndAccess(t *testing.T) {
	var audit bytes.Buffer
	issuer := synologyIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Audit = provider.NewAuditLogger(&audit) }))
	client := synologyClient()
	client.Consent = registration.ConsentRemember
	issuer.AddClient(client)
	browser := issuer.NewBrowser(t)
	page := logIntoApp(t, issuer, browser, fromScript()...)
	if !page.Asks("decision") || !strings.Contains(page.Body, "Your name and profile") {
		t.Fatalf("nobody is asked, status %d:\n%s", page.Status, page.Body)
	}
	if told := messageOf(t, browser.Get(ssoURL(issuer, fromScript("synossoJSSDKQuery", "true")...))); told.values.Get("status") != "not_login" {
		t.Errorf("the query answers %v", told)
	}
	if told := messageOf(t, browser.Submit(page, url.Values{"decision": {"deny"}})); told.values.Get("status") != "not_login" {
		t.Errorf("denying, the script is told %v", told)
	}
	manual := browser.Get(ssoURL(issuer))
	if got := fragmentOf(t, browser.Submit(manual, url.Values{"decision": {"deny"}})); got.Get("status") != "not_login" || got.Get("state") != "fabc 21&cf" || got.Has("access_token") {
		t.Errorf("denying, the application is told %v", got)
	}
	if forged := browser.Submit(page, url.Values{"decision": {"allow"}, "csrf_token": {"guess"}}); forged.Status != http.StatusForbidden {
		t.Errorf("a forged decision answers %d", forged.Status)
	}
	if told := messageOf(t, browser.Submit(page, url.Values{"decision": {"allow"}})); told.values.Get("status") != "login" {
		t.Errorf("agreeing, the script is told %v", told)
	}
	if told := messageOf(t, browser.Get(ssoURL(issuer, fromScript("synossoJSSDKQuery", "true")...))); told.values.Get("status") != "login" {
		t.Errorf("having agreed, the query answers %v", told)
	}
	client.AllowedGroups = []string{"somebody-else"}
	issuer.AddClient(client)
	denied := browser.Get(ssoURL(issuer, fromScript()...))
	if denied.Status != http.StatusForbidden || !strings.Contains(denied.Body, "Example App is not for this account") {
		t.Fatalf("answers %d:\n%s", denied.Status, denied.Body)
	}
	if told := messageOf(t, browser.Get(ssoURL(issuer, fromScript("synossoJSSDKQuery", "true")...))); told.values.Get("status") != "not_login" {
		t.Errorf("the query answers %v", told)
	}
	if told := messageOf(t, browser.Submit(denied, url.Values{"decision": {"deny"}})); told.values.Get("status") != "unknown_error" {
		t.Errorf("going back, the script is told %v", told)
	}
	if forced := browser.Submit(denied, url.Values{"decision": {"allow"}}); forced.Status != http.StatusForbidden {
		t.Errorf("agreeing all the same answers %d", forced.Status)
	}
	for _, part := range []string{`"event":"consent.granted"`, `"event":"consent.denied"`, `"event":"access.denied"`, `"client_id":"app"`} {
		if !strings.Contains(audit.String(), part) {
			t.Errorf("the audit log has no %s", part)
		}
	}
}

// A logout happens by the form of the page alone, and ends the login here.
func TestSynologyLogout(t *testing.T) {
	issuer := synologyIssuer(t)
	browser := issuer.NewBrowser(t)
	logout := fromScript("method", "logout")
	if told := messageOf(t, browser.Get(ssoURL(issuer, logout...))); told.values.Get("status") != "not_login" {
		t.Errorf("nobody being logged in, the script is told %v", told)
	}
	logIntoApp(t, issuer, browser)
	page := browser.Get(ssoURL(issuer, logout...))
	checkFraming(t, page, true)
	if got := fragmentOf(t, browser.Get(ssoURL(issuer))); got.Get("access_token") == "" {
		t.Error("asking alone has logged out (CSRF)")
	}
	if forged := browser.Submit(page, url.Values{"csrf_token": {"guess"}}); forged.Status != http.StatusForbidden {
		t.Errorf("a forged form answers %d", forged.Status)
	}
	done := browser.Submit(page, nil)
	if told := messageOf(t, done); told.values.Get("status") != "not_login" || told.target != appPage || !strings.Contains(done.Body, "You are logged out") {
		t.Errorf("the script is told %v", told)
	}
	checkFraming(t, done, true)
	if !browser.Get(ssoURL(issuer)).Asks("username") {
		t.Error("the login goes on")
	}
}

// In a frame on another site the browser shows no cookies: the script is told to open a window.
func TestSynologyLogoutThatSeesNothing(t *testing.T) {
	issuer := synologyIssuer(t)
	for site, want := range map[string]string{"cross-site": "unseen", "same-site": "not_login"} {
		got := fetch(t, issuer, ssoURL(issuer, fromScript("method", "logout")...), "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", site)
		if !strings.Contains(html.UnescapeString(got.raw), "status="+want+"&") {
			t.Errorf("%s answers %d:\n%s", site, got.status, got.raw)
		}
	}
}
