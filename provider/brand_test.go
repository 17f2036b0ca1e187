package provider_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

var brandLinks = regexp.MustCompile(`(?:href|src)="(/realm/assets/(?:brand\.css|logo)\?v=[0-9a-f]+)"`)

// The branding is that of the settings in force, at once, and browsers keep what has not changed.
func TestBranding(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithPath("/realm"))
	browser := issuer.NewBrowser(t)
	links := func() []string {
		var found []string
		for _, match := range brandLinks.FindAllStringSubmatch(browser.Get(issuer.Endpoint("/login")).Body, -1) {
			found = append(found, strings.TrimPrefix(match[1], "/realm"))
		}
		return found
	}
	if got := links(); len(got) != 0 {
		t.Fatalf("without branding there are %v", got)
	}
	for _, path := range []string{"/assets/logo", "/assets/brand.css"} {
		if got := get(t, issuer, path); got.status != http.StatusNotFound {
			t.Errorf("without branding %s answers %d", path, got.status)
		}
	}
	const logo = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
	settings := registration.Settings{Branding: registration.Branding{Title: "Example SSO", AccentColor: "#0a6", Logo: []byte(logo), LogoType: "image/svg+xml"}}
	issuer.SetSettings(settings)
	first := links()
	if len(first) != 2 {
		t.Fatalf("there are %v", first)
	}
	if page := browser.Get(issuer.Endpoint("/no-such-page")); !strings.Contains(page.Body, "– Example SSO</title>") {
		t.Errorf("an error page is not branded:\n%s", page.Body)
	}
	for i, want := range []struct{ kind, part string }{{"text/css; charset=utf-8", "--accent: #00aa66;"}, {"image/svg+xml", logo}} {
		got := get(t, issuer, first[i])
		if got.status != http.StatusOK || got.header.Get("Content-Type") != want.kind || !strings.Contains(got.raw, want.part) ||
			!strings.Contains(got.header.Get("Cache-Control"), "immutable") || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s answers %d with %v", first[i], got.status, got.header)
		}
		path, _, _ := strings.Cut(first[i], "?")
		plain := get(t, issuer, path)
		if plain.status != http.StatusOK || plain.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s answers %d with %v", path, plain.status, plain.header)
		}
		if again := get(t, issuer, path, "If-None-Match", plain.header.Get("ETag")); again.status != http.StatusNotModified || again.raw != "" {
			t.Errorf("%s answers %d to its own ETag", path, again.status)
		}
	}
	if policy := get(t, issuer, first[1]).header.Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script") {
		t.Errorf("the logo has the policy %q", policy)
	}
	settings.Branding.AccentColor, settings.Branding.Logo = "#123456", []byte("png")
	settings.Branding.LogoType = "image/png"
	issuer.SetSettings(settings)
	second := links()
	if len(second) != 2 || second[0] == first[0] || second[1] == first[1] {
		t.Fatalf("after a change there are %v", second)
	}
	// What another replica still links to must not be kept for good.
	if old := get(t, issuer, first[1]); old.status != http.StatusOK || old.header.Get("Cache-Control") != "no-cache" || old.header.Get("Content-Type") != "image/png" {
		t.Errorf("the old link answers %d with %v", old.status, old.header)
	}
}
