package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// How many of each work at a time.
const (
	loginWorkers   = 2
	sessionWorkers = 2
	refreshWorkers = 2
	machineWorkers = 2
	// sparseWorkers call so rarely that their connections are idle for longer than a provider takes to end.
	sparseWorkers = 2
	workers       = loginWorkers + sessionWorkers + refreshWorkers + machineWorkers + sparseWorkers
	sparsePause   = 4500 * time.Millisecond
	// refreshes is how often a refresh token is exchanged before its pod begins anew with a login.
	refreshes = 25
)

// load is everybody who works with the providers.
type load struct {
	workers sync.WaitGroup
	ended   chan struct{}
	// flows count, for each worker, the beginnings and ends of its flows: while a number is odd, one is under way.
	flows []*atomic.Int64
}

// startLoad starts everybody. A flow that has begun is not interrupted by stop, so that what it would have come to is known.
func startLoad(ctx context.Context, s *site, pause time.Duration) (*load, error) {
	l := &load{ended: make(chan struct{})}
	for _, kind := range []struct {
		n     int
		pause time.Duration
		begin func(ctx context.Context, s *site, i int) (func(), error)
	}{
		{loginWorkers, pause, newLogins},
		{sessionWorkers, pause, newSession},
		{refreshWorkers, pause, newRefreshes},
		{machineWorkers, pause, newMachine},
		{sparseWorkers, sparsePause, newMachine},
	} {
		for i := range kind.n {
			flow, err := kind.begin(ctx, s, i)
			if err != nil {
				l.stop()
				return nil, err
			}
			count := &atomic.Int64{}
			l.flows = append(l.flows, count)
			l.workers.Go(func() { l.repeat(ctx, kind.pause, flow, count) })
		}
	}
	return l, nil
}

func (l *load) repeat(ctx context.Context, pause time.Duration, flow func(), count *atomic.Int64) {
	for {
		count.Add(1)
		flow()
		count.Add(1)
		select {
		case <-l.ended:
			return
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// stop waits until everybody has finished what they were doing.
func (l *load) stop() {
	close(l.ended)
	l.workers.Wait()
}

// passed waits until every flow that is under way now has come to its end.
func (l *load) passed(ctx context.Context) error {
	for _, count := range l.flows {
		seen := count.Load()
		if seen%2 == 0 {
			continue
		}
		err := await(ctx, func() error {
			if count.Load() == seen {
				return errors.New("a flow does not end")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// newLogins is people who log in with their password, each with a browser that has no cookies.
func newLogins(ctx context.Context, s *site, i int) (func(), error) {
	p := s.newParty(ctx, s.web, i%2 == 0)
	return func() {
		b, err := s.newBrowser(person(i))
		if err != nil {
			s.ledger.call("login", time.Now(), err)
			return
		}
		defer b.close()
		_, _ = p.codeFlow(ctx, b, "openid profile") // what fails is counted where it does
	}, nil
}

// newSession is somebody who is logged in and opens one application after the other.
func newSession(ctx context.Context, s *site, i int) (func(), error) {
	p := s.newParty(ctx, s.web, i%2 == 0)
	b, err := s.newBrowser(person(i))
	return func() {
		_, _ = p.codeFlow(ctx, b, "openid email") // see newLogins
	}, err
}

// newRefreshes is an application that renews its tokens all the time.
func newRefreshes(ctx context.Context, s *site, i int) (func(), error) {
	p := s.newParty(ctx, s.web, i%2 == 0)
	b, err := s.newBrowser(person(i))
	var held tokens
	left := 0
	return func() {
		var err error
		if left == 0 {
			held, err = p.codeFlow(ctx, b, "openid offline_access")
			left = refreshes
		} else {
			var renewed tokens
			renewed, err = p.refresh(ctx, held)
			if errors.Is(err, errUnanswered) {
				return // whatever has become of that, the one that was answered works
			}
			held = renewed
			left--
		}
		if err != nil {
			left = 0
		}
	}, err
}

// newMachine is a service that calls another.
func newMachine(ctx context.Context, s *site, i int) (func(), error) {
	p := s.newParty(ctx, s.machine, i%2 == 0)
	return func() {
		_ = p.clientCredentials(ctx) // see newLogins
	}, nil
}
