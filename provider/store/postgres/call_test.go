package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/test/pgtest"
)

func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), pgtest.New(t).Database(t), Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestCalls(t *testing.T) {
	s := openStore(t)
	t.Run("a conflict with others is tried again", func(t *testing.T) {
		for _, code := range []string{serializationFailure, deadlockDetected} {
			tries := 0
			err := s.call(t.Context(), "test", func(context.Context, *pgxpool.Conn) error {
				if tries++; tries < 4 {
					return &pgconn.PgError{Code: code}
				}
				return nil
			})
			if err != nil || tries != 4 {
				t.Errorf("SQLSTATE %s: %v after %d tries; want success at the fourth", code, err, tries)
			}
		}
	})
	t.Run("a conflict that lasts is an error", func(t *testing.T) {
		tries := 0
		err := s.call(t.Context(), "test", func(context.Context, *pgxpool.Conn) error {
			tries++
			return &pgconn.PgError{Code: serializationFailure}
		})
		if !errors.Is(err, store.ErrUnavailable) || tries != attempts {
			t.Errorf("%v after %d tries; want %v after %d", err, tries, store.ErrUnavailable, attempts)
		}
	})
	t.Run("other errors are not tried again", func(t *testing.T) {
		tries := 0
		err := s.call(t.Context(), "test", func(context.Context, *pgxpool.Conn) error {
			tries++
			return &pgconn.PgError{Code: "23505"}
		})
		if !errors.Is(err, store.ErrUnavailable) || tries != 1 {
			t.Errorf("%v after %d tries; want %v after 1", err, tries, store.ErrUnavailable)
		}
	})
	t.Run("a deadlock is felt by nobody", func(t *testing.T) { deadlock(t, s) })
	t.Run("a caller who gives up while all connections are busy gets its own error", func(t *testing.T) {
		for range 2 {
			c, err := s.pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Release()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := s.ClearFailures(ctx, store.Handle{}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("got %v; want %v", err, context.DeadlineExceeded)
		}
	})
}

// deadlock has two calls take two rows in opposite order.
func deadlock(t *testing.T, s *Store) {
	if _, err := s.pool.Exec(t.Context(), "CREATE TABLE rows (id integer PRIMARY KEY, n integer); INSERT INTO rows VALUES (1, 0), (2, 0)"); err != nil {
		t.Fatal(err)
	}
	met := make(chan struct{}, 2)
	errs := make(chan error, 2)
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		go func() {
			first := true
			errs <- s.call(t.Context(), "test", func(ctx context.Context, c *pgxpool.Conn) error {
				return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
					if _, err := tx.Exec(ctx, "UPDATE rows SET n = n + 1 WHERE id = $1", order[0]); err != nil {
						return err
					}
					if first { // both hold one row now
						first = false
						met <- struct{}{}
						for len(met) < 2 {
							time.Sleep(time.Millisecond)
						}
					}
					_, err := tx.Exec(ctx, "UPDATE rows SET n = n + 1 WHERE id = $1", order[1])
					return err
				})
			})
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	var sum int
	if err := s.pool.QueryRow(t.Context(), "SELECT sum(n) FROM rows").Scan(&sum); err != nil || sum != 4 {
		t.Errorf("the sum is %d, %v; want 4", sum, err)
	}
}

// A purge or a list must not read a whole table of a million live rows to find its few.
func TestPurgesAndListsUseAnIndex(t *testing.T) {
	s := openStore(t)
	const handle = "handle"
	for _, tt := range []struct{ statement, index string }{
		{sessionsBefore("expires_at"), "sessions_by_expiry"},
		{sessionsBefore("last_seen_at"), "sessions_by_last_seen"},
		{purgeOf("grants", "id"), "grants_by_expiry"},
		{purgeOf("access_tokens", handle), "access_tokens_by_expiry"},
		{purgeOf("device_requests", handle), "device_requests_by_expiry"},
		{purgeOf("pushed_requests", handle), "pushed_requests_by_expiry"},
		{purgeOf("used_values", handle), "used_values_by_expiry"},
		{purgeOf("failures", handle), "failures_by_expiry"},
		{purgeOf("notices", "id"), "notices_by_expiry"},
		{sessionsOf, "sessions_by_subject"},
		{authorizationsOf, "grants_by_subject"},
		{revoke, "grants_by_subject"},
		{takeNotices, "notices_by_next"},
	} {
		if steps := plan(t, s, tt.statement); !strings.Contains(steps, tt.index) {
			t.Errorf("plan of %s:\n%s\nwant index %s", tt.statement, steps, tt.index)
		}
	}
}

// plan tells how a statement would be run with many rows. Places are filled with 1, which goes for every type here.
func plan(t *testing.T, s *Store, statement string) (steps string) {
	t.Helper()
	for _, place := range []string{"$1", "$2", "$3"} {
		statement = strings.ReplaceAll(statement, place, "'1'")
	}
	err := pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SET LOCAL enable_seqscan = off"); err != nil {
			return err
		}
		rows, err := tx.Query(t.Context(), "EXPLAIN "+statement)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		steps = strings.Join(lines, "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}
