package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// purges delete what is past a time, at most so many rows. Each finds its rows by an index, oldest first. Two queries are about
// sessions: one for those whose time is over, one for those that nobody used.
const (
	expiredSessions = `SELECT ` + sessionColumns + ` FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?`
	idleSessions    = `SELECT ` + sessionColumns + ` FROM sessions WHERE last_seen_at < ? ORDER BY last_seen_at LIMIT ?`
	purgeGrants     = `DELETE FROM grants WHERE rowid IN
		(SELECT rowid FROM grants WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
	purgeAccessTokens = `DELETE FROM access_tokens WHERE handle IN
		(SELECT handle FROM access_tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
	purgeDeviceRequests = `DELETE FROM device_requests WHERE handle IN
		(SELECT handle FROM device_requests WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
	purgePushedRequests = `DELETE FROM pushed_requests WHERE rowid IN
		(SELECT rowid FROM pushed_requests WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
	purgeUsedValues = `DELETE FROM used_values WHERE handle IN
		(SELECT handle FROM used_values WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
	purgeFailures = `DELETE FROM failures WHERE handle IN
		(SELECT handle FROM failures WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
	purgeNotices = `DELETE FROM notices WHERE id IN
		(SELECT id FROM notices WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
)

// Purge implements store.Store. It also looks how much room there is now. On a full disk it deletes fewer rows at a time, since what a
// deletion writes needs room, too.
func (s *Store) Purge(ctx context.Context, now, idleSince time.Time, limit int, tell store.Tell) (deleted int, err error) {
	for {
		deleted, err = s.purge(ctx, now, idleSince, limit, tell)
		if !isFull(err) || limit <= 1 {
			return deleted, err
		}
		limit = max(1, limit/8)
	}
}

func (s *Store) purge(ctx context.Context, now, idleSince time.Time, limit int, tell store.Tell) (deleted int, err error) {
	err = s.change(ctx, "purge", func(c *conn) (err error) {
		deleted = 0
		if err := s.space.adjust(c); err != nil {
			return err
		}
		if err := s.space.extend(c); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.space.retract(c)) }()
		if deleted, err = purgeSessions(c, now, idleSince, limit, tell); err != nil {
			return err
		}
		for _, sql := range []string{
			purgeGrants, purgeAccessTokens, purgeDeviceRequests, purgePushedRequests, purgeUsedValues, purgeFailures, purgeNotices,
		} {
			if deleted >= limit {
				return nil
			}
			n, err := c.exec(sql, micros(now), int64(limit-deleted))
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

func purgeSessions(c *conn, now, idleSince time.Time, limit int, tell store.Tell) (deleted int, err error) {
	for _, p := range []struct {
		sql    string
		before time.Time
	}{{expiredSessions, now}, {idleSessions, idleSince}} {
		sessions, err := getAll(c, p.sql, scanSession, micros(p.before), int64(limit-deleted))
		if err != nil {
			return deleted, err
		}
		if err := endSessions(c, sessions, tell); err != nil {
			return deleted, err
		}
		deleted += len(sessions)
	}
	return deleted, nil
}
