package provider

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// browser is a browser in which a person is logged in.
type browser struct {
	store.Session
	// secret is the value of the session cookie.
	secret string
	user   *registration.User
}

// touchesPerIdle is how often in an idle period a session's last use is written down: often enough to be right within
// five percent, and seldom enough that reading pages does not write.
const touchesPerIdle = 20

// newSecret returns a bearer value of 256 random bits.
func newSecret() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: the program is stopped instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// alive tells whether a session of a user still counts. It does not when it is too old, or when its person is disabled or has
// another password now: changing a password throws out whoever has come in with the old one.
func (p *Provider) alive(session *store.Session, user *registration.User) bool {
	return p.lasts(store.SessionTimes{LastSeenAt: session.LastSeenAt, ExpiresAt: session.ExpiresAt}) &&
		!user.Disabled && session.Credential == identity.Credential(user)
}

// lasts tells whether a session is neither too old nor idle for too long. One that is gone has no times, and does not last.
func (p *Provider) lasts(session store.SessionTimes) bool {
	now, idle := p.now(), time.Duration(p.registry.Settings().Sessions.Idle)
	return now.Before(session.ExpiresAt) && now.Sub(session.LastSeenAt) <= idle
}

// currentBrowser returns who is logged in, or nil.
func (p *Provider) currentBrowser(r *http.Request) (*browser, error) {
	secret := p.cookies.value(r, p.cookies.session)
	if secret == "" {
		return nil, nil //nolint:nilnil // nobody is logged in: that is no error
	}
	session, err := p.store.Session(r.Context(), store.HandleOf(secret))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // see above
	}
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	user, known := p.registry.UserBySubject(session.Subject)
	if !known || !p.alive(&session, user) {
		return nil, nil //nolint:nilnil // see above
	}
	now, idle := p.now(), time.Duration(p.registry.Settings().Sessions.Idle)
	if now.Sub(session.LastSeenAt) > idle/touchesPerIdle && r.Method != http.MethodHead {
		if err := p.store.TouchSession(r.Context(), session.Handle, now); err != nil {
			return nil, fmt.Errorf("touch session: %w", err)
		}
	}
	return &browser{Session: session, secret: secret, user: user}, nil
}

// beginSession logs a person in, under a new cookie: one that was planted before the login is worth nothing after it.
// The same person logging in again keeps the session's ID, by which applications know it. Another person's session ends:
// ended are the clients that this browser must tell of it.
func (p *Provider) beginSession(ctx context.Context, w http.ResponseWriter, previous *browser, who identity.Identity) (secret string, ended []frontchannel, err error) {
	user, known := p.registry.UserBySubject(who.Subject)
	if !known {
		return "", nil, fmt.Errorf("begin session: %w", identity.ErrRejected) // gone since the password was checked
	}
	now := p.now()
	secret = store.NewValue(now)
	session := store.Session{
		Handle:      store.HandleOf(secret),
		ID:          store.NewID(now),
		Subject:     who.Subject,
		AuthTime:    now,
		AuthMethods: who.Methods,
		Credential:  identity.Credential(user),
		UserAgent:   bounded(infoOf(ctx).userAgent, maxUserAgent),
		Address:     bounded(infoOf(ctx).address, maxAddress),
		LastSeenAt:  now,
		ExpiresAt:   now.Add(time.Duration(p.registry.Settings().Sessions.Absolute)),
	}
	again := previous != nil && previous.Subject == who.Subject
	if previous != nil && !again {
		if ended, err = p.logOut(ctx, previous.Session); err != nil {
			return "", nil, err
		}
		p.record(ctx, auditSessionEnded, slog.String("sub", previous.Subject), slog.String("session_id", previous.ID), slog.String("reason", "replaced"))
	}
	if again {
		again, err = p.renewSession(ctx, &session, previous.ID)
	}
	if !again && err == nil {
		err = p.store.CreateSession(ctx, session)
	}
	if err != nil {
		return "", nil, fmt.Errorf("create session: %w", err)
	}
	if err := p.checkUnchanged(ctx, &session, user, who); err != nil {
		return "", nil, err
	}
	if !again {
		p.trimSessions(ctx, user.Subject)
	}
	p.record(ctx, auditLoginSucceeded, slog.String("sub", user.Subject), slog.String("username", user.Username),
		slog.String("session_id", session.ID), slog.Any("amr", session.AuthMethods))
	p.cookies.set(w, p.cookies.session, secret)
	return secret, ended, nil
}

// renewSession puts a session in the place of an earlier one, whose ID it takes. One that has ended meanwhile does not come back to
// life, nor do the codes that were issued in it: renewed is false, and the session keeps an ID of its own.
func (p *Provider) renewSession(ctx context.Context, session *store.Session, id string) (renewed bool, err error) {
	fresh := session.ID
	session.ID = id
	err = p.store.RenewSession(ctx, *session)
	if errors.Is(err, store.ErrNotFound) {
		session.ID = fresh
		return false, nil
	}
	return err == nil, err
}

// checkUnchanged ends a session that has begun with a password which was changed meanwhile. Whoever changes a password ends
// all sessions there are; this one may have come too late for that.
func (p *Provider) checkUnchanged(ctx context.Context, session *store.Session, user *registration.User, who identity.Identity) error {
	outdated, err := identity.Outdated(ctx, p.store, user, who)
	if err != nil || !outdated {
		return err
	}
	if _, err := p.logOut(ctx, *session); err != nil {
		return err
	}
	return fmt.Errorf("begin session: %w: it was changed meanwhile", identity.ErrRejected)
}

// Bounds of what a session keeps of what the browser says.
const (
	maxUserAgent = 255
	maxAddress   = 64
)

// bounded returns the beginning of a text that a stranger has written, fit for storage.
func bounded(text string, limit int) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text[:min(len(text), limit)], ""), "\x00", "")
}
