package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// fieldReturn is the parameter of the login page that says to which page of ours it leads.
const fieldReturn = "return_to"

// maxReturn bounds that parameter.
const maxReturn = 1024

// returnable lists the pages to which a login may lead: all that need one. Nothing else is gone to, so that no link to the
// login page leads away from here.
func returnable() []string {
	return []string{pathDevice, pathAccount, pathAccountSessions, pathAccountApplications, pathAccountPassword, pathSynologyLogin}
}

// returnsHere returns the page of ours, with its query, to which the login in the query of a request leads, below the issuer's
// path; empty when it leads nowhere or to an application.
func (p *Provider) returnsHere(r *http.Request) string {
	query, malformed, err := readQuery(r)
	if err != nil || malformed || query.Get("client_id") != "" {
		return ""
	}
	to, limit := query.Get(fieldReturn), maxReturn
	if strings.HasPrefix(to, pathSynologyLogin+"?") {
		limit = maxSynologyReturn
	}
	u, err := url.Parse(to)
	if err != nil || len(to) > limit || !slices.Contains(returnable(), u.EscapedPath()) || u.String() != to || u.Host != "" || u.Scheme != "" || u.Fragment != "" {
		return ""
	}
	return to
}

func (p *Provider) loginReturning(to string) string {
	return p.base + pathLogin + "?" + fieldReturn + "=" + url.QueryEscape(to)
}

// askLogin sends a browser in which nobody is logged in to the login page, and from there back to a page of ours.
func (p *Provider) askLogin(w http.ResponseWriter, to string) error {
	p.redirect(w, p.loginReturning(to))
	return nil
}
