package applications_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// stepTimeout is what one step in a browser may take.
const stepTimeout = time.Minute

// tab is a tab in a browser profile of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(shared.chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	b := &tab{t: t, ctx: ctx}
	// The tab lives as long as the context of what runs first.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(800, 700)); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	b.focus()
	return b
}

// focus lets the tab behave as the one in front, though several are open at once.
func (b *tab) focus() {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		return target.Call(ctx, emulation.SetFocusEmulationEnabled.Method, emulation.SetFocusEmulationEnabledParams{Enabled: true}, nil)
	}))
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.fatalf("%v", err)
	}
}

// get runs an action that returns something.
func get[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		b.fatalf("%v", err)
	}
	return result
}

// follow runs steps that lead to another page and returns its response once it is loaded.
func (b *tab) follow(steps ...chromedp.Action[chromedp.Void]) *network.Response {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.fatalf("%v", err)
	}
	return response
}

func (b *tab) open(target string) *network.Response {
	b.t.Helper()
	return b.follow(chromedp.Navigate(target))
}

func (b *tab) click(selector string) *network.Response {
	b.t.Helper()
	return b.follow(chromedp.Click(chromedp.CSS(selector)))
}

// text returns what a person reads in an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(get(b, chromedp.Text(chromedp.CSS(selector))))
}

func (b *tab) location() *url.URL {
	b.t.Helper()
	u, err := url.Parse(get(b, chromedp.Location()))
	if err != nil {
		b.fatalf("%v", err)
	}
	return u
}

// at fails unless the tab shows the page of this URL, whatever its query.
func (b *tab) at(want string) {
	b.t.Helper()
	if u := b.location(); strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/") != strings.TrimSuffix(want, "/") {
		b.fatalf("the browser is not at %s", want)
	}
}

// reads fails unless an element says this among other things.
func (b *tab) reads(selector, want string) {
	b.t.Helper()
	if got := b.text(selector); !strings.Contains(got, want) {
		b.fatalf("%s says %q, want %q", selector, got, want)
	}
}

// logIn fills in the provider's login page, which must be shown, and sends it.
func (b *tab) logIn(username, password string) {
	b.t.Helper()
	b.at(shared.cluster.issuer + "/login")
	b.do(chromedp.SendKeys(chromedp.CSS("#username"), username), chromedp.SendKeys(chromedp.CSS("#password"), password))
	b.click("form button")
}

// allow agrees on the provider's consent page, which must be shown.
func (b *tab) allow() {
	b.t.Helper()
	b.at(shared.cluster.issuer + "/consent")
	b.click("button[value=allow]")
}

// logOut ends the login session at the provider.
func (b *tab) logOut() {
	b.t.Helper()
	b.open(shared.cluster.issuer + "/oauth2/logout")
	b.click("form button")
}

// fatalf ends the test with what the browser shows.
func (b *tab) fatalf(format string, args ...any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), 5*time.Second)
	defer cancel()
	location, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	b.t.Fatalf("%s\nat %s\n%s\npicture: %s", fmt.Sprintf(format, args...), location, text, b.picture(ctx))
}

// picture saves what the tab shows and returns the path, or why there is none.
func (b *tab) picture(ctx context.Context) string {
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err.Error()
	}
	dir, err := os.MkdirTemp("", "oidc-applications-")
	if err != nil {
		return err.Error()
	}
	path := filepath.Join(dir, strings.ReplaceAll(b.t.Name(), "/", "-")+".png")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err.Error()
	}
	return path
}
