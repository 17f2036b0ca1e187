package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// grantColumns are in the order in which scanGrant reads them, of grants g with grantSession.
const grantColumns = `g.id, g.client_id, g.client_uid, g.subject, g.session_id, g.credential, g.scopes, g.resources, g.claims, g.auth_time, g.auth_methods,
	g.created_at, g.expires_at, g.code_handle, g.code_redirect_uri, g.code_nonce, g.code_challenge, g.code_thumbprint,
	g.code_expires_at, g.code_redeemed, g.refresh_handle, g.refresh_previous, g.refresh_key, g.refresh_thumbprint,
	g.refresh_rotated_at, g.refresh_idle_until, g.refresh_expires_at, s.last_seen_at, s.expires_at`

// grantSession joins the session of a grant, which may be over.
const grantSession = ` LEFT JOIN sessions s ON s.id = g.session_id `

func scanClient(r *row) store.Client {
	return store.Client{ID: r.text(), UID: r.text()}
}

func scanGrant(r *row) store.Grant {
	return store.Grant{
		ID: r.text(), Client: scanClient(r), Subject: r.text(), SessionID: r.text(), Credential: r.text(), Scopes: r.list(),
		Resources: r.list(), Claims: r.text(),
		AuthTime: r.time(), AuthMethods: r.list(), CreatedAt: r.time(), ExpiresAt: r.time(),
		Code: store.Code{
			Handle: r.optionalBytes(), RedirectURI: r.text(), Nonce: r.text(), CodeChallenge: r.text(), KeyThumbprint: r.text(),
			ExpiresAt: r.optionalTime(), Redeemed: r.flag(),
		},
		Refresh: store.Refresh{
			Handle: r.optionalBytes(), Previous: r.optionalBytes(), Key: r.optionalBytes(), KeyThumbprint: r.text(),
			RotatedAt: r.optionalTime(), IdleUntil: r.optionalTime(), ExpiresAt: r.optionalTime(),
		},
		Session: store.SessionTimes{LastSeenAt: r.optionalTime(), ExpiresAt: r.optionalTime()},
	}
}

// CreateGrant implements store.Store.
func (s *Store) CreateGrant(ctx context.Context, g store.Grant) error {
	return s.change(ctx, "create grant", func(c *conn) error {
		if g.SessionID != "" {
			if err := addSessionClient(c, g.SessionID, g.Client); err != nil {
				return err
			}
		}
		return insertGrant(c, &g)
	})
}

func insertGrant(c *conn, g *store.Grant) error {
	_, err := c.exec(`INSERT INTO grants (id, client_id, client_uid, subject, session_id, credential, scopes, resources, claims, auth_time, auth_methods,
		created_at, expires_at, code_handle, code_redirect_uri, code_nonce, code_challenge, code_thumbprint, code_expires_at,
		code_redeemed, refresh_handle, refresh_previous, refresh_key, refresh_thumbprint, refresh_rotated_at, refresh_idle_until,
		refresh_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		g.ID, g.Client.ID, g.Client.UID, g.Subject, g.SessionID, g.Credential, list(g.Scopes), list(g.Resources), g.Claims, micros(g.AuthTime),
		list(g.AuthMethods), micros(g.CreatedAt), micros(g.ExpiresAt), optionalBytes(g.Code.Handle), g.Code.RedirectURI, g.Code.Nonce, g.Code.CodeChallenge,
		g.Code.KeyThumbprint, optionalTime(g.Code.ExpiresAt), flag(g.Code.Redeemed), optionalBytes(g.Refresh.Handle),
		optionalBytes(g.Refresh.Previous), optionalBytes(g.Refresh.Key), g.Refresh.KeyThumbprint, optionalTime(g.Refresh.RotatedAt),
		optionalTime(g.Refresh.IdleUntil), optionalTime(g.Refresh.ExpiresAt))
	return err
}

// Grant implements store.Store.
func (s *Store) Grant(ctx context.Context, id string) (g store.Grant, err error) {
	err = s.read(ctx, "get grant", func(c *conn) error {
		return get(c, `SELECT `+grantColumns+` FROM grants g`+grantSession+`WHERE g.id = ?`, func(r *row) { g = scanGrant(r) }, id)
	})
	return g, err
}

// AuthorizationsOf implements store.Store.
func (s *Store) AuthorizationsOf(ctx context.Context, subject string, now time.Time, limit int) (all []store.Authorization, err error) {
	err = s.read(ctx, "list authorizations", func(c *conn) (err error) {
		all, err = getAll(c, authorizationsOf, func(r *row) store.Authorization {
			return store.Authorization{Client: scanClient(r), Scopes: r.list(), Resources: r.list(), Since: r.time(), LastUsed: r.time()}
		}, subject, micros(now), int64(limit))
		return err
	})
	return all, err
}

const authorizationsOf = `SELECT client_id, client_uid, scopes, resources, min(created_at), max(max(created_at, coalesce(refresh_rotated_at, created_at)))
	FROM grants WHERE subject = ? AND expires_at > ? GROUP BY client_id, client_uid, scopes, resources
	ORDER BY client_id, client_uid, scopes, resources LIMIT ?`

// setRefresh are the columns that redeeming and rotating change; refreshColumns gives their values.
const setRefresh = `refresh_handle = ?, refresh_previous = ?, refresh_key = ?, refresh_thumbprint = ?, refresh_rotated_at = ?,
	refresh_idle_until = ?, refresh_expires_at = ?, expires_at = ?`

// redeemCode has a condition that makes it the one place where a race is decided: between two who have a code, and between one
// who has it and the end of the session in which it was issued.
const redeemCode = `UPDATE grants SET ` + setRefresh + `, code_redeemed = 1 WHERE id = ? AND code_redeemed = 0
	AND (session_id = '' OR EXISTS (SELECT 1 FROM sessions WHERE sessions.id = grants.session_id))`

// RedeemCode implements store.Store.
func (s *Store) RedeemCode(ctx context.Context, id string, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.change(ctx, "redeem code", func(c *conn) error {
		changed, err := c.exec(redeemCode,
			optionalBytes(r.Handle), optionalBytes(r.Previous), optionalBytes(r.Key), r.KeyThumbprint, optionalTime(r.RotatedAt),
			optionalTime(r.IdleUntil), optionalTime(r.ExpiresAt), micros(expiresAt), id)
		return issue(c, changed, err, `SELECT 1 FROM grants WHERE id = ? AND code_redeemed = 1`, id, t)
	})
}

// RotateRefresh implements store.Store.
func (s *Store) RotateRefresh(ctx context.Context, id string, from store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.change(ctx, "rotate refresh token", func(c *conn) error {
		changed, err := c.exec(`UPDATE grants SET `+setRefresh+` WHERE id = ? AND refresh_handle = ?`,
			optionalBytes(r.Handle), optionalBytes(r.Previous), optionalBytes(r.Key), r.KeyThumbprint, optionalTime(r.RotatedAt),
			optionalTime(r.IdleUntil), optionalTime(r.ExpiresAt), micros(expiresAt), id, from[:])
		return issue(c, changed, err, `SELECT 1 FROM grants WHERE id = ?`, id, t)
	})
}

// issue stores the access token once its grant was changed, or says why the grant was not: redeemed finds one that was
// redeemed before.
func issue(c *conn, changed int64, err error, redeemed, grantID string, t *store.AccessToken) error {
	switch {
	case err != nil:
		return err
	case changed == 0:
		if err := get(c, redeemed, func(*row) {}, grantID); err != nil {
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

const (
	grantsOf       = `SELECT id, client_id, client_uid, session_id FROM grants WHERE subject = ? ORDER BY id`
	deleteGrantsOf = `DELETE FROM grants WHERE subject = ?`
)

// DeleteGrantsOf implements store.Store.
func (s *Store) DeleteGrantsOf(ctx context.Context, subject string) (deleted []store.DeletedGrant, err error) {
	err = s.change(ctx, "delete grants of subject", func(c *conn) (err error) {
		deleted, err = getAll(c, grantsOf, func(r *row) store.DeletedGrant {
			return store.DeletedGrant{ID: r.text(), Client: scanClient(r), SessionID: r.text()}
		}, subject)
		if err == nil && len(deleted) > 0 {
			_, err = c.exec(deleteGrantsOf, subject)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return deleted, nil
}
