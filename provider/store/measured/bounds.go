package measured

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// WaitingShares implements store.Store.
func (s *Store) WaitingShares(ctx context.Context) (shares []store.WaitingShare, room int64, err error) {
	c := s.begin(ctx, waitingShares)
	shares, room, err = c.inner.WaitingShares(c.ctx)
	return shares, room, c.end(err)
}

// DropWaiting implements store.Store.
func (s *Store) DropWaiting(ctx context.Context, clientID, network string, bytes int64, limit int) (int64, error) {
	c := s.begin(ctx, dropWaiting)
	v, err := c.inner.DropWaiting(c.ctx, clientID, network, bytes, limit)
	return v, c.end(err)
}

// TrimGrantsOf implements store.Store.
func (s *Store) TrimGrantsOf(ctx context.Context, subject string, codes, families, limit int) (int, error) {
	c := s.begin(ctx, trimGrantsOf)
	v, err := c.inner.TrimGrantsOf(c.ctx, subject, codes, families, limit)
	return v, c.end(err)
}

// TrimAccessTokens implements store.Store.
func (s *Store) TrimAccessTokens(ctx context.Context, clientID string, before time.Time, limit int) (int, error) {
	c := s.begin(ctx, trimAccessTokens)
	v, err := c.inner.TrimAccessTokens(c.ctx, clientID, before, limit)
	return v, c.end(err)
}

// TrimFailures implements store.Store.
func (s *Store) TrimFailures(ctx context.Context, keep, limit int) (int, error) {
	c := s.begin(ctx, trimFailures)
	v, err := c.inner.TrimFailures(c.ctx, keep, limit)
	return v, c.end(err)
}

// TrimNotices implements store.Store.
func (s *Store) TrimNotices(ctx context.Context, keep, limit int) (int, error) {
	c := s.begin(ctx, trimNotices)
	v, err := c.inner.TrimNotices(c.ctx, keep, limit)
	return v, c.end(err)
}
