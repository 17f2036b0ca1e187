package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// purgeOf deletes from a table what is past a time, at most so many rows, oldest first. It passes over rows that others hold: another
// replica that purges, or a request that is using one.
func purgeOf(table, key, column string) string {
	return fmt.Sprintf(`DELETE FROM %[1]s WHERE %[2]s IN
		(SELECT %[2]s FROM %[1]s WHERE %[3]s < $1 ORDER BY %[3]s LIMIT $2 FOR UPDATE SKIP LOCKED)`, table, key, column)
}

// Purge implements store.Store.
func (s *Store) Purge(ctx context.Context, now, idleSince time.Time, limit int) (deleted int, err error) {
	purges := []struct {
		table, key, column string
		before             time.Time
	}{
		{"sessions", "handle", "expires_at", now},
		{"sessions", "handle", "last_seen_at", idleSince},
		{"grants", "id", "expires_at", now},
		{"access_tokens", "handle", "expires_at", now},
		{"device_requests", "handle", "expires_at", now},
		{"pushed_requests", "handle", "expires_at", now},
		{"used_values", "handle", "expires_at", now},
		{"failures", "handle", "expires_at", now},
		{"notices", "id", "expires_at", now},
	}
	err = s.call(ctx, "purge", func(ctx context.Context, c *pgxpool.Conn) error {
		deleted = 0
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			for _, p := range purges {
				if deleted >= limit {
					return nil
				}
				tag, err := tx.Exec(ctx, purgeOf(p.table, p.key, p.column), micros(p.before), limit-deleted)
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
