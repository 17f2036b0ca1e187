package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func scanFailures(row pgx.CollectableRow) (f store.Failures, err error) {
	err = row.Scan(&f.Count, (*microTime)(&f.LastAt), (*microTime)(&f.ExpiresAt))
	return f, err
}

// Failures implements store.Store.
func (s *Store) Failures(ctx context.Context, key store.Handle, now time.Time) (store.Failures, error) {
	f, err := get(ctx, s, "get failures", scanFailures,
		`SELECT count, last_at, expires_at FROM failures WHERE handle = $1 AND expires_at > $2`, key[:], micros(now))
	if errors.Is(err, store.ErrNotFound) {
		return store.Failures{}, nil
	}
	return f, err
}

// AddFailure implements store.Store.
func (s *Store) AddFailure(ctx context.Context, key store.Handle, now, expiresAt time.Time) (store.Failures, error) {
	return changeAndGet(ctx, s, "add failure", scanFailures, `INSERT INTO failures (handle, count, last_at, expires_at) VALUES ($1, 1, $2, $3)
		ON CONFLICT (handle) DO UPDATE SET count = CASE WHEN failures.expires_at > excluded.last_at THEN failures.count + 1 ELSE 1 END,
			last_at = excluded.last_at, expires_at = excluded.expires_at
		RETURNING count, last_at, expires_at`, key[:], micros(now), micros(expiresAt))
}

// ClearFailures implements store.Store.
func (s *Store) ClearFailures(ctx context.Context, key store.Handle) error {
	return s.change(ctx, "clear failures", `DELETE FROM failures WHERE handle = $1`, key[:])
}

// PutPassword implements store.Store.
func (s *Store) PutPassword(ctx context.Context, p store.Password) error {
	return s.change(ctx, "put password", `INSERT INTO passwords (subject, hash, replaces, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (subject) DO UPDATE SET hash = excluded.hash, replaces = excluded.replaces, changed_at = excluded.changed_at`,
		p.Subject, p.Hash, p.Replaces, micros(p.ChangedAt))
}

// Password implements store.Store.
func (s *Store) Password(ctx context.Context, subject string) (store.Password, error) {
	if !nameable(subject) {
		return store.Password{}, store.ErrNotFound
	}
	return get(ctx, s, "get password", func(row pgx.CollectableRow) (store.Password, error) {
		p := store.Password{Subject: subject}
		err := row.Scan(&p.Hash, &p.Replaces, (*microTime)(&p.ChangedAt))
		return p, err
	}, `SELECT hash, replaces, changed_at FROM passwords WHERE subject = $1`, subject)
}
