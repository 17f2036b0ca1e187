package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// grantColumns are in the order in which scanGrant reads them.
const grantColumns = `g.id, g.client_id, g.subject, g.session_id, g.scopes, g.resources, g.claims, g.auth_time, g.auth_methods,
	g.created_at, g.expires_at, g.code_handle, g.code_redirect_uri, g.code_nonce, g.code_challenge, g.code_thumbprint,
	g.code_expires_at, g.code_redeemed, g.refresh_handle, g.refresh_previous, g.refresh_key, g.refresh_thumbprint,
	g.refresh_rotated_at, g.refresh_idle_until, g.refresh_expires_at`

func scanGrant(r *row) store.Grant {
	return store.Grant{
		ID: r.text(), ClientID: r.text(), Subject: r.text(), SessionID: r.text(), Scopes: r.list(), Resources: r.list(), Claims: r.text(),
		AuthTime: r.time(), AuthMethods: r.list(), CreatedAt: r.time(), ExpiresAt: r.time(),
		Code: store.Code{
			Handle: r.optionalBytes(), RedirectURI: r.text(), Nonce: r.text(), CodeChallenge: r.text(), KeyThumbprint: r.text(),
			ExpiresAt: r.optionalTime(), Redeemed: r.flag(),
		},
		Refresh: store.Refresh{
			Handle: r.optionalBytes(), Previous: r.optionalBytes(), Key: r.optionalBytes(), KeyThumbprint: r.text(),
			RotatedAt: r.optionalTime(), IdleUntil: r.optionalTime(), ExpiresAt: r.optionalTime(),
		},
	}
}

// CreateGrant implements store.Store.
func (s *Store) CreateGrant(ctx context.Context, g store.Grant) error {
	return s.change(ctx, "create grant", func(c *conn) error { return insertGrant(c, &g) })
}

func insertGrant(c *conn, g *store.Grant) error {
	_, err := c.exec(`INSERT INTO grants (id, client_id, subject, session_id, scopes, resources, claims, auth_time, auth_methods,
		created_at, expires_at, code_handle, code_redirect_uri, code_nonce, code_challenge, code_thumbprint, code_expires_at,
		code_redeemed, refresh_handle, refresh_previous, refresh_key, refresh_thumbprint, refresh_rotated_at, refresh_idle_until,
		refresh_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		g.ID, g.ClientID, g.Subject, g.SessionID, list(g.Scopes), list(g.Resources), g.Claims, micros(g.AuthTime), list(g.AuthMethods),
		micros(g.CreatedAt), micros(g.ExpiresAt), optionalBytes(g.Code.Handle), g.Code.RedirectURI, g.Code.Nonce, g.Code.CodeChallenge,
		g.Code.KeyThumbprint, optionalTime(g.Code.ExpiresAt), flag(g.Code.Redeemed), optionalBytes(g.Refresh.Handle),
		optionalBytes(g.Refresh.Previous), optionalBytes(g.Refresh.Key), g.Refresh.KeyThumbprint, optionalTime(g.Refresh.RotatedAt),
		optionalTime(g.Refresh.IdleUntil), optionalTime(g.Refresh.ExpiresAt))
	return err
}

// Grant implements store.Store.
func (s *Store) Grant(ctx context.Context, id string) (g store.Grant, err error) {
	err = s.read(ctx, "get grant", func(c *conn) error {
		return get(c, `SELECT `+grantColumns+` FROM grants g WHERE id = ?`, func(r *row) { g = scanGrant(r) }, id)
	})
	return g, err
}

// GrantsOf implements store.Store.
func (s *Store) GrantsOf(ctx context.Context, subject string) (grants []store.Grant, err error) {
	err = s.read(ctx, "list grants", func(c *conn) (err error) {
		grants, err = getAll(c, grantsOf, scanGrant, subject)
		return err
	})
	return grants, err
}

const grantsOf = `SELECT ` + grantColumns + ` FROM grants g WHERE subject = ? ORDER BY created_at DESC, id DESC`

// setRefresh are the columns that redeeming and rotating change; refreshColumns gives their values.
const setRefresh = `refresh_handle = ?, refresh_previous = ?, refresh_key = ?, refresh_thumbprint = ?, refresh_rotated_at = ?,
	refresh_idle_until = ?, refresh_expires_at = ?, expires_at = ?`

// RedeemCode implements store.Store.
func (s *Store) RedeemCode(ctx context.Context, id string, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.change(ctx, "redeem code", func(c *conn) error {
		// The condition makes this the one place where a race is decided.
		changed, err := c.exec(`UPDATE grants SET `+setRefresh+`, code_redeemed = 1 WHERE id = ? AND code_redeemed = 0`,
			optionalBytes(r.Handle), optionalBytes(r.Previous), optionalBytes(r.Key), r.KeyThumbprint, optionalTime(r.RotatedAt),
			optionalTime(r.IdleUntil), optionalTime(r.ExpiresAt), micros(expiresAt), id)
		return issue(c, changed, err, id, t)
	})
}

// RotateRefresh implements store.Store.
func (s *Store) RotateRefresh(ctx context.Context, id string, from store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.change(ctx, "rotate refresh token", func(c *conn) error {
		changed, err := c.exec(`UPDATE grants SET `+setRefresh+` WHERE id = ? AND refresh_handle = ?`,
			optionalBytes(r.Handle), optionalBytes(r.Previous), optionalBytes(r.Key), r.KeyThumbprint, optionalTime(r.RotatedAt),
			optionalTime(r.IdleUntil), optionalTime(r.ExpiresAt), micros(expiresAt), id, from[:])
		return issue(c, changed, err, id, t)
	})
}

// issue stores the access token once its grant was changed, or says why the grant was not.
func issue(c *conn, changed int64, err error, grantID string, t *store.AccessToken) error {
	switch {
	case err != nil:
		return err
	case changed == 0:
		if err := get(c, `SELECT 1 FROM grants WHERE id = ?`, func(*row) {}, grantID); err != nil {
			return err
		}
		return store.ErrRedeemed
	case t == nil:
		return nil
	}
	return insertAccessToken(c, t)
}

// DeleteGrant implements store.Store.
func (s *Store) DeleteGrant(ctx context.Context, id string) error {
	return s.change(ctx, "delete grant", func(c *conn) error {
		_, err := c.exec(`DELETE FROM grants WHERE id = ?`, id)
		return err
	})
}
