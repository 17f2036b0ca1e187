package provider

import (
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

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
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			page.Fields = append(page.Fields, web.Field{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return p.render(w, r, http.StatusOK, page)
}
