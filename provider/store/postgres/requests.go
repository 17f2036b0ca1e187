package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreatePushedRequest implements store.Store.
func (s *Store) CreatePushedRequest(ctx context.Context, r store.PushedRequest) error {
	return s.change(ctx, "create pushed request", `INSERT INTO pushed_requests (handle, client_id, client_uid, network, size, parameters, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.Handle[:], r.Client.ID, r.Client.UID, r.Network, r.Size(), []byte(r.Parameters), micros(r.ExpiresAt))
}

// PushedRequest implements store.Store.
func (s *Store) PushedRequest(ctx context.Context, h store.Handle) (store.PushedRequest, error) {
	return get(ctx, s, "get pushed request", func(row pgx.CollectableRow) (store.PushedRequest, error) {
		r := store.PushedRequest{Handle: h}
		err := row.Scan(&r.Client.ID, &r.Client.UID, &r.Network, (*rawText)(&r.Parameters), (*microTime)(&r.ExpiresAt))
		return r, err
	}, `SELECT client_id, client_uid, network, parameters, expires_at FROM pushed_requests WHERE handle = $1`, h[:])
}

// DeletePushedRequest implements store.Store.
func (s *Store) DeletePushedRequest(ctx context.Context, h store.Handle) error {
	return s.change(ctx, "delete pushed request", `DELETE FROM pushed_requests WHERE handle = $1`, h[:])
}

// UseOnce implements store.Store.
func (s *Store) UseOnce(ctx context.Context, h store.Handle, now, expiresAt time.Time) error {
	changed, err := s.exec(ctx, "use once", `INSERT INTO used_values (handle, expires_at) VALUES ($1, $2)
		ON CONFLICT (handle) DO UPDATE SET expires_at = excluded.expires_at WHERE used_values.expires_at <= $3`,
		h[:], micros(expiresAt), micros(now))
	if err == nil && changed == 0 {
		return store.ErrReplayed
	}
	return err
}
