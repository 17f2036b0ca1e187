package provider

import (
	"errors"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/synologysso"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// tellScript answers with a page that passes a message on to the script, and to nobody else.
func (p *Provider) tellScript(w http.ResponseWriter, r *http.Request, s *synologyRequest, page web.Message) error {
	page.Target, page.Ancestors = s.Target(), s.Origins()
	return p.render(w, r, http.StatusOK, page)
}

func (p *Provider) tellNotLogin(w http.ResponseWriter, r *http.Request, s *synologyRequest) error {
	return p.tellScript(w, r, s, web.Message{Text: "not_login", Data: s.Message(synologysso.StatusNotLogin, "")})
}

func (p *Provider) tellLoggedOut(w http.ResponseWriter, r *http.Request, s *synologyRequest, front []frontchannel) error {
	return p.tellScript(w, r, s, web.Message{
		Text: "logged_out", Data: s.Message(synologysso.StatusNotLogin, ""), Frames: framesOf(front),
	})
}

// giveUpSynology goes back to the application without a token.
func (p *Provider) giveUpSynology(w http.ResponseWriter, r *http.Request, s *synologyRequest, status synologysso.Status) error {
	if s.FromScript() {
		return p.tellScript(w, r, s, web.Message{Text: "not_login", Data: s.Message(status, "")})
	}
	p.redirect(w, s.FaultURL(status))
	return nil
}

// serveSynologyLogout ends the login here. Nothing happens before the page that this answers with has sent its form: in a frame,
// which only pages of the application can have, it does so by itself; elsewhere a person decides. A request alone logs nobody out,
// because any site can make a browser send one.
func (p *Provider) serveSynologyLogout(w http.ResponseWriter, r *http.Request, s *synologyRequest, b *browser) error {
	switch {
	case b == nil && hidesCookies(r):
		return p.tellScript(w, r, s, web.Message{Text: "not_login", Data: s.Message(synologysso.StatusUnseen, "")})
	case b == nil:
		return p.tellLoggedOut(w, r, s, nil)
	}
	return p.render(w, r, http.StatusOK, web.FramedLogout{Ancestors: s.Origins(), ConfirmLogout: web.ConfirmLogout{
		Application: applicationOf(s.client),
		Action:      p.base + s.here(), Token: p.formToken(w, r, s.purpose(), b),
		Person: personOf(b.user), Username: b.user.Username, Home: p.base + pathHome,
	}})
}

// hidesCookies tells whether a browser sends a request from a frame on another site, with which it sends no cookies of ours: who is
// logged in cannot be seen there.
func hidesCookies(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Dest") == "iframe" && r.Header.Get("Sec-Fetch-Site") == "cross-site"
}

// synologyFault returns what is told of an error, and whether it is one of the provider's own that the log must have.
func synologyFault(err error) (status synologysso.Status, ours bool) {
	var known *synologysso.Fault
	switch {
	case errors.As(err, &known):
		return known.Status, false
	case errors.Is(err, identity.ErrBusy):
		return synologysso.ServerError, false
	case errors.Is(err, store.ErrUnavailable):
		return synologysso.ServerError, true
	}
	return synologysso.UnknownError, true
}

// synologyPage names the texts of a fault.
func synologyPage(code synologysso.Status) string {
	switch code {
	case synologysso.ParameterError:
		return "request"
	case synologysso.InvalidAppID:
		return "app_unknown"
	case synologysso.InvalidRedirectURI:
		return pageRedirectUnregistered
	case synologysso.InvalidDirectoryService:
		return "directory"
	case synologysso.ServerError:
		return "unavailable"
	default:
		return "fault"
	}
}

// respondSynologyError tells the script of a fault, where it asks, else the person. An application is never redirected to with one.
func (p *Provider) respondSynologyError(w http.ResponseWriter, r *http.Request, e *synologyError) {
	code, ours := synologyFault(e.cause)
	detail, status := string(code), http.StatusBadRequest
	if ours {
		p.logFault(w, r, e.cause)
		status = http.StatusInternalServerError
	} else {
		detail = e.Error()
	}
	if code == synologysso.ServerError {
		status = http.StatusServiceUnavailable
	}
	page := &pageError{status: status, text: synologyPage(code), detail: detail}
	if code == synologysso.InvalidRedirectURI || code == synologysso.InvalidDirectoryService {
		page.args = []any{applicationOf(e.request.client).Name}
	}
	if ours {
		page.again = againFor(r)
	}
	if !e.request.FromScript() {
		p.respondPage(w, r, page)
		return
	}
	err := p.render(w, r, status, web.Message{
		Text: page.text, Fault: true, Args: page.args, Detail: detail, RequestID: requestID(w),
		Data: e.request.Message(code, ""), Target: e.request.Target(), Ancestors: e.request.Origins(),
	})
	if err != nil {
		p.logFault(w, r, err)
		http.Error(w, http.StatusText(status), status)
	}
}
