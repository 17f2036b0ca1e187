package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreatePushedRequest implements store.Store.
func (s *Store) CreatePushedRequest(ctx context.Context, r store.PushedRequest) error {
	return s.change(ctx, "create pushed request", func(c *conn) error {
		if err := s.space.roomFor(c, strangersShare); err != nil {
			return err
		}
		_, err := c.exec(`INSERT INTO pushed_requests (handle, client_id, client_uid, network, size, parameters, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			r.Handle[:], r.Client.ID, r.Client.UID, r.Network, r.Size(), r.Parameters, micros(r.ExpiresAt))
		return err
	})
}

// PushedRequest implements store.Store.
func (s *Store) PushedRequest(ctx context.Context, h store.Handle) (request store.PushedRequest, err error) {
	err = s.read(ctx, "get pushed request", func(c *conn) error {
		return get(c, `SELECT client_id, client_uid, network, parameters, expires_at FROM pushed_requests WHERE handle = ?`, func(r *row) {
			request = store.PushedRequest{Handle: h, Client: scanClient(r), Network: r.text(), Parameters: r.text(), ExpiresAt: r.time()}
		}, h[:])
	})
	return request, err
}

// DeletePushedRequest implements store.Store.
func (s *Store) DeletePushedRequest(ctx context.Context, h store.Handle) error {
	return s.change(ctx, "delete pushed request", func(c *conn) error {
		_, err := c.exec(`DELETE FROM pushed_requests WHERE handle = ?`, h[:])
		return err
	})
}

// UseOnce implements store.Store.
func (s *Store) UseOnce(ctx context.Context, h store.Handle, now, expiresAt time.Time) error {
	return s.change(ctx, "use once", func(c *conn) error {
		changed, err := c.exec(`INSERT INTO used_values (handle, expires_at) VALUES (?, ?)
			ON CONFLICT (handle) DO UPDATE SET expires_at = excluded.expires_at WHERE used_values.expires_at <= ?`,
			h[:], micros(expiresAt), micros(now))
		if err == nil && changed == 0 {
			return store.ErrReplayed
		}
		return err
	})
}
