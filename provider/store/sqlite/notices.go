package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func insertNotice(c *conn, n *store.Notice) error {
	_, err := c.exec(`INSERT INTO notices (`+noticeColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		n.ID, n.Client.ID, n.Client.UID, n.Subject, n.SessionID, int64(n.Attempts), micros(n.NextAt), micros(n.ExpiresAt))
	return err
}

const noticeColumns = `id, client_id, client_uid, subject, session_id, attempts, next_at, expires_at`

func scanNotice(r *row) store.Notice {
	return store.Notice{
		ID: r.text(), Client: scanClient(r), Subject: r.text(), SessionID: r.text(), Attempts: int(r.number()), NextAt: r.time(),
		ExpiresAt: r.time(),
	}
}

const dueNotices = `SELECT ` + noticeColumns + ` FROM notices WHERE next_at <= ? ORDER BY next_at, id LIMIT ?`

// TakeNotices implements store.Store.
func (s *Store) TakeNotices(ctx context.Context, now, until time.Time, limit int) (notices []store.Notice, err error) {
	err = s.change(ctx, "take notices", func(c *conn) (err error) {
		notices, err = getAll(c, dueNotices, scanNotice, micros(now), int64(limit))
		for i := range notices {
			if err != nil {
				return err
			}
			n := &notices[i]
			n.Attempts++
			n.NextAt = time.UnixMicro(micros(until)).UTC()
			_, err = c.exec(`UPDATE notices SET attempts = ?, next_at = ? WHERE id = ?`, int64(n.Attempts), micros(until), n.ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return notices, nil
}

// PostponeNotice implements store.Store.
func (s *Store) PostponeNotice(ctx context.Context, id string, nextAt time.Time) error {
	return s.change(ctx, "postpone notice", func(c *conn) error {
		_, err := c.exec(`UPDATE notices SET next_at = ? WHERE id = ?`, micros(nextAt), id)
		return err
	})
}

// DeleteNotice implements store.Store.
func (s *Store) DeleteNotice(ctx context.Context, id string) error {
	return s.change(ctx, "delete notice", func(c *conn) error {
		_, err := c.exec(`DELETE FROM notices WHERE id = ?`, id)
		return err
	})
}

// CountNotices implements store.Store.
func (s *Store) CountNotices(ctx context.Context) (count int, err error) {
	err = s.read(ctx, "count notices", func(c *conn) error {
		return get(c, `SELECT count(*) FROM notices`, func(r *row) { count = int(r.number()) })
	})
	return count, err
}
