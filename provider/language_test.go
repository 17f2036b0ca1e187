package provider_test

import (
	"net/http"
	"strings"
	"testing"
)

// OpenID Connect Core section 3.1.2.1: ui_locales comes before what the browser prefers, on every page of the way and on
// those of errors.
func TestLanguageOfPages(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, c := range map[string]struct{ url, accept, lang string }{
		"nothing said":                 {authorizeURL(issuer), "", "en"},
		"the browser's":                {authorizeURL(issuer), "fr, de-CH;q=0.9, en;q=0.5", "de"},
		"the application's":            {authorizeURL(issuer, "ui_locales", "fr-CA de"), "en", "de"},
		"the application's unknown":    {authorizeURL(issuer, "ui_locales", "fr"), "de", "de"},
		"the application's on logout":  {issuer.Endpoint("/oauth2/logout?ui_locales=de"), "en", "de"},
		"the application's on mistake": {issuer.Endpoint("/oauth2/authorize?ui_locales=de"), "en", "de"},
		"of a page that is not there":  {issuer.Endpoint("/no-such-page"), "de", "de"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, http.MethodGet, c.url, nil)
			r.Header.Set("Accept-Language", c.accept)
			page := issuer.NewBrowser(t).Do(r)
			if !strings.Contains(page.Body, `<html lang="`+c.lang+`">`) {
				t.Errorf("the page is\n%s", page.Body)
			}
			if !strings.Contains(page.Header.Get("Vary"), "Accept-Language") {
				t.Errorf("Vary is %q", page.Header.Get("Vary"))
			}
		})
	}
}

// A pushed request brings its languages, too.
func TestLanguageOfPushedRequests(t *testing.T) {
	issuer, _ := newIssuer(t)
	page := issuer.NewBrowser(t).Get(pushedURL(issuer, push(t, issuer, "ui_locales", "de").text("request_uri")))
	if !strings.Contains(page.Body, `<html lang="de">`) || !page.Asks("password") {
		t.Errorf("the page is\n%s", page.Body)
	}
}
