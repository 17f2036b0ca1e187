package identity

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// maxDefaultHashers bounds what many cores would make of it: each hash takes 19 MiB, and a container on a large machine
// sees all cores but has a small share of the memory.
const maxDefaultHashers = 8

// waitersPerHasher bounds the queue. A hash takes tens of milliseconds, so that the last in line waits for a few seconds.
const waitersPerHasher = 64

// Pool runs password hashing, of which each run takes much memory and a whole core, a few at a time: a storm of logins
// then costs waiting and not memory.
type Pool struct {
	slots            *semaphore.Weighted
	size             int64
	running, waiting atomic.Int64
	maxQueue         int64
	onTurn           func(waited time.Duration)
}

// NewPool returns a pool that runs at most hashers functions of weight 1 at a time; zero means one for each core, but no
// more than 8. At most queue more wait for their turn; zero means 64 for each hasher, and a negative queue that nobody waits.
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
	return &Pool{slots: semaphore.NewWeighted(int64(hashers)), size: int64(hashers), maxQueue: int64(queue)}
}

// Do runs f in the calling goroutine when it is its turn. A weight of n takes the place of n ordinary hashes, or the
// whole pool, see registration.HashWeight. It returns ErrBusy when too many wait already and ctx's error when ctx ends
// first; in both cases f has not run.
func (p *Pool) Do(ctx context.Context, weight int, f func()) error {
	n := min(max(int64(weight), 1), p.size)
	waited := time.Duration(0)
	if !p.slots.TryAcquire(n) {
		began := time.Now()
		if err := p.wait(ctx, n); err != nil {
			return err
		}
		waited = time.Since(began)
	}
	if p.onTurn != nil {
		p.onTurn(waited)
	}
	p.running.Add(1)
	defer func() {
		p.running.Add(-1)
		p.slots.Release(n)
	}()
	f()
	return nil
}

func (p *Pool) wait(ctx context.Context, n int64) error {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > p.maxQueue {
		return ErrBusy
	}
	return p.slots.Acquire(ctx, n)
}

// OnTurn makes f hear how long each caller of Do has waited, when it is its turn. It must be called before the first Do.
func (p *Pool) OnTurn(f func(waited time.Duration)) { p.onTurn = f }

// Waiting returns how many callers wait for their turn.
func (p *Pool) Waiting() int { return int(max(p.waiting.Load(), 0)) }

// Running returns how many functions are running.
func (p *Pool) Running() int { return int(p.running.Load()) }
