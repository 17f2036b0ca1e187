package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateDeviceRequest implements store.Store.
func (s *Store) CreateDeviceRequest(ctx context.Context, r store.DeviceRequest) error {
	return s.change(ctx, "create device request", func(c *conn) error {
		if err := s.space.roomFor(c, strangersShare); err != nil {
			return err
		}
		changed, err := c.exec(`INSERT INTO device_requests (`+deviceColumns+`, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (user_code) DO NOTHING`,
			r.Handle[:], r.UserCode, r.Client.ID, r.Client.UID, r.Network, list(r.Scopes), list(r.Resources), r.Interval.Microseconds(),
			optionalTime(r.PolledAt), flag(r.Denied), r.GrantID, micros(r.ExpiresAt), r.Size())
		if err == nil && changed == 0 {
			return store.ErrReplayed
		}
		return err
	})
}

const deviceColumns = `handle, user_code, client_id, client_uid, network, scopes, resources, poll_interval, polled_at, denied, grant_id, expires_at`

func scanDeviceRequest(r *row) store.DeviceRequest {
	return store.DeviceRequest{
		Handle: r.optionalBytes(), UserCode: r.text(), Client: scanClient(r), Network: r.text(), Scopes: r.list(), Resources: r.list(),
		Interval: time.Duration(r.number()) * time.Microsecond, PolledAt: r.optionalTime(), Denied: r.flag(), GrantID: r.text(),
		ExpiresAt: r.time(),
	}
}

const deviceByHandle = `SELECT ` + deviceColumns + ` FROM device_requests WHERE handle = ?`

// DeviceRequestByUserCode implements store.Store.
func (s *Store) DeviceRequestByUserCode(ctx context.Context, userCode string) (request store.DeviceRequest, err error) {
	err = s.read(ctx, "get device request", func(c *conn) error {
		return get(c, `SELECT `+deviceColumns+` FROM device_requests WHERE user_code = ?`,
			func(r *row) { request = scanDeviceRequest(r) }, userCode)
	})
	return request, err
}

// DecideDeviceRequest implements store.Store.
func (s *Store) DecideDeviceRequest(ctx context.Context, h store.Handle, g *store.Grant) error {
	return s.change(ctx, "decide device request", func(c *conn) error {
		grantID := ""
		if g != nil {
			grantID = g.ID
		}
		changed, err := c.exec(`UPDATE device_requests SET denied = ?, grant_id = ? WHERE handle = ? AND denied = 0 AND grant_id = ''`,
			flag(g == nil), grantID, h[:])
		switch {
		case err != nil:
			return err
		case changed == 0:
			if err := get(c, deviceByHandle, func(*row) {}, h[:]); err != nil {
				return err
			}
			return store.ErrRedeemed
		case g == nil:
			return nil
		}
		return insertGrant(c, g)
	})
}

// PollDeviceRequest implements store.Store.
func (s *Store) PollDeviceRequest(ctx context.Context, h store.Handle, polledAt time.Time, interval time.Duration) (request store.DeviceRequest, err error) {
	err = s.change(ctx, "poll device request", func(c *conn) error {
		if err := get(c, deviceByHandle, func(r *row) { request = scanDeviceRequest(r) }, h[:]); err != nil {
			return err
		}
		_, err := c.exec(`UPDATE device_requests SET polled_at = ?, poll_interval = ? WHERE handle = ?`,
			optionalTime(polledAt), interval.Microseconds(), h[:])
		return err
	})
	if err != nil {
		return store.DeviceRequest{}, err
	}
	return request, nil
}

// RedeemDeviceRequest implements store.Store.
func (s *Store) RedeemDeviceRequest(ctx context.Context, h store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.change(ctx, "redeem device request", func(c *conn) error {
		grantID := ""
		if err := get(c, `SELECT grant_id FROM device_requests WHERE handle = ?`, func(r *row) { grantID = r.text() }, h[:]); err != nil {
			return err
		}
		// A grant that was revoked meanwhile, and one that was not given yet, are both not there.
		changed, err := c.exec(`UPDATE grants SET `+setRefresh+` WHERE id = ?`,
			optionalBytes(r.Handle), optionalBytes(r.Previous), optionalBytes(r.Key), r.KeyThumbprint, optionalTime(r.RotatedAt),
			optionalTime(r.IdleUntil), optionalTime(r.ExpiresAt), micros(expiresAt), grantID)
		switch {
		case err != nil:
			return err
		case changed == 0:
			return store.ErrNotFound
		}
		if _, err := c.exec(`DELETE FROM device_requests WHERE handle = ?`, h[:]); err != nil || t == nil {
			return err
		}
		return insertAccessToken(c, t)
	})
}
