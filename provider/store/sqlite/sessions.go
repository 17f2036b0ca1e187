package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateSession implements store.Store.
func (s *Store) CreateSession(ctx context.Context, session store.Session) error {
	return s.change(ctx, "create session", func(c *conn) error { return insertSession(c, &session) })
}

func insertSession(c *conn, session *store.Session) error {
	_, err := c.exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		session.Handle[:], session.ID, session.Subject, micros(session.AuthTime), list(session.AuthMethods), session.Credential,
		session.UserAgent, session.Address, micros(session.LastSeenAt), micros(session.ExpiresAt))
	return err
}

// RenewSession implements store.Store.
func (s *Store) RenewSession(ctx context.Context, session store.Session) error {
	return s.change(ctx, "renew session", func(c *conn) error {
		switch changed, err := c.exec(deleteSession, session.ID); {
		case err != nil:
			return err
		case changed == 0:
			return store.ErrNotFound
		}
		return insertSession(c, &session)
	})
}

const deleteSession = `DELETE FROM sessions WHERE id = ?`

const sessionColumns = `handle, id, subject, auth_time, auth_methods, credential, user_agent, address, last_seen_at, expires_at`

func scanSession(r *row) store.Session {
	return store.Session{
		Handle: r.optionalBytes(), ID: r.text(), Subject: r.text(), AuthTime: r.time(), AuthMethods: r.list(), Credential: r.text(),
		UserAgent: r.text(), Address: r.text(), LastSeenAt: r.time(), ExpiresAt: r.time(),
	}
}

// Session implements store.Store.
func (s *Store) Session(ctx context.Context, h store.Handle) (session store.Session, err error) {
	err = s.read(ctx, "get session", func(c *conn) error {
		return get(c, `SELECT `+sessionColumns+` FROM sessions WHERE handle = ?`, func(r *row) { session = scanSession(r) }, h[:])
	})
	return session, err
}

// SessionByID implements store.Store.
func (s *Store) SessionByID(ctx context.Context, id string) (session store.Session, err error) {
	err = s.read(ctx, "get session by ID", func(c *conn) error {
		return get(c, `SELECT `+sessionColumns+` FROM sessions WHERE id = ?`, func(r *row) { session = scanSession(r) }, id)
	})
	return session, err
}

// SessionsOf implements store.Store.
func (s *Store) SessionsOf(ctx context.Context, subject string) (sessions []store.Session, err error) {
	err = s.read(ctx, "list sessions", func(c *conn) (err error) {
		sessions, err = getAll(c, sessionsOf, scanSession, subject)
		return err
	})
	return sessions, err
}

const sessionsOf = `SELECT ` + sessionColumns + ` FROM sessions WHERE subject = ? ORDER BY auth_time DESC, id DESC`

// TouchSession implements store.Store.
func (s *Store) TouchSession(ctx context.Context, h store.Handle, lastSeenAt time.Time) error {
	return s.change(ctx, "touch session", func(c *conn) error {
		seen := micros(lastSeenAt)
		_, err := c.exec(`UPDATE sessions SET last_seen_at = ? WHERE handle = ? AND last_seen_at < ?`, seen, h[:], seen)
		return err
	})
}

// EndSession implements store.Store.
func (s *Store) EndSession(ctx context.Context, id string, tell store.Tell) error {
	return s.change(ctx, "end session", func(c *conn) error {
		sessions, err := getAll(c, `SELECT `+sessionColumns+` FROM sessions WHERE id = ?`, scanSession, id)
		if err != nil {
			return err
		}
		return endSessions(c, sessions, tell)
	})
}

// endSessions deletes sessions with their clients and stores what these must be told. Nobody else writes meanwhile.
func endSessions(c *conn, sessions []store.Session, tell store.Tell) error {
	for i := range sessions {
		session := &sessions[i]
		if tell != nil {
			clients, err := getAll(c, sessionClients, scanClient, session.ID)
			if err != nil {
				return err
			}
			for _, n := range tell(*session, clients) {
				if err := insertNotice(c, &n); err != nil {
					return err
				}
			}
		}
		for _, sql := range []string{`DELETE FROM session_clients WHERE session_id = ?`, deleteSession} {
			if _, err := c.exec(sql, session.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

const sessionClients = `SELECT client_id, client_uid FROM session_clients WHERE session_id = ? ORDER BY client_id`

// addSessionClient writes down that a client is one of a session's, or returns store.ErrNotFound when the session is over.
func addSessionClient(c *conn, sessionID string, client store.Client) error {
	if err := get(c, `SELECT 1 FROM sessions WHERE id = ?`, func(*row) {}, sessionID); err != nil {
		return err
	}
	_, err := c.exec(`INSERT INTO session_clients (session_id, client_id, client_uid) VALUES (?, ?, ?) ON CONFLICT (session_id, client_id)
		DO UPDATE SET client_uid = excluded.client_uid WHERE client_uid <> excluded.client_uid`, sessionID, client.ID, client.UID)
	return err
}
