package provider

import (
	"net/http"
	"net/url"

	"github.com/oidc-operator/oidc-operator/provider/web"
)

// preferLanguages makes the pages that answer a request come in one of these languages (BCP 47 tags) where there is one: what
// ui_locales says when it does not stand in the query.
func preferLanguages(r *http.Request, tags []string) {
	infoOf(r.Context()).languages = tags
}

// languagesOf returns the languages in which somebody wants to read, the most wanted first: those of the application's
// request (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2), then those of the browser.
func languagesOf(r *http.Request) []string {
	tags := infoOf(r.Context()).languages
	if len(tags) == 0 && len(r.URL.RawQuery) <= maxQueryBytes {
		if query, err := url.ParseQuery(r.URL.RawQuery); err == nil {
			tags = web.ReadLocales(query.Get("ui_locales"))
		}
	}
	return append(tags[:len(tags):len(tags)], web.ReadLanguages(r.Header.Get("Accept-Language"))...)
}
