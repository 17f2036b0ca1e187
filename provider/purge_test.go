package provider_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

func TestPurge(t *testing.T) {
	var synced atomic.Bool
	synced.Store(true)
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Synced = synced.Load }))
	issuer.SetSettings(registration.Settings{Sessions: registration.Sessions{Idle: registration.Duration(time.Hour)}})
	now := issuer.Clock.Now()
	remembered := func(h store.Handle) bool {
		_, err := issuer.Store.Session(t.Context(), h)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	idle, used := store.HandleOf("idle"), store.HandleOf("used")
	for id, seen := range map[string]time.Time{"idle": now.Add(-63 * time.Minute), "used": now.Add(-59 * time.Minute)} {
		if err := issuer.Store.CreateSession(t.Context(), store.Session{Handle: store.HandleOf(id), ID: id, Subject: "1", LastSeenAt: seen, ExpiresAt: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	synced.Store(false) // how long a session may idle is not known yet
	if deleted, err := issuer.Provider.Purge(t.Context()); err != nil || deleted != 0 || !remembered(idle) {
		t.Errorf("before the registrations are read %d rows are deleted (%v)", deleted, err)
	}
	synced.Store(true)
	if deleted, err := issuer.Provider.Purge(t.Context()); err != nil || deleted != 1 || remembered(idle) || !remembered(used) {
		t.Errorf("%d rows are deleted (%v)", deleted, err)
	}
}

// A value that was used must not be good once more at a replica with a slow clock, because one with a fast clock has deleted it.
func TestPurgeLeavesTimeForSlowClocks(t *testing.T) {
	issuer, _ := newIssuer(t)
	slow, h := issuer.Clock.Now(), store.HandleOf("used")
	if err := issuer.Store.UseOnce(t.Context(), h, slow, slow.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	issuer.Clock.Advance(90 * time.Second) // this replica's clock is half a minute and more ahead
	if _, err := issuer.Provider.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := issuer.Store.UseOnce(t.Context(), h, slow.Add(59*time.Second), slow.Add(2*time.Minute)); !errors.Is(err, store.ErrReplayed) {
		t.Errorf("used again: %v", err)
	}
	issuer.Clock.Advance(2 * time.Minute)
	if deleted, err := issuer.Provider.Purge(t.Context()); err != nil || deleted != 1 {
		t.Errorf("later %d rows are deleted (%v)", deleted, err)
	}
}
