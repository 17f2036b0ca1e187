package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateSession implements store.Store.
func (s *Store) CreateSession(ctx context.Context, session store.Session) error {
	return s.change(ctx, "create session", `INSERT INTO sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, subject = excluded.subject, auth_time = excluded.auth_time,
			auth_methods = excluded.auth_methods, credential = excluded.credential, user_agent = excluded.user_agent,
			address = excluded.address, last_seen_at = excluded.last_seen_at, expires_at = excluded.expires_at`,
		session.Handle[:], session.ID, session.Subject, micros(session.AuthTime), list(session.AuthMethods), session.Credential,
		[]byte(session.UserAgent), session.Address, micros(session.LastSeenAt), micros(session.ExpiresAt))
}

const sessionColumns = `handle, id, subject, auth_time, auth_methods, credential, user_agent, address, last_seen_at, expires_at`

func scanSession(row pgx.CollectableRow) (session store.Session, err error) {
	err = row.Scan((*bytes32)(&session.Handle), &session.ID, &session.Subject, (*microTime)(&session.AuthTime),
		(*words)(&session.AuthMethods), &session.Credential, (*rawText)(&session.UserAgent), &session.Address,
		(*microTime)(&session.LastSeenAt), (*microTime)(&session.ExpiresAt))
	return session, err
}

// Session implements store.Store.
func (s *Store) Session(ctx context.Context, h store.Handle) (store.Session, error) {
	return get(ctx, s, "get session", scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE handle = $1`, h[:])
}

// SessionByID implements store.Store.
func (s *Store) SessionByID(ctx context.Context, id string) (store.Session, error) {
	if !nameable(id) {
		return store.Session{}, store.ErrNotFound
	}
	return get(ctx, s, "get session by ID", scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE id = $1`, id)
}

// SessionsOf implements store.Store.
func (s *Store) SessionsOf(ctx context.Context, subject string) ([]store.Session, error) {
	if !nameable(subject) {
		return nil, nil
	}
	return getAll(ctx, s, "list sessions", scanSession, sessionsOf, subject)
}

const sessionsOf = `SELECT ` + sessionColumns + ` FROM sessions WHERE subject = $1 ORDER BY auth_time DESC, id DESC`

// TouchSession implements store.Store.
func (s *Store) TouchSession(ctx context.Context, h store.Handle, lastSeenAt time.Time) error {
	return s.change(ctx, "touch session", `UPDATE sessions SET last_seen_at = $2 WHERE handle = $1 AND last_seen_at < $2`,
		h[:], micros(lastSeenAt))
}

// EndSession implements store.Store.
func (s *Store) EndSession(ctx context.Context, id string, notices []store.Notice) error {
	if !nameable(id) {
		return nil
	}
	var ids, clients, subjects, sessions []string
	var attempts []int32
	var next, expires []int64
	for _, n := range notices {
		ids, clients, subjects, sessions = append(ids, n.ID), append(clients, n.ClientID), append(subjects, n.Subject), append(sessions, n.SessionID)
		attempts = append(attempts, int32(n.Attempts)) //nolint:gosec // nobody tries that often
		next, expires = append(next, micros(n.NextAt)), append(expires, micros(n.ExpiresAt))
	}
	return s.change(ctx, "end session", `WITH ended AS (DELETE FROM sessions WHERE id = $1 RETURNING 1)
		INSERT INTO notices (`+noticeColumns+`) SELECT n.* FROM ended,
			unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::bigint[], $8::bigint[]) AS n`,
		id, ids, clients, subjects, sessions, attempts, next, expires)
}
