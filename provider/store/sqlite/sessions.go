package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateSession implements store.Store.
func (s *Store) CreateSession(ctx context.Context, session store.Session) error {
	return s.change(ctx, "create session", func(c *conn) error {
		_, err := c.exec(`INSERT INTO sessions (handle, id, subject, auth_time, auth_methods, credential, last_seen_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			session.Handle[:], session.ID, session.Subject, micros(session.AuthTime), list(session.AuthMethods), session.Credential,
			micros(session.LastSeenAt), micros(session.ExpiresAt))
		return err
	})
}

// Session implements store.Store.
func (s *Store) Session(ctx context.Context, h store.Handle) (store.Session, error) {
	var session store.Session
	err := s.read(ctx, "get session", func(c *conn) error {
		return get(c, `SELECT id, subject, auth_time, auth_methods, credential, last_seen_at, expires_at FROM sessions WHERE handle = ?`,
			func(r *row) {
				session = store.Session{
					Handle: h, ID: r.text(), Subject: r.text(), AuthTime: r.time(), AuthMethods: r.list(), Credential: r.text(),
					LastSeenAt: r.time(), ExpiresAt: r.time(),
				}
			}, h[:])
	})
	return session, err
}

// TouchSession implements store.Store.
func (s *Store) TouchSession(ctx context.Context, h store.Handle, lastSeenAt time.Time) error {
	return s.change(ctx, "touch session", func(c *conn) error {
		seen := micros(lastSeenAt)
		_, err := c.exec(`UPDATE sessions SET last_seen_at = ? WHERE handle = ? AND last_seen_at < ?`, seen, h[:], seen)
		return err
	})
}

// DeleteSession implements store.Store.
func (s *Store) DeleteSession(ctx context.Context, h store.Handle) error {
	return s.change(ctx, "delete session", func(c *conn) error {
		_, err := c.exec(`DELETE FROM sessions WHERE handle = ?`, h[:])
		return err
	})
}
