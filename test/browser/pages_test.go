package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused fails unless the element with this ID, or else the text or value of it, has the keyboard's focus, or gets it soon: a
// browser sets the focus of a page when it first draws it, which may be after the page was loaded.
func (b *tab) focused(want string) {
	b.t.Helper()
	got := ""
	for deadline := time.Now().Add(stepTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got = get(b, chromedp.Evaluate[string](`(e => e.id || e.value || e.textContent.trim())(document.activeElement)`))
		if got == want {
			return
		}
	}
	b.fatalf("the focus is on %q, want %q", got, want)
}

// tabTo presses Tab once, which must lead to what is named, and there must be something to see of it.
func (b *tab) tabTo(want string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(kb.Tab))
	b.focused(want)
	outline := get(b, chromedp.Evaluate[string](`getComputedStyle(document.activeElement).outlineStyle`))
	if outline == "none" {
		b.t.Errorf("nothing shows that the focus is on %s", want)
	}
}

// Login, consent and logout with nothing but Tab, Enter and letters.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.open(s.app)
	b.tabTo("sign-in")
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.at(s.issuer + "/login")
	b.focused("username")
	b.do(chromedp.KeyEvent(username))
	b.tabTo("password")
	b.do(chromedp.KeyEvent(s.password))
	b.tabTo("Log in")
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.at(s.issuer + "/consent")
	b.tabTo("allow")
	b.tabTo("deny")
	b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
	b.focused("allow")
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.signedIn(s)
	b.tabTo("sign-out")
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.reads("#title", "Not signed in")
}

func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.expectComplaint("status of 403")
	call(b, emulation.SetScriptExecutionDisabled.Method, emulation.SetScriptExecutionDisabledParams{Value: true})
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><link rel=icon href="data:,"><p id=p>off</p><script>p.textContent = 'on'</script>`)
	}))
	defer control.Close()
	b.open(control.URL)
	b.reads("#p", "off")
	b.toLogin(s)
	b.logIn(username, "wrong")
	b.reads("[role=alert]", rejected)
	b.logIn(username, s.password)
	b.allow(s)
	b.signedIn(s)
	b.click("#sign-out")
	b.reads("#title", "Not signed in")
}
