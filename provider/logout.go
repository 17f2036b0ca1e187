package provider

import (
	"html/template"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// serveLogout ends the session when an application asks for it (OpenID Connect RP-Initiated Logout). The person confirms
// it unless the ID token shows that the application belongs to this very session: any site can send a browser here.
func (p *Provider) serveLogout(w http.ResponseWriter, r *http.Request) error {
	params, err := readLogoutQuery(r)
	if err != nil {
		return err
	}
	l, err := p.readLogout(params)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	if err != nil {
		return err
	}
	return p.answerLogout(w, r, l, b)
}

// serveLogoutPost takes the request as a form (OpenID Connect RP-Initiated Logout section 2). From another site it comes
// without cookies, so that nobody knows yet whose browser this is; they come when the browser asks again with GET.
//
// The ID token does not go along into a URL, where it would be too long and stay in histories and logs: a proof of what
// was read from it does. Nor is the session that it names ended without the cookie: whoever has got hold of an ID token,
// however old, could then log its person out from anywhere, and would be told which applications that person uses.
func (p *Provider) serveLogoutPost(w http.ResponseWriter, r *http.Request) error {
	params, err := readForm(w, r)
	if err != nil {
		return err
	}
	l, err := p.readLogout(params)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	if err != nil {
		return err
	}
	if b != nil { // the application is of this very site
		preferLanguages(r, web.ReadLocales(l.locales))
		return p.answerLogout(w, r, l, b)
	}
	query, err := p.queryWithLogoutProof(l)
	if err != nil {
		return err
	}
	if len(query) > maxQueryBytes {
		return errQueryTooLong
	}
	p.redirect(w, p.base+oidc.PathLogout+"?"+query)
	return nil
}

// answerLogout ends the session of a browser, if there is one, or asks first.
func (p *Provider) answerLogout(w http.ResponseWriter, r *http.Request, l *logout, b *browser) error {
	switch {
	case b == nil:
		return p.afterLogout(w, r, l, nil)
	case p.provenFor(l, b):
		front, err := p.endSession(r.Context(), w, b)
		if err != nil {
			return err
		}
		return p.afterLogout(w, r, l, front)
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

// serveConfirmLogout ends the session when the person asks for it, here or on the page above.
func (p *Provider) serveConfirmLogout(w http.ResponseWriter, r *http.Request, fields oidc.Parameters) error {
	params, err := readLogoutQuery(r)
	if err != nil {
		return err
	}
	l, err := p.readLogout(params)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	if err != nil {
		return err
	}
	if b == nil {
		return p.afterLogout(w, r, l, nil)
	}
	if err := p.checkForm(r, fields, pathConfirmLogout, b); err != nil {
		err.again = p.base + pathHome
		return err
	}
	front, err := p.endSession(r.Context(), w, b)
	if err != nil {
		return err
	}
	return p.afterLogout(w, r, l, front)
}

// afterLogout sends the browser where the application wants it. When there are clients that only this browser can tell of
// the logout, it does so first, on a page that goes on by itself.
func (p *Provider) afterLogout(w http.ResponseWriter, r *http.Request, l *logout, front []frontchannel) error {
	if l.returnTo != "" && len(front) == 0 {
		p.redirect(w, l.returnTo)
		return nil
	}
	page := web.LoggedOut{
		Login: p.base + pathLogin, Frames: framesOf(front),
		Continue: template.URL(l.returnTo), //nolint:gosec // registered for the client, to the letter
	}
	if l.client != nil {
		page.Application = applicationOf(l.client)
	}
	return p.render(w, r, http.StatusOK, page)
}

// leaveSession goes on to a URL of this provider, once the browser has told the clients of a session that has ended.
func (p *Provider) leaveSession(w http.ResponseWriter, r *http.Request, next string, front []frontchannel) error {
	if len(front) == 0 {
		p.redirect(w, next)
		return nil
	}
	return p.render(w, r, http.StatusOK, web.LoggedOut{
		Switched: true, Frames: framesOf(front),
		Continue: template.URL(next), //nolint:gosec // it is ours
	})
}

func framesOf(front []frontchannel) []string {
	frames := make([]string, len(front))
	for i := range front {
		frames[i] = front[i].uri
	}
	return frames
}
