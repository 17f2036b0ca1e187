package provider

import (
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/web"
)

// serveHome tells who is logged in in this browser.
func (p *Provider) serveHome(w http.ResponseWriter, r *http.Request) error {
	b, err := p.currentBrowser(r)
	if err != nil {
		return err
	}
	page := web.Home{Login: p.base + pathLogin}
	if b != nil {
		page = web.Home{
			Person: personOf(b.user), Username: b.user.Username, Account: p.base + pathAccount,
			Logout: p.base + pathConfirmLogout, Token: p.formToken(w, r, pathConfirmLogout, b),
		}
	}
	return p.render(w, r, http.StatusOK, page)
}
