package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/health"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// A replica that cannot open its storage while others can ends after a while, whatever the API server did meanwhile; one that is still
// opening it does not: a migration would begin anew each time.
func TestSettleWhileOthersWork(t *testing.T) {
	refused := func(context.Context) (store.Store, error) { return nil, errors.New("refused") }
	migrates := func(ctx context.Context) (store.Store, error) {
		select {
		case <-time.After(10 * time.Minute):
			return memory.New(), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for name, c := range map[string]struct {
		open func(context.Context) (store.Store, error)
		// away is how long the API server does not answer.
		away time.Duration
		ends bool
	}{
		"it is refused":                       {refused, 0, true},
		"the API server is away at that time": {refused, 2 * time.Minute, true},
		"it is still being opened":            {migrates, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				logger := slog.New(slog.DiscardHandler)
				monitor, err := health.New(health.Options{
					Open: c.open, Opened: func(store.Store) {}, Logger: logger, Metrics: prometheus.NewRegistry(),
					Describe: func(err error) store.Fault { return store.Fault{Kind: store.FaultUnreachable, Message: err.Error()} },
				})
				if err != nil {
					t.Fatal(err)
				}
				s, began := &storage{Monitor: monitor, logger: logger}, time.Now()
				go func() { _ = monitor.Run(ctx) }()
				err = s.settle(ctx, func(context.Context) (bool, error) {
					if time.Since(began) < c.away {
						return false, errors.New("no answer")
					}
					return true, nil
				})
				if (err != nil) != c.ends || s.settled.Load() == c.ends {
					t.Errorf("after %s: %v, settled %v", time.Since(began), err, s.settled.Load())
				}
			})
		})
	}
}
