// Package gather lets callers who come at the same time share what costs much only once: a transaction, or a round trip.
package gather

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// queueLength is how many calls may wait before callers wait for a place in the queue.
	queueLength = 256
	// maxBatch bounds what is done at once, and with it how long one caller waits for others.
	maxBatch = 256
	// yields is how often others may go first before a batch is closed. Those who are about to queue a call are then in it, which costs
	// nothing: they would have waited for the processor. When nobody is ready to run, no time passes.
	yields = 8
)

// ErrClosed is what Do returns after Close.
var ErrClosed = errors.New("the queue is closed")

// Queue holds calls until somebody takes many of them together.
type Queue[W any] struct {
	calls chan *Call[W]
	// using is held by callers, and by Close for as long as it takes until no caller is left.
	using  sync.RWMutex
	closed bool
}

// New returns an empty queue.
func New[W any]() *Queue[W] {
	return &Queue[W]{calls: make(chan *Call[W], queueLength)}
}

// Call is one caller's part of a batch.
type Call[W any] struct {
	// Work is what the caller wants to have done.
	Work W
	// state is decided once: the call is taken or given up.
	state atomic.Int32
	done  chan error
}

const (
	waiting int32 = iota
	taken
	givenUp
)

// Answer gives the caller its outcome. It must be called once for every call of a batch.
func (c *Call[W]) Answer(err error) { c.done <- err }

// Do waits until work is done, and returns its outcome. When ctx ends before the call is taken up, nothing is done; later it is too
// late to turn back, and Do waits for the outcome.
func (q *Queue[W]) Do(ctx context.Context, work W) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.using.RLock()
	defer q.using.RUnlock()
	if q.closed {
		return ErrClosed
	}
	c := &Call[W]{Work: work, done: make(chan error, 1)}
	select {
	case q.calls <- c:
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

// Waiting yields calls that begin a batch, until the queue is closed. Each is to be given to Take.
func (q *Queue[W]) Waiting() <-chan *Call[W] { return q.calls }

// Take adds first, which came from Waiting, to batch, and whoever else waits or is about to. It leaves out who has given up.
func (q *Queue[W]) Take(batch []*Call[W], first *Call[W]) []*Call[W] {
	batch = take(batch, first)
	for range yields {
		runtime.Gosched()
	}
	for len(batch) < maxBatch {
		select {
		case c, open := <-q.calls:
			if !open {
				return batch
			}
			batch = take(batch, c)
		default:
			return batch
		}
	}
	return batch
}

func take[W any](batch []*Call[W], c *Call[W]) []*Call[W] {
	if c.state.CompareAndSwap(waiting, taken) {
		return append(batch, c)
	}
	return batch
}

// Close waits for the outcome of all calls, and ends Waiting. It may be called more than once.
func (q *Queue[W]) Close() {
	q.using.Lock()
	defer q.using.Unlock()
	if !q.closed {
		q.closed = true
		close(q.calls)
	}
}
