package applications_test

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/chromium"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/program"
)

// newDSMClient returns an OIDCClient that says no more than its preset.
func newDSMClient(name string, preset *v1alpha1.SynologyDSMPreset) *v1alpha1.OIDCClient {
	return gen.OIDCClient(appNamespace, name, shared.cluster.provider, gen.WithRedirectURIs(), func(c *v1alpha1.OIDCClient) {
		c.Spec.Preset = &v1alpha1.ClientPreset{SynologyDSM: preset}
	})
}

// popUp clicks the button of the NAS and returns the popup, which shows what the selector finds.
func (b *tab) popUp(selector string) *tab {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	opened, err := chromium.WindowOpened(ctx)
	if err != nil {
		b.fatalf("%v", err)
	}
	b.do(chromedp.Click(chromedp.CSS("#sso")))
	select {
	case id := <-opened:
		ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
		b.t.Cleanup(closeTab)
		popup := &tab{t: b.t, ctx: ctx}
		// The tab lives as long as the context of what runs first.
		if err := chromedp.Do(ctx); err != nil {
			b.fatalf("attach to the popup: %v", err)
		}
		popup.focus()
		popup.do(chromedp.WaitVisible(chromedp.CSS(selector)))
		return popup
	case <-ctx.Done():
		b.fatalf("no popup has opened")
		return nil
	}
}

// submit clicks what sends the popup back to the NAS, where it closes.
func (b *tab) submit(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	_ = chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector))) // the popup may be gone before the click is acknowledged
}

// ends fails unless the login page of the NAS says this once the popup has told it.
func (b *tab) ends(want string) {
	b.t.Helper()
	var got string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if got = b.text("#result"); got != "" {
			break
		}
	}
	if !strings.Contains(got, want) {
		b.fatalf("the NAS says %q, want %q", got, want)
	}
}

// fitsWindow fails unless the page needs no more than the width of a small popup.
func (b *tab) fitsWindow() {
	b.t.Helper()
	size := get(b, chromedp.Evaluate[[]int](`[innerWidth, innerHeight, document.documentElement.scrollWidth]`))
	if size[0] > 500 || size[1] > 600 || size[2] > size[0] {
		b.fatalf("in a window of %d×%d the page is %d wide", size[0], size[1], size[2])
	}
}

func TestSynologyDSM(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "turing")
	n := newNAS(t, 2, "admin", "turing")
	oidcClient := newDSMClient("nas", &v1alpha1.SynologyDSMPreset{URLs: n.urls})
	c.apply(t, oidcClient)
	credentials := c.credentials(t, oidcClient)
	if secret := string(credentials["client_secret"]); !regexp.MustCompile(`^[A-Za-z0-9]{32}$`).MatchString(secret) {
		t.Errorf("a client secret of %d characters, or of others than letters and digits", len(secret))
	}
	n.configure(credentials)

	b := newTab(t)
	b.open(n.urls[0])
	popup := b.popUp("#username")
	popup.fitsWindow()
	popup.dsmAsks(n.urls[0], oidcClient.Status.ClientID)
	popup.logIn("turing", password)
	popup.at(c.issuer + "/consent")
	popup.fitsWindow()
	popup.submit("button[value=allow]")
	b.ends("Logged in as turing")
	if n.discoveries != 2 {
		t.Errorf("%d discovery requests for a login", n.discoveries)
	}
	// At its other address, with the session that there is: the popup closes by itself.
	b.open(n.urls[1])
	b.do(chromedp.Click(chromedp.CSS("#sso")))
	b.ends("Logged in as turing")
}

// dsmAsks fails unless the authorization request, which the pages carry along, is that of a DSM.
func (b *tab) dsmAsks(redirectURI, clientID string) {
	b.t.Helper()
	q := b.location().Query()
	for name, want := range map[string]string{
		"redirect_uri": redirectURI, "client_id": clientID, "response_type": "code", "scope": "openid profile email", "nonce": "", "code_challenge": "",
	} {
		if q.Get(name) != want {
			b.fatalf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(q.Get("state")) {
		b.fatalf("state is %q", q.Get("state"))
	}
}

// Accounts of a directory have an @ in their names.
func TestSynologyDSMOfADirectory(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "curie")
	n := newNAS(t, 1, "curie@example.com")
	oidcClient := newDSMClient("nas-ldap", &v1alpha1.SynologyDSMPreset{
		URLs: n.urls, AccountType: v1alpha1.SynologyAccountLDAP, UsernameDomain: "example.com", Name: "Example",
	})
	c.apply(t, oidcClient)
	n.configure(c.credentials(t, oidcClient))
	b := newTab(t)
	b.open(n.urls[0])
	b.reads("#sso", "Sign in with Example")
	popup := b.popUp("#username")
	popup.logIn("curie", password)
	popup.submit("button[value=allow]")
	b.ends("Logged in as curie@example.com")
}

// What goes wrong at a NAS, and what people see of it.
func TestSynologyDSMFails(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "noether")
	n := newNAS(t, 1, "admin")
	oidcClient := newDSMClient("nas-fails", &v1alpha1.SynologyDSMPreset{URLs: n.urls})
	c.apply(t, oidcClient)
	credentials := c.credentials(t, oidcClient)

	n.configure(credentials, func(f *dsmForm) { f.WellKnownURL = strings.Replace(f.WellKnownURL, hostOf(c.issuer), unused(t), 1) })
	b := newTab(t)
	b.open(n.urls[0])
	b.popUp("pre").reads("pre", "SSO is not configured properly: the well-known URL does not answer")

	n.configure(credentials, func(f *dsmForm) { f.RedirectURI += "/" })
	b = newTab(t) // the popup of the one before is still open
	b.open(n.urls[0])
	popup := b.popUp("h1")
	popup.at(c.issuer + "/oauth2/authorize")
	popup.reads("body", n.urls[0]+"/")
	popup.fitsWindow()

	n.configure(credentials, func(f *dsmForm) { f.ApplicationSecret = f.ApplicationSecret[:31] })
	b = newTab(t)
	b.open(n.urls[0])
	popup = b.popUp("#username")
	popup.logIn("noether", password)
	popup.submit("button[value=allow]")
	b.ends("Login failed: invalid_client")

	// The provider knows her, the NAS does not: it makes no accounts.
	n.configure(credentials)
	b.open(n.urls[0])
	b.do(chromedp.Click(chromedp.CSS("#sso")))
	b.ends(`Login failed: there is no account "noether"`)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Sprint(err)
	}
	return u.Host
}

// unused returns an address on which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	addresses, err := program.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	return addresses[0]
}
