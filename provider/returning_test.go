package provider_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// RFC 9700 section 4.11.2: nobody is led on by the name of this provider before they have signed in. The page says whose request it is and where it
// leads; the person decides.
func TestErrorsBeforeAnybodyHasSignedIn(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := appClient()
	client.ClientID, client.RedirectURIs, client.TokenEndpointAuthMethod = "native", []string{"com.example.app:/callback"}, registration.AuthMethodNone
	issuer.AddClient(client)
	for name, target := range map[string]string{
		"response_type":              authorizeURL(issuer, "response_type", "token"),
		"scope":                      authorizeURL(issuer, "scope", "email"),
		"prompt none and a mistake":  authorizeURL(issuer, "prompt", "none", "scope", "email"),
		"prompt none with another":   authorizeURL(issuer, "prompt", "none login"),
		"an acr that cannot be met":  authorizeURL(issuer, "claims", `{"id_token":{"acr":{"essential":true,"value":"gold"}}}`),
		"a request object":           authorizeURL(issuer, "request", "nonsense"),
		"a form":                     authorizeURL(issuer, "scope", "email", "response_mode", "form_post"),
		"a program":                  authorizeURL(issuer, "client_id", "native", "redirect_uri", "com.example.app:/callback"),
		"a pushed request that must": authorizeURL(issuer, "request_uri", "https://app.example.com/request.jwt"),
	} {
		for path, location := range map[string]string{"authorize": target, "login": strings.Replace(target, oidc.PathAuthorization, "/login", 1), "consent": strings.Replace(target, oidc.PathAuthorization, "/consent", 1)} {
			t.Run(name+" at "+path, func(t *testing.T) {
				browser := issuer.NewBrowser(t)
				page := browser.Get(location)
				if page.Callback != nil || page.Status != http.StatusBadRequest || page.Header.Get("Location") != "" || strings.Contains(page.Body, "<script") || strings.Contains(page.Body, "http-equiv") {
					t.Fatalf("answers %d, leads to %v\n%s", page.Status, page.Callback, page.Body)
				}
				if !strings.Contains(page.Body, "Example App") || name != "a program" && !strings.Contains(page.Body, "app.example.com") {
					t.Errorf("the page does not say whose request it is and where it leads:\n%s", page.Body)
				}
				back := browser.Return(page)
				if back.Callback == nil || back.Answer().Get("error") == "" || back.Answer().Get("state") != "state-1" || back.Answer().Get("iss") != issuer.URL {
					t.Errorf("it leads to %v with %v", back.Callback, back.Answer())
				}
				if (back.Posted != nil) != (name == "a form") {
					t.Errorf("posted is %v", back.Posted)
				}
				// Somebody who has signed in is led back at once.
				browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {"ada"}, "password": {password}})
				if page := browser.Get(location); page.Callback == nil {
					t.Errorf("with a session it answers %d\n%s", page.Status, page.Body)
				}
			})
		}
	}
}

// OpenID Connect Core section 3.1.2.1: no page answers prompt=none, and in a frame nobody sees an address.
func TestErrorsWithoutAPage(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, r := range map[string]*http.Request{
		"silent":           newRequest(t, http.MethodGet, authorizeURL(issuer, "prompt", "none"), nil, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"),
		"silent, in frame": newRequest(t, http.MethodGet, authorizeURL(issuer, "prompt", "none"), nil, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "cross-site"),
		"a frame":          newRequest(t, http.MethodGet, authorizeURL(issuer, "scope", "email"), nil, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"),
	} {
		if answer := sendOnce(t, issuer, r); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), callback+"?error=") {
			t.Errorf("%s: %d %s", name, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
}

// What a client calls itself and asks for cannot change the page.
func TestPageThatOffersToReturnIsSafe(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := appClient()
	client.ClientName = `<img src=x onerror=alert(1)>`
	issuer.AddClient(client)
	page := issuer.NewBrowser(t).Get(authorizeURL(issuer, "scope", "email", "state", `"><script>alert(1)</script>`))
	if strings.Contains(page.Body, "<img src=x") || strings.Contains(page.Body, "<script") || !strings.Contains(page.Body, html.EscapeString(client.ClientName[:4])) {
		t.Errorf("the page is\n%s", page.Body)
	}
	policy := page.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "form-action 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "script-src") {
		t.Errorf("the policy is %s", policy)
	}
	german := newRequest(t, http.MethodGet, authorizeURL(issuer, "scope", "email"), nil, "Accept-Language", "de")
	if page := issuer.NewBrowser(t).Do(german); !strings.Contains(page.Body, "Diese Anmeldung kann nicht beginnen") {
		t.Errorf("in German the page is\n%s", page.Body)
	}
}

// Fetch Metadata: a code is for a page that the browser goes to, or for a frame, and for nothing that another page loads unseen.
func TestRequestsThatAreNoNavigation(t *testing.T) {
	issuer, _ := newIssuer(t)
	browser := loggedIn(t, issuer)
	for name, c := range map[string]struct {
		header []string
		code   bool
	}{
		"a program":                 {nil, true},
		"a page":                    {[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-User", "?1"}, true},
		"a frame":                   {[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "same-site"}, true},
		"an old frame":              {[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "frame"}, true},
		"an image":                  {[]string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image", "Sec-Fetch-Site", "same-site"}, false},
		"an image's destination":    {[]string{"Sec-Fetch-Dest", "image"}, false},
		"no-cors":                   {[]string{"Sec-Fetch-Mode", "no-cors"}, false},
		"a script":                  {[]string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"}, false},
		"a style sheet":             {[]string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "style"}, false},
		"a fetch":                   {[]string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, false},
		"a fetch of the same site":  {[]string{"Sec-Fetch-Mode", "same-origin", "Sec-Fetch-Dest", "empty"}, false},
		"a socket":                  {[]string{"Sec-Fetch-Mode", "websocket", "Sec-Fetch-Dest", "websocket"}, false},
		"an object":                 {[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "object"}, false},
		"an embedded page":          {[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "embed"}, false},
		"a page ahead of a click":   {[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Purpose", "prefetch;prerender"}, false},
		"the same, of old browsers": {[]string{"Purpose", "prefetch"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, changed := range [][]string{nil, {"prompt", "none"}} {
				page := browser.Do(newRequest(t, http.MethodGet, authorizeURL(issuer, changed...), nil, c.header...))
				if got := page.Answer().Has("code"); got != c.code || !c.code && (page.Status != http.StatusForbidden || page.Callback != nil) {
					t.Errorf("%v: status %d, leads to %v", changed, page.Status, page.Callback)
				}
			}
			r := newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathAuthorization), url.Values{"client_id": {"app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}}, c.header...)
			if answer := sendOnce(t, issuer, r); (answer.StatusCode == http.StatusSeeOther) != c.code {
				t.Errorf("a form answers %d", answer.StatusCode)
			}
		})
	}
}
