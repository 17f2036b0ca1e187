package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// push sends a pushed authorization request of the client app with parameters changed. An empty value takes one away.
func push(t *testing.T, issuer *providertest.Issuer, changed ...string) answer {
	t.Helper()
	form := url.Values{
		"client_id": {"app"}, "client_secret": {"secret-of-app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"state-1"},
	}
	for i := 0; i+1 < len(changed); i += 2 {
		if form.Set(changed[i], changed[i+1]); changed[i+1] == "" {
			form.Del(changed[i])
		}
	}
	return send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathPushedRequest), form))
}

// pushedURL returns the authorization request that refers to a pushed one.
func pushedURL(issuer *providertest.Issuer, requestURI string, more ...string) string {
	q := url.Values{"client_id": {"app"}, "request_uri": {requestURI}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return issuer.Endpoint(oidc.PathAuthorization) + "?" + q.Encode()
}

// RFC 9126 sections 2.2 and 4: the client gets a reference, and the browser brings nothing else.
func TestPushedRequest(t *testing.T) {
	issuer, _ := newIssuer(t)
	verifier := oauth2.GenerateVerifier()
	got := push(t, issuer, "nonce", "nonce-1", "scope", "openid email", "code_challenge", oauth2.S256ChallengeFromVerifier(verifier), "code_challenge_method", "S256")
	requestURI := got.text("request_uri")
	if got.status != http.StatusCreated || !strings.HasPrefix(requestURI, "urn:ietf:params:oauth:request_uri:") || got.body["expires_in"] != 300.0 ||
		got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("answers %d %s", got.status, got.raw)
	}
	// What stands beside it in the query counts for nothing.
	target := pushedURL(issuer, requestURI, "scope", "openid phone", "state", "other", "redirect_uri", "https://evil.example", "prompt", "none")
	browser := issuer.NewBrowser(t)
	login := browser.Get(target)
	if !login.Asks("password") || login.URL.Query().Has("state") || login.URL.Query().Has("redirect_uri") {
		t.Fatalf("answers %d at %s", login.Status, login.URL)
	}
	answer := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
	if q := answer.Answer(); q.Get("state") != "state-1" || q.Get("iss") != issuer.URL || !strings.HasPrefix(answer.Callback.String(), callback+"?") {
		t.Fatalf("the answer is %v", q)
	}
	tokens := exchange(t, issuer, answer.Answer().Get("code"), "code_verifier", verifier)
	if tokens.text("scope") != "openid email" || decodeSegment(t, tokens.text("id_token"), 1)["nonce"] != "nonce-1" {
		t.Errorf("the tokens are %s", tokens.raw)
	}
}

// RFC 9126 section 2.3: the rules are those of the browser, and mistakes are told at once.
func TestPushedMistakes(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddClient(registration.Client{ClientID: "machine", GrantTypes: []string{registration.GrantClientCredentials}, Scope: "read"})
	disabled := appClient()
	disabled.ClientID, disabled.Disabled = "off", true
	issuer.AddClient(disabled)
	for name, c := range map[string]struct {
		changed []string
		status  int
		err     string
	}{
		"no secret":                       {[]string{"client_secret", ""}, 401, "invalid_client"},
		"wrong secret":                    {[]string{"client_secret", "guess"}, 401, "invalid_client"},
		"unknown client":                  {[]string{"client_id", "stranger"}, 401, "invalid_client"},
		"disabled client":                 {[]string{"client_id", "off", "client_secret", "secret-of-off"}, 401, "invalid_client"},
		"a request_uri (2.1)":             {[]string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}, 400, "invalid_request"},
		"a request object that is none":   {[]string{"request", "e30.e30."}, 400, "invalid_request_object"},
		"an unregistered redirect URI":    {[]string{"redirect_uri", "https://evil.example"}, 400, "invalid_request"},
		"no redirect URI":                 {[]string{"redirect_uri", ""}, 400, "invalid_request"},
		"no openid":                       {[]string{"scope", "email"}, 400, "invalid_scope"},
		"another response type":           {[]string{"response_type", "token"}, 400, "unsupported_response_type"},
		"another response mode":           {[]string{"response_mode", "fragment"}, 400, "invalid_request"},
		"a plain challenge":               {[]string{"code_challenge", challenge, "code_challenge_method", "plain"}, 400, "invalid_request"},
		"malformed claims":                {[]string{"claims", "{"}, 400, "invalid_request"},
		"an unregistered resource":        {[]string{"resource", "https://api.example"}, 400, "invalid_target"},
		"an acr that cannot be met":       {[]string{"claims", `{"id_token":{"acr":{"essential":true,"value":"gold"}}}`}, 400, "unmet_authentication_requirements"},
		"a client without the code grant": {[]string{"client_id", "machine", "client_secret", "secret-of-machine"}, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			got := push(t, issuer, c.changed...)
			if got.status != c.status || got.text("error") != c.err || got.header.Get("Location") != "" || got.body["request_uri"] != nil {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
	twice := newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathPushedRequest), url.Values{
		"client_id": {"app"}, "client_secret": {"secret-of-app"}, "redirect_uri": {callback, callback}, "response_type": {"code"}, "scope": {"openid"},
	})
	if got := send(t, issuer, twice); got.status != http.StatusBadRequest || got.text("error") != "invalid_request" {
		t.Errorf("redirect_uri twice answers %d %s", got.status, got.raw)
	}
	if got := send(t, issuer, newRequest(t, http.MethodGet, issuer.Endpoint(oidc.PathPushedRequest), nil)); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET answers %d (2.3)", got.status)
	}
	large := push(t, issuer, "login_hint", strings.Repeat("x", 40<<10))
	if large.status != http.StatusRequestEntityTooLarge {
		t.Errorf("40 KiB answer %d (2.3)", large.status)
	}
}

// A client that authenticates with the header need not repeat who it is.
func TestPushedWithBasicAuthentication(t *testing.T) {
	issuer, _ := newIssuer(t)
	form := url.Values{"redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}}
	r := newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathPushedRequest), form, "Authorization", basic("app", "secret-of-app"))
	got := send(t, issuer, r)
	if answer := issuer.NewBrowser(t).Authorize(pushedURL(issuer, got.text("request_uri")), "ada", password).Query(); answer.Get("code") == "" {
		t.Errorf("answers %d %s, then %v", got.status, got.raw, answer)
	}
	form.Set("client_id", "other")
	r = newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathPushedRequest), form, "Authorization", basic("app", "secret-of-app"))
	if got := send(t, issuer, r); got.status != http.StatusBadRequest {
		t.Errorf("with another client_id: %d %s", got.status, got.raw)
	}
}

// RFC 9126 sections 4 and 7.3: a request_uri is good for the client that pushed it, for ten minutes and for one code. Pages may
// be loaded anew until then, and a person may take their time.
func TestPushedRequestIsUsedOnce(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentAlways)
	other := appClient()
	other.ClientID = "other"
	issuer.AddClient(other)
	gone := func(t *testing.T, page *providertest.Page) {
		t.Helper()
		if page.Callback != nil || page.Status != http.StatusBadRequest || !strings.Contains(page.Body, "This login is over") {
			t.Errorf("answers %d, callback %v", page.Status, page.Callback)
		}
	}
	t.Run("another client", func(t *testing.T) {
		requestURI := push(t, issuer).text("request_uri")
		gone(t, issuer.NewBrowser(t).Get(strings.Replace(pushedURL(issuer, requestURI), "client_id=app", "client_id=other", 1)))
	})
	t.Run("an invented one", func(t *testing.T) {
		gone(t, issuer.NewBrowser(t).Get(pushedURL(issuer, "urn:ietf:params:oauth:request_uri:"+strings.Repeat("A", 51))))
	})
	t.Run("too late", func(t *testing.T) {
		requestURI := push(t, issuer).text("request_uri")
		issuer.Clock.Advance(10*time.Minute + time.Second)
		gone(t, issuer.NewBrowser(t).Get(pushedURL(issuer, requestURI)))
	})
	t.Run("once, after reloads and a quarter of an hour at the login page", func(t *testing.T) {
		target := pushedURL(issuer, push(t, issuer).text("request_uri"))
		browser := issuer.NewBrowser(t)
		browser.Get(target)
		login := browser.Get(target)
		issuer.Clock.Advance(15 * time.Minute)
		consent := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
		consent = browser.Get(consent.URL.String())
		if !consent.Asks("decision") {
			t.Fatalf("there is no consent page: %d at %s", consent.Status, consent.URL)
		}
		if page := browser.Submit(consent, url.Values{"decision": {"allow"}}); page.Answer().Get("code") == "" {
			t.Errorf("the answer is %v", page.Answer())
		}
		gone(t, browser.Submit(consent, url.Values{"decision": {"allow"}}))
		gone(t, browser.Get(target))
	})
	t.Run("denied", func(t *testing.T) {
		browser := issuer.NewBrowser(t)
		consent := browser.Submit(browser.Get(pushedURL(issuer, push(t, issuer).text("request_uri"))), url.Values{"username": {"ada"}, "password": {password}})
		if page := browser.Submit(consent, url.Values{"decision": {"deny"}}); page.Answer().Get("error") != "access_denied" {
			t.Errorf("the answer is %v", page.Answer())
		}
		gone(t, browser.Submit(consent, url.Values{"decision": {"allow"}}))
	})
	t.Run("after an hour", func(t *testing.T) {
		browser := issuer.NewBrowser(t)
		login := browser.Get(pushedURL(issuer, push(t, issuer).text("request_uri")))
		issuer.Clock.Advance(time.Hour)
		gone(t, browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}}))
	})
}

// Of many tabs with one pushed request exactly one gets a code.
func TestPushedRequestInManyTabs(t *testing.T) {
	issuer, _ := newIssuer(t)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	target := pushedURL(issuer, push(t, issuer).text("request_uri"))
	var wg sync.WaitGroup
	codes := make(chan string, 8)
	for range cap(codes) {
		wg.Go(func() {
			page := browser.Get(target)
			if code := page.Answer().Get("error"); code != "" && code != "invalid_request" {
				t.Errorf("a tab is told %s", code)
			}
			codes <- page.Answer().Get("code")
		})
	}
	wg.Wait()
	close(codes)
	issued := 0
	for code := range codes {
		if code != "" {
			issued++
		}
	}
	if issued != 1 {
		t.Errorf("%d codes were issued", issued)
	}
}

// RFC 9126 section 6: a client that must push cannot do otherwise, not by a form either.
func TestClientsThatMustPush(t *testing.T) {
	issuer, _ := newIssuer(t)
	long := url.Values{
		"client_id": {"app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "login_hint": {strings.Repeat("x", 5000)},
	}
	post := func() *providertest.Page {
		return issuer.NewBrowser(t).Do(newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathAuthorization), long))
	}
	kept := post().URL.Query().Get("request_uri")
	if kept == "" {
		t.Fatal("a long form is not kept")
	}
	client := appClient()
	client.RequirePushedRequests = true
	issuer.AddClient(client)
	for name, page := range map[string]*providertest.Page{
		"a plain request":                    issuer.NewBrowser(t).Get(authorizeURL(issuer)),
		"a long form":                        post(),
		"what a form has left behind":        issuer.NewBrowser(t).Get(pushedURL(issuer, kept)),
		"the same, passed off as was pushed": issuer.NewBrowser(t).Get(pushedURL(issuer, strings.TrimSuffix(kept, "~"))),
	} {
		if page.Asks("password") || page.Answer().Has("code") || page.Callback != nil && page.Answer().Get("error") != "invalid_request" {
			t.Errorf("%s: %d %v", name, page.Status, page.Answer())
		}
	}
	if answer := issuer.NewBrowser(t).Authorize(pushedURL(issuer, push(t, issuer).text("request_uri")), "ada", password).Query(); answer.Get("code") == "" {
		t.Errorf("a pushed request: %v", answer)
	}
}

// OpenID Connect Core section 3.1.2.1: a form may be longer than any URL that proxies let through.
func TestLongAuthorizationForms(t *testing.T) {
	issuer, _ := newIssuer(t)
	form := func(length int, changed ...string) url.Values {
		v := url.Values{
			"client_id": {"app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"state-1"},
			"login_hint": {strings.Repeat("x", length)}, "prompt": {"login"},
		}
		for i := 0; i+1 < len(changed); i += 2 {
			v.Set(changed[i], changed[i+1])
		}
		return v
	}
	for _, length := range []int{100, 3000, 20 << 10} {
		browser := issuer.NewBrowser(t)
		login := browser.Do(newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathAuthorization), form(length)))
		if !login.Asks("password") || len(login.URL.RawQuery) > 2<<10 {
			t.Fatalf("%d bytes: %d at %.200s", length, login.Status, login.URL)
		}
		answer := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}}).Answer()
		if answer.Get("code") == "" || answer.Get("state") != "state-1" {
			t.Errorf("%d bytes: the answer is %v", length, answer)
		}
	}
	for name, c := range map[string]struct {
		form   url.Values
		status int
		err    string
	}{
		"unknown client":            {form(3000, "client_id", "stranger"), 400, ""},
		"unregistered redirect URI": {form(3000, "redirect_uri", "https://evil.example"), 400, ""},
		"no openid":                 {form(3000, "scope", "email"), 400, "invalid_scope"},
		"more than 32 KiB":          {form(33 << 10), 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			browser := issuer.NewBrowser(t)
			page := browser.Return(browser.Do(newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathAuthorization), c.form)))
			if page.Status != c.status || page.Answer().Get("error") != c.err {
				t.Errorf("answers %d %v", page.Status, page.Answer())
			}
		})
	}
}

// RFC 9449 section 10: the code of a request with dpop_jkt is bound to that key.
func TestKeyOfTheAuthorizationRequest(t *testing.T) {
	issuer, _ := newIssuer(t)
	code := newCode(t, issuer, "dpop_jkt", challenge) // any SHA-256 looks like a thumbprint
	if got := exchange(t, issuer, code); got.text("error") != "invalid_grant" || !strings.Contains(got.text("error_description"), "DPoP") {
		t.Errorf("without a proof: %d %s", got.status, got.raw)
	}
	for name, thumbprint := range map[string]string{"short": challenge[1:], "padded": challenge + "=", "not canonical": challenge[:42] + "N"} {
		if answer := returned(t, issuer, authorizeURL(issuer, "dpop_jkt", thumbprint)).Answer(); answer.Get("error") != "invalid_request" {
			t.Errorf("%s: the answer is %v", name, answer)
		}
	}
}
