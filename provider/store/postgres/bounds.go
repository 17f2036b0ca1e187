package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

const waitingShares = `SELECT client_id, network, sum(size)::bigint FROM (
		SELECT client_id, network, size FROM pushed_requests UNION ALL SELECT client_id, network, size FROM device_requests) waiting
	GROUP BY client_id, network`

// WaitingShares implements store.Store.
func (s *Store) WaitingShares(ctx context.Context) (shares []store.WaitingShare, room int64, err error) {
	shares, err = getAll(ctx, s, "sum up waiting requests", func(row pgx.CollectableRow) (share store.WaitingShare, err error) {
		err = row.Scan(&share.ClientID, &share.Network, &share.Bytes)
		return share, err
	}, waitingShares)
	return shares, 0, err
}

// dropWaiting passes over requests that others hold: another replica that does the same, or a browser that uses one.
const dropWaiting = `WITH
	oldest_pushed AS (SELECT handle, size FROM pushed_requests WHERE client_id = $1 AND network = $2 ORDER BY handle LIMIT $4 FOR UPDATE SKIP LOCKED),
	oldest_devices AS (SELECT handle, size FROM device_requests WHERE client_id = $1 AND network = $2 ORDER BY handle LIMIT $4 FOR UPDATE SKIP LOCKED),
	oldest AS (SELECT * FROM oldest_pushed UNION ALL SELECT * FROM oldest_devices),
	summed AS (SELECT handle, sum(size) OVER (ORDER BY handle) - size AS older FROM oldest ORDER BY handle LIMIT $4),
	pushed AS (DELETE FROM pushed_requests p USING summed WHERE p.handle = summed.handle AND older < $3 RETURNING p.size),
	devices AS (DELETE FROM device_requests d USING summed WHERE d.handle = summed.handle AND older < $3 RETURNING d.size)
	SELECT coalesce(sum(size), 0)::bigint FROM (SELECT size FROM pushed UNION ALL SELECT size FROM devices) dropped`

// DropWaiting implements store.Store.
func (s *Store) DropWaiting(ctx context.Context, clientID, network string, size int64, limit int) (int64, error) {
	if !nameable(clientID, network) {
		return 0, nil
	}
	dropped, err := getAll(ctx, s, "drop waiting requests", pgx.RowTo[int64], dropWaiting, clientID, network, size, limit)
	if err != nil || len(dropped) == 0 {
		return 0, err
	}
	return dropped[0], nil
}

// The trims delete the oldest rows beyond a number of those that stay, at most so many. IDs and handles begin with a time. The arrays
// are made once, see purgeOf.
const (
	trimGrantsOf = `DELETE FROM grants WHERE id = ANY(ARRAY(
			SELECT id FROM (SELECT id FROM grants WHERE subject = $1 AND refresh_handle IS NULL ORDER BY id DESC OFFSET $2) codes ORDER BY id LIMIT $4)
		|| ARRAY(
			SELECT id FROM (SELECT id FROM grants WHERE subject = $1 AND refresh_handle IS NOT NULL ORDER BY id DESC OFFSET $3) families
			ORDER BY id LIMIT $4))`
	trimAccessTokens = `DELETE FROM access_tokens WHERE handle = ANY(ARRAY(SELECT handle FROM access_tokens WHERE handle < $1
		AND client_id = $2 AND grant_id = '' ORDER BY handle LIMIT $3 FOR UPDATE SKIP LOCKED))`
	trimFailures = `DELETE FROM failures WHERE handle = ANY(ARRAY(SELECT handle FROM (SELECT handle, expires_at FROM failures
		ORDER BY expires_at DESC OFFSET $1) others ORDER BY expires_at LIMIT $2))`
	trimNotices = `DELETE FROM notices WHERE id = ANY(ARRAY(SELECT id FROM notices
		WHERE client_id = (SELECT client_id FROM notices GROUP BY client_id ORDER BY count(*) DESC, client_id LIMIT 1)
		ORDER BY id LIMIT greatest(0, least($2, (SELECT count(*) FROM notices) - $1))))`
)

// TrimGrantsOf implements store.Store.
func (s *Store) TrimGrantsOf(ctx context.Context, subject string, codes, families, limit int) (int, error) {
	if !nameable(subject) {
		return 0, nil
	}
	return s.trim(ctx, "trim grants", trimGrantsOf, subject, codes, families, limit)
}

// TrimAccessTokens implements store.Store.
func (s *Store) TrimAccessTokens(ctx context.Context, clientID string, before time.Time, limit int) (int, error) {
	end := store.FirstHandle(before)
	return s.trim(ctx, "trim access tokens", trimAccessTokens, end[:], clientID, limit)
}

// TrimFailures implements store.Store.
func (s *Store) TrimFailures(ctx context.Context, keep, limit int) (int, error) {
	return s.trim(ctx, "trim failures", trimFailures, keep, limit)
}

// TrimNotices implements store.Store.
func (s *Store) TrimNotices(ctx context.Context, keep, limit int) (int, error) {
	return s.trim(ctx, "trim notices", trimNotices, keep, limit)
}

// trim runs a statement by itself, because it may take longer than those that share a round trip.
func (s *Store) trim(ctx context.Context, operation, sql string, args ...any) (deleted int, err error) {
	err = s.call(ctx, operation, func(ctx context.Context, c *pgxpool.Conn) error {
		tag, err := c.Exec(ctx, sql, args...)
		deleted = int(tag.RowsAffected())
		return err
	})
	return deleted, err
}
