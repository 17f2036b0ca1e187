package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// serveLogin asks who it is, for the authorization request in the query or, without one, for the start page.
func (p *Provider) serveLogin(w http.ResponseWriter, r *http.Request) error {
	a, err := p.loginRequest(r)
	if err != nil {
		return err
	}
	page := p.loginPage(w, r, a)
	if a != nil {
		page.Username = shownHint(a.LoginHint)
		b, err := p.currentBrowser(r)
		if err != nil {
			return err
		}
		page.Again = b != nil && !a.Prompt(oidc.PromptSelectAccount)
	}
	return p.render(w, r, http.StatusOK, page)
}

// shownHint returns what of a login_hint is filled in beforehand: nothing that cannot be a username, whatever a stranger wrote.
func shownHint(hint string) string {
	if len(hint) > oidc.MaxLoginHint || !utf8.ValidString(hint) || strings.ContainsFunc(hint, unicode.IsControl) {
		return ""
	}
	return hint
}

// loginRequest returns the authorization request in the query, or nil when the login is for a page of ours.
func (p *Provider) loginRequest(r *http.Request) (*authorization, error) {
	if r.URL.RawQuery == "" || p.returnsHere(r) != "" {
		return nil, nil //nolint:nilnil // a login without an application is no error
	}
	return p.readAuthorization(r)
}

func (p *Provider) loginPage(w http.ResponseWriter, r *http.Request, a *authorization) web.Login {
	page := web.Login{Action: p.base + pathLogin, Token: p.formToken(w, r, pathLogin, nil)}
	if a != nil {
		page.Application = applicationOf(a.client)
		page.Action += "?" + a.query
	} else if to := p.returnsHere(r); to != "" {
		page.Action = p.loginReturning(to)
		if client := p.synologyClientOf(to); client != nil {
			page.Application = applicationOf(client)
		}
	}
	return page
}

// serveLoginPost checks what was typed and, when it is right, begins a session and goes on where the person wanted to.
func (p *Provider) serveLoginPost(w http.ResponseWriter, r *http.Request, fields oidc.Parameters) error {
	a, err := p.loginRequest(r)
	if err != nil {
		return err
	}
	if err := p.checkForm(r, fields, pathLogin, nil); err != nil {
		return err
	}
	username := fields.Get("username")
	who, wait, err := p.prove(r, username, fields.Get("password"))
	if err == nil && wait == 0 {
		// Rejected also when the person or the password has changed since.
		if err = p.loggedIn(w, r, a, who); !errors.Is(err, identity.ErrRejected) {
			return err
		}
	}
	page := p.loginPage(w, r, a)
	page.Username = username
	switch {
	case errors.Is(err, identity.ErrRejected):
		p.metrics.logins[loginRejected].Inc()
		p.recordFailedLogin(r.Context(), auditLoginFailed, p.clientIDOf(r, a), username)
		page.Rejected = true
		return p.render(w, r, http.StatusForbidden, page)
	case errors.Is(err, identity.ErrBusy):
		p.metrics.logins[loginBusy].Inc()
		page.Busy = true
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		return p.render(w, r, http.StatusServiceUnavailable, page)
	case err != nil:
		p.metrics.logins[loginFailed].Inc()
		return fmt.Errorf("authenticate: %w", err)
	}
	p.metrics.logins[loginBlocked].Inc()
	p.recordFailedLogin(r.Context(), auditLoginBlocked, p.clientIDOf(r, a), username)
	page.Wait = wait
	w.Header().Set("Retry-After", retryAfterWait(wait))
	return p.render(w, r, http.StatusTooManyRequests, page)
}

// retryAfterWait returns a wait in whole seconds, none of them too few.
func retryAfterWait(wait time.Duration) string {
	return strconv.FormatInt(seconds(wait+time.Second-1), 10)
}

// loggedIn begins a session for somebody who has proved who they are.
func (p *Provider) loggedIn(w http.ResponseWriter, r *http.Request, a *authorization, who identity.Identity) error {
	previous, err := p.currentBrowser(r)
	if err != nil {
		return err
	}
	secret, ended, err := p.beginSession(r.Context(), w, previous, who)
	if err != nil {
		return err
	}
	if user, known := p.registry.UserBySubject(who.Subject); known {
		if err := p.markBrowser(r.Context(), w, r, user); err != nil {
			return err
		}
	}
	p.metrics.logins[loginSucceeded].Inc()
	if a == nil {
		return p.leaveSession(w, r, p.base+cmp.Or(p.returnsHere(r), pathHome), ended)
	}
	query := a.query
	if a.wantsProof() {
		query += "&" + fieldProof + "=" + url.QueryEscape(proofOf(secret, a.query))
	}
	return p.leaveSession(w, r, p.base+oidc.PathAuthorization+"?"+query, ended)
}

// recordFailedLogin names the person only where there is one: people now and then type their password as their name.
func (p *Provider) recordFailedLogin(ctx context.Context, event auditEvent, clientID, username string) {
	attributes := []slog.Attr{slog.String("client_id", clientID)}
	if user, known := p.registry.UserByName(username); known {
		attributes = append(attributes, slog.String("username", user.Username), slog.String("sub", user.Subject))
	}
	p.record(ctx, event, attributes...)
}

// clientIDOf returns for which client a login is, or "".
func (p *Provider) clientIDOf(r *http.Request, a *authorization) string {
	if a != nil {
		return a.client.ClientID
	}
	if client := p.synologyClientOf(p.returnsHere(r)); client != nil {
		return client.ClientID
	}
	return ""
}
