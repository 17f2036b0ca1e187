package provider_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Whoever cannot log in is told the same, whether they exist or not.
func TestRejectedLoginsLookAlike(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddUser(registration.User{Username: "off", Disabled: true}, password)
	issuer.AddUser(registration.User{Username: "nopassword"}, "")
	var first string
	for name, c := range map[string]struct{ username, password string }{
		"wrong password":        {"ada", "not-this-one"},
		"no password":           {"ada", ""},
		"unknown user":          {"stranger", password},
		"disabled user":         {"off", password},
		"user without a hash":   {"nopassword", password},
		"password of 2 KB":      {"ada", strings.Repeat("x", 2048)},
		"nothing":               {"", ""},
		"username with a space": {"a da", password},
	} {
		t.Run(name, func(t *testing.T) {
			browser := issuer.NewBrowser(t)
			page := browser.Submit(browser.Get(authorizeURL(issuer)), url.Values{"username": {c.username}, "password": {c.password}})
			if page.Status != http.StatusForbidden || !strings.Contains(page.Body, "username or password is wrong") || page.Header.Get("Set-Cookie") != "" {
				t.Fatalf("answers %d with %v\n%s", page.Status, page.Header, page.Body)
			}
			if strings.Contains(page.Body, c.password) && c.password != "" {
				t.Error("the page repeats the password")
			}
			page.Form.Fields.Del("csrf_token")
			page.Form.Fields.Del("username")
			if looks := page.Form.Fields.Encode() + alert(page.Body); first == "" {
				first = looks
			} else if looks != first {
				t.Errorf("the page is %s, another %s", looks, first)
			}
		})
	}
}

func alert(body string) string {
	return regexp.MustCompile(`(?s)<p class="alert".*?</p>`).FindString(body)
}

func TestUsernamesAreComparedWithoutCase(t *testing.T) {
	issuer, _ := newIssuer(t)
	if answer := issuer.NewBrowser(t).Authorize(authorizeURL(issuer), "ADA", password); answer.Query().Get("code") == "" {
		t.Errorf("redirected to %s", answer)
	}
}

// RFC 9700 4.7: a form that does not come from our page in this browser changes nothing.
func TestFormsFromElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *http.Request, form url.Values)
	}{
		"without token":        {func(_ *http.Request, form url.Values) { form.Del("csrf_token") }},
		"with another token":   {func(_ *http.Request, form url.Values) { form.Set("csrf_token", strings.Repeat("A", 43)) }},
		"with the token twice": {func(_ *http.Request, form url.Values) { form.Add("csrf_token", form.Get("csrf_token")) }},
		"without cookie":       {func(r *http.Request, _ url.Values) { r.Header.Del("Cookie") }},
		"with another cookie":  {func(r *http.Request, _ url.Values) { r.Header.Set("Cookie", formCookie(r)+"=AAAA") }},
		"with an overlong cookie": {func(r *http.Request, _ url.Values) {
			r.Header.Set("Cookie", formCookie(r)+"="+strings.Repeat("A", 5000))
		}},
		"from another site":         {func(r *http.Request, _ url.Values) { r.Header.Set("Sec-Fetch-Site", "cross-site") }},
		"from another origin":       {func(r *http.Request, _ url.Values) { r.Header.Set("Origin", "https://evil.example") }},
		"from a sandboxed document": {func(r *http.Request, _ url.Values) { r.Header.Set("Origin", "null") }},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			browser := issuer.NewBrowser(t)
			page := browser.Get(authorizeURL(issuer))
			form := url.Values{"username": {"ada"}, "password": {password}, "csrf_token": page.Form.Fields["csrf_token"]}
			r := newRequest(t, http.MethodPost, page.URL.String(), form)
			for _, cookie := range browser.Cookies() {
				r.AddCookie(cookie)
			}
			c.spoil(r, form)
			spoilt := newRequest(t, http.MethodPost, page.URL.String(), form)
			spoilt.Header = r.Header
			got := send(t, issuer, spoilt)
			if got.status != http.StatusForbidden || !strings.Contains(got.raw, "cannot be accepted") || got.header.Get("Set-Cookie") != "" {
				t.Fatalf("answers %d with %v\n%s", got.status, got.header, got.raw)
			}
		})
	}
}

func formCookie(r *http.Request) string {
	name, _, _ := strings.Cut(r.Header.Get("Cookie"), "=")
	return name
}

// A form without its token offers to start again, and starting again works.
func TestFormWithoutTokenOffersToStartAgain(t *testing.T) {
	issuer, _ := newIssuer(t)
	browser := issuer.NewBrowser(t)
	page := browser.Get(authorizeURL(issuer))
	page.Form.Fields.Del("csrf_token")
	page = browser.Submit(page, url.Values{"username": {"ada"}, "password": {password}})
	link := regexp.MustCompile(`<a class="button" href="([^"]+)">Start again`).FindStringSubmatch(page.Body)
	if len(link) != 2 {
		t.Fatalf("there is no link:\n%s", page.Body)
	}
	target, err := page.URL.Parse(strings.ReplaceAll(strings.ReplaceAll(link[1], "&amp;", "&"), "&#43;", "+"))
	if err != nil {
		t.Fatal(err)
	}
	if answer := browser.Authorize(target.String(), "ada", password); answer.Query().Get("code") == "" {
		t.Errorf("redirected to %s", answer)
	}
}

func sessionCookie(t *testing.T, browser *providertest.Browser) *http.Cookie {
	t.Helper()
	for _, cookie := range browser.Cookies() {
		if strings.Contains(cookie.Name, "oidc-session-") {
			return cookie
		}
	}
	return nil
}

// A session cookie that was planted before the login is worth nothing after it.
func TestLoginMakesANewCookie(t *testing.T) {
	issuer, _ := newIssuer(t)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	before := sessionCookie(t, browser)
	page := browser.Get(authorizeURL(issuer, "prompt", "login"))
	browser.Submit(page, url.Values{"username": {"ada"}, "password": {password}})
	after := sessionCookie(t, browser)
	if before == nil || after == nil || before.Value == after.Value {
		t.Fatalf("cookies before and after are %v and %v", before, after)
	}
	thief := issuer.NewBrowser(t)
	thief.SetCookies(before)
	if page := thief.Get(authorizeURL(issuer)); !page.Asks("password") {
		t.Error("the cookie of before the login is still good")
	}
}

func TestCookieAttributes(t *testing.T) {
	for name, c := range map[string]struct {
		opts   []providertest.Option
		prefix string
		secure bool
	}{
		"https":            {[]providertest.Option{providertest.WithTLS()}, "__Host-", true},
		"http on loopback": {nil, "oidc-", false},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t, c.opts...)
			browser := issuer.NewBrowser(t)
			page := browser.Get(issuer.Endpoint("/login"))
			form := newRequest(t, http.MethodPost, page.URL.String(), url.Values{
				"username": {"ada"}, "password": {password}, "csrf_token": page.Form.Fields["csrf_token"],
			})
			for _, cookie := range browser.Cookies() {
				form.AddCookie(cookie)
			}
			client := *issuer.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			response, err := client.Do(form)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			cookies := append(response.Cookies(), mustParseCookies(t, page)...)
			if response.StatusCode != http.StatusSeeOther || len(cookies) != 3 {
				t.Fatalf("status %d, cookies %v", response.StatusCode, cookies)
			}
			for _, cookie := range cookies {
				if !strings.HasPrefix(cookie.Name, c.prefix) || cookie.Secure != c.secure || !cookie.HttpOnly ||
					cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || len(cookie.Value) < 43 {
					t.Errorf("cookie is %s", cookie)
				}
			}
		})
	}
}

func mustParseCookies(t *testing.T, page *providertest.Page) []*http.Cookie {
	t.Helper()
	response := http.Response{Header: page.Header}
	return response.Cookies()
}

// What ends a login, at once.
func TestEndOfSessions(t *testing.T) {
	idle := 10 * time.Minute
	for name, c := range map[string]struct {
		change func(issuer *providertest.Issuer)
		alive  bool
	}{
		"nothing happens":            {func(*providertest.Issuer) {}, true},
		"the person is disabled":     {func(i *providertest.Issuer) { u := ada(); u.Disabled = true; i.AddUser(u, password) }, false},
		"the password is changed":    {func(i *providertest.Issuer) { i.AddUser(ada(), "another "+password) }, false},
		"the person is deleted":      {func(i *providertest.Issuer) { i.RemoveUser("ada") }, false},
		"the session idles":          {func(i *providertest.Issuer) { i.Clock.Advance(idle + time.Second) }, false},
		"the session is nearly idle": {func(i *providertest.Issuer) { i.Clock.Advance(idle - time.Second) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			issuer.SetSettings(registration.Settings{Sessions: registration.Sessions{Idle: registration.Duration(idle)}})
			browser := issuer.NewBrowser(t)
			browser.Authorize(authorizeURL(issuer), "ada", password)
			c.change(issuer)
			if alive := browser.Get(authorizeURL(issuer)).Callback != nil; alive != c.alive {
				t.Errorf("logged in: %v", alive)
			}
		})
	}
}

// A session that is used stays alive until its absolute end.
func TestUseKeepsASessionAliveUntilItsEnd(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.SetSettings(registration.Settings{Sessions: registration.Sessions{
		Idle: registration.Duration(10 * time.Minute), Absolute: registration.Duration(time.Hour),
	}})
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	for range 9 {
		issuer.Clock.Advance(6 * time.Minute)
		if browser.Get(authorizeURL(issuer)).Callback == nil {
			t.Fatal("a session in use has ended")
		}
	}
	issuer.Clock.Advance(6 * time.Minute)
	if browser.Get(authorizeURL(issuer)).Callback != nil {
		t.Error("a session outlives its end")
	}
}

// busyPeople is an Authenticator whose queue is full, or that is broken.
type busyPeople struct{ err error }

func (b busyPeople) Authenticate(context.Context, string, string) (identity.Identity, error) {
	return identity.Identity{}, b.err
}

func TestLoginWhenManyOthersWait(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Authenticator = busyPeople{identity.ErrBusy} }))
	browser := issuer.NewBrowser(t)
	page := browser.Submit(browser.Get(authorizeURL(issuer)), url.Values{"username": {"ada"}, "password": {password}})
	if page.Status != http.StatusServiceUnavailable || page.Header.Get("Retry-After") == "" || !page.Asks("password") || page.Form.Fields.Get("username") != "ada" {
		t.Errorf("answers %d with %v\n%s", page.Status, page.Header, page.Body)
	}
}

// panickingPeople is an Authenticator with a mistake in it.
type panickingPeople struct{}

func (panickingPeople) Authenticate(context.Context, string, string) (identity.Identity, error) {
	panic("a secret detail")
}

// A mistake in one request is a page for one person and a line in the log, and nothing for the others.
func TestPanics(t *testing.T) {
	var log bytes.Buffer
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) {
		o.Authenticator, o.Logger = panickingPeople{}, slog.New(slog.NewJSONHandler(&log, nil))
	}))
	browser := issuer.NewBrowser(t)
	page := browser.Submit(browser.Get(authorizeURL(issuer)), url.Values{"username": {"ada"}, "password": {password}})
	id := page.Header.Get("X-Request-Id")
	if page.Status != http.StatusInternalServerError || !strings.Contains(page.Body, id) || strings.Contains(page.Body, "secret detail") {
		t.Errorf("answers %d\n%s", page.Status, page.Body)
	}
	if !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "login_test.go") || strings.Contains(log.String(), password) {
		t.Errorf("the log is %s", log.String())
	}
	if page := browser.Get(authorizeURL(issuer)); page.Status != http.StatusOK {
		t.Errorf("the next request answers %d", page.Status)
	}
}

// Without an application the person gets to the start page, and can log out there.
func TestLoginAtTheStartPage(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithPath("/realm"))
	browser := issuer.NewBrowser(t)
	if page := browser.Get(issuer.Endpoint("/")); !strings.Contains(page.Body, "You are not logged in") || !strings.Contains(page.Body, `href="/realm/login"`) {
		t.Fatalf("before:\n%s", page.Body)
	}
	page := browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {"ada"}, "password": {password}})
	if page.URL.String() != issuer.Endpoint("/") || !strings.Contains(page.Body, "Ada Lovelace") {
		t.Fatalf("at %s:\n%s", page.URL, page.Body)
	}
	if page = browser.Submit(page, nil); !strings.Contains(page.Body, "You are logged out") {
		t.Fatalf("after:\n%s", page.Body)
	}
	if page = browser.Get(issuer.Endpoint("/")); !strings.Contains(page.Body, "You are not logged in") {
		t.Errorf("later:\n%s", page.Body)
	}
}

func TestLoginHintFillsInTheUsername(t *testing.T) {
	issuer, _ := newIssuer(t)
	page := issuer.NewBrowser(t).Get(authorizeURL(issuer, "login_hint", `ada"><b>`))
	if page.Form.Fields.Get("username") != `ada"><b>` || strings.Contains(page.Body, `"><b>`) {
		t.Errorf("the page is\n%s", page.Body)
	}
}

// RFC 8265: how a name was typed, and with which keyboard, does not matter, and is no failure.
func TestNamesAreTypedInManyWays(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddUser(registration.User{Subject: "juergen", Username: "J\u00fcrgen"}, "gr\u00fc\u00dfe aus \u00d6tzi")
	for name, c := range map[string]struct{ username, password string }{
		"as registered":      {"J\u00fcrgen", "gr\u00fc\u00dfe aus \u00d6tzi"},
		"decomposed":         {"Ju\u0308rgen", "gru\u0308\u00dfe aus O\u0308tzi"},
		"with blanks around": {" j\u00fcrgen\t", "gr\u00fc\u00dfe aus \u00d6tzi"},
		"full width":         {"\uff2a\u00fcrgen", "gr\u00fc\u00dfe\u00a0aus \u00d6tzi"},
	} {
		t.Run(name, func(t *testing.T) {
			browser := issuer.NewBrowser(t)
			page := browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {c.username}, "password": {c.password}})
			if page.Status != http.StatusOK || page.Asks("username") {
				t.Errorf("the login is answered %d", page.Status)
			}
		})
	}
}
