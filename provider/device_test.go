package provider_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// newDevice registers the public client tv, which may use the device flow.
func newDevice(t testing.TB, change ...func(*registration.Client)) (*providertest.Issuer, *relyingParty) {
	t.Helper()
	issuer, _ := newIssuer(t)
	client := registration.Client{
		ClientID: "tv", ClientName: "Television", TokenEndpointAuthMethod: registration.AuthMethodNone,
		GrantTypes: []string{registration.GrantDeviceCode, registration.GrantRefreshToken}, Scope: "openid profile offline_access tv",
		Resources: []string{"https://tv.example"},
	}
	for _, c := range change {
		c(&client)
	}
	client.RedirectURIs = []string{"https://tv.example/callback"} // for newRelyingParty alone
	app := issuer.AddClient(client)
	rp := newRelyingParty(t, issuer, app, "profile")
	rp.config.RedirectURL = ""
	return issuer, rp
}

func (rp *relyingParty) askForCodes() *oauth2.DeviceAuthResponse {
	rp.t.Helper()
	codes, err := rp.config.DeviceAuth(rp.ctx)
	if err != nil {
		rp.t.Fatal(err)
	}
	return codes
}

// poll asks once for the tokens of a device code.
func poll(t testing.TB, issuer *providertest.Issuer, deviceCode string, changed ...string) answer {
	t.Helper()
	form := url.Values{"grant_type": {registration.GrantDeviceCode}, "device_code": {deviceCode}, "client_id": {"tv"}}
	for i := 0; i+1 < len(changed); i += 2 {
		form.Set(changed[i], changed[i+1])
	}
	return send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathToken), form))
}

// openDevice opens a page in a new browser and logs in on the way.
func openDevice(t testing.TB, issuer *providertest.Issuer, target, username string) (*providertest.Browser, *providertest.Page) {
	t.Helper()
	browser := issuer.NewBrowser(t)
	page := browser.Get(target)
	if !page.Asks("password") {
		t.Fatalf("nobody is asked to log in:\n%s", page.Body)
	}
	return browser, browser.Submit(page, url.Values{"username": {username}, "password": {password}})
}

func decide(browser *providertest.Browser, page *providertest.Page, decision string) *providertest.Page {
	return browser.Submit(page, url.Values{"decision": {decision}})
}

// RFC 8628 3: from the codes to the tokens, with a library that is not ours.
func TestDeviceFlow(t *testing.T) {
	issuer, rp := newDevice(t)
	codes := rp.askForCodes()
	if codes.VerificationURI != issuer.Endpoint("/device") || codes.VerificationURIComplete != codes.VerificationURI+"?user_code="+codes.UserCode ||
		codes.Interval != 5 || len(codes.UserCode) != 9 || codes.UserCode[4] != '-' || time.Until(codes.Expiry) < 9*time.Minute {
		t.Errorf("the device gets %+v", codes)
	}
	if got := poll(t, issuer, codes.DeviceCode); got.status != 400 || got.text("error") != "authorization_pending" {
		t.Errorf("before the decision: %d %s", got.status, got.raw)
	}
	browser, page := openDevice(t, issuer, codes.VerificationURI, "ada")
	if page.URL.Path != "/device" || !page.Asks("user_code") {
		t.Fatalf("the login leads to %s:\n%s", page.URL, page.Body)
	}
	page = browser.Submit(page, url.Values{"user_code": {strings.ToLower(strings.ReplaceAll(codes.UserCode, "-", " "))}})
	for _, want := range []string{"Let Television in?", codes.UserCode, "Ada Lovelace", "Your name and profile", "sent you"} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page does not say %q:\n%s", want, page.Body)
		}
	}
	if page = decide(browser, page, "allow"); !strings.Contains(page.Body, "The device is connected") {
		t.Fatalf("answers %d\n%s", page.Status, page.Body)
	}
	token, err := rp.config.DeviceAccessToken(rp.ctx, codes)
	if err != nil {
		t.Fatal(err)
	}
	idToken := rp.verify(token)
	var claims map[string]any
	if err := idToken.Claims(&claims); err != nil || idToken.Subject != "sub-ada" || claims["name"] != "Ada Lovelace" || claims["sid"] != nil || claims["auth_time"] == nil {
		t.Errorf("the ID token says %v (%v)", claims, err)
	}
	if got := userinfo(t, issuer, token.AccessToken); got.text("sub") != "sub-ada" {
		t.Errorf("userinfo says %s", got.raw)
	}
	if got := poll(t, issuer, codes.DeviceCode); got.text("error") != "invalid_grant" {
		t.Errorf("the second time: %d %s", got.status, got.raw)
	}
	// The browser may be anybody's: logging out there leaves the device alone, and the account page does not.
	if logOut(issuer, browser); isLoggedIn(issuer, browser) {
		t.Fatal("still logged in")
	}
	source := rp.config.TokenSource(rp.ctx, &oauth2.Token{RefreshToken: token.RefreshToken})
	if token, err = source.Token(); err != nil {
		t.Fatalf("after the logout: %v", err)
	}
	if _, err := issuer.Store.Revoke(t.Context(), "sub-ada", "tv"); err != nil {
		t.Fatal(err)
	}
	if _, err = rp.config.TokenSource(rp.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err == nil {
		t.Error("the device goes on after it was revoked")
	}
}

// RFC 8628 3.1 and 3.2.
func TestDeviceAuthorizationRequest(t *testing.T) {
	for name, c := range map[string]struct {
		form  url.Values
		error string
	}{
		"as it should be":               {url.Values{"client_id": {"tv"}, "scope": {"openid unknown"}}, ""},
		"for a resource":                {url.Values{"client_id": {"tv"}, "scope": {"tv"}, "resource": {"https://tv.example"}}, ""},
		"without client":                {url.Values{"scope": {"openid"}}, "invalid_client"},
		"of an unknown client":          {url.Values{"client_id": {"radio"}, "scope": {"openid"}}, "invalid_client"},
		"of a client that may not":      {url.Values{"client_id": {"app"}, "client_secret": {"secret-of-app"}, "scope": {"openid"}}, "unauthorized_client"},
		"without the client's secret":   {url.Values{"client_id": {"app"}, "scope": {"openid"}}, "invalid_client"},
		"without scope":                 {url.Values{"client_id": {"tv"}}, "invalid_scope"},
		"with only unregistered scopes": {url.Values{"client_id": {"tv"}, "scope": {"admin"}}, "invalid_scope"},
		"with scope twice":              {url.Values{"client_id": {"tv"}, "scope": {"openid", "profile"}}, "invalid_request"},
		"for another resource":          {url.Values{"client_id": {"tv"}, "scope": {"openid"}, "resource": {"https://other.example"}}, "invalid_target"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newDevice(t)
			got := send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathDeviceAuthorization), c.form))
			if got.text("error") != c.error || (got.status == 200) != (c.error == "") || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
	issuer, _ := newDevice(t)
	if m := metadata(t, issuer); m.DeviceAuthorizationEndpoint != issuer.Endpoint("/oauth2/device_authorization") {
		t.Errorf("discovery says %q", m.DeviceAuthorizationEndpoint)
	}
}

// RFC 8628 3.5: what a device is told that must wait or stop.
func TestDevicePolling(t *testing.T) {
	issuer, rp := newDevice(t)
	codes := rp.askForCodes()
	expect := func(want string) {
		t.Helper()
		if got := poll(t, issuer, codes.DeviceCode); got.status != 400 || got.text("error") != want {
			t.Errorf("answers %d %s instead of %s", got.status, got.raw, want)
		}
	}
	expect("authorization_pending")
	issuer.Clock.Advance(5 * time.Second)
	expect("authorization_pending")
	issuer.Clock.Advance(2 * time.Second)
	expect("slow_down")
	issuer.Clock.Advance(6 * time.Second) // which was enough before
	expect("slow_down")
	issuer.Clock.Advance(15 * time.Second)
	expect("authorization_pending")
	issuer.Clock.Advance(6 * time.Second) // the interval stays longer
	expect("slow_down")
	issuer.Clock.Advance(10 * time.Minute)
	expect("expired_token")
	purgeAll(t, issuer)
	expect("expired_token")
	if got := poll(t, issuer, "made-up"); got.text("error") != "invalid_grant" {
		t.Errorf("a code that never was: %s", got.raw)
	}
	if got := poll(t, issuer, ""); got.text("error") != "invalid_request" {
		t.Errorf("no code: %s", got.raw)
	}
	if _, page := openDevice(t, issuer, codes.VerificationURIComplete, "ada"); page.Status != 400 || !strings.Contains(page.Body, "No device waits with this code") {
		t.Errorf("the page of an expired code answers %d\n%s", page.Status, page.Body)
	}
}

func TestDeviceDenied(t *testing.T) {
	issuer, rp := newDevice(t)
	codes := rp.askForCodes()
	browser, page := openDevice(t, issuer, codes.VerificationURIComplete, "ada")
	shown := page
	if page = decide(browser, page, "deny"); !strings.Contains(page.Body, "was not let in") {
		t.Fatalf("answers %d\n%s", page.Status, page.Body)
	}
	if got := poll(t, issuer, codes.DeviceCode); got.text("error") != "access_denied" {
		t.Errorf("answers %d %s", got.status, got.raw)
	}
	if page = decide(browser, shown, "allow"); page.Status == http.StatusOK {
		t.Error("a decision is taken back")
	}
	if got := poll(t, issuer, codes.DeviceCode); got.text("error") != "access_denied" {
		t.Errorf("answers %d %s", got.status, got.raw)
	}
}

// A device code belongs to its client, and is exchanged once, however many ask at a time.
func TestDeviceCodeIsRedeemedOnce(t *testing.T) {
	issuer, rp := newDevice(t)
	radio := registration.Client{
		ClientID: "radio", TokenEndpointAuthMethod: registration.AuthMethodNone, GrantTypes: []string{registration.GrantDeviceCode}, Scope: "openid",
	}
	issuer.AddClient(radio)
	codes := rp.askForCodes()
	browser, page := openDevice(t, issuer, codes.VerificationURIComplete, "ada")
	decide(browser, page, "allow")
	if got := poll(t, issuer, codes.DeviceCode, "client_id", "radio"); got.text("error") != "invalid_grant" {
		t.Errorf("another client gets %d %s", got.status, got.raw)
	}
	var wg sync.WaitGroup
	statuses := make([]int, 16)
	for i := range statuses {
		wg.Go(func() { statuses[i] = poll(t, issuer, codes.DeviceCode).status })
	}
	wg.Wait()
	slices.Sort(statuses)
	if statuses[0] != 200 || statuses[1] != 400 {
		t.Errorf("the answers are %v", statuses)
	}
}

// Consent is remembered as everywhere else, and asked for all the same: the code may have come from a thief.
func TestDeviceConsent(t *testing.T) {
	for consent, remembered := range map[string]bool{registration.ConsentRemember: true, registration.ConsentAlways: false} {
		t.Run(consent, func(t *testing.T) {
			issuer, rp := newDevice(t, func(c *registration.Client) { c.Consent = consent })
			for range 2 {
				codes := rp.askForCodes()
				browser, page := openDevice(t, issuer, codes.VerificationURIComplete, "ada")
				if !page.Asks("decision") {
					t.Fatalf("nobody is asked:\n%s", page.Body)
				}
				decide(browser, page, "allow")
			}
			given, err := issuer.Store.ConsentsOf(t.Context(), "sub-ada")
			if err != nil || (len(given) == 1) != remembered {
				t.Errorf("remembered is %v (%v)", given, err)
			}
		})
	}
}

// Whom the client is not for cannot let a device in.
func TestDeviceOfAClientForOthers(t *testing.T) {
	issuer, rp := newDevice(t, func(c *registration.Client) { c.AllowedGroups = []string{"viewers"} })
	codes := rp.askForCodes()
	browser, page := openDevice(t, issuer, codes.VerificationURIComplete, "ada")
	if page.Status != http.StatusForbidden || !strings.Contains(page.Body, "Television is not for this account") {
		t.Fatalf("answers %d\n%s", page.Status, page.Body)
	}
	if got := decide(browser, page, "allow"); got.Status != http.StatusForbidden {
		t.Errorf("a decision all the same is answered with %d", got.Status)
	}
	if got := poll(t, issuer, codes.DeviceCode); got.text("error") != "authorization_pending" {
		t.Errorf("the device is told %q", got.text("error"))
	}
	if decide(browser, page, "deny"); poll(t, issuer, codes.DeviceCode).text("error") == "authorization_pending" {
		t.Error("the device waits on")
	}
}

// Codes cannot be guessed: not with many requests, nor with many browsers, nor many at a time.
func TestUserCodesCannotBeGuessed(t *testing.T) {
	issuer, rp := newDevice(t)
	codes := rp.askForCodes()
	browser, _ := openDevice(t, issuer, issuer.Endpoint("/device"), "ada")
	second, _ := openDevice(t, issuer, issuer.Endpoint("/device"), "ada")
	tried := map[int]int{}
	for i := range 30 {
		guess := fmt.Sprintf("BBBB-BB%c%c", "BCDFGHJKLM"[i%10], "NPQRS"[i/10])
		tried[[]*providertest.Browser{browser, second}[i%2].Get(issuer.Endpoint("/device")+"?user_code="+guess).Status]++
	}
	if tried[400] != 20 || tried[429] != 10 {
		t.Errorf("the answers are %v", tried)
	}
	if page := browser.Get(codes.VerificationURIComplete); page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") == "" {
		t.Errorf("the right code is answered with %d", page.Status)
	}
	issuer.AddUser(registration.User{Username: "bob"}, password)
	if _, page := openDevice(t, issuer, codes.VerificationURIComplete, "bob"); page.Status != http.StatusOK {
		t.Errorf("somebody else is answered with %d", page.Status)
	}
}

// A decision is taken only from the page that asked for it, in the browser that was asked.
func TestDeviceDecisionIsNotForged(t *testing.T) {
	issuer, rp := newDevice(t)
	own, foreign := rp.askForCodes(), rp.askForCodes()
	browser, page := openDevice(t, issuer, own.VerificationURIComplete, "ada")
	forged := *page
	form := *page.Form
	form.Action = strings.Replace(form.Action, own.UserCode, foreign.UserCode, 1)
	forged.Form = &form
	if got := decide(browser, &forged, "allow"); got.Status != http.StatusForbidden {
		t.Errorf("the token of one code is taken for another: %d", got.Status)
	}
	entry := browser.Get(issuer.Endpoint("/device"))
	form.Fields = entry.Form.Fields
	if got := decide(browser, &forged, "allow"); got.Status != http.StatusForbidden {
		t.Errorf("the token of the entry form is taken for a decision: %d", got.Status)
	}
	if got := browser.Submit(page, url.Values{"decision": {"allow"}, "csrf_token": {""}}); got.Status != http.StatusForbidden {
		t.Errorf("without token: %d", got.Status)
	}
	issuer.AddUser(registration.User{Username: "bob"}, password)
	victim, _ := openDevice(t, issuer, issuer.Endpoint("/device"), "bob")
	if got := decide(victim, page, "allow"); got.Status != http.StatusForbidden {
		t.Errorf("in another browser: %d", got.Status)
	}
	r := newRequest(t, http.MethodPost, page.URL.ResolveReference(&url.URL{Path: "/device", RawQuery: page.URL.RawQuery}).String(),
		url.Values{"decision": {"allow"}, "csrf_token": page.Form.Fields["csrf_token"]}, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
	if got := browser.Do(r); got.Status != http.StatusForbidden {
		t.Errorf("from another site: %d", got.Status)
	}
	for _, codes := range []*oauth2.DeviceAuthResponse{own, foreign} {
		if got := poll(t, issuer, codes.DeviceCode); got.text("error") != "authorization_pending" {
			t.Errorf("the device is told %q", got.text("error"))
		}
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "form-action 'self'") {
		t.Errorf("the policy is %s", policy)
	}
	if got := decide(browser, page, "maybe"); got.Status != http.StatusForbidden {
		t.Errorf("neither yes nor no: %d", got.Status)
	}
}

// The login that the device page asks for leads back to it and nowhere else.
func TestDeviceLoginIsNoOpenRedirect(t *testing.T) {
	issuer, rp := newDevice(t)
	codes := rp.askForCodes()
	browser, page := openDevice(t, issuer, codes.VerificationURIComplete+"&return_to=https://evil.example", "ada")
	if page.URL.Path != "/device" || page.URL.Query().Get("user_code") != codes.UserCode || !page.Asks("decision") {
		t.Errorf("the login leads to %s\n%s", page.URL, page.Body)
	}
	if kept := sessionCookie(t, browser); kept == nil {
		t.Error("there is no session")
	}
	for _, to := range []string{"https://evil.example/device", "//evil.example/device", "/device/../../x", "/device\\@evil.example", "/device#x"} {
		other := issuer.NewBrowser(t)
		login := other.Get(issuer.Endpoint("/login") + "?return_to=" + url.QueryEscape(to))
		if login.Asks("password") {
			login = other.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
		}
		if login.Callback != nil || login.URL.Path == "/device" {
			t.Errorf("%s leads to %v %s", to, login.Callback, login.URL)
		}
	}
}

// A planted cookie is no session: the one that approves a device is new with its login.
func TestDeviceSessionIsNotFixed(t *testing.T) {
	issuer, rp := newDevice(t)
	codes := rp.askForCodes()
	attacker, _ := openDevice(t, issuer, codes.VerificationURIComplete, "ada")
	planted := sessionCookie(t, attacker)
	issuer.AddUser(registration.User{Username: "bob"}, password)
	victim := issuer.NewBrowser(t)
	victim.SetCookies(planted)
	page := victim.Get(issuer.Endpoint("/login") + "?return_to=" + url.QueryEscape("/device?user_code="+codes.UserCode))
	page = victim.Submit(page, url.Values{"username": {"bob"}, "password": {password}})
	if got := sessionCookie(t, victim); got == nil || got.Value == planted.Value {
		t.Error("the planted cookie is still there")
	}
	if decide(victim, page, "allow"); isLoggedIn(issuer, attacker) {
		t.Error("the attacker's cookie is still good")
	}
}
