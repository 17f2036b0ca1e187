package provider

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
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
// was read from it does. A program, which has no cookies to come back with, is answered at once.
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
	if b != nil || !sentByBrowser(r) { // the application is of this very site, or it is a server
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
		if err := p.endHintedSession(r.Context(), l); err != nil {
			return err
		}
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

// sentByBrowser reports whether a form may come from a person's browser: each of them says of a form where it comes from (Fetch standard,
// Fetch Metadata).
func sentByBrowser(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
}

// endHintedSession ends the session that a validated ID token names, when the request comes without its cookie: an application's server ends what the
// application has begun (OpenID Connect RP-Initiated Logout section 2 lets the OP decide; the ID token proves that the application belongs to the session).
// The session's clients are told by their servers. Only the browser of the session can load their pages, and nobody else learns of them.
func (p *Provider) endHintedSession(ctx context.Context, l *logout) error {
	if l.hint == nil || l.client == nil || l.hint.SessionID == "" {
		return nil
	}
	session, err := p.store.SessionByID(ctx, p.sessionOf(l.client, l.hint.SessionID))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read session: %w", err)
	}
	user, known := p.registry.UserBySubject(session.Subject)
	if !known {
		return nil
	}
	if subject, err := p.subjectOf(l.client, user); err != nil || subject != l.hint.Subject {
		return nil //nolint:nilerr // the ID token is of somebody else than the session is
	}
	if _, err := p.logOut(ctx, session); err != nil {
		return err
	}
	p.record(ctx, auditSessionEnded, slog.String("sub", session.Subject), slog.String("session_id", session.ID), slog.String("reason", "application"),
		slog.String("client_id", l.client.ClientID))
	return nil
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
