package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused fails unless the element with this ID, or else the text or value of it, has the keyboard's focus.
func (b *tab) focused(want string) {
	b.t.Helper()
	got := get(b, chromedp.Evaluate[string](`(e => e.id || e.value || e.textContent.trim())(document.activeElement)`))
	if got != want {
		b.fatalf("the focus is on %q, want %q", got, want)
	}
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

// TestAppearance shows every page in light and dark, in the window of a popup login (500x600, as Synology DSM opens it),
// on a desktop and on a narrow phone: nothing may stick out at the side, and the ground must follow the scheme.
func TestAppearance(t *testing.T) {
	t.Parallel()
	const long = "a-username-of-somebody-whose-parents-liked-long-names-and-no-spaces"
	longPassword := ""
	s := newSite(t, func(s *site) {
		longPassword = s.create("user", "create", long, "--name", strings.Repeat("Wolfeschlegelsteinhausen", 4),
			"--email", long+"@"+strings.Repeat("department.", 8)+"example.com", "--group", strings.Repeat("group-", 30))["password"]
	})
	b := newTab(t)
	b.expectComplaint("status of 40")

	b.toLogin(s)
	b.appears("login")
	b.logIn(long, "wrong")
	b.appears("login-rejected-long")
	b.logIn(username, "wrong")
	b.appears("login-rejected")
	b.logIn(long, longPassword)
	b.at(s.issuer + "/consent")
	b.appears("consent-long")
	b.open(s.issuer + "/oauth2/logout")
	b.appears("logout-long")
	b.click("form button")
	b.reads("h1", "You are logged out")
	b.appears("logged-out")
	b.toLogin(s)
	b.logIn(username, s.password)
	b.at(s.issuer + "/consent")
	b.appears("consent")
	b.open(s.issuer + "/oauth2/authorize?response_type=code&client_id=demo&redirect_uri=https://other.example.com/" + strings.Repeat("path", 40))
	b.reads("h1", "This return address is not registered")
	b.appears("error")
	b.open(s.issuer + "/no-such-page")
	b.appears("error-not-found")
	b.open(s.issuer + "/")
	b.appears("home")
}

// appears looks at the page in every scheme and size.
func (b *tab) appears(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		call(b, emulation.SetEmulatedMedia.Method, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		if got := get(b, chromedp.Evaluate[float64](lightness)); (got > 0.5) != (scheme == "light") {
			b.t.Errorf("%s, %s: the ground has a lightness of %.2f", name, scheme, got)
		}
		for _, size := range []struct{ width, height int64 }{{320, 600}, {500, 600}, {1280, 800}} {
			b.do(chromedp.EmulateViewport(size.width, size.height))
			what := fmt.Sprintf("%s-%s-%dx%d", name, scheme, size.width, size.height)
			if wide := get(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > size.width {
				b.t.Errorf("%s: the page is %d wide", what, wide)
			}
			if clipped := get(b, chromedp.Evaluate[string](stickingOut)); clipped != "" {
				b.t.Errorf("%s: sticks out: %s", what, clipped)
			}
			if dir := os.Getenv("BROWSER_PICTURES"); dir != "" {
				b.savePicture(filepath.Join(dir, what+".png"))
			}
		}
	}
}

// lightness is between 0 and 1, of the ground of the page.
const lightness = `(() => {
	const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
	return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
})()`

// stickingOut is the text of the first element that is not within the page's main part.
const stickingOut = `(() => {
	const main = document.querySelector('main').getBoundingClientRect();
	for (const e of document.querySelectorAll('main *')) {
		const box = e.getBoundingClientRect();
		if (box.width && (box.left < main.left - 1 || box.right > main.right + 1 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' && e.tagName !== 'INPUT')) return e.outerHTML;
	}
	return '';
})()`

func (b *tab) savePicture(path string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, get(b, chromedp.CaptureScreenshot()), 0o600); err != nil {
		b.t.Fatal(err)
	}
}
