package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/postgres"
	"github.com/oidc-operator/oidc-operator/test/pgtest"
)

// soon is how long a request may wait for the answer that the database is down, on a machine with much else to do.
const soon = 30 * time.Second

// mustBeDown checks that calls of every sort say so soon, and do not take it for the end of their context.
func mustBeDown(t *testing.T, server *pgtest.Server, s *postgres.Store) {
	t.Helper()
	for name, call := range map[string]func(context.Context) error{
		"a read":   func(ctx context.Context) error { _, err := s.Grant(ctx, "before"); return err },
		"a change": func(ctx context.Context) error { return s.CreateGrant(ctx, grant("while down")) },
		"an exchange": func(ctx context.Context) error {
			return s.RedeemCode(ctx, "before", store.Refresh{}, &store.AccessToken{Handle: store.HandleOf("while down")}, time.Now())
		},
	} {
		begin := time.Now()
		err := call(t.Context())
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v; want %v", name, err, store.ErrUnavailable)
		}
		if took := time.Since(begin); took > soon {
			t.Errorf("%s took %s; want at most %s", name, took, soon)
		}
		if err != nil && strings.Contains(err.Error(), server.Password()) {
			t.Errorf("the error of %s contains the password", name)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := s.Ping(ctx); err == nil {
		t.Error("Ping succeeded")
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("Ping with 100 ms took %s", took)
	}
}

// mustBeUp checks that s works again, by itself, and holds what it held and nothing of what failed.
func mustBeUp(t *testing.T, s *postgres.Store) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := s.Ping(t.Context())
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("Ping a minute after the database is back: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if g, err := s.Grant(t.Context(), "before"); err != nil || g.Code.Redeemed {
		t.Errorf("the grant from before: redeemed %t, %v; want it as it was", g.Code.Redeemed, err)
	}
	if _, err := s.Grant(t.Context(), "while down"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the grant whose storing failed: %v; want %v", err, store.ErrNotFound)
	}
	var all sync.WaitGroup // more than one connection is well again
	for i := range 20 {
		all.Go(func() {
			if err := s.CreateGrant(t.Context(), grant(fmt.Sprint(time.Now(), i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestADatabaseThatGoesDownIsToldAndComesBack(t *testing.T) {
	server := pgtest.New(t)
	s := open(t, server.Database(t))
	defer func() { _ = s.Close() }()
	if err := s.CreateGrant(t.Context(), grant("before")); err != nil {
		t.Fatal(err)
	}
	for name, stop := range map[string]func() error{"in order": server.Stop, "at once": server.Kill} {
		t.Run(name, func(t *testing.T) {
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			mustBeDown(t, server, s)
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			mustBeUp(t, s)
		})
	}
}

// A database whose host hangs, or that is cut off, keeps its connections and answers nothing.
func TestADatabaseThatHangsIsToldAndComesBack(t *testing.T) {
	server := pgtest.New(t)
	s := open(t, server.Database(t))
	defer func() { _ = s.Close() }()
	if err := s.CreateGrant(t.Context(), grant("before")); err != nil {
		t.Fatal(err)
	}
	thaw, err := server.Freeze()
	if err != nil {
		t.Skip("this system cannot hold the server still: ", err)
	}
	begin := time.Now()
	if _, err := s.Grant(t.Context(), "before"); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a read: %v; want %v", err, store.ErrUnavailable)
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("a read took %s; want at most %s", took, soon)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin = time.Now()
	if err := s.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Ping: %v; want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("Ping with 100 ms took %s", took)
	}
	if err := thaw(); err != nil {
		t.Fatal(err)
	}
	mustBeUp(t, s)
}

// What was acknowledged is there after the database itself has crashed in the midst of work.
func TestACrashOfTheDatabaseLosesNothingAcknowledged(t *testing.T) {
	server := pgtest.New(t)
	s := open(t, server.Database(t))
	defer func() { _ = s.Close() }()
	var mu sync.Mutex
	var acknowledged []string
	stopped := make(chan struct{})
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := 0; ; j++ {
				name := fmt.Sprint(i, "-", j)
				token := &store.AccessToken{Handle: store.HandleOf(name), GrantID: name}
				if s.CreateGrant(t.Context(), grant(name)) != nil || s.RedeemCode(t.Context(), name, store.Refresh{}, token, time.Now()) != nil {
					return // the database is down
				}
				mu.Lock()
				acknowledged = append(acknowledged, name)
				if len(acknowledged) == 200 {
					close(stopped)
				}
				mu.Unlock()
			}
		})
	}
	<-stopped
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for _, name := range acknowledged {
		if _, g, err := s.AccessToken(t.Context(), store.HandleOf(name)); err != nil || !g.Code.Redeemed {
			t.Errorf("token %s: redeemed %t, %v; want what was acknowledged", name, g.Code.Redeemed, err)
		}
	}
}
