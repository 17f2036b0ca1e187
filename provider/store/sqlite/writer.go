package sqlite

import (
	"context"
	"errors"
	"sync"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/gather"
)

// change makes a change. It may run twice, the second time in a transaction of its own. When it returns one of the store's
// answers (see isAnswer) it has changed nothing.
type change func(*conn) error

// writer makes changes, many in one transaction.
type writer struct {
	conn    *conn
	queue   *gather.Queue[change]
	stopped sync.WaitGroup
	batch   []*gather.Call[change]
	answers []error
	// relieve makes room on a full disk, and reports whether another attempt may succeed.
	relieve func(*conn) bool
}

func newWriter(c *conn, relieve func(*conn) bool) *writer {
	w := &writer{conn: c, queue: gather.New[change](), relieve: relieve}
	w.stopped.Go(w.loop)
	return w
}

// close waits for what is queued and stops.
func (w *writer) close() {
	w.queue.Close()
	w.stopped.Wait()
}

// do makes a change durable, see gather.Queue.
func (w *writer) do(ctx context.Context, run change) error {
	return w.queue.Do(ctx, run)
}

func (w *writer) loop() {
	for first := range w.queue.Waiting() {
		w.batch = w.queue.Take(w.batch[:0], first)
		w.commit()
	}
}

// commit makes the batch durable and answers everyone in it. When one change fails, nothing of the transaction is kept and
// each is made again in a transaction of its own, so that a fault of one caller is not felt by the others.
func (w *writer) commit() {
	w.answers = w.answers[:0]
	err := w.transaction(w.batch...)
	if isFull(err) && w.relieve(w.conn) {
		err = w.transaction(w.batch...)
	}
	if errors.As(err, new(*faultyChange)) && len(w.batch) > 1 {
		err = w.commitSingly()
	}
	for i, c := range w.batch {
		if i < len(w.answers) {
			c.Answer(w.answers[i])
		} else {
			c.Answer(err)
		}
		w.batch[i] = nil
	}
}

// commitSingly stops at the first error that is not the fault of a change: the same disk would fail every other.
func (w *writer) commitSingly() error {
	for _, c := range w.batch {
		err := w.transaction(c)
		if err == nil {
			continue
		}
		if !errors.As(err, new(*faultyChange)) {
			return err
		}
		w.answers = append(w.answers, err)
	}
	return nil
}

// faultyChange is the error of a change that could not be made, in contrast to that of a transaction.
type faultyChange struct{ error }

func (f *faultyChange) Unwrap() error { return f.error }

// transaction runs changes and commits them. When it returns nil it has added one answer for each to w.answers. When it
// returns an error it has kept nothing and added nothing.
func (w *writer) transaction(changes ...*gather.Call[change]) error {
	if len(changes) == 0 {
		return nil
	}
	start := len(w.answers)
	err := func() error {
		if _, err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
			return err
		}
		for _, c := range changes {
			answer := c.Work(w.conn)
			if answer != nil && !isAnswer(answer) {
				return &faultyChange{answer}
			}
			w.answers = append(w.answers, answer)
		}
		_, err := w.conn.exec("COMMIT")
		return err
	}()
	if err != nil {
		w.answers = w.answers[:start]
		// This fails when SQLite has rolled back already, as it does after some errors. That is just as well.
		_, _ = w.conn.exec("ROLLBACK")
	}
	return err
}

// isAnswer tells what the caller asked for from what went wrong.
func isAnswer(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrRedeemed) || errors.Is(err, store.ErrReplayed) ||
		errors.Is(err, store.ErrFull)
}
