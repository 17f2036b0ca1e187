package sqlite

import (
	"context"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateAccessToken implements store.Store.
func (s *Store) CreateAccessToken(ctx context.Context, t store.AccessToken) error {
	return s.change(ctx, "create access token", func(c *conn) error {
		if err := s.space.roomFor(c, clientsShare); err != nil {
			return err
		}
		return insertAccessToken(c, &t)
	})
}

func insertAccessToken(c *conn, t *store.AccessToken) error {
	_, err := c.exec(`INSERT INTO access_tokens (handle, grant_id, client_id, client_uid, scopes, resources, thumbprint, issued_at,
		expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.Handle[:], t.GrantID, t.Client.ID, t.Client.UID, list(t.Scopes), list(t.Resources), t.KeyThumbprint, micros(t.IssuedAt),
		micros(t.ExpiresAt))
	return err
}

// AccessToken implements store.Store.
func (s *Store) AccessToken(ctx context.Context, h store.Handle) (t store.AccessToken, g store.Grant, err error) {
	err = s.read(ctx, "get access token", func(c *conn) error {
		return get(c, `SELECT t.grant_id, t.client_id, t.client_uid, t.scopes, t.resources, t.thumbprint, t.issued_at, t.expires_at,
			`+grantColumns+` FROM access_tokens t LEFT JOIN grants g ON g.id = t.grant_id`+grantSession+`WHERE t.handle = ? AND (t.grant_id = '' OR g.id IS NOT NULL)`,
			func(r *row) {
				t = store.AccessToken{
					Handle: h, GrantID: r.text(), Client: scanClient(r), Scopes: r.list(), Resources: r.list(), KeyThumbprint: r.text(),
					IssuedAt: r.time(), ExpiresAt: r.time(),
				}
				if t.GrantID != "" {
					g = scanGrant(r)
				}
			}, h[:])
	})
	return t, g, err
}

// DeleteAccessToken implements store.Store.
func (s *Store) DeleteAccessToken(ctx context.Context, h store.Handle) error {
	return s.change(ctx, "delete access token", func(c *conn) error {
		_, err := c.exec(`DELETE FROM access_tokens WHERE handle = ?`, h[:])
		return err
	})
}
