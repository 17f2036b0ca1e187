package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// sessionsOf returns the browsers in which a person is logged in: the one that asks, then those used last.
func (p *Provider) sessionsOf(ctx context.Context, b *browser) ([]store.Session, error) {
	all, err := p.store.SessionsOf(ctx, b.Subject)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	all = slices.DeleteFunc(all, func(s store.Session) bool { return !p.alive(&s, b.user) })
	slices.SortStableFunc(all, func(x, y store.Session) int {
		switch {
		case x.ID == b.ID:
			return -1
		case y.ID == b.ID:
			return 1
		}
		return y.LastSeenAt.Compare(x.LastSeenAt)
	})
	return all, nil
}

// serveSessions lists the browsers in which a person is logged in.
func (p *Provider) serveSessions(w http.ResponseWriter, r *http.Request, b *browser) error {
	sessions, err := p.sessionsOf(r.Context(), b)
	if err != nil {
		return err
	}
	page := web.Sessions{
		Account: p.base + pathAccount, Done: doneOf(r),
		Action: p.base + pathAccountSessions, Token: p.formToken(w, r, pathAccountSessions, b),
		Others: len(sessions) > 1,
	}
	for _, s := range sessions {
		program, system := readUserAgent(s.UserAgent)
		page.Sessions = append(page.Sessions, web.Session{
			ID: s.ID, Browser: program, System: system, Address: s.Address, This: s.ID == b.ID, LoggedIn: s.AuthTime, LastSeen: s.LastSeenAt,
		})
	}
	return p.render(w, r, http.StatusOK, page)
}

// serveSessionsPost ends one of a person's sessions, all others or all.
func (p *Provider) serveSessionsPost(w http.ResponseWriter, r *http.Request, b *browser, fields oidc.Parameters) error {
	ctx := r.Context()
	end, id := fields.Get("end"), fields.Get("session")
	switch {
	case end == "all":
		if err := p.endOtherSessions(ctx, b, "ended"); err != nil {
			return err
		}
		return p.endThisSession(w, r, b)
	case end == "others":
		if err := p.endOtherSessions(ctx, b, "ended"); err != nil {
			return err
		}
		p.redirect(w, p.base+pathAccountSessions+"?"+fieldDone+"="+doneOthers)
		return nil
	case id == b.ID:
		return p.endThisSession(w, r, b)
	}
	session, err := p.store.SessionByID(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read session: %w", err)
	}
	if err == nil && session.Subject == b.Subject { // one of somebody else's is not touched, and not told of
		if err := p.endSessionElsewhere(ctx, session, "ended"); err != nil {
			return err
		}
	}
	p.redirect(w, p.base+pathAccountSessions+"?"+fieldDone+"="+doneEnded)
	return nil
}

func (p *Provider) endThisSession(w http.ResponseWriter, r *http.Request, b *browser) error {
	front, err := p.endSession(r.Context(), w, b)
	if err != nil {
		return err
	}
	return p.afterLogout(w, r, &logout{}, front)
}

// endOtherSessions ends every session of a person but the one in this browser.
func (p *Provider) endOtherSessions(ctx context.Context, b *browser, reason string) error {
	all, err := p.store.SessionsOf(ctx, b.Subject)
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	for _, session := range all {
		if session.ID == b.ID {
			continue
		}
		if err := p.endSessionElsewhere(ctx, session, reason); err != nil {
			return err
		}
	}
	return nil
}

// endSessionElsewhere ends a session that is not the one of the browser that asks for it. Clients that only its own browser
// could tell are not told.
func (p *Provider) endSessionElsewhere(ctx context.Context, session store.Session, reason string) error {
	if _, err := p.logOut(ctx, session); err != nil {
		return err
	}
	p.record(ctx, auditSessionEnded, slog.String("sub", session.Subject), slog.String("session_id", session.ID), slog.String("reason", reason))
	return nil
}
