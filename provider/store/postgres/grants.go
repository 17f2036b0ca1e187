package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// grantColumns are in the order of grantArgs; grantTargets also have the columns of the grant's session, see grantAndSession.
const grantColumns = `id, client_id, subject, session_id, credential, scopes, resources, claims, auth_time, auth_methods, created_at, expires_at,
	code_handle, code_redirect_uri, code_nonce, code_challenge, code_thumbprint, code_expires_at, code_redeemed, refresh_handle,
	refresh_previous, refresh_key, refresh_thumbprint, refresh_rotated_at, refresh_idle_until, refresh_expires_at, client_uid`

// grantValues are the places of grantArgs in a statement, with their types.
const grantValues = `$1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bytea, $8::bytea, $9::bigint, $10::text, $11::bigint,
	$12::bigint, $13::bytea, $14::bytea, $15::bytea, $16::bytea, $17::bytea, $18::bigint, $19::boolean, $20::bytea,
	$21::bytea, $22::bytea, $23::text, $24::bigint, $25::bigint, $26::bigint, $27::text`

func grantArgs(g *store.Grant, more ...any) []any {
	return append([]any{
		g.ID, g.Client.ID, g.Subject, g.SessionID, g.Credential, list(g.Scopes), rawList(g.Resources), []byte(g.Claims), micros(g.AuthTime),
		list(g.AuthMethods), micros(g.CreatedAt), micros(g.ExpiresAt), optionalBytes(g.Code.Handle), []byte(g.Code.RedirectURI),
		[]byte(g.Code.Nonce), []byte(g.Code.CodeChallenge), []byte(g.Code.KeyThumbprint), optionalTime(g.Code.ExpiresAt), g.Code.Redeemed,
		optionalBytes(g.Refresh.Handle), optionalBytes(g.Refresh.Previous), optionalBytes(g.Refresh.Key), g.Refresh.KeyThumbprint,
		optionalTime(g.Refresh.RotatedAt), optionalTime(g.Refresh.IdleUntil), optionalTime(g.Refresh.ExpiresAt), g.Client.UID,
	}, more...)
}

func grantTargets(g *store.Grant) []any {
	return []any{
		(*plainText)(&g.ID), (*plainText)(&g.Client.ID), (*plainText)(&g.Subject), (*plainText)(&g.SessionID), (*plainText)(&g.Credential),
		(*words)(&g.Scopes), (*words)(&g.Resources), (*rawText)(&g.Claims),
		(*microTime)(&g.AuthTime), (*words)(&g.AuthMethods), (*microTime)(&g.CreatedAt), (*microTime)(&g.ExpiresAt),
		(*bytes32)(&g.Code.Handle), (*rawText)(&g.Code.RedirectURI), (*rawText)(&g.Code.Nonce), (*rawText)(&g.Code.CodeChallenge),
		(*rawText)(&g.Code.KeyThumbprint), (*microTime)(&g.Code.ExpiresAt), (*boolean)(&g.Code.Redeemed),
		(*bytes32)(&g.Refresh.Handle), (*bytes32)(&g.Refresh.Previous), (*bytes32)(&g.Refresh.Key), (*plainText)(&g.Refresh.KeyThumbprint),
		(*microTime)(&g.Refresh.RotatedAt), (*microTime)(&g.Refresh.IdleUntil), (*microTime)(&g.Refresh.ExpiresAt), (*plainText)(&g.Client.UID),
		(*microTime)(&g.Session.LastSeenAt), (*microTime)(&g.Session.ExpiresAt),
	}
}

func scanGrant(row pgx.CollectableRow) (g store.Grant, err error) {
	err = row.Scan(grantTargets(&g)...)
	return g, err
}

// CreateGrant implements store.Store.
func (s *Store) CreateGrant(ctx context.Context, g store.Grant) error {
	changed, err := s.exec(ctx, "create grant", createGrant, grantArgs(&g)...)
	if err == nil && changed == 0 {
		return store.ErrNotFound
	}
	return err
}

// createGrant keeps the session from ending until the grant is there. Without a lock an end that comes meanwhile would see neither the
// grant nor its client. The client is looked for first because an update that changes nothing would be written all the same.
const createGrant = `WITH alive AS (SELECT id FROM sessions WHERE id = $4 FOR KEY SHARE),
	noted AS (INSERT INTO session_clients (session_id, client_id, client_uid) SELECT id, $2, $27 FROM alive
		WHERE NOT EXISTS (SELECT 1 FROM session_clients WHERE session_id = $4 AND client_id = $2 AND client_uid = $27)
		ON CONFLICT (session_id, client_id) DO UPDATE SET client_uid = excluded.client_uid)
	INSERT INTO grants (` + grantColumns + `) SELECT ` + grantValues + ` WHERE $4 = '' OR EXISTS (SELECT 1 FROM alive)`

// Grant implements store.Store.
func (s *Store) Grant(ctx context.Context, id string) (store.Grant, error) {
	if !nameable(id) {
		return store.Grant{}, store.ErrNotFound
	}
	return get(ctx, s, "get grant", scanGrant, getGrant, id)
}

// grantAndSession are the columns of grantTargets in a query of grants g with grantSession, which joins the session; it may be over.
var grantAndSession = columnsOf("g", grantColumns) + `, s.last_seen_at, s.expires_at`

const grantSession = ` LEFT JOIN sessions s ON s.id = g.session_id `

var getGrant = `SELECT ` + grantAndSession + ` FROM grants g` + grantSession + `WHERE g.id = $1`

// AuthorizationsOf implements store.Store.
func (s *Store) AuthorizationsOf(ctx context.Context, subject string, now time.Time, limit int) ([]store.Authorization, error) {
	if !nameable(subject) {
		return nil, nil
	}
	return getAll(ctx, s, "list authorizations", func(row pgx.CollectableRow) (a store.Authorization, err error) {
		err = row.Scan(&a.Client.ID, &a.Client.UID, (*words)(&a.Scopes), (*words)(&a.Resources), (*microTime)(&a.Since), (*microTime)(&a.LastUsed))
		return a, err
	}, authorizationsOf, subject, micros(now), limit)
}

const authorizationsOf = `SELECT client_id, client_uid, scopes, resources, min(created_at), max(greatest(created_at, refresh_rotated_at))
	FROM grants WHERE subject = $1 AND expires_at > $2 GROUP BY client_id, client_uid, scopes, resources
	ORDER BY client_id, client_uid, scopes COLLATE "C", resources LIMIT $3`

// What a grant is exchanged for is the same for codes, refresh tokens and device codes: renewal sets the grant's columns, and issue
// stores an access token, unless there is none, once there is a row in the expression that it is given.
const renewal = `refresh_handle = $2, refresh_previous = $3, refresh_key = $4, refresh_thumbprint = $5, refresh_rotated_at = $6,
	refresh_idle_until = $7, refresh_expires_at = $8, expires_at = $9`

func issue(once string) string {
	return `issued AS (INSERT INTO access_tokens (` + accessTokenColumns + `)
		SELECT $10::bytea, $11::text, $12::text, $13::text, $14::bytea, $15::text, $16::bigint, $17::bigint, $18::text FROM ` + once + ` WHERE $10::bytea IS NOT NULL)`
}

// exchangeArgs are the arguments of renewal and issue, behind that of the row to which they belong.
func exchangeArgs(row any, r *store.Refresh, t *store.AccessToken, expiresAt time.Time, more ...any) []any {
	args := []any{
		row, optionalBytes(r.Handle), optionalBytes(r.Previous), optionalBytes(r.Key), r.KeyThumbprint,
		optionalTime(r.RotatedAt), optionalTime(r.IdleUntil), optionalTime(r.ExpiresAt), micros(expiresAt),
	}
	if t == nil {
		args = append(args, nil, "", "", "", nil, "", 0, 0, "")
	} else {
		args = append(args, accessTokenArgs(t)...)
	}
	return append(args, more...)
}

// RedeemCode implements store.Store.
func (s *Store) RedeemCode(ctx context.Context, id string, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	if !nameable(id) {
		return store.ErrNotFound
	}
	return s.decide(ctx, "redeem code", redeemCode, exchangeArgs(id, &r, t, expiresAt)...)
}

// redeemCode does not know a grant whose session has ended before, unless its code was redeemed. An end that comes at the same time comes
// after it. What is known is as it was when the statement began: of two at the same time, both know the grant.
var redeemCode = `WITH redeemed AS (UPDATE grants SET ` + renewal + `, code_redeemed = true WHERE id = $1 AND NOT code_redeemed
		AND (session_id = '' OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = session_id)) RETURNING 1),
	` + issue("redeemed") + `
	SELECT EXISTS (SELECT 1 FROM redeemed), EXISTS (SELECT 1 FROM grants g WHERE g.id = $1
		AND (g.code_redeemed OR g.session_id = '' OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = g.session_id)))`

// RotateRefresh implements store.Store.
func (s *Store) RotateRefresh(ctx context.Context, id string, from store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	if !nameable(id) {
		return store.ErrNotFound
	}
	return s.decide(ctx, "rotate refresh token", rotateRefresh, exchangeArgs(id, &r, t, expiresAt, from[:])...)
}

var rotateRefresh = `WITH rotated AS (UPDATE grants SET ` + renewal + ` WHERE id = $1 AND refresh_handle = $19 RETURNING 1),
	` + issue("rotated") + `
	SELECT EXISTS (SELECT 1 FROM rotated), EXISTS (SELECT 1 FROM grants WHERE id = $1)`

// DeleteGrant implements store.Store.
func (s *Store) DeleteGrant(ctx context.Context, id string) error {
	if !nameable(id) {
		return nil
	}
	return s.change(ctx, "delete grant", `DELETE FROM grants WHERE id = $1`, id)
}

// DeleteGrantsOf implements store.Store.
func (s *Store) DeleteGrantsOf(ctx context.Context, subject string) ([]store.DeletedGrant, error) {
	if !nameable(subject) {
		return nil, nil
	}
	deleted, err := getAll(ctx, s, "delete grants of subject", func(row pgx.CollectableRow) (g store.DeletedGrant, err error) {
		err = row.Scan(&g.ID, &g.Client.ID, &g.Client.UID, &g.SessionID)
		return g, err
	}, `DELETE FROM grants WHERE subject = $1 RETURNING id, client_id, client_uid, session_id`, subject)
	slices.SortFunc(deleted, func(a, b store.DeletedGrant) int { return strings.Compare(a.ID, b.ID) })
	return deleted, err
}
