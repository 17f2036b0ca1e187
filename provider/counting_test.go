package provider_test

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// countingStore counts what the token endpoint asks of a store.
type countingStore struct {
	store.Store
	reads, writes, proofs atomic.Int32
}

func withCounting(s *countingStore) providertest.Option {
	return providertest.WithOptions(func(o *provider.Options) { s.Store, o.Store = o.Store, s })
}

func (s *countingStore) reset() {
	s.reads.Store(0)
	s.writes.Store(0)
	s.proofs.Store(0)
}

func (s *countingStore) calls() (reads, writes int32) { return s.reads.Load(), s.writes.Load() }

func (s *countingStore) Grant(ctx context.Context, id string) (store.Grant, error) {
	s.reads.Add(1)
	return s.Store.Grant(ctx, id)
}

func (s *countingStore) SessionByID(ctx context.Context, id string) (store.Session, error) {
	s.reads.Add(1)
	return s.Store.SessionByID(ctx, id)
}

func (s *countingStore) RedeemCode(ctx context.Context, id string, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	s.writes.Add(1)
	return s.Store.RedeemCode(ctx, id, r, t, expiresAt)
}

func (s *countingStore) RotateRefresh(ctx context.Context, id string, from store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	s.writes.Add(1)
	return s.Store.RotateRefresh(ctx, id, from, r, t, expiresAt)
}

func (s *countingStore) DeleteGrant(ctx context.Context, id string) error {
	s.writes.Add(1)
	return s.Store.DeleteGrant(ctx, id)
}

func (s *countingStore) UseOnce(ctx context.Context, h store.Handle, now, expiresAt time.Time) error {
	s.writes.Add(1)
	s.proofs.Add(1)
	return s.Store.UseOnce(ctx, h, now, expiresAt)
}
