package identity_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// people is a Directory.
type people map[string]*registration.User

func (p people) HashKinds() []string {
	kinds := map[string]bool{}
	for _, user := range p {
		if user.PasswordHash != "" {
			kinds[registration.HashKind(user.PasswordHash)] = true
		}
	}
	return slices.Collect(maps.Keys(kinds))
}

func newLocal(directory people, pool *identity.Pool) *identity.Local {
	return identity.NewLocal(identity.LocalOptions{Directory: directory, Passwords: memory.New(), Pool: pool, Now: time.Now})
}

func (p people) UserByName(username string) (*registration.User, bool) {
	user, ok := p[registration.FoldUsername(username)]
	return user, ok
}

func directory() people {
	hash := registration.HashPassword("secret")
	return people{
		"ada":  {Subject: "1", Username: "ada", PasswordHash: hash},
		"off":  {Subject: "2", Username: "off", PasswordHash: hash, Disabled: true},
		"none": {Subject: "3", Username: "none"},
	}
}

func TestAuthenticate(t *testing.T) {
	local := newLocal(directory(), identity.NewPool(1, 0))
	for name, c := range map[string]struct {
		username, password, subject string
	}{
		"right":                        {"ada", "secret", "1"},
		"right in capitals":            {"ADA", "secret", "1"},
		"wrong password":               {"ada", "Secret", ""},
		"empty password":               {"ada", "", ""},
		"unknown":                      {"eve", "secret", ""},
		"disabled":                     {"off", "secret", ""},
		"without a hash":               {"none", "secret", ""},
		"without a hash and password":  {"none", "", ""},
		"longer than any password may": {"ada", strings.Repeat("x", registration.MaxPasswordBytes+1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := local.Authenticate(t.Context(), c.username, c.password)
			if c.subject == "" {
				if !errors.Is(err, identity.ErrRejected) || who.Subject != "" {
					t.Fatalf("got %+v, %v", who, err)
				}
				return
			}
			if err != nil || who.Subject != c.subject || !slices.Equal(who.Methods, []string{"pwd"}) {
				t.Fatalf("got %+v, %v", who, err)
			}
		})
	}
}

func TestPool(t *testing.T) {
	pool := identity.NewPool(2, 1)
	release, started, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	work := func(ctx context.Context) {
		ended <- pool.Do(ctx, 1, func() { started <- struct{}{}; <-release })
	}
	go work(t.Context())
	go work(t.Context())
	<-started
	<-started
	if pool.Running() != 2 || pool.Waiting() != 0 {
		t.Errorf("%d run, %d wait", pool.Running(), pool.Waiting())
	}
	ctx, cancel := context.WithCancel(t.Context())
	go work(ctx)
	for pool.Waiting() != 1 {
		time.Sleep(time.Millisecond)
	}
	if err := pool.Do(t.Context(), 1, func() { t.Error("the second in the queue has run") }); !errors.Is(err, identity.ErrBusy) {
		t.Errorf("with a full queue: %v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("after giving up: %v", err)
	}
	go work(t.Context()) // takes the place in the queue that is free again
	close(release)
	<-started
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if pool.Running() != 0 || pool.Waiting() != 0 {
		t.Errorf("in the end %d run, %d wait", pool.Running(), pool.Waiting())
	}
}

// A login storm holds no more hashes in memory than there are hashers.
func TestLoginsWaitForTheirTurn(t *testing.T) {
	pool := identity.NewPool(1, -1)
	release, started := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() { done <- pool.Do(t.Context(), 1, func() { close(started); <-release }) }()
	<-started
	for _, username := range []string{"ada", "eve"} {
		if _, err := newLocal(directory(), pool).Authenticate(t.Context(), username, "secret"); !errors.Is(err, identity.ErrBusy) {
			t.Errorf("%s: %v", username, err)
		}
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A hash that takes the memory of several waits until that much is free, and one of more than the pool runs alone.
func TestHeavyHashesTakeMorePlaces(t *testing.T) {
	for name, c := range map[string]struct {
		weight int
		busy   bool
	}{
		"one place is free":       {1, false},
		"two are not":             {2, true},
		"nor is the whole pool":   {100, true},
		"no weight counts as one": {0, false},
	} {
		t.Run(name, func(t *testing.T) {
			pool := identity.NewPool(2, -1)
			release, started := make(chan struct{}), make(chan struct{})
			done := make(chan error)
			go func() { done <- pool.Do(t.Context(), 1, func() { close(started); <-release }) }()
			<-started
			if err := pool.Do(t.Context(), c.weight, func() {}); errors.Is(err, identity.ErrBusy) != c.busy {
				t.Errorf("got %v", err)
			}
			close(release)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := pool.Do(t.Context(), 100, func() {}); err != nil {
				t.Errorf("alone: %v", err)
			}
		})
	}
}
