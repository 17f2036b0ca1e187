package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateSession implements store.Store.
func (s *Store) CreateSession(ctx context.Context, session store.Session) error {
	return s.change(ctx, "create session", `INSERT INTO sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		sessionArgs(&session)...)
}

// RenewSession implements store.Store.
func (s *Store) RenewSession(ctx context.Context, session store.Session) error {
	changed, err := s.exec(ctx, "renew session", `UPDATE sessions SET handle = $1, subject = $3, auth_time = $4, auth_methods = $5,
		credential = $6, user_agent = $7, address = $8, last_seen_at = $9, expires_at = $10 WHERE id = $2`, sessionArgs(&session)...)
	if err == nil && changed == 0 {
		return store.ErrNotFound
	}
	return err
}

func sessionArgs(session *store.Session) []any {
	return []any{
		session.Handle[:], session.ID, session.Subject, micros(session.AuthTime), list(session.AuthMethods), session.Credential,
		[]byte(session.UserAgent), session.Address, micros(session.LastSeenAt), micros(session.ExpiresAt),
	}
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
func (s *Store) EndSession(ctx context.Context, id string, tell store.Tell) error {
	if !nameable(id) {
		return nil
	}
	return s.call(ctx, "end session", func(ctx context.Context, c *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			_, err := endSessions(ctx, tx, tell, `SELECT `+sessionColumns+` FROM sessions WHERE id = $1 FOR UPDATE`, id)
			return err
		})
	})
}

// endSessions deletes the sessions that a query finds and locks, with their clients, and stores what these must be told. The lock comes
// first: whoever was issuing a code in one of the sessions is done then, and its client is among those that the next statement
// sees; whoever comes later finds the session gone.
func endSessions(ctx context.Context, tx pgx.Tx, tell store.Tell, query string, args ...any) (ended int, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	sessions, err := pgx.CollectRows(rows, scanSession)
	if err != nil || len(sessions) == 0 {
		return 0, err
	}
	ids := make([]string, len(sessions))
	for i := range sessions {
		ids[i] = sessions[i].ID
	}
	if rows, err = tx.Query(ctx, `DELETE FROM session_clients WHERE session_id = ANY($1) RETURNING session_id, client_id, client_uid`, ids); err != nil {
		return 0, err
	}
	clients, id, client := map[string][]store.Client{}, "", store.Client{}
	if _, err := pgx.ForEachRow(rows, []any{&id, &client.ID, &client.UID}, func() error {
		clients[id] = append(clients[id], client)
		return nil
	}); err != nil {
		return 0, err
	}
	var notices []store.Notice
	for _, session := range sessions {
		if tell != nil {
			slices.SortFunc(clients[session.ID], func(a, b store.Client) int { return strings.Compare(a.ID, b.ID) })
			notices = append(notices, tell(session, clients[session.ID])...)
		}
	}
	if err := insertNotices(ctx, tx, notices); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM sessions WHERE id = ANY($1)`, ids)
	return len(sessions), err
}

func insertNotices(ctx context.Context, tx pgx.Tx, notices []store.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	var ids, clients, uids, subjects, sessions []string
	var attempts []int32
	var next, expires []int64
	for _, n := range notices {
		ids, clients, uids = append(ids, n.ID), append(clients, n.Client.ID), append(uids, n.Client.UID)
		subjects, sessions = append(subjects, n.Subject), append(sessions, n.SessionID)
		attempts = append(attempts, int32(n.Attempts)) //nolint:gosec // nobody tries that often
		next, expires = append(next, micros(n.NextAt)), append(expires, micros(n.ExpiresAt))
	}
	_, err := tx.Exec(ctx, `INSERT INTO notices (`+noticeColumns+`) SELECT * FROM
		unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bigint[], $8::text[])`,
		ids, clients, subjects, sessions, attempts, next, expires, uids)
	return err
}
