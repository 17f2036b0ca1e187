package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/gather"
)

const (
	// attempts is how often a call is tried that failed because of what others did at the same time.
	attempts = 8
	// backoff is how long the second attempt waits at most; each further one waits twice as long.
	backoff = 5 * time.Millisecond
)

// SQLSTATEs of failures that say: try again.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// call runs one call; operation is what an error begins with. It ends with ctx until a connection is there; from then on only
// with callTimeout (see the package's documentation).
func (s *Store) call(ctx context.Context, operation string, run func(context.Context, *pgxpool.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return wrap(ctx, operation, err)
	}
	started, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := s.try(ctx, started, run)
		if err == nil || isAnswer(err) {
			return err
		}
		if attempt == attempts || !worthRetrying(err) {
			return wrap(ctx, operation, err)
		}
		select {
		case <-time.After(rand.N(backoff << attempt)): //nolint:gosec // nobody gains from guessing it
		case <-ctx.Done():
			return wrap(ctx, operation, ctx.Err())
		}
	}
}

// try makes one attempt.
func (s *Store) try(ctx, started context.Context, run func(context.Context, *pgxpool.Conn) error) error {
	deadline, _ := started.Deadline()
	waiting, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	c, err := s.pool.Acquire(waiting)
	if err != nil {
		return err
	}
	defer c.Release()
	if err := ctx.Err(); err != nil {
		return err
	}
	return run(started, c)
}

// worthRetrying tells whether nothing was done and another attempt may fare better.
func worthRetrying(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == serializationFailure || refused.Code == deadlockDetected
	}
	// The connection was dead before anything was sent. A new one that cannot be made is another matter.
	return pgconn.SafeToRetry(err) && !errors.As(err, new(*pgconn.ConnectError)) && !errors.Is(err, context.DeadlineExceeded)
}

// isAnswer tells what the caller asked for from what went wrong.
func isAnswer(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrRedeemed) || errors.Is(err, store.ErrReplayed)
}

// wrap says what was being done when something went wrong. Only the end of the caller's own context counts as that; the
// cause is not wrapped, so that a timeout of ours is not taken for one of the caller's.
func wrap(ctx context.Context, operation string, err error) error {
	if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
		return fmt.Errorf("%s: %w", operation, ended)
	}
	return fmt.Errorf("%s: %w", operation, faultOf(err))
}

// exec runs a statement that returns no rows and tells how many it changed.
func (s *Store) exec(ctx context.Context, operation, sql string, args ...any) (changed int64, err error) {
	err = s.shared(ctx, s.changes, operation, &statement{sql: sql, args: args, read: func(rows pgx.Rows) error {
		rows.Close()
		changed = rows.CommandTag().RowsAffected()
		return rows.Err()
	}})
	return changed, err
}

// change is exec for those who need not know how many rows were changed.
func (s *Store) change(ctx context.Context, operation, sql string, args ...any) error {
	_, err := s.exec(ctx, operation, sql, args...)
	return err
}

// get runs a statement that changes nothing and returns at most one row, or returns store.ErrNotFound.
func get[T any](ctx context.Context, s *Store, operation string, scan pgx.RowToFunc[T], sql string, args ...any) (T, error) {
	return oneRow(ctx, s, s.reads, operation, scan, sql, args)
}

// changeAndGet is get for a statement that changes something.
func changeAndGet[T any](ctx context.Context, s *Store, operation string, scan pgx.RowToFunc[T], sql string, args ...any) (T, error) {
	return oneRow(ctx, s, s.changes, operation, scan, sql, args)
}

func oneRow[T any](ctx context.Context, s *Store, q *gather.Queue[*statement], operation string, scan pgx.RowToFunc[T], sql string, args []any) (found T, err error) {
	err = s.shared(ctx, q, operation, &statement{sql: sql, args: args, read: func(rows pgx.Rows) (err error) {
		err = store.ErrNotFound
		if rows.Next() {
			found, err = scan(ownRow{rows})
		}
		rows.Close()
		if failed := rows.Err(); failed != nil { // also after a row: nothing was changed then
			return failed
		}
		return err
	}})
	return found, err
}

// ownRow is the current row. What cannot be scanned is an error here only, and not one of all results that come after it.
type ownRow struct{ pgx.Rows }

func (r ownRow) Scan(dest ...any) error {
	return pgx.ScanRow(r.Conn().TypeMap(), r.FieldDescriptions(), r.RawValues(), dest...)
}

// getAll runs a statement that returns any number of rows.
func getAll[T any](ctx context.Context, s *Store, operation string, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	var all []T
	err := s.call(ctx, operation, func(ctx context.Context, c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		all, err = pgx.AppendRows(all[:0], rows, scan)
		return err
	})
	return all, err
}

// outcome is what a statement tells that changes one row and more with it.
type outcome struct{ changed, known bool }

// decide runs a statement that returns an outcome. What was not changed although it is known was redeemed before.
func (s *Store) decide(ctx context.Context, operation, sql string, args ...any) error {
	o, err := changeAndGet(ctx, s, operation, func(row pgx.CollectableRow) (o outcome, err error) {
		err = row.Scan(&o.changed, &o.known)
		return o, err
	}, sql, args...)
	switch {
	case err != nil || o.changed:
		return err
	case o.known:
		return store.ErrRedeemed
	}
	return store.ErrNotFound
}
