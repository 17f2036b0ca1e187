package measured

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateGrant implements store.Store.
func (s *Store) CreateGrant(ctx context.Context, g store.Grant) error {
	c := s.begin(ctx, createGrant)
	return c.end(c.inner.CreateGrant(c.ctx, g))
}

// Grant implements store.Store.
func (s *Store) Grant(ctx context.Context, id string) (store.Grant, error) {
	c := s.begin(ctx, grant)
	v, err := c.inner.Grant(c.ctx, id)
	return v, c.end(err)
}

// AuthorizationsOf implements store.Store.
func (s *Store) AuthorizationsOf(ctx context.Context, subject string, now time.Time, limit int) ([]store.Authorization, error) {
	c := s.begin(ctx, authorizationsOf)
	v, err := c.inner.AuthorizationsOf(c.ctx, subject, now, limit)
	return v, c.end(err)
}

// RedeemCode implements store.Store.
func (s *Store) RedeemCode(ctx context.Context, id string, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	c := s.begin(ctx, redeemCode)
	return c.end(c.inner.RedeemCode(c.ctx, id, r, t, expiresAt))
}

// RotateRefresh implements store.Store.
func (s *Store) RotateRefresh(ctx context.Context, id string, from store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	c := s.begin(ctx, rotateRefresh)
	return c.end(c.inner.RotateRefresh(c.ctx, id, from, r, t, expiresAt))
}

// DeleteGrant implements store.Store.
func (s *Store) DeleteGrant(ctx context.Context, id string) error {
	c := s.begin(ctx, deleteGrant)
	return c.end(c.inner.DeleteGrant(c.ctx, id))
}

// DeleteGrantsOf implements store.Store.
func (s *Store) DeleteGrantsOf(ctx context.Context, subject string) ([]store.DeletedGrant, error) {
	c := s.begin(ctx, deleteGrantsOf)
	v, err := c.inner.DeleteGrantsOf(c.ctx, subject)
	return v, c.end(err)
}

// CreateAccessToken implements store.Store.
func (s *Store) CreateAccessToken(ctx context.Context, t store.AccessToken) error {
	c := s.begin(ctx, createAccessToken)
	return c.end(c.inner.CreateAccessToken(c.ctx, t))
}

// AccessToken implements store.Store.
func (s *Store) AccessToken(ctx context.Context, h store.Handle) (store.AccessToken, store.Grant, error) {
	c := s.begin(ctx, accessToken)
	v, w, err := c.inner.AccessToken(c.ctx, h)
	return v, w, c.end(err)
}

// DeleteAccessToken implements store.Store.
func (s *Store) DeleteAccessToken(ctx context.Context, h store.Handle) error {
	c := s.begin(ctx, deleteAccessToken)
	return c.end(c.inner.DeleteAccessToken(c.ctx, h))
}

// CreateDeviceRequest implements store.Store.
func (s *Store) CreateDeviceRequest(ctx context.Context, r store.DeviceRequest) error {
	c := s.begin(ctx, createDeviceRequest)
	return c.end(c.inner.CreateDeviceRequest(c.ctx, r))
}

// DeviceRequestByUserCode implements store.Store.
func (s *Store) DeviceRequestByUserCode(ctx context.Context, userCode string) (store.DeviceRequest, error) {
	c := s.begin(ctx, deviceRequestByUserCode)
	v, err := c.inner.DeviceRequestByUserCode(c.ctx, userCode)
	return v, c.end(err)
}

// DecideDeviceRequest implements store.Store.
func (s *Store) DecideDeviceRequest(ctx context.Context, h store.Handle, g *store.Grant) error {
	c := s.begin(ctx, decideDeviceRequest)
	return c.end(c.inner.DecideDeviceRequest(c.ctx, h, g))
}

// PollDeviceRequest implements store.Store.
func (s *Store) PollDeviceRequest(ctx context.Context, h store.Handle, polledAt time.Time, interval time.Duration) (store.DeviceRequest, error) {
	c := s.begin(ctx, pollDeviceRequest)
	v, err := c.inner.PollDeviceRequest(c.ctx, h, polledAt, interval)
	return v, c.end(err)
}

// RedeemDeviceRequest implements store.Store.
func (s *Store) RedeemDeviceRequest(ctx context.Context, h store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	c := s.begin(ctx, redeemDeviceRequest)
	return c.end(c.inner.RedeemDeviceRequest(c.ctx, h, r, t, expiresAt))
}

// CreatePushedRequest implements store.Store.
func (s *Store) CreatePushedRequest(ctx context.Context, r store.PushedRequest) error {
	c := s.begin(ctx, createPushedRequest)
	return c.end(c.inner.CreatePushedRequest(c.ctx, r))
}

// PushedRequest implements store.Store.
func (s *Store) PushedRequest(ctx context.Context, h store.Handle) (store.PushedRequest, error) {
	c := s.begin(ctx, pushedRequest)
	v, err := c.inner.PushedRequest(c.ctx, h)
	return v, c.end(err)
}

// DeletePushedRequest implements store.Store.
func (s *Store) DeletePushedRequest(ctx context.Context, h store.Handle) error {
	c := s.begin(ctx, deletePushedRequest)
	return c.end(c.inner.DeletePushedRequest(c.ctx, h))
}

// UseOnce implements store.Store.
func (s *Store) UseOnce(ctx context.Context, h store.Handle, now, expiresAt time.Time) error {
	c := s.begin(ctx, useOnce)
	return c.end(c.inner.UseOnce(c.ctx, h, now, expiresAt))
}

// Purge implements store.Store.
func (s *Store) Purge(ctx context.Context, now, idleSince time.Time, limit int, tell store.Tell) (int, error) {
	c := s.begin(ctx, purge)
	v, err := c.inner.Purge(c.ctx, now, idleSince, limit, tell)
	return v, c.end(err)
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	c := s.begin(ctx, ping)
	return c.end(c.inner.Ping(c.ctx))
}
