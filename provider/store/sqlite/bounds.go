package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

const waitingShares = `SELECT client_id, network, sum(size) FROM (
		SELECT client_id, network, size FROM pushed_requests UNION ALL SELECT client_id, network, size FROM device_requests)
	GROUP BY client_id, network`

// waitingPart of the database is for waiting requests.
const waitingPart = 16

// WaitingShares implements store.Store.
func (s *Store) WaitingShares(ctx context.Context) (shares []store.WaitingShare, room int64, err error) {
	err = s.read(ctx, "sum up waiting requests", func(c *conn) (err error) {
		shares, err = getAll(c, waitingShares, func(r *row) store.WaitingShare {
			return store.WaitingShare{ClientID: r.text(), Network: r.text(), Bytes: r.number()}
		})
		return err
	})
	return shares, s.space.pages.Load() * pageSize / waitingPart, err
}

const (
	oldestPushed  = `SELECT handle, size FROM pushed_requests WHERE client_id = ? AND network = ? ORDER BY handle LIMIT ?`
	oldestDevices = `SELECT handle, size FROM device_requests WHERE client_id = ? AND network = ? ORDER BY handle LIMIT ?`
	oldestWaiting = `SELECT handle, size FROM (SELECT * FROM (` + oldestPushed + `) UNION ALL SELECT * FROM (` + oldestDevices + `)) ORDER BY handle LIMIT ?`
)

// DropWaiting implements store.Store.
func (s *Store) DropWaiting(ctx context.Context, clientID, network string, size int64, limit int) (dropped int64, err error) {
	type request struct {
		handle store.Handle
		size   int64
	}
	err = s.change(ctx, "drop waiting requests", func(c *conn) error {
		dropped = 0
		most := int64(limit)
		oldest, err := getAll(c, oldestWaiting, func(r *row) request { return request{r.optionalBytes(), r.number()} },
			clientID, network, most, clientID, network, most, most)
		for _, r := range oldest {
			if err != nil || dropped >= size {
				return err
			}
			for _, sql := range []string{`DELETE FROM pushed_requests WHERE handle = ?`, `DELETE FROM device_requests WHERE handle = ?`} {
				if _, err = c.exec(sql, r.handle[:]); err != nil {
					return err
				}
			}
			dropped += r.size
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return dropped, nil
}

// trims delete the oldest rows beyond a number of those that stay, at most so many. IDs and handles begin with a time.
const (
	trimCodes = `DELETE FROM grants WHERE id IN (SELECT id FROM (SELECT id FROM grants WHERE subject = ? AND refresh_handle IS NULL
		ORDER BY id DESC LIMIT -1 OFFSET ?) ORDER BY id LIMIT ?)`
	trimFamilies = `DELETE FROM grants WHERE id IN (SELECT id FROM (SELECT id FROM grants WHERE subject = ? AND refresh_handle IS NOT NULL
		ORDER BY id DESC LIMIT -1 OFFSET ?) ORDER BY id LIMIT ?)`
	trimAccessTokens = `DELETE FROM access_tokens WHERE handle IN (SELECT handle FROM access_tokens WHERE handle < ? AND client_id = ?
		AND grant_id = '' ORDER BY handle LIMIT ?)`
	trimFailures = `DELETE FROM failures WHERE handle IN (SELECT handle FROM (SELECT handle, expires_at FROM failures
		ORDER BY expires_at DESC LIMIT -1 OFFSET ?) ORDER BY expires_at LIMIT ?)`
	trimNotices = `DELETE FROM notices WHERE id IN (SELECT id FROM notices
		WHERE client_id = (SELECT client_id FROM notices GROUP BY client_id ORDER BY count(*) DESC, client_id LIMIT 1) ORDER BY id LIMIT ?)`
)

// TrimGrantsOf implements store.Store.
func (s *Store) TrimGrantsOf(ctx context.Context, subject string, codes, families, limit int) (deleted int, err error) {
	err = s.change(ctx, "trim grants", func(c *conn) error {
		deleted = 0
		for _, kind := range []struct {
			sql  string
			keep int
		}{{trimCodes, codes}, {trimFamilies, families}} {
			n, err := c.exec(kind.sql, subject, int64(kind.keep), int64(limit))
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

// TrimAccessTokens implements store.Store.
func (s *Store) TrimAccessTokens(ctx context.Context, clientID string, before time.Time, limit int) (deleted int, err error) {
	end := store.FirstHandle(before)
	err = s.change(ctx, "trim access tokens", func(c *conn) error {
		n, err := c.exec(trimAccessTokens, end[:], clientID, int64(limit))
		deleted = int(n)
		return err
	})
	return deleted, err
}

// TrimFailures implements store.Store.
func (s *Store) TrimFailures(ctx context.Context, keep, limit int) (deleted int, err error) {
	err = s.change(ctx, "trim failures", func(c *conn) error {
		n, err := c.exec(trimFailures, int64(keep), int64(limit))
		deleted = int(n)
		return err
	})
	return deleted, err
}

// TrimNotices implements store.Store.
func (s *Store) TrimNotices(ctx context.Context, keep, limit int) (deleted int, err error) {
	err = s.change(ctx, "trim notices", func(c *conn) error {
		deleted = 0
		count := 0
		if err := get(c, `SELECT count(*) FROM notices`, func(r *row) { count = int(r.number()) }); err != nil || count <= keep {
			return err
		}
		n, err := c.exec(trimNotices, int64(min(limit, count-keep)))
		deleted = int(n)
		return err
	})
	return deleted, err
}
