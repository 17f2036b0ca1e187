package sqlite

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateCode implements store.Store.
func (s *Store) CreateCode(ctx context.Context, code store.Code) error {
	return s.change(ctx, "create code", func(c *conn) error {
		expires := micros(code.ExpiresAt)
		_, err := c.exec(`INSERT INTO codes (handle, redeemed, purge_at, grant_id, client_id, subject, session_id, redirect_uri, scopes,
			nonce, code_challenge, auth_time, auth_methods, expires_at) VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			code.Handle[:], expires, code.GrantID, code.ClientID, code.Subject, code.SessionID, code.RedirectURI, list(code.Scopes),
			code.Nonce, code.CodeChallenge, micros(code.AuthTime), list(code.AuthMethods), expires)
		return err
	})
}

// Code implements store.Store.
func (s *Store) Code(ctx context.Context, h store.Handle) (code store.Code, redeemed bool, err error) {
	err = s.read(ctx, "get code", func(c *conn) error {
		return get(c, `SELECT redeemed, grant_id, client_id, subject, session_id, redirect_uri, scopes, nonce, code_challenge,
			auth_time, auth_methods, expires_at FROM codes WHERE handle = ?`,
			func(r *row) {
				redeemed = r.number() != 0
				code = store.Code{
					Handle: h, GrantID: r.text(), ClientID: r.text(), Subject: r.text(), SessionID: r.text(), RedirectURI: r.text(),
					Scopes: r.list(), Nonce: r.text(), CodeChallenge: r.text(), AuthTime: r.time(), AuthMethods: r.list(),
					ExpiresAt: r.time(),
				}
			}, h[:])
	})
	return code, redeemed, err
}

// RedeemCode implements store.Store.
func (s *Store) RedeemCode(ctx context.Context, h store.Handle, t store.AccessToken, keepUntil time.Time) error {
	return s.change(ctx, "redeem code", func(c *conn) error {
		// The condition makes this the one place where a race is decided.
		changed, err := c.exec(`UPDATE codes SET redeemed = 1, purge_at = ? WHERE handle = ? AND redeemed = 0`, micros(keepUntil), h[:])
		if err != nil {
			return err
		}
		if changed == 0 {
			known, err := c.queryRow(`SELECT 1 FROM codes WHERE handle = ?`, h[:])
			if err != nil {
				return err
			}
			if known == nil {
				return store.ErrNotFound
			}
			return store.ErrCodeRedeemed
		}
		_, err = c.exec(`INSERT INTO access_tokens (handle, grant_id, client_id, subject, session_id, scopes, issued_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			t.Handle[:], t.GrantID, t.ClientID, t.Subject, t.SessionID, list(t.Scopes), micros(t.IssuedAt), micros(t.ExpiresAt))
		return err
	})
}

// AccessToken implements store.Store.
func (s *Store) AccessToken(ctx context.Context, h store.Handle) (store.AccessToken, error) {
	var token store.AccessToken
	err := s.read(ctx, "get access token", func(c *conn) error {
		return get(c, `SELECT grant_id, client_id, subject, session_id, scopes, issued_at, expires_at FROM access_tokens WHERE handle = ?`,
			func(r *row) {
				token = store.AccessToken{
					Handle: h, GrantID: r.text(), ClientID: r.text(), Subject: r.text(), SessionID: r.text(), Scopes: r.list(),
					IssuedAt: r.time(), ExpiresAt: r.time(),
				}
			}, h[:])
	})
	return token, err
}

const revokeGrant = `DELETE FROM access_tokens WHERE grant_id = ?`

// RevokeGrant implements store.Store.
func (s *Store) RevokeGrant(ctx context.Context, grantID string) error {
	return s.change(ctx, "revoke grant", func(c *conn) error {
		_, err := c.exec(revokeGrant, grantID)
		return err
	})
}
