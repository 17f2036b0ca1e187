package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/chromium"
)

// realBrowser is Chromium at an issuer, with an application that goes on elsewhere after its callback: what a policy of
// ours must not stop. What people see and do on the pages is tested in test/browser.
type realBrowser struct {
	t      *testing.T
	ctx    context.Context
	issuer *providertest.Issuer
	app    *httptest.Server
	// elsewhere is where the application leads after its callback.
	elsewhere *httptest.Server

	mu      sync.Mutex
	answers []url.Values
}

func newRealBrowser(t *testing.T) *realBrowser {
	t.Helper()
	c := &realBrowser{t: t}
	c.elsewhere = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "<title>elsewhere</title><h1 id=elsewhere>elsewhere</h1>")
	}))
	t.Cleanup(c.elsewhere.Close)
	c.app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/callback" {
			http.NotFound(w, r)
			return
		}
		c.mu.Lock()
		answer := r.URL.Query()
		if r.Method == http.MethodPost && r.ParseForm() == nil {
			answer = r.PostForm
			answer.Set("origin", r.Header.Get("Origin"))
		}
		c.answers = append(c.answers, answer)
		c.mu.Unlock()
		http.Redirect(w, r, c.elsewhere.URL, http.StatusFound)
	}))
	t.Cleanup(c.app.Close)
	c.issuer, _ = newIssuer(t)
	c.issuer.AddClient(registration.Client{
		ClientID: "app", ClientName: "Example App", Description: "An application", ClientURI: "https://app.example.com",
		PolicyURI: "https://app.example.com/privacy", RedirectURIs: []string{c.app.URL + "/callback"},
	})
	c.ctx = startChromium(t)
	return c
}

func startChromium(t *testing.T) context.Context {
	t.Helper()
	browser, stop, err := chromium.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(browser, 5*time.Minute)
	t.Cleanup(cancel)
	// The window of a popup login, as DSM opens it.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(500, 600)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

func (c *realBrowser) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := chromedp.Do(c.ctx, steps...); err != nil {
		text, _ := chromedp.Run(c.ctx, chromedp.Text("body"))
		at, _ := chromedp.Run(c.ctx, chromedp.Location())
		c.t.Fatalf("%v, at %s:\n%s", err, at, text)
	}
}

func (c *realBrowser) open(changed ...string) {
	c.t.Helper()
	target := authorizeURL(c.issuer, append([]string{"redirect_uri", c.app.URL + "/callback", "scope", "openid profile email"}, changed...)...)
	c.do(chromedp.Navigate(target))
}

func (c *realBrowser) logIn(password string) {
	c.t.Helper()
	c.do(chromedp.WaitVisible("#password"), chromedp.SetValue("#username", "ada"), chromedp.SendKeys("#password", password+kb.Enter))
}

// answer returns what the application got at its callback the last time.
func (c *realBrowser) answer() url.Values {
	c.t.Helper()
	c.do(chromedp.WaitVisible("#elsewhere"))
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers[len(c.answers)-1]
}

// fits tells whether a page needs no scrolling sideways, and what its longest line is when it does.
func (c *realBrowser) fits(page string) {
	c.t.Helper()
	wide, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool]("document.documentElement.scrollWidth > window.innerWidth"))
	if err != nil || wide {
		c.t.Errorf("the %s page is wider than the window (%v)", page, err)
	}
}

// A person logs in, the first time with the wrong password, and agrees.
func TestBrowserLogin(t *testing.T) {
	c := newRealBrowser(t)
	c.open()
	c.fits("login")
	c.logIn("not-this-one")
	c.do(chromedp.WaitVisible(".alert"))
	c.fits("rejected login")
	c.logIn(password)
	c.do(chromedp.WaitVisible(`button[value="allow"]`))
	c.fits("consent")
	c.do(chromedp.Click(`button[value="allow"]`))
	if got := c.answer(); got.Get("code") == "" || got.Get("state") != "state-1" {
		t.Errorf("the application got %v", got)
	}
	c.open("state", "state-2")
	if got := c.answer(); got.Get("code") == "" || got.Get("state") != "state-2" {
		t.Errorf("the second time the application got %v", got)
	}
}

// A request that asks for a login gets one, and only one.
func TestBrowserPromptLogin(t *testing.T) {
	c := newRealBrowser(t)
	for _, state := range []string{"state-1", "state-2"} {
		c.open("prompt", "login", "state", state)
		c.logIn(password)
		if state == "state-1" {
			c.do(chromedp.WaitVisible(`button[value="allow"]`), chromedp.Click(`button[value="allow"]`))
		}
		if got := c.answer(); got.Get("code") == "" || got.Get("state") != state {
			t.Errorf("the application got %v", got)
		}
	}
}

// The page of response_mode form_post posts itself, and the policy lets the application go on elsewhere.
func TestBrowserFormPost(t *testing.T) {
	c := newRealBrowser(t)
	c.open("response_mode", "form_post")
	c.logIn(password)
	c.do(chromedp.WaitVisible(`button[value="allow"]`), chromedp.Click(`button[value="allow"]`))
	if got := c.answer(); got.Get("code") == "" || got.Get("state") != "state-1" || got.Get("origin") != c.issuer.URL {
		t.Errorf("the application got %v", got)
	}
	c.open("response_mode", "form_post", "prompt", "none", "state", "state-2", "scope", "openid groups")
	if got := c.answer(); got.Get("error") != "consent_required" || got.Get("state") != "state-2" {
		t.Errorf("the second time the application got %v", got)
	}
}

func TestBrowserLogout(t *testing.T) {
	c := newRealBrowser(t)
	c.do(chromedp.Navigate(c.issuer.Endpoint("/login")))
	c.logIn(password)
	c.do(chromedp.WaitVisible(`form[action="/logout"] button`), chromedp.Click(`form[action="/logout"] button`), chromedp.WaitVisible(`a[href="/login"]`))
	if text, err := chromedp.Run(c.ctx, chromedp.Text("h1")); err != nil || text != "You are logged out" {
		t.Errorf("the page says %q (%v)", text, err)
	}
}
