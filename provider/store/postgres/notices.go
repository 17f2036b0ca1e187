package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

const noticeColumns = `id, client_id, subject, session_id, attempts, next_at, expires_at, client_uid`

// TakeNotices implements store.Store.
func (s *Store) TakeNotices(ctx context.Context, now, until time.Time, limit int) ([]store.Notice, error) {
	type takenNotice struct {
		store.Notice
		wasDue int64
	}
	taken, err := getAll(ctx, s, "take notices", func(row pgx.CollectableRow) (n takenNotice, err error) {
		err = row.Scan(&n.ID, &n.Client.ID, &n.Subject, &n.SessionID, &n.Attempts, (*microTime)(&n.NextAt), (*microTime)(&n.ExpiresAt), &n.Client.UID,
			&n.wasDue)
		return n, err
	}, takeNotices, micros(now), micros(until), limit)
	slices.SortFunc(taken, func(a, b takenNotice) int {
		return cmp.Or(cmp.Compare(a.wasDue, b.wasDue), cmp.Compare(a.ID, b.ID))
	})
	var notices []store.Notice
	for _, n := range taken {
		notices = append(notices, n.Notice)
	}
	return notices, err
}

// takeNotices passes over what another replica is taking at this moment.
var takeNotices = `WITH due AS (SELECT id, next_at AS was_due FROM notices WHERE next_at <= $1
		ORDER BY next_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
	UPDATE notices n SET attempts = n.attempts + 1, next_at = $2 FROM due WHERE n.id = due.id
	RETURNING ` + columnsOf("n", noticeColumns) + `, due.was_due`

// PostponeNotice implements store.Store.
func (s *Store) PostponeNotice(ctx context.Context, id string, nextAt time.Time) error {
	return s.change(ctx, "postpone notice", `UPDATE notices SET next_at = $2 WHERE id = $1`, id, micros(nextAt))
}

// DeleteNotice implements store.Store.
func (s *Store) DeleteNotice(ctx context.Context, id string) error {
	return s.change(ctx, "delete notice", `DELETE FROM notices WHERE id = $1`, id)
}

// CountNotices implements store.Store.
func (s *Store) CountNotices(ctx context.Context) (int, error) {
	return get(ctx, s, "count notices", pgx.RowTo[int], `SELECT count(*) FROM notices`)
}
