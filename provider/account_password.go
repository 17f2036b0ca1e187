package provider

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// servePassword asks for a new password.
func (p *Provider) servePassword(w http.ResponseWriter, r *http.Request, b *browser) error {
	if p.changer(b.user) == nil {
		return serveNotFound(w, r)
	}
	return p.render(w, r, http.StatusOK, p.passwordPage(w, r, b))
}

func (p *Provider) passwordPage(w http.ResponseWriter, r *http.Request, b *browser) web.ChangePassword {
	return web.ChangePassword{
		Account: p.base + pathAccount, Action: p.base + pathAccountPassword, Token: p.formToken(w, r, pathAccountPassword, b),
		Username: b.user.Username, MinLength: identity.MinPasswordLength,
	}
}

// servePasswordPost puts a new password in the place of the current one, which is asked for and counts like a login: whoever finds
// a browser open must not guess here what they cannot at the door. Every session but this one ends.
func (p *Provider) servePasswordPost(w http.ResponseWriter, r *http.Request, b *browser, fields oidc.Parameters) error {
	changer := p.changer(b.user)
	if changer == nil {
		return serveNotFound(w, r)
	}
	page := p.passwordPage(w, r, b)
	current, next := fields.Get("current"), fields.Get("next")
	if page.Field, page.Fault = choiceFault(b, fields); page.Fault != "" {
		return p.render(w, r, http.StatusUnprocessableEntity, page)
	}
	_, wait, err := p.prove(r, b.user.Username, current)
	if err == nil && wait == 0 {
		// In this order, so that no crash in between leaves a session of the old password behind.
		if err = p.endOtherSessions(r.Context(), b, "password"); err != nil {
			return err
		}
		err = changer.ChangePassword(r.Context(), b.user, current, next)
	}
	switch {
	case errors.Is(err, identity.ErrRejected):
		p.recordFailedLogin(r.Context(), auditLoginFailed, "", b.user.Username)
		page.Field, page.Fault = "current", "current"
		return p.render(w, r, http.StatusForbidden, page)
	case errors.Is(err, identity.ErrBusy):
		page.Fault = "busy"
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		return p.render(w, r, http.StatusServiceUnavailable, page)
	case err != nil:
		return fmt.Errorf("change password: %w", err)
	case wait > 0:
		p.recordFailedLogin(r.Context(), auditLoginBlocked, "", b.user.Username)
		page.Wait = wait
		w.Header().Set("Retry-After", retryAfterWait(wait))
		return p.render(w, r, http.StatusTooManyRequests, page)
	}
	return p.passwordChanged(w, r, b)
}

// choiceFault returns the field and the text of what is wrong with a choice, before anything is hashed for it.
func choiceFault(b *browser, fields oidc.Parameters) (field, text string) {
	next, prepared := fields.Get("next"), registration.PreparePassword
	switch err := identity.CheckChoice(b.user, next); {
	case errors.Is(err, identity.ErrPasswordShort):
		return "next", "short"
	case errors.Is(err, identity.ErrPasswordLong):
		return "next", "long"
	case errors.Is(err, identity.ErrPasswordName):
		return "next", "name"
	case err != nil:
		return "next", "common"
	case prepared(next) != prepared(fields.Get("repeat")):
		return "repeat", "repeat"
	case prepared(next) == prepared(fields.Get("current")):
		return "next", "same"
	}
	return "", ""
}

// passwordChanged ends what has begun with the old password since, and gives this browser a new session.
func (p *Provider) passwordChanged(w http.ResponseWriter, r *http.Request, b *browser) error {
	ctx := r.Context()
	p.record(ctx, auditPasswordChanged, slog.String("sub", b.Subject), slog.String("session_id", b.ID))
	if err := p.endOtherSessions(ctx, b, "password"); err != nil {
		return err
	}
	if _, _, err := p.beginSession(ctx, w, b, identity.Identity{Subject: b.Subject, Methods: b.AuthMethods}); err != nil {
		return err
	}
	if err := p.markBrowser(ctx, w, r, b.user); err != nil {
		return err
	}
	p.redirect(w, p.base+pathAccount+"?"+fieldDone+"="+donePassword)
	return nil
}
