package provider_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // of RFC 7636 appendix B

// RFC 6749 4.1.2.1: until client and redirect URI are proven, an error is shown and never redirected.
func TestUnprovenRequestsGetAPage(t *testing.T) {
	issuer, app := newIssuer(t)
	disabled := app.Client
	disabled.ClientID, disabled.Disabled = "off", true
	issuer.AddClient(disabled)
	valid := authorizeURL(issuer)
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		url    string
		status int
		says   string
	}{
		"client_id is missing":              {authorizeURL(issuer, "client_id", ""), 400, "client_id is missing"},
		"client_id stands twice":            {valid + "&client_id=app", 400, "stands there twice"},
		"client is unknown":                 {authorizeURL(issuer, "client_id", "stranger"), 400, "“stranger”"},
		"client is unknown and writes HTML": {authorizeURL(issuer, "client_id", "<b>hi"), 400, "&lt;b&gt;hi"},
		"client is disabled":                {authorizeURL(issuer, "client_id", "off"), 400, "switched off"},
		"redirect_uri is missing":           {authorizeURL(issuer, "redirect_uri", ""), 400, "redirect_uri is missing"},
		"redirect_uri stands twice":         {valid + "&redirect_uri=" + url.QueryEscape(callback), 400, "stands there twice"},
		"redirect_uri is unregistered":      {authorizeURL(issuer, "redirect_uri", "https://evil.example"), 400, "https://evil.example"},
		"redirect_uri has a slash more":     {authorizeURL(issuer, "redirect_uri", callback+"/"), 400, "slash at the end"},
		"redirect_uri has a query more":     {authorizeURL(issuer, "redirect_uri", callback+"?a=b"), 400, "not registered"},
		"redirect_uri has a fragment":       {authorizeURL(issuer, "redirect_uri", callback+"#a"), 400, "not registered"},
		"redirect_uri is in capitals":       {authorizeURL(issuer, "redirect_uri", "https://APP.example.com/callback"), 400, "not registered"},
		"redirect_uri is relative":          {authorizeURL(issuer, "redirect_uri", "/callback"), 400, "not registered"},
		"redirect_uri is malformed":         {strings.Replace(valid, url.QueryEscape(callback), "%zz", 1), 400, "redirect_uri is missing"},
		"parameters of 20 KB":               {authorizeURL(issuer, "state", long[:20<<10]), 414, "too large"},
		"nothing at all":                    {issuer.Endpoint("/oauth2/authorize"), 400, "client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			page := issuer.NewBrowser(t).Get(c.url)
			if page.Callback != nil {
				t.Fatalf("redirected to %s", page.Callback)
			}
			if page.Status != c.status || !strings.Contains(page.Body, c.says) {
				t.Errorf("status %d, page does not say %q:\n%s", page.Status, c.says, page.Body)
			}
			if !strings.Contains(page.Body, page.Header.Get("X-Request-Id")) {
				t.Error("the page does not name its request")
			}
		})
	}
}

// 1 MB of parameters is refused before it is read (RFC 6585 section 5, RFC 9110 section 15.5.14).
func TestAMegabyteOfParameters(t *testing.T) {
	issuer, _ := newIssuer(t)
	megabyte := strings.Repeat("x", 1<<20)
	for name, r := range map[string]*http.Request{
		"query at the authorization endpoint": newRequest(t, http.MethodGet, authorizeURL(issuer, "state", megabyte), nil),
		"form at the authorization endpoint":  newRequest(t, http.MethodPost, issuer.Endpoint("/oauth2/authorize"), url.Values{"state": {megabyte}}),
		"form at the login page":              newRequest(t, http.MethodPost, issuer.Endpoint("/login"), url.Values{"username": {megabyte}}),
		"form at the token endpoint":          newRequest(t, http.MethodPost, issuer.Endpoint("/oauth2/token"), url.Values{"code": {megabyte}}),
		"query at the logout endpoint":        newRequest(t, http.MethodGet, issuer.Endpoint("/oauth2/logout?state="+megabyte), nil),
	} {
		t.Run(name, func(t *testing.T) {
			switch got := send(t, issuer, r); got.status {
			case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
			default:
				t.Errorf("answers %d %.300s", got.status, got.raw)
			}
		})
	}
}

// What is wrong after that is told to the client with error, state and iss (RFC 6749 4.1.2.1, RFC 9207 2).
func TestErrorsThatTheClientIsTold(t *testing.T) {
	issuer, app := newIssuer(t)
	for id, change := range map[string]func(*registration.Client){
		"public": func(c *registration.Client) { c.TokenEndpointAuthMethod = registration.AuthMethodNone },
		"strict": func(c *registration.Client) { c.RequirePKCE = true },
	} {
		client := appClient()
		client.ClientID = id
		change(&client)
		issuer.AddClient(client)
	}
	valid := authorizeURL(issuer)
	for name, c := range map[string]struct {
		url, code, says string
	}{
		"response_type is missing (RFC 6749 3.1.1)":     {authorizeURL(issuer, "response_type", ""), "invalid_request", "response_type"},
		"response_type is token":                        {authorizeURL(issuer, "response_type", "token"), "unsupported_response_type", "code"},
		"response_type is code id_token":                {authorizeURL(issuer, "response_type", "code id_token"), "unsupported_response_type", "code"},
		"response_mode is fragment":                     {authorizeURL(issuer, "response_mode", "fragment"), "invalid_request", "query"},
		"scope is missing (OIDC Core 3.1.2.1)":          {authorizeURL(issuer, "scope", ""), "invalid_scope", "openid"},
		"scope is without openid":                       {authorizeURL(issuer, "scope", "email"), "invalid_scope", "openid"},
		"scope stands twice (RFC 6749 3.1)":             {valid + "&scope=openid", "invalid_request", "scope is sent more than once"},
		"nonce stands twice":                            {valid + "&nonce=a&nonce=b", "invalid_request", "nonce"},
		"a part is malformed":                           {valid + "&nonce=%zz", "invalid_request", "well-formed"},
		"a part has a semicolon":                        {valid + "&nonce=a;b", "invalid_request", "well-formed"},
		"request object (OIDC Core 6.1)":                {authorizeURL(issuer, "request", "e30.e30."), "invalid_request_object", ""},
		"request_uri (OIDC Core 6.2)":                   {authorizeURL(issuer, "request_uri", "https://x.example"), "request_uri_not_supported", ""},
		"challenge method plain (RFC 9700 2.1.1)":       {authorizeURL(issuer, "code_challenge", challenge, "code_challenge_method", "plain"), "invalid_request", "S256"},
		"challenge without method (RFC 7636 4.3)":       {authorizeURL(issuer, "code_challenge", challenge), "invalid_request", "S256"},
		"challenge method without challenge":            {authorizeURL(issuer, "code_challenge_method", "S256"), "invalid_request", "code_challenge"},
		"challenge of a wrong length (RFC 7636 4.2)":    {authorizeURL(issuer, "code_challenge", challenge[1:], "code_challenge_method", "S256"), "invalid_request", "43"},
		"public client without challenge (RFC 9700)":    {authorizeURL(issuer, "client_id", "public"), "invalid_request", "PKCE"},
		"client that requires PKCE without challenge":   {authorizeURL(issuer, "client_id", "strict"), "invalid_request", "PKCE"},
		"unknown prompt":                                {authorizeURL(issuer, "prompt", "dance"), "invalid_request", "prompt"},
		"prompt none with another (OIDC Core 3.1.2.1)":  {authorizeURL(issuer, "prompt", "none login"), "invalid_request", "none"},
		"prompt none and nobody is logged in (3.1.2.6)": {authorizeURL(issuer, "prompt", "none"), "login_required", ""},
		"max_age is negative":                           {authorizeURL(issuer, "max_age", "-1"), "invalid_request", "max_age"},
		"max_age is no number":                          {authorizeURL(issuer, "max_age", "soon"), "invalid_request", "max_age"},
		"response_mode form_post stands twice":          {valid + "&response_mode=form_post&response_mode=form_post", "invalid_request", "response_mode"},
		"claims stands twice":                           {valid + "&claims=%7B%7D&claims=%7B%7D", "invalid_request", "claims"},
		"claims is no object (OIDC Core 5.5)":           {authorizeURL(issuer, "claims", "[]"), "invalid_request", "claims"},
		"registration (OIDC Core 3.1.2.6)":              {authorizeURL(issuer, "registration", "{}"), "registration_not_supported", ""},
		"nonce with a line break":                       {authorizeURL(issuer, "nonce", "a\nb"), "invalid_request", "control"},
		"prompt none with max_age 0":                    {authorizeURL(issuer, "prompt", "none", "max_age", "0"), "login_required", ""},
		"prompt none with consent":                      {authorizeURL(issuer, "prompt", "consent none"), "invalid_request", "none"},
		"id_token_hint is no ID token":                  {authorizeURL(issuer, "id_token_hint", "a.b.c"), "invalid_request", "id_token_hint"},
		"nonce is very long":                            {authorizeURL(issuer, "nonce", strings.Repeat("n", 3000)), "invalid_request", "nonce"},
	} {
		t.Run(name, func(t *testing.T) {
			page := returned(t, issuer, c.url)
			if page.Callback == nil {
				t.Fatalf("not redirected: %d\n%s", page.Status, page.Body)
			}
			q := page.Callback.Query()
			if q.Get("error") != c.code || !strings.Contains(q.Get("error_description"), c.says) || q.Get("state") != "state-1" || q.Get("iss") != issuer.URL {
				t.Errorf("answer is %v", q)
			}
			if page.Callback.Query().Has("code") || !strings.HasPrefix(page.Callback.String(), app.RedirectURIs[0]+"?") {
				t.Errorf("redirected to %s", page.Callback)
			}
		})
	}
}

// A state that stands twice is no state: neither value is echoed.
func TestRepeatedStateIsNotEchoed(t *testing.T) {
	issuer, _ := newIssuer(t)
	page := returned(t, issuer, authorizeURL(issuer)+"&state=other")
	if q := page.Callback.Query(); q.Get("error") != "invalid_request" || q.Has("state") {
		t.Errorf("answer is %v", q)
	}
}

func TestWhatARequestMayHold(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, target := range map[string]string{
		"unknown parameters (RFC 6749 3.1)":       authorizeURL(issuer, "surprise", "1"),
		"an unknown parameter twice":              authorizeURL(issuer, "surprise", "1") + "&surprise=2",
		"empty parameters count as omitted":       authorizeURL(issuer) + "&request=&prompt=&max_age=",
		"response_mode query":                     authorizeURL(issuer, "response_mode", "query"),
		"unregistered scopes (OIDC Core 3.1.2.1)": authorizeURL(issuer, "scope", "openid offline_access banana"),
		"no state":                                       authorizeURL(issuer, "state", ""),
		"a state of special characters":                  authorizeURL(issuer, "state", "a&b=c d+e%20<>\"'é"),
		"display popup (OIDC Core 3.1.2.1)":              authorizeURL(issuer, "display", "popup"),
		"display that is unknown (OIDC Core 15.1)":       authorizeURL(issuer, "display", "hologram"),
		"claims_locales and acr_values":                  authorizeURL(issuer, "claims_locales", "de fr-CA", "acr_values", "gold"),
		"a challenge from a client that need not (PKCE)": authorizeURL(issuer, "code_challenge", challenge, "code_challenge_method", "S256"),
	} {
		t.Run(name, func(t *testing.T) {
			want, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			q := issuer.NewBrowser(t).Authorize(target, "ada", password).Query()
			if q.Get("code") == "" || q.Get("state") != want.Query().Get("state") || q.Has("state") != want.Query().Has("state") || q.Get("iss") != issuer.URL {
				t.Errorf("answer is %v", q)
			}
		})
	}
}

// RFC 6749 3.1.2: a query that is part of the redirect URI stays.
func TestQueryOfTheRedirectURIStays(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := appClient()
	client.RedirectURIs = []string{callback + "?tenant=a%20b"}
	issuer.AddClient(client)
	answer := issuer.NewBrowser(t).Authorize(authorizeURL(issuer, "redirect_uri", client.RedirectURIs[0]), "ada", password)
	if !strings.HasPrefix(answer.String(), client.RedirectURIs[0]+"&code=") {
		t.Errorf("redirected to %s", answer)
	}
}

// RFC 8252 7.3: a native application listens on whatever port is free.
func TestNativeApplicationOnAnyLoopbackPort(t *testing.T) {
	issuer, _ := newIssuer(t)
	native := appClient()
	native.ClientID, native.TokenEndpointAuthMethod = "native", registration.AuthMethodNone
	native.RedirectURIs = []string{"http://127.0.0.1/callback"}
	app := issuer.AddClient(native)
	rp := newRelyingParty(t, issuer, app)
	rp.config.RedirectURL = "http://127.0.0.1:49152/callback"
	if _, idToken := rp.login(); idToken.Subject != "sub-ada" {
		t.Errorf("the ID token is for %q", idToken.Subject)
	}
}

// OIDC Core 3.1.2.1: the endpoint takes POST as well. The form comes from another site, so that it brings no cookies.
func TestAuthorizationByPost(t *testing.T) {
	issuer, _ := newIssuer(t)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	target, err := url.Parse(authorizeURL(issuer))
	if err != nil {
		t.Fatal(err)
	}
	r := newRequest(t, http.MethodPost, issuer.Endpoint("/oauth2/authorize"), target.Query(), "Origin", "https://app.example.com", "Sec-Fetch-Site", "cross-site")
	if page := browser.Do(r); page.Callback == nil || page.Callback.Query().Get("code") == "" {
		t.Errorf("answers %d\n%s", page.Status, page.Body)
	}
}

// OIDC Core 3.1.2.1 and 3.1.2.3: what prompt and max_age ask for.
func TestPromptAndMaxAge(t *testing.T) {
	for name, c := range map[string]struct {
		changed []string
		later   time.Duration
		asked   bool
	}{
		"logged in":                        {nil, 0, false},
		"prompt none":                      {[]string{"prompt", "none"}, 0, false},
		"prompt login":                     {[]string{"prompt", "login"}, 0, true},
		"prompt select_account":            {[]string{"prompt", "select_account"}, 0, true},
		"prompt login consent":             {[]string{"prompt", "login consent"}, 0, true},
		"prompt consent select_account":    {[]string{"prompt", "consent select_account"}, 0, true},
		"max_age 0":                        {[]string{"max_age", "0"}, time.Second, true},
		"max_age 0, without delay":         {[]string{"max_age", "0"}, 0, true},
		"max_age 60 after a minute":        {[]string{"max_age", "60"}, 61 * time.Second, true},
		"max_age 60 after half a minute":   {[]string{"max_age", "60"}, 30 * time.Second, false},
		"the session has idled too long":   {nil, 13 * time.Hour, true},
		"a forged proof with prompt login": {[]string{"prompt", "login", "login_proof", "AAAA"}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			browser := issuer.NewBrowser(t)
			browser.Authorize(authorizeURL(issuer), "ada", password)
			issuer.Clock.Advance(c.later)
			page := browser.Get(authorizeURL(issuer, c.changed...))
			if asked := page.Callback == nil && page.Asks("password"); asked != c.asked {
				t.Fatalf("asked for the password: %v, status %d, callback %v", asked, page.Status, page.Callback)
			}
			if !c.asked {
				return
			}
			// One login is enough: no loop, and the consent page may take its time.
			again := browser.Submit(page, url.Values{"username": {"ada"}, "password": {password}})
			if again.Callback == nil || again.Callback.Query().Get("code") == "" {
				t.Errorf("after the login: %d at %s", again.Status, again.URL)
			}
		})
	}
}

// The login that a request asked for counts for that request alone.
func TestLoginProofIsForOneRequestAndOneLogin(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddClient(registration.Client{ClientID: "app", RedirectURIs: []string{callback}, Consent: registration.ConsentAlways})
	browser := issuer.NewBrowser(t)
	login := browser.Get(authorizeURL(issuer, "prompt", "login"))
	consent := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
	proof := consent.URL.Query().Get("login_proof")
	if !consent.Asks("decision") || proof == "" {
		t.Fatalf("there is no consent page with a proof: %s", consent.URL)
	}
	if page := browser.Get(authorizeURL(issuer, "prompt", "login", "state", "other", "login_proof", proof)); !page.Asks("password") {
		t.Error("the proof is good for another request")
	}
	if page := browser.Get(authorizeURL(issuer, "prompt", "login", "login_proof", proof)); !page.Asks("decision") {
		t.Error("the proof is not good for its own request")
	}
	stranger := issuer.NewBrowser(t)
	stranger.Authorize(authorizeURL(issuer), "ada", password)
	if page := stranger.Get(authorizeURL(issuer, "prompt", "login", "login_proof", proof)); !page.Asks("password") {
		t.Error("the proof is good in another browser")
	}
	issuer.Clock.Advance(11 * time.Minute)
	if page := browser.Submit(consent, url.Values{"decision": {"allow"}}); !page.Asks("password") {
		t.Error("the proof is good for ever")
	}
}

// OIDC Core 3.1.2.1: id_token_hint names who is meant.
func TestIDTokenHint(t *testing.T) {
	issuer, app := newIssuer(t)
	issuer.AddUser(registration.User{Username: "bob"}, password)
	rp := newRelyingParty(t, issuer, app)
	token, _ := rp.login()
	raw, _ := token.Extra("id_token").(string)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "bob", password)
	page := browser.Get(authorizeURL(issuer, "prompt", "none", "id_token_hint", raw))
	if page.Callback.Query().Get("error") != "login_required" {
		t.Errorf("with another person logged in: %v", page.Callback)
	}
	if callback := issuer.NewBrowser(t).Authorize(authorizeURL(issuer, "id_token_hint", raw), "bob", password); callback.Query().Get("error") != "login_required" {
		t.Errorf("when another person logs in for it: %v", callback)
	}
	browser = issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	issuer.Clock.Advance(time.Hour) // the hint has expired and is still one
	page = browser.Get(authorizeURL(issuer, "prompt", "none", "id_token_hint", raw))
	if page.Callback.Query().Get("code") == "" {
		t.Errorf("with that person logged in: %v", page.Callback)
	}
}

// A hint is read as the client that it was issued to would read it, however that client knows people.
func TestIDTokenHintOfAnotherClient(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.SetSettings(registration.Settings{PairwiseSalt: "a-salt-of-more-than-22-characters"})
	pairwise := issuer.AddClient(registration.Client{
		ClientID: "pairwise", RedirectURIs: []string{"https://other.example/cb"}, SubjectMode: registration.SubjectPairwise, Consent: registration.ConsentNever,
	})
	rp := newRelyingParty(t, issuer, pairwise)
	browser := issuer.NewBrowser(t)
	token, _ := rp.loginIn(browser)
	raw, _ := token.Extra("id_token").(string)
	if page := browser.Get(authorizeURL(issuer, "prompt", "none", "id_token_hint", raw)); page.Answer().Get("code") == "" {
		t.Errorf("with that person logged in: %v", page.Answer())
	}
	issuer.AddUser(registration.User{Username: "bob"}, password)
	bob := issuer.NewBrowser(t)
	bob.Authorize(authorizeURL(issuer), "bob", password)
	if page := bob.Get(authorizeURL(issuer, "prompt", "none", "id_token_hint", raw)); page.Answer().Get("error") != "login_required" {
		t.Errorf("with another person logged in: %v", page.Answer())
	}
	issuer.RemoveClient("pairwise")
	if page := browser.Get(authorizeURL(issuer, "prompt", "none", "id_token_hint", raw)); page.Answer().Get("error") != "login_required" {
		t.Errorf("when nobody knows any more whom it names: %v", page.Answer())
	}
}

// An application that has kept an ID token over a rotation of keys is not shut out for sending it. The hint proves nothing then, and
// keeps the answer for others back all the same.
func TestIDTokenHintOfAKeyThatIsGone(t *testing.T) {
	issuer, app := newIssuer(t)
	token, _ := newRelyingParty(t, issuer, app).login()
	raw, _ := token.Extra("id_token").(string)
	other := appClient()
	other.ClientID = "other"
	issuer.AddClient(other)
	issuer.AddUser(registration.User{Username: "bob"}, password)
	for _, key := range issuer.Registry.Keys().All() {
		issuer.Registry.Remove(registration.KindSigningKey, key.KeyID)
	}
	issuer.AddKey("ES256", issuer.Clock.Now())
	ada, bob := issuer.NewBrowser(t), issuer.NewBrowser(t)
	ada.Authorize(authorizeURL(issuer), "ada", password)
	bob.Authorize(authorizeURL(issuer), "bob", password)
	for name, c := range map[string]struct {
		browser    *providertest.Browser
		hint       string
		client, is string
	}{
		"of who is logged in": {ada, raw, "app", ""},
		"of somebody else":    {bob, raw, "app", "login_required"},
		"of another client":   {ada, raw, "other", "invalid_request"},
		"of another issuer":   {ada, ofIssuer(t, raw, "https://other.example"), "app", "invalid_request"},
	} {
		page := c.browser.Get(authorizeURL(issuer, "prompt", "none", "client_id", c.client, "id_token_hint", c.hint))
		if answer := page.Answer(); answer.Get("error") != c.is || (answer.Get("code") == "") != (c.is != "") {
			t.Errorf("a hint %s: %v", name, answer)
		}
	}
}

// OIDC Core 3.1.2.1: login_hint is filled in, unless it cannot be a name.
func TestLoginHint(t *testing.T) {
	issuer, _ := newIssuer(t)
	for hint, want := range map[string]string{"ada": "ada", "ada@example.com": "ada@example.com", `"><b>`: `"><b>`, "a\nb": "", strings.Repeat("x", 256): ""} {
		if page := issuer.NewBrowser(t).Get(authorizeURL(issuer, "login_hint", hint)); page.Form.Fields.Get("username") != want {
			t.Errorf("%q is filled in as %q", hint, page.Form.Fields.Get("username"))
		}
	}
}

// RFC 8707 section 2: a request may name the resources that its tokens are for, if the client is registered for them.
func TestResources(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := appClient()
	client.Resources = []string{"https://api.example", "https://other.example/a"}
	issuer.AddClient(client)
	for name, c := range map[string]struct {
		resources []string
		err       string
		kept      []string
	}{
		"none":                   {nil, "", nil},
		"one":                    {[]string{"https://api.example"}, "", []string{"https://api.example"}},
		"two, one of them twice": {[]string{"https://api.example", "https://other.example/a", "https://api.example"}, "", client.Resources},
		"empty counts as none":   {[]string{""}, "", nil},
		"not registered":         {[]string{"https://api.example", "https://evil.example"}, "invalid_target", nil},
		"another case":           {[]string{"https://API.example"}, "invalid_target", nil},
		"with a slash more":      {[]string{"https://api.example/"}, "invalid_target", nil},
		"relative":               {[]string{"/api"}, "invalid_target", nil},
		"with a fragment":        {[]string{"https://api.example#a"}, "invalid_target", nil},
	} {
		t.Run(name, func(t *testing.T) {
			target := authorizeURL(issuer)
			for _, resource := range c.resources {
				target += "&resource=" + url.QueryEscape(resource)
			}
			answer := issuer.NewBrowser(t).Authorize(target, "ada", password).Query()
			if answer.Get("error") != c.err {
				t.Fatalf("the answer is %v", answer)
			}
			if c.err != "" {
				return
			}
			grant, err := issuer.Store.Grant(t.Context(), answer.Get("code")[:store.IDLength])
			if err != nil || !slices.Equal(grant.Resources, c.kept) {
				t.Errorf("kept are %v (%v)", grant.Resources, err)
			}
		})
	}
}

func TestPagesAreSafe(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithTLS())
	client := appClient()
	client.Consent, client.LogoURI = registration.ConsentAlways, "https://cdn.example.com/logo.svg"
	issuer.AddClient(client)
	browser := issuer.NewBrowser(t)
	login := browser.Get(authorizeURL(issuer))
	consent := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
	for name, page := range map[string]*providertest.Page{
		"login": login, "consent": consent, "home": browser.Get(issuer.URL + "/"),
		"error": browser.Get(authorizeURL(issuer, "client_id", "x")), "not found": browser.Get(issuer.URL + "/x"),
	} {
		csp := page.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: policy %q has no %s", name, csp, part)
			}
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "", // DSM logs in from a popup that must reach its opener
		} {
			if got := page.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		if strings.Contains(page.Body, "<script") || strings.Contains(page.Body, " style=") || !strings.Contains(page.Body, `<html lang="en">`) {
			t.Errorf("%s: the page has a script, a style or no language", name)
		}
	}
	if csp := login.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self' https://cdn.example.com;") {
		t.Errorf("the logo is not allowed by %q", csp)
	}
}

func TestCodesExpire(t *testing.T) {
	issuer, app := newIssuer(t, providertest.WithOptions(func(*provider.Options) {}))
	rp := newRelyingParty(t, issuer, app)
	verifier := oauth2.GenerateVerifier()
	answer := issuer.NewBrowser(t).Authorize(rp.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n")), "ada", password)
	issuer.Clock.Advance(time.Minute)
	if got := exchange(t, issuer, answer.Query().Get("code"), "code_verifier", verifier); got.text("error") != "invalid_grant" {
		t.Errorf("after a minute: %d %s", got.status, got.raw)
	}
}
