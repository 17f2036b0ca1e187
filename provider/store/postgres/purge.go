package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// purgeOf deletes from a table what is past a time, at most so many rows, oldest first. It passes over rows that others hold: another
// replica that purges, or a request that is using one. The array is made once, whatever the plan: a subquery of IN may be read again for
// each row, and finds others each time.
func purgeOf(table, key string) string {
	return fmt.Sprintf(`DELETE FROM %[1]s WHERE %[2]s = ANY(ARRAY
		(SELECT %[2]s FROM %[1]s WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, table, key)
}

// purgeSessions ends the sessions that are past their time or that nobody has used since idleSince.
func purgeSessions(ctx context.Context, tx pgx.Tx, now, idleSince time.Time, limit int, tell store.Tell) (deleted int, err error) {
	for _, p := range []struct {
		column string
		before time.Time
	}{{"expires_at", now}, {"last_seen_at", idleSince}} {
		ended, err := endSessions(ctx, tx, tell, sessionsBefore(p.column), micros(p.before), limit-deleted)
		if err != nil {
			return deleted, err
		}
		deleted += ended
	}
	return deleted, nil
}

// Purge implements store.Store.
func (s *Store) Purge(ctx context.Context, now, idleSince time.Time, limit int, tell store.Tell) (deleted int, err error) {
	purges := []struct{ table, key string }{
		{"grants", "id"},
		{"access_tokens", "handle"},
		{"device_requests", "handle"},
		{"pushed_requests", "handle"},
		{"used_values", "handle"},
		{"failures", "handle"},
		{"notices", "id"},
	}
	err = s.call(ctx, "purge", func(ctx context.Context, c *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) (err error) {
			if deleted, err = purgeSessions(ctx, tx, now, idleSince, limit, tell); err != nil {
				return err
			}
			for _, p := range purges {
				if deleted >= limit {
					return nil
				}
				tag, err := tx.Exec(ctx, purgeOf(p.table, p.key), micros(now), limit-deleted)
				if err != nil {
					return err
				}
				deleted += int(tag.RowsAffected())
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

func sessionsBefore(column string) string {
	return fmt.Sprintf(`SELECT %[1]s FROM sessions WHERE %[2]s < $1 ORDER BY %[2]s LIMIT $2 FOR UPDATE SKIP LOCKED`, sessionColumns, column)
}
