package identity

import (
	"context"
	"runtime"
	"sync/atomic"
)

// maxDefaultHashers bounds what many cores would make of it: each hash takes 19 MiB, and a container on a large machine
// sees all cores but has a small share of the memory.
const maxDefaultHashers = 8

// waitersPerHasher bounds the queue. A hash takes tens of milliseconds, so that the last in line waits for a few seconds.
const waitersPerHasher = 64

// Pool runs password hashing, of which each run takes much memory and a whole core, a few at a time: a storm of logins
// then costs waiting and not memory.
type Pool struct {
	slots    chan struct{}
	waiting  atomic.Int64
	maxQueue int64
}

// NewPool returns a pool that runs at most hashers functions at a time; zero means one for each core, but no more than 8. At most queue more
// wait for their turn; zero means 64 for each hasher, and a negative queue that nobody waits.
func NewPool(hashers, queue int) *Pool {
	if hashers <= 0 {
		hashers = min(runtime.GOMAXPROCS(0), maxDefaultHashers)
	}
	switch {
	case queue == 0:
		queue = hashers * waitersPerHasher
	case queue < 0:
		queue = 0
	}
	return &Pool{slots: make(chan struct{}, hashers), maxQueue: int64(queue)}
}

// Do runs f in the calling goroutine when it is its turn. It returns ErrBusy when too many wait already and ctx's error
// when ctx ends first; in both cases f has not run.
func (p *Pool) Do(ctx context.Context, f func()) error {
	select {
	case p.slots <- struct{}{}:
	default:
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
	defer func() { <-p.slots }()
	f()
	return nil
}

func (p *Pool) wait(ctx context.Context) error {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > p.maxQueue {
		return ErrBusy
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waiting returns how many callers wait for their turn.
func (p *Pool) Waiting() int { return int(max(p.waiting.Load(), 0)) }

// Running returns how many functions are running.
func (p *Pool) Running() int { return len(p.slots) }
