package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

var (
	errClosed = errors.New("store is closed")
	errExists = errors.New("handle exists already")
)

type consentKey struct{ subject, clientID string }

type code struct {
	store.Code
	redeemed bool
	// purgeAt is when the code may be forgotten.
	purgeAt time.Time
}

// Store is a store.Store without persistence. The zero value is not usable; call New.
type Store struct {
	mu       sync.Mutex
	closed   bool
	sessions map[store.Handle]store.Session
	consents map[consentKey]store.Consent
	codes    map[store.Handle]code
	tokens   map[store.Handle]store.AccessToken
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{
		sessions: map[store.Handle]store.Session{},
		consents: map[consentKey]store.Consent{},
		codes:    map[store.Handle]code{},
		tokens:   map[store.Handle]store.AccessToken{},
	}
}

// lock takes the store for one call, unless the call came too late.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	return s.mu.Unlock, nil
}

// micros is the precision that every engine keeps.
func micros(t time.Time) time.Time {
	return time.UnixMicro(t.UnixMicro()).UTC()
}

// CreateSession implements store.Store.
func (s *Store) CreateSession(ctx context.Context, session store.Session) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	defer unlock()
	if _, ok := s.sessions[session.Handle]; ok {
		return fmt.Errorf("create session: %w", errExists)
	}
	session.AuthMethods = slices.Clone(session.AuthMethods)
	session.AuthTime, session.LastSeenAt, session.ExpiresAt = micros(session.AuthTime), micros(session.LastSeenAt), micros(session.ExpiresAt)
	s.sessions[session.Handle] = session
	return nil
}

// Session implements store.Store.
func (s *Store) Session(ctx context.Context, h store.Handle) (store.Session, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return store.Session{}, fmt.Errorf("get session: %w", err)
	}
	defer unlock()
	session, ok := s.sessions[h]
	if !ok {
		return store.Session{}, store.ErrNotFound
	}
	session.AuthMethods = slices.Clone(session.AuthMethods)
	return session, nil
}

// TouchSession implements store.Store.
func (s *Store) TouchSession(ctx context.Context, h store.Handle, lastSeenAt time.Time) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("touch session: %w", err)
	}
	defer unlock()
	session, ok := s.sessions[h]
	if seen := micros(lastSeenAt); ok && seen.After(session.LastSeenAt) {
		session.LastSeenAt = seen
		s.sessions[h] = session
	}
	return nil
}

// DeleteSession implements store.Store.
func (s *Store) DeleteSession(ctx context.Context, h store.Handle) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	defer unlock()
	delete(s.sessions, h)
	return nil
}

// PutConsent implements store.Store.
func (s *Store) PutConsent(ctx context.Context, c store.Consent) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("put consent: %w", err)
	}
	defer unlock()
	c.Scopes, c.GrantedAt = slices.Clone(c.Scopes), micros(c.GrantedAt)
	s.consents[consentKey{c.Subject, c.ClientID}] = c
	return nil
}

// Consent implements store.Store.
func (s *Store) Consent(ctx context.Context, subject, clientID string) (store.Consent, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return store.Consent{}, fmt.Errorf("get consent: %w", err)
	}
	defer unlock()
	c, ok := s.consents[consentKey{subject, clientID}]
	if !ok {
		return store.Consent{}, store.ErrNotFound
	}
	c.Scopes = slices.Clone(c.Scopes)
	return c, nil
}

// CreateCode implements store.Store.
func (s *Store) CreateCode(ctx context.Context, c store.Code) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("create code: %w", err)
	}
	defer unlock()
	if _, ok := s.codes[c.Handle]; ok {
		return fmt.Errorf("create code: %w", errExists)
	}
	c.Scopes, c.AuthMethods = slices.Clone(c.Scopes), slices.Clone(c.AuthMethods)
	c.AuthTime, c.ExpiresAt = micros(c.AuthTime), micros(c.ExpiresAt)
	s.codes[c.Handle] = code{Code: c, purgeAt: c.ExpiresAt}
	return nil
}

// Code implements store.Store.
func (s *Store) Code(ctx context.Context, h store.Handle) (store.Code, bool, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return store.Code{}, false, fmt.Errorf("get code: %w", err)
	}
	defer unlock()
	c, ok := s.codes[h]
	if !ok {
		return store.Code{}, false, store.ErrNotFound
	}
	c.Scopes, c.AuthMethods = slices.Clone(c.Scopes), slices.Clone(c.AuthMethods)
	return c.Code, c.redeemed, nil
}

// RedeemCode implements store.Store.
func (s *Store) RedeemCode(ctx context.Context, h store.Handle, t store.AccessToken, keepUntil time.Time) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("redeem code: %w", err)
	}
	defer unlock()
	c, ok := s.codes[h]
	if !ok {
		return store.ErrNotFound
	}
	if c.redeemed {
		return store.ErrCodeRedeemed
	}
	if _, ok := s.tokens[t.Handle]; ok {
		return fmt.Errorf("redeem code: access token: %w", errExists)
	}
	t.Scopes = slices.Clone(t.Scopes)
	t.IssuedAt, t.ExpiresAt = micros(t.IssuedAt), micros(t.ExpiresAt)
	c.redeemed, c.purgeAt = true, micros(keepUntil)
	s.codes[h], s.tokens[t.Handle] = c, t
	return nil
}

// AccessToken implements store.Store.
func (s *Store) AccessToken(ctx context.Context, h store.Handle) (store.AccessToken, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return store.AccessToken{}, fmt.Errorf("get access token: %w", err)
	}
	defer unlock()
	t, ok := s.tokens[h]
	if !ok {
		return store.AccessToken{}, store.ErrNotFound
	}
	t.Scopes = slices.Clone(t.Scopes)
	return t, nil
}

// RevokeGrant implements store.Store.
func (s *Store) RevokeGrant(ctx context.Context, grantID string) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("revoke grant: %w", err)
	}
	defer unlock()
	for h, t := range s.tokens {
		if t.GrantID == grantID {
			delete(s.tokens, h)
		}
	}
	return nil
}

// Purge implements store.Store.
func (s *Store) Purge(ctx context.Context, now, idleSince time.Time, limit int) (int, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return 0, fmt.Errorf("purge: %w", err)
	}
	defer unlock()
	deleted := 0
	for h, session := range s.sessions {
		if deleted < limit && (session.ExpiresAt.Before(now) || session.LastSeenAt.Before(idleSince)) {
			delete(s.sessions, h)
			deleted++
		}
	}
	for h, c := range s.codes {
		if deleted < limit && c.purgeAt.Before(now) {
			delete(s.codes, h)
			deleted++
		}
	}
	for h, t := range s.tokens {
		if deleted < limit && t.ExpiresAt.Before(now) {
			delete(s.tokens, h)
			deleted++
		}
	}
	return deleted, nil
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	unlock()
	return nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
