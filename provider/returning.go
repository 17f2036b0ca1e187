package provider

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// responder sends an authorization response, or offers to.
type responder func(w http.ResponseWriter, r *http.Request, to oidc.ReturnAddress, pairs ...string) error

// asksBeforeReturn reports whether a person is asked before an error leads to an application. Otherwise anybody with a client could lead people to
// a page of theirs by a link with this provider's name: a request that is meant to fail is enough (RFC 9700 section 4.11.2). Not asked are people who have
// signed in, requests that must not show a page (prompt=none, OpenID Connect Core section 3.1.2.1), and frames, whose address nobody sees.
func (p *Provider) asksBeforeReturn(r *http.Request, e *redirectError) bool {
	if e.silent || slices.Contains(frameDestinations, r.Header.Get("Sec-Fetch-Dest")) {
		return false
	}
	b, err := p.currentBrowser(r)
	return err != nil || b == nil
}

// offerReturn makes a page that names the application and leads there when the person says so.
func (p *Provider) offerReturn(client *registration.Client, cause *oidc.Error) responder {
	return func(w http.ResponseWriter, r *http.Request, to oidc.ReturnAddress, pairs ...string) error {
		pairs = append(pairs, "state", to.State, "iss", p.issuer)
		page := web.OfferReturn{
			Application: applicationOf(client), ReturnHost: hostOf(to.URI), Detail: cause.Error(), RequestID: requestID(w),
		}
		if to.Mode == oidc.ResponseModeFormPost {
			page.Action, page.Fields = to.URI, fieldsOf(pairs)
		} else {
			page.Link = template.URL(oidc.AnswerURL(to.URI, pairs...)) //nolint:gosec // registered for the client
		}
		status := http.StatusBadRequest
		if cause.Code == oidc.CodeTemporarilyUnavailable { // the application has done nothing wrong
			status = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		}
		return p.render(w, r, status, page)
	}
}

func fieldsOf(pairs []string) []web.Field {
	var fields []web.Field
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fields = append(fields, web.Field{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return fields
}

// frameDestinations are the values of Sec-Fetch-Dest of pages within pages.
var frameDestinations = []string{"iframe", "frame"}

// errNoNavigation is shown, if at all, where an image should be.
var errNoNavigation = &pageError{status: http.StatusForbidden, text: "no_navigation"}

// checkNavigation refuses an authorization request that no person sees: of an image, a script or a style sheet of another page, of a script's fetch, or
// ahead of a click (Fetch Metadata; RFC 9700 section 4.7: a login that nobody has begun). A code is for a page that the browser goes to, or for a frame
// (prompt=none). Programs and older browsers send none of these headers.
func checkNavigation(r *http.Request) error {
	mode, destination := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	ahead := strings.HasPrefix(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Purpose") == "prefetch" || r.Header.Get("X-Moz") == "prefetch"
	shown := destination == "" || destination == "document" || slices.Contains(frameDestinations, destination)
	if mode != "" && mode != "navigate" || !shown || ahead {
		return errNoNavigation
	}
	return nil
}

// answer sends the browser back to a client with an authorization response, in which iss tells whose it is (RFC 9207
// section 2): by a redirect, or by a page that posts it (OAuth 2.0 Form Post Response Mode). Parameters come in pairs of name
// and value; those with an empty value are left out.
func (p *Provider) answer(w http.ResponseWriter, r *http.Request, to oidc.ReturnAddress, pairs ...string) error {
	pairs = append(pairs, "state", to.State, "iss", p.issuer)
	if to.Mode != oidc.ResponseModeFormPost {
		p.redirect(w, oidc.AnswerURL(to.URI, pairs...))
		return nil
	}
	page := web.FormPost{Action: to.URI, ReturnHost: hostOf(to.URI)}
	page.Fields = fieldsOf(pairs)
	return p.render(w, r, http.StatusOK, page)
}
