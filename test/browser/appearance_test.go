package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// gallery is a provider with something to show on every page.
type gallery struct {
	*tab
	issuer *providertest.Issuer
	// prefix begins the names of the pictures.
	prefix string
}

const (
	galleryPassword = "purple elephants sing quietly"
	longName        = "a-username-of-somebody-whose-parents-liked-long-names-and-no-spaces"
)

// busyPeople is an Authenticator that has too much to do.
type busyPeople struct{}

func (busyPeople) Authenticate(context.Context, string, string) (identity.Identity, error) {
	return identity.Identity{}, identity.ErrBusy
}

func newGallery(t *testing.T, language string) *gallery {
	t.Helper()
	g := &gallery{tab: newTab(t), prefix: language}
	g.issuer = providertest.New(t, providertest.WithOptions(func(o *provider.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}))
	g.issuer.AddUser(registration.User{
		Username: "ada", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true, PhoneNumber: "+44 20 7946 0018",
		Address: &registration.Address{Formatted: "12 St James's Square, London"}, Groups: []string{"analysts", "matrix-users"},
	}, galleryPassword)
	g.issuer.AddUser(registration.User{
		Username: longName, Name: strings.Repeat("Wolfeschlegelsteinhausen", 4), Email: longName + "@" + strings.Repeat("department.", 8) + "example.com",
		Groups: []string{strings.Repeat("group-", 30)},
	}, galleryPassword)
	app := registration.Client{
		ClientID: "matrix", ClientName: "Matrix", Description: "Chat with everybody in the house.", ClientURI: "https://matrix.example.com",
		PolicyURI: "https://matrix.example.com/privacy", TosURI: "https://matrix.example.com/terms", RedirectURIs: []string{"https://matrix.example.com/callback"},
		Scope: "openid profile email groups offline_access", GrantTypes: []string{registration.GrantCode, registration.GrantRefreshToken},
	}
	g.issuer.AddClient(app)
	app.ClientID, app.ClientName, app.Consent = "nas", "Network storage", registration.ConsentNever
	g.issuer.AddClient(app)
	app.ClientID, app.ClientName, app.AllowedGroups = "vault", "Vault", []string{"keepers"}
	g.issuer.AddClient(app)
	g.issuer.AddClient(registration.Client{
		ClientID: "tv", ClientName: "Television", TokenEndpointAuthMethod: registration.AuthMethodNone,
		GrantTypes: []string{registration.GrantDeviceCode}, Scope: "openid profile email",
	})
	call(g.tab, network.SetExtraHTTPHeaders.Method, map[string]any{"headers": map[string]string{"Accept-Language": language, "X-Forwarded-For": "203.0.113.7"}})
	return g
}

func (g *gallery) authorize(clientID string, more ...string) string {
	q := url.Values{
		"client_id": {clientID}, "redirect_uri": {"https://matrix.example.com/callback"}, "response_type": {"code"}, "state": {"s"},
		"scope": {"openid profile email groups offline_access"}, "prompt": {"consent"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return g.issuer.Endpoint("/oauth2/authorize") + "?" + q.Encode()
}

// shows opens a page and looks at it.
func (g *gallery) shows(name, target string) {
	g.t.Helper()
	g.open(target)
	g.appears(g.prefix + "-" + name)
}

// visitors are other browsers of ada, so that the account has something to list.
func (g *gallery) visitors() {
	for _, agent := range []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
		"",
	} {
		browser := g.issuer.NewBrowser(g.t)
		page := browser.Get(g.issuer.Endpoint("/login"))
		form := url.Values{"username": {"ada"}, "password": {galleryPassword}, "csrf_token": page.Form.Fields["csrf_token"]}
		request, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, page.URL.String(), strings.NewReader(form.Encode()))
		if err != nil {
			g.t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("User-Agent", agent)
		request.Header.Set("X-Forwarded-For", "2001:db8:85a3:8d3:1319:8a2e:370:7348")
		browser.Do(request)
		browser.Authorize(g.authorize("matrix"), "ada", galleryPassword)
		browser.Authorize(g.authorize("nas"), "ada", galleryPassword)
		g.issuer.Clock.Advance(26 * time.Hour / 10)
	}
}

// TestAppearance looks at every page in every language, in light and dark, in the window of a popup login (500x600, as
// Synology DSM opens it), on a desktop and on a narrow phone: nothing may stick out at the side, and the ground must
// follow the scheme.
func TestAppearance(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			g := newGallery(t, language)
			g.expectComplaint("status of 4")
			g.expectComplaint("status of 503")
			g.beforeLogin()
			g.afterLogin()
			g.ofSomebodyLong()
			g.branded()
		})
	}
}

func (g *gallery) beforeLogin() {
	g.t.Helper()
	g.shows("login", g.authorize("matrix"))
	g.logIn("ada", "wrong")
	g.appears(g.prefix + "-login-rejected")
	for range 5 {
		g.logIn("nobody", "wrong")
	}
	g.issuer.Clock.Advance(3 * time.Second)
	g.logIn("nobody", "wrong")
	g.logIn("nobody", "wrong")
	g.appears(g.prefix + "-login-wait")
	busy := providertest.New(g.t, providertest.WithOptions(func(o *provider.Options) { o.Authenticator = busyPeople{} }))
	g.open(busy.Endpoint("/login"))
	g.logIn("ada", "x")
	g.appears(g.prefix + "-login-busy")
	g.shows("login-alone", g.issuer.Endpoint("/login"))
	g.shows("home-nobody", g.issuer.Endpoint("/"))
	g.shows("error-redirect", g.authorize("matrix", "redirect_uri", "https://other.example.com/"+strings.Repeat("path", 40)))
	g.shows("offer-return", g.authorize("matrix", "scope", "email"))
	g.shows("offer-return-form", g.authorize("matrix", "scope", "email", "response_mode", "form_post"))
	g.shows("error-not-found", g.issuer.Endpoint("/no-such-page"))
}

func (g *gallery) afterLogin() {
	g.t.Helper()
	g.visitors()
	g.open(g.authorize("matrix"))
	g.logIn("ada", galleryPassword)
	g.appears(g.prefix + "-consent")
	g.shows("login-again", g.authorize("matrix", "prompt", "login"))
	g.shows("denied", g.authorize("vault"))
	g.shows("home", g.issuer.Endpoint("/"))
	g.shows("account", g.issuer.Endpoint("/account"))
	g.shows("account-sessions", g.issuer.Endpoint("/account/sessions?done=ended"))
	g.shows("account-applications", g.issuer.Endpoint("/account/applications"))
	g.shows("account-password", g.issuer.Endpoint("/account/password"))
	g.do(chromedp.SendKeys(chromedp.CSS("#current"), galleryPassword), chromedp.SendKeys(chromedp.CSS("#next"), "Password1234"),
		chromedp.SendKeys(chromedp.CSS("#repeat"), "Password1234"))
	g.click("form button")
	g.appears(g.prefix + "-account-password-fault")
	call(g.tab, emulation.SetScriptExecutionDisabled.Method, emulation.SetScriptExecutionDisabledParams{Value: true})
	g.shows("form-post", g.authorize("nas", "prompt", "", "response_mode", "form_post"))
	call(g.tab, emulation.SetScriptExecutionDisabled.Method, emulation.SetScriptExecutionDisabledParams{Value: false})
	g.devices()
	g.shows("logout", g.issuer.Endpoint("/oauth2/logout?client_id=matrix"))
	g.click("form button")
	g.appears(g.prefix + "-logged-out")
}

func (g *gallery) ofSomebodyLong() {
	g.t.Helper()
	g.open(g.authorize("matrix"))
	g.logIn(longName, galleryPassword)
	g.appears(g.prefix + "-long-consent")
	g.shows("long-account", g.issuer.Endpoint("/account"))
	g.shows("long-logout", g.issuer.Endpoint("/oauth2/logout"))
	g.click("form button")
}

func (g *gallery) branded() {
	g.t.Helper()
	g.issuer.SetSettings(registration.Settings{Branding: registration.Branding{Title: "Example University", AccentColor: "#e8b100", Logo: []byte(shield), LogoType: "image/svg+xml"}})
	g.shows("branded-login", g.authorize("matrix"))
	g.logIn("ada", galleryPassword)
	g.appears(g.prefix + "-branded-consent")
	g.issuer.SetSettings(registration.Settings{Branding: registration.Branding{Title: strings.Repeat("Long title ", 18), AccentColor: "#123"}})
	g.shows("branded-account", g.issuer.Endpoint("/account"))
}

const shield = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><path d="M24 3 6 9v13c0 12 8 20 18 23 10-3 18-11 18-23V9z" ` +
	`fill="#e8b100"/><path d="m15 24 7 7 12-14" fill="none" stroke="#fff" stroke-width="4"/></svg>`

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
		for _, size := range []struct{ width, height int64 }{{360, 740}, {500, 600}, {1280, 800}} {
			b.do(chromedp.EmulateViewport(size.width, size.height))
			what := fmt.Sprintf("%s-%s-%dx%d", name, scheme, size.width, size.height)
			if wide := get(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > size.width {
				b.t.Errorf("%s: the page is %d wide", what, wide)
			}
			if clipped := get(b, chromedp.Evaluate[string](stickingOut)); clipped != "" {
				b.t.Errorf("%s: sticks out: %s", what, clipped)
			}
			if dir := os.Getenv("SCREENSHOTS"); dir != "" {
				high := get(b, chromedp.Evaluate[int64]("document.documentElement.scrollHeight"))
				b.do(chromedp.EmulateViewport(size.width, max(size.height, high)))
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
