package sqlite

import (
	"context"
	"time"
)

// purges delete what is past a time, at most so many rows. Each finds its rows by an index, oldest first.
const (
	purgeExpiredSessions = `DELETE FROM sessions WHERE handle IN
		(SELECT handle FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
	purgeIdleSessions = `DELETE FROM sessions WHERE handle IN
		(SELECT handle FROM sessions WHERE last_seen_at < ? ORDER BY last_seen_at LIMIT ?)`
	purgeCodes = `DELETE FROM codes WHERE handle IN
		(SELECT handle FROM codes WHERE purge_at < ? ORDER BY purge_at LIMIT ?)`
	purgeAccessTokens = `DELETE FROM access_tokens WHERE handle IN
		(SELECT handle FROM access_tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
)

// Purge implements store.Store.
func (s *Store) Purge(ctx context.Context, now, idleSince time.Time, limit int) (deleted int, err error) {
	err = s.change(ctx, "purge", func(c *conn) error {
		deleted = 0
		for _, p := range []struct {
			sql    string
			before time.Time
		}{
			{purgeExpiredSessions, now},
			{purgeIdleSessions, idleSince},
			{purgeCodes, now},
			{purgeAccessTokens, now},
		} {
			if deleted >= limit {
				return nil
			}
			n, err := c.exec(p.sql, micros(p.before), int64(limit-deleted))
			if err != nil {
				return err
			}
			deleted += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}
