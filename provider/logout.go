package provider

import (
	"net/http"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// logoutParameters are those of OpenID Connect RP-Initiated Logout section 2, none of which may stand twice.
var logoutParameters = []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales"}

// logout is a request of an application to end the session, with everything in it proven.
type logout struct {
	// client is nil when the request does not say whose it is.
	client *registration.Client
	hint   hint
	hinted bool
	// returnTo is where the browser goes afterwards, with state; empty means the logged-out page.
	returnTo string
	query    string
}

// serveLogout ends the session when an application asks for it (OpenID Connect RP-Initiated Logout). The person confirms
// it unless the ID token shows that the application belongs to this very session: any site can send a browser here.
func (p *Provider) serveLogout(w http.ResponseWriter, r *http.Request) error {
	l, err := p.readLogout(r)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	if err != nil {
		return err
	}
	switch {
	case b == nil:
		return p.afterLogout(w, r, l)
	case l.hinted && l.hint.Subject == b.Subject && l.hint.SessionID == b.ID:
		if err := p.endSession(r.Context(), w, b); err != nil {
			return err
		}
		return p.afterLogout(w, r, l)
	}
	page := web.ConfirmLogout{
		Action: p.base + pathConfirmLogout, Token: p.formToken(w, r, pathConfirmLogout, b),
		Person: personOf(b.user), Username: b.user.Username, Home: p.base + pathHome,
	}
	if l.query != "" {
		page.Action += "?" + l.query
	}
	if l.client != nil {
		page.Application = applicationOf(l.client)
	}
	return p.render(w, r, http.StatusOK, page)
}

// serveLogoutPost takes the request as a form. It comes from another site, so that the browser sends no cookies with it;
// it does when it asks again with GET.
func (p *Provider) serveLogoutPost(w http.ResponseWriter, r *http.Request) error {
	return p.repeatAsGet(w, r, oidc.PathLogout)
}

// serveConfirmLogout ends the session when the person asks for it, here or on the page above.
func (p *Provider) serveConfirmLogout(w http.ResponseWriter, r *http.Request, fields oidc.Parameters) error {
	l, err := p.readLogout(r)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	if err != nil {
		return err
	}
	if b == nil {
		return p.afterLogout(w, r, l)
	}
	if err := p.checkForm(r, fields, pathConfirmLogout, b); err != nil {
		err.again = p.base + pathHome
		return err
	}
	if err := p.endSession(r.Context(), w, b); err != nil {
		return err
	}
	return p.afterLogout(w, r, l)
}

func (p *Provider) afterLogout(w http.ResponseWriter, r *http.Request, l *logout) error {
	if l.returnTo != "" {
		p.redirect(w, l.returnTo)
		return nil
	}
	return p.render(w, r, http.StatusOK, web.LoggedOut{Login: p.base + pathLogin})
}

func (p *Provider) readLogout(r *http.Request) (*logout, error) {
	params, malformed, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	if malformed {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the query is not well-formed application/x-www-form-urlencoded"}
	}
	if name := params.Repeated(logoutParameters...); name != "" {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: name + " is sent more than once"}
	}
	l := &logout{query: params.Encode()}
	clientID := params.Get("client_id")
	if token := params.Get("id_token_hint"); token != "" {
		if l.hint, err = p.readHint(token); err != nil || clientID != "" && clientID != l.hint.Audience {
			return nil, &pageError{status: http.StatusBadRequest, text: "logout_hint", again: p.base + pathHome}
		}
		l.hinted, clientID = true, l.hint.Audience
	}
	if client, known := p.registry.Client(clientID); known && !client.Disabled {
		l.client = client
	}
	if uri := params.Get("post_logout_redirect_uri"); uri != "" {
		if l.client == nil || !slices.Contains(l.client.PostLogoutRedirectURIs, uri) {
			return nil, &pageError{
				status: http.StatusBadRequest, text: "logout_redirect", again: p.base + pathHome,
				detail: "post_logout_redirect_uri of client " + shorten(clientID) + ": " + shorten(uri),
			}
		}
		l.returnTo = oidc.AnswerURL(uri, "state", params.Get("state"))
	}
	return l, nil
}
