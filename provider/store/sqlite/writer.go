package sqlite

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

const (
	// queueLength is how many changes may wait for the next transaction before callers wait for a place in the queue.
	queueLength = 256
	// maxBatch bounds a transaction, and with it how long one caller waits for the changes of others.
	maxBatch = 256
	// yields is how often the writer lets others go first before it begins a transaction. Those who are about to queue a
	// change then share it, which costs them nothing: they would have waited for the processor. When nobody is ready to
	// run, no time passes.
	yields = 8
)

// change is one caller's part of a transaction.
type change struct {
	// run makes the change. It may run twice, the second time in a transaction of its own. When it returns one of the
	// store's answers (see isAnswer) it has changed nothing.
	run func(*conn) error
	// state is decided once: taken by the writer or given up by the caller.
	state atomic.Int32
	done  chan error
}

const (
	waiting int32 = iota
	taken
	givenUp
)

// writer makes changes, many in one transaction.
type writer struct {
	conn    *conn
	queue   chan *change
	stopped sync.WaitGroup
	batch   []*change
	answers []error
}

func newWriter(c *conn) *writer {
	w := &writer{conn: c, queue: make(chan *change, queueLength)}
	w.stopped.Go(w.loop)
	return w
}

// close waits for what is queued and stops. No call of do may come after it.
func (w *writer) close() {
	close(w.queue)
	w.stopped.Wait()
}

// do makes a change durable. When ctx ends before the writer has taken up the change, nothing is done; later it is too late to turn
// back, and do waits for the outcome.
func (w *writer) do(ctx context.Context, run func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &change{run: run, done: make(chan error, 1)}
	select {
	case w.queue <- c:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		if c.state.CompareAndSwap(waiting, givenUp) {
			return ctx.Err()
		}
		return <-c.done
	}
}

func (w *writer) loop() {
	for first := range w.queue {
		w.take(first)
		w.gather()
		w.commit()
	}
}

func (w *writer) take(c *change) {
	if c.state.CompareAndSwap(waiting, taken) {
		w.batch = append(w.batch, c)
	}
}

// gather takes what has queued up while the last transaction went to disk, and what others are about to queue.
func (w *writer) gather() {
	for range yields {
		runtime.Gosched()
	}
	for len(w.batch) < maxBatch {
		select {
		case c, ok := <-w.queue:
			if !ok {
				return
			}
			w.take(c)
		default:
			return
		}
	}
}

// commit makes the batch durable and answers everyone in it. When one change fails, nothing of the transaction is kept and
// each is made again in a transaction of its own, so that a fault of one caller is not felt by the others.
func (w *writer) commit() {
	w.answers = w.answers[:0]
	err := w.transaction(w.batch...)
	if errors.As(err, new(*faultyChange)) && len(w.batch) > 1 {
		err = w.commitSingly()
	}
	for i, c := range w.batch {
		if i < len(w.answers) {
			c.done <- w.answers[i]
		} else {
			c.done <- err
		}
		w.batch[i] = nil
	}
	w.batch = w.batch[:0]
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
func (w *writer) transaction(changes ...*change) error {
	if len(changes) == 0 {
		return nil
	}
	start := len(w.answers)
	err := func() error {
		if _, err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
			return err
		}
		for _, c := range changes {
			answer := c.run(w.conn)
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
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrRedeemed) || errors.Is(err, store.ErrReplayed)
}
