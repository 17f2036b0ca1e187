package measured

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateSession implements store.Store.
func (s *Store) CreateSession(ctx context.Context, session store.Session) error {
	c := s.begin(ctx, createSession)
	return c.end(c.inner.CreateSession(c.ctx, session))
}

// RenewSession implements store.Store.
func (s *Store) RenewSession(ctx context.Context, session store.Session) error {
	c := s.begin(ctx, renewSession)
	return c.end(c.inner.RenewSession(c.ctx, session))
}

// Session implements store.Store.
func (s *Store) Session(ctx context.Context, h store.Handle) (store.Session, error) {
	c := s.begin(ctx, session)
	v, err := c.inner.Session(c.ctx, h)
	return v, c.end(err)
}

// SessionByID implements store.Store.
func (s *Store) SessionByID(ctx context.Context, id string) (store.Session, error) {
	c := s.begin(ctx, sessionByID)
	v, err := c.inner.SessionByID(c.ctx, id)
	return v, c.end(err)
}

// SessionsOf implements store.Store.
func (s *Store) SessionsOf(ctx context.Context, subject string) ([]store.Session, error) {
	c := s.begin(ctx, sessionsOf)
	v, err := c.inner.SessionsOf(c.ctx, subject)
	return v, c.end(err)
}

// TouchSession implements store.Store.
func (s *Store) TouchSession(ctx context.Context, h store.Handle, lastSeenAt time.Time) error {
	c := s.begin(ctx, touchSession)
	return c.end(c.inner.TouchSession(c.ctx, h, lastSeenAt))
}

// EndSession implements store.Store.
func (s *Store) EndSession(ctx context.Context, id string, tell store.Tell) error {
	c := s.begin(ctx, endSession)
	return c.end(c.inner.EndSession(c.ctx, id, tell))
}

// PutConsent implements store.Store.
func (s *Store) PutConsent(ctx context.Context, agreed store.Consent) error {
	c := s.begin(ctx, putConsent)
	return c.end(c.inner.PutConsent(c.ctx, agreed))
}

// Consent implements store.Store.
func (s *Store) Consent(ctx context.Context, subject string, client store.Client) (store.Consent, error) {
	c := s.begin(ctx, consent)
	v, err := c.inner.Consent(c.ctx, subject, client)
	return v, c.end(err)
}

// ConsentsOf implements store.Store.
func (s *Store) ConsentsOf(ctx context.Context, subject string) ([]store.Consent, error) {
	c := s.begin(ctx, consentsOf)
	v, err := c.inner.ConsentsOf(c.ctx, subject)
	return v, c.end(err)
}

// Revoke implements store.Store.
func (s *Store) Revoke(ctx context.Context, subject, clientID string) (bool, error) {
	c := s.begin(ctx, revoke)
	v, err := c.inner.Revoke(c.ctx, subject, clientID)
	return v, c.end(err)
}

// Failures implements store.Store.
func (s *Store) Failures(ctx context.Context, key store.Handle, now time.Time) (store.Failures, error) {
	c := s.begin(ctx, failures)
	v, err := c.inner.Failures(c.ctx, key, now)
	return v, c.end(err)
}

// AddFailure implements store.Store.
func (s *Store) AddFailure(ctx context.Context, key store.Handle, now, expiresAt time.Time) (store.Failures, error) {
	c := s.begin(ctx, addFailure)
	v, err := c.inner.AddFailure(c.ctx, key, now, expiresAt)
	return v, c.end(err)
}

// ClearFailures implements store.Store.
func (s *Store) ClearFailures(ctx context.Context, key store.Handle) error {
	c := s.begin(ctx, clearFailures)
	return c.end(c.inner.ClearFailures(c.ctx, key))
}

// PutPassword implements store.Store.
func (s *Store) PutPassword(ctx context.Context, p store.Password) error {
	c := s.begin(ctx, putPassword)
	return c.end(c.inner.PutPassword(c.ctx, p))
}

// Password implements store.Store.
func (s *Store) Password(ctx context.Context, subject string) (store.Password, error) {
	c := s.begin(ctx, password)
	v, err := c.inner.Password(c.ctx, subject)
	return v, c.end(err)
}

// TakeNotices implements store.Store.
func (s *Store) TakeNotices(ctx context.Context, now, until time.Time, limit int) ([]store.Notice, error) {
	c := s.begin(ctx, takeNotices)
	v, err := c.inner.TakeNotices(c.ctx, now, until, limit)
	return v, c.end(err)
}

// PostponeNotice implements store.Store.
func (s *Store) PostponeNotice(ctx context.Context, id string, nextAt time.Time) error {
	c := s.begin(ctx, postponeNotice)
	return c.end(c.inner.PostponeNotice(c.ctx, id, nextAt))
}

// DeleteNotice implements store.Store.
func (s *Store) DeleteNotice(ctx context.Context, id string) error {
	c := s.begin(ctx, deleteNotice)
	return c.end(c.inner.DeleteNotice(c.ctx, id))
}

// CountNotices implements store.Store.
func (s *Store) CountNotices(ctx context.Context) (int, error) {
	c := s.begin(ctx, countNotices)
	v, err := c.inner.CountNotices(c.ctx)
	return v, c.end(err)
}

// UserNumber implements store.Store.
func (s *Store) UserNumber(ctx context.Context, subject string, candidates []int64) (int64, error) {
	c := s.begin(ctx, userNumber)
	v, err := c.inner.UserNumber(c.ctx, subject, candidates)
	return v, c.end(err)
}
