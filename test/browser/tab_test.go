package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a tab in a browser profile of its own: without cookies, history or cache.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	visited    []string // the documents that were asked for, redirects included
	complaints []string // what the browser has written to its console
	expected   []string // parts of complaints that are to be
}

// What a step, and a whole test, may take on a machine that is busy with others.
const (
	stepTimeout = time.Minute
	timeout     = 5 * time.Minute
)

func newTab(t *testing.T) *tab {
	t.Helper()
	b := &tab{t: t}
	ctx, closeTab := chromedp.NewContext(shared.chromium, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	ctx, cancel := context.WithTimeout(ctx, timeout)
	b.ctx = ctx
	t.Cleanup(func() {
		b.checkComplaints()
		cancel()
		closeTab()
	})
	// The tab lives as long as the context of what runs first.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(800, 700)); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	call(b, audits.Enable.Method, struct{}{})
	// Several windows are open at once; each is to behave as the one in front.
	call(b, emulation.SetFocusEmulationEnabled.Method, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return b
}

func call[P any](b *tab, method string, params P) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		return target.Call(ctx, method, params, nil)
	}))
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeDocument {
			b.visited = append(b.visited, e.Request.URL)
		}
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *audits.EventIssueAdded:
		if csp := e.Issue.Details.ContentSecurityPolicyIssueDetails; csp != nil {
			b.complaints = append(b.complaints, fmt.Sprintf("content security policy: %s %s", csp.ViolatedDirective, csp.BlockedURL))
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprintf("console.%s", e.Type))
	}
}

// expectComplaint says that the browser will write a line with this part to its console.
func (b *tab) expectComplaint(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

// checkComplaints fails the test for whatever the browser complained of and nobody expected, and for what it did not
// complain of although it should.
func (b *tab) checkComplaints() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complaints {
		if !containsAny(complaint, b.expected) {
			b.t.Errorf("the browser complains: %s", complaint)
		}
	}
	for _, part := range b.expected {
		if !strings.Contains(strings.Join(b.complaints, "\n"), part) {
			b.t.Errorf("the browser does not complain of %q but of %q", part, b.complaints)
		}
	}
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// forget clears the list of documents that were asked for.
func (b *tab) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.visited = nil
}

// saw tells whether a document below this URL was asked for.
func (b *tab) saw(prefix string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, visited := range b.visited {
		if strings.HasPrefix(visited, prefix) {
			return true
		}
	}
	return false
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
	b.focusSettles(ctx)
	return response
}

// focusSettles waits until the browser has put the cursor where the page wants it, which it does when it first draws the page. Nobody types
// before that; on a busy machine a test would, and the browser complains.
func (b *tab) focusSettles(ctx context.Context) {
	for deadline := time.Now().Add(stepTimeout / 6); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		settled, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!document.querySelector('[autofocus]') || document.activeElement !== document.body`))
		if err != nil || settled { // an error: the page has gone on by itself
			return
		}
	}
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

func (b *tab) value(selector string) string {
	b.t.Helper()
	return get(b, chromedp.Value(chromedp.CSS(selector)))
}

// at fails unless the tab shows the page of this URL, whatever its query.
func (b *tab) at(want string) {
	b.t.Helper()
	location := get(b, chromedp.Location())
	if u, err := url.Parse(location); err != nil || strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/") != strings.TrimSuffix(want, "/") {
		b.fatalf("the browser is not at %s", want)
	}
}

// reads fails unless an element says exactly this.
func (b *tab) reads(selector, want string) {
	b.t.Helper()
	if got := b.text(selector); got != want {
		b.fatalf("%s says %q, want %q", selector, got, want)
	}
}

// fatalf ends the test with what the browser shows.
func (b *tab) fatalf(format string, args ...any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), stepTimeout)
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
	dir, err := os.MkdirTemp("", "oidc-browser-")
	if err != nil {
		return err.Error()
	}
	path := filepath.Join(dir, strings.ReplaceAll(b.t.Name(), "/", "-")+".png")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err.Error()
	}
	return path
}

func hostOf(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return host
}
