package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oidc-operator/oidc-operator/provider/store/gather"
)

// sharers is how many connections serve each queue at most. One would do for speed; that a statement waits for a lock must not make
// everybody wait.
const sharers = 2

// statement is one caller's part of a round trip.
type statement struct {
	sql  string
	args []any
	// read takes the outcome. It may be called again when the statement has to be run again.
	read func(pgx.Rows) error
}

// shared runs a statement together with those of others that wait in the same queue: all of them travel at once and are one
// transaction. Nobody feels the faults of another, see settle. It ends with ctx until there is a connection for it.
func (s *Store) shared(ctx context.Context, q *gather.Queue[*statement], operation string, st *statement) error {
	waiting, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := q.Do(waiting, st)
	switch {
	case err == nil || isAnswer(err):
		return err
	case errors.As(err, new(*unshared)):
		return s.call(ctx, operation, st.runAlone)
	}
	return wrap(ctx, operation, err)
}

func (st *statement) runAlone(ctx context.Context, c *pgxpool.Conn) error {
	rows, err := c.Query(ctx, st.sql, st.args...)
	if err != nil {
		return err
	}
	return st.read(rows)
}

// unshared says that nothing of a transaction was kept, so that each of its statements has to be run by itself.
type unshared struct{ cause error }

func (u *unshared) Error() string { return fmt.Sprintf("not done together with others: %v", u.cause) }

// share serves a queue until it is closed.
func (s *Store) share(q *gather.Queue[*statement]) {
	var calls []*gather.Call[*statement]
	for first := range q.Waiting() {
		calls = s.shareOnce(q, calls[:0], first)
		clear(calls)
	}
}

func (s *Store) shareOnce(q *gather.Queue[*statement], calls []*gather.Call[*statement], first *gather.Call[*statement]) []*gather.Call[*statement] {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	c, err := s.pool.Acquire(ctx)
	calls = q.Take(calls, first)
	if err != nil {
		settle(calls, nil, err)
		return calls
	}
	defer c.Release()
	answers, err := runTogether(ctx, c, calls)
	settle(calls, answers, err)
	return calls
}

// runTogether returns each statement's outcome, or why there is none.
func runTogether(ctx context.Context, c *pgxpool.Conn, calls []*gather.Call[*statement]) ([]error, error) {
	batch := &pgx.Batch{}
	for _, call := range calls {
		batch.Queue(call.Work.sql, call.Work.args...)
	}
	results := c.SendBatch(ctx, batch)
	answers := make([]error, 0, len(calls))
	var failed error
	for _, call := range calls {
		rows, err := results.Query()
		if err == nil {
			err = call.Work.read(rows)
		}
		if errors.As(err, new(*pgconn.PgError)) || c.Conn().IsClosed() {
			failed = err
			break
		}
		answers = append(answers, err)
	}
	if err := results.Close(); failed == nil {
		failed = err // only now everything is committed
	}
	return answers, failed
}

// settle answers everybody. After an error of which the database says that it has undone everything, or before which nothing was sent,
// each statement is run again by whoever wants it, so that a fault of one is not felt by the others; after any other it is not known
// what was kept.
func settle(calls []*gather.Call[*statement], answers []error, err error) {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Severity == "ERROR" || err != nil && pgconn.SafeToRetry(err) && !errors.As(err, new(*pgconn.ConnectError)) {
		err = &unshared{err}
	}
	for i, call := range calls {
		if err != nil {
			call.Answer(err)
		} else {
			call.Answer(answers[i])
		}
	}
}
