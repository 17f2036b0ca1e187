package provider_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// countingStore counts how often all grants of a person are read.
type countingStore struct {
	store.Store
	lists atomic.Int32
}

// GrantsOf implements store.Store.
func (s *countingStore) GrantsOf(ctx context.Context, subject string) ([]store.Grant, error) {
	s.lists.Add(1)
	return s.Store.GrantsOf(ctx, subject)
}

// A person may have thousands of grants, which must not be read at every login. Each client of a session is written down once,
// however many requests come at a time.
func TestClientsOfASessionAreNotedOnce(t *testing.T) {
	counting := &countingStore{}
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { counting.Store, o.Store = o.Store, counting }))
	rec := answering(t, 200)
	addReceiver(t, issuer, "chat", rec)
	browser := loggedIn(t, issuer)
	before := counting.lists.Load()
	var wait sync.WaitGroup
	cookies := browser.Cookies()
	for range 16 {
		tab := issuer.NewBrowser(t)
		tab.SetCookies(cookies...)
		wait.Go(func() {
			if page := tab.Get(authorizeURL(issuer, "client_id", "chat")); page.Callback == nil || page.Callback.Query().Get("code") == "" {
				t.Errorf("there is no code:\n%s", page.Body)
			}
		})
	}
	wait.Wait()
	if lists := counting.lists.Load() - before; lists != 0 {
		t.Errorf("all grants are read %d times", lists)
	}
	grants, err := issuer.Store.GrantsOf(t.Context(), "sub-ada")
	if err != nil {
		t.Fatal(err)
	}
	notes := 0
	for _, g := range grants {
		if g.Code.Handle == (store.Handle{}) {
			notes++
		}
	}
	if notes != 1 {
		t.Errorf("there are %d notes", notes)
	}
	logOut(issuer, browser)
	eventually(t, func() bool { return len(rec.received()) == 1 })
}
