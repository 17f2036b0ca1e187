package memory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

var (
	errClosed = fmt.Errorf("%w: it is closed", store.ErrUnavailable)
	errExists = fmt.Errorf("%w: there is one of that handle or ID already", store.ErrUnavailable)
)

type consentKey struct{ subject, clientID string }

// Store is a store.Store without persistence. The zero value is not usable; call New.
type Store struct {
	mu        sync.Mutex
	closed    error                        // what every call answers from then on
	sessions  map[string]store.Session     // by ID
	cookies   map[store.Handle]string      // IDs of sessions
	clients   map[string]map[string]string // UIDs by session ID, then by client ID
	consents  map[consentKey]store.Consent
	grants    map[string]store.Grant
	tokens    map[store.Handle]store.AccessToken
	pushed    map[store.Handle]store.PushedRequest
	devices   map[store.Handle]store.DeviceRequest
	used      map[store.Handle]time.Time
	failures  map[store.Handle]store.Failures
	passwords map[string]store.Password
	notices   map[string]store.Notice
	numbers   map[string]int64
	numbered  map[int64]bool
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{
		sessions:  map[string]store.Session{},
		cookies:   map[store.Handle]string{},
		clients:   map[string]map[string]string{},
		consents:  map[consentKey]store.Consent{},
		grants:    map[string]store.Grant{},
		tokens:    map[store.Handle]store.AccessToken{},
		pushed:    map[store.Handle]store.PushedRequest{},
		devices:   map[store.Handle]store.DeviceRequest{},
		used:      map[store.Handle]time.Time{},
		failures:  map[store.Handle]store.Failures{},
		passwords: map[string]store.Password{},
		notices:   map[string]store.Notice{},
		numbers:   map[string]int64{},
		numbered:  map[int64]bool{},
	}
}

// Closed returns a store that answers every call with an error which wraps store.ErrUnavailable and says why.
func Closed(why string) *Store {
	return &Store{closed: fmt.Errorf("%w: %s", store.ErrUnavailable, why)}
}

// call runs one call alone, unless it came too late. What run returns when it has changed something is nil.
func (s *Store) call(ctx context.Context, run func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return s.closed
	}
	return run()
}

// find returns a copy of what is under a key.
func find[K comparable, V any](ctx context.Context, s *Store, m map[K]V, key K) (found V, err error) {
	err = s.call(ctx, func() error {
		v, ok := m[key]
		if !ok {
			return store.ErrNotFound
		}
		found = v
		return nil
	})
	return found, err
}

func insert[K comparable, V any](m map[K]V, key K, value V) error {
	if _, ok := m[key]; ok {
		return errExists
	}
	m[key] = value
	return nil
}

// micros is the precision that every engine keeps.
func micros(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

// CreatePushedRequest implements store.Store.
func (s *Store) CreatePushedRequest(ctx context.Context, r store.PushedRequest) error {
	r.ExpiresAt = micros(r.ExpiresAt)
	return s.call(ctx, func() error { return insert(s.pushed, r.Handle, r) })
}

// PushedRequest implements store.Store.
func (s *Store) PushedRequest(ctx context.Context, h store.Handle) (store.PushedRequest, error) {
	return find(ctx, s, s.pushed, h)
}

// DeletePushedRequest implements store.Store.
func (s *Store) DeletePushedRequest(ctx context.Context, h store.Handle) error {
	return s.call(ctx, func() error { delete(s.pushed, h); return nil })
}

// UseOnce implements store.Store.
func (s *Store) UseOnce(ctx context.Context, h store.Handle, now, expiresAt time.Time) error {
	return s.call(ctx, func() error {
		if until, ok := s.used[h]; ok && now.Before(until) {
			return store.ErrReplayed
		}
		s.used[h] = micros(expiresAt)
		return nil
	})
}

// Purge implements store.Store.
func (s *Store) Purge(ctx context.Context, now, idleSince time.Time, limit int, tell store.Tell) (deleted int, err error) {
	err = s.call(ctx, func() error {
		left := limit
		var ended []store.Session
		for _, session := range s.sessions {
			if left > 0 && (session.ExpiresAt.Before(now) || session.LastSeenAt.Before(idleSince)) {
				ended = append(ended, session)
				left--
			}
		}
		if err := s.end(ended, tell); err != nil {
			return err
		}
		purge(s.grants, &left, func(g store.Grant) bool { return g.ExpiresAt.Before(now) })
		purge(s.tokens, &left, func(t store.AccessToken) bool { return t.ExpiresAt.Before(now) })
		purge(s.pushed, &left, func(r store.PushedRequest) bool { return r.ExpiresAt.Before(now) })
		purge(s.devices, &left, func(r store.DeviceRequest) bool { return r.ExpiresAt.Before(now) })
		purge(s.used, &left, func(until time.Time) bool { return until.Before(now) })
		purge(s.failures, &left, func(f store.Failures) bool { return f.ExpiresAt.Before(now) })
		purge(s.notices, &left, func(n store.Notice) bool { return n.ExpiresAt.Before(now) })
		deleted = limit - left
		return nil
	})
	return deleted, err
}

func purge[K comparable, V any](m map[K]V, left *int, expired func(V) bool) {
	for key, value := range m {
		if *left > 0 && expired(value) {
			delete(m, key)
			*left--
		}
	}
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	return s.call(ctx, func() error { return nil })
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = errClosed
	return nil
}
