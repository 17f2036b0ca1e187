package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func scanFailures(r *row) store.Failures {
	return store.Failures{Count: int(r.number()), LastAt: r.time(), ExpiresAt: r.time()}
}

// Failures implements store.Store.
func (s *Store) Failures(ctx context.Context, key store.Handle, now time.Time) (failures store.Failures, err error) {
	err = s.read(ctx, "get failures", func(c *conn) error {
		return get(c, `SELECT count, last_at, expires_at FROM failures WHERE handle = ? AND expires_at > ?`,
			func(r *row) { failures = scanFailures(r) }, key[:], micros(now))
	})
	if errors.Is(err, store.ErrNotFound) {
		return store.Failures{}, nil
	}
	return failures, err
}

// AddFailure implements store.Store.
func (s *Store) AddFailure(ctx context.Context, key store.Handle, now, expiresAt time.Time) (failures store.Failures, err error) {
	err = s.change(ctx, "add failure", func(c *conn) error {
		return get(c, `INSERT INTO failures (handle, count, last_at, expires_at) VALUES (?, 1, ?, ?)
			ON CONFLICT (handle) DO UPDATE SET count = CASE WHEN failures.expires_at > excluded.last_at THEN failures.count + 1 ELSE 1 END,
				last_at = excluded.last_at, expires_at = excluded.expires_at
			RETURNING count, last_at, expires_at`,
			func(r *row) { failures = scanFailures(r) }, key[:], micros(now), micros(expiresAt))
	})
	if err != nil {
		return store.Failures{}, err
	}
	return failures, nil
}

// ClearFailures implements store.Store.
func (s *Store) ClearFailures(ctx context.Context, key store.Handle) error {
	return s.change(ctx, "clear failures", func(c *conn) error {
		_, err := c.exec(`DELETE FROM failures WHERE handle = ?`, key[:])
		return err
	})
}

// PutPassword implements store.Store.
func (s *Store) PutPassword(ctx context.Context, p store.Password) error {
	return s.change(ctx, "put password", func(c *conn) error {
		_, err := c.exec(`INSERT INTO passwords (subject, hash, replaces, changed_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (subject) DO UPDATE SET hash = excluded.hash, replaces = excluded.replaces, changed_at = excluded.changed_at`,
			p.Subject, p.Hash, p.Replaces, micros(p.ChangedAt))
		return err
	})
}

// Password implements store.Store.
func (s *Store) Password(ctx context.Context, subject string) (p store.Password, err error) {
	err = s.read(ctx, "get password", func(c *conn) error {
		return get(c, `SELECT hash, replaces, changed_at FROM passwords WHERE subject = ?`, func(r *row) {
			p = store.Password{Subject: subject, Hash: r.text(), Replaces: r.text(), ChangedAt: r.time()}
		}, subject)
	})
	return p, err
}
