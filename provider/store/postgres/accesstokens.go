package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

const accessTokenColumns = `handle, grant_id, client_id, scopes, resources, thumbprint, issued_at, expires_at, client_uid`

func accessTokenArgs(t *store.AccessToken) []any {
	return []any{
		t.Handle[:], t.GrantID, t.Client.ID, list(t.Scopes), rawList(t.Resources), t.KeyThumbprint, micros(t.IssuedAt), micros(t.ExpiresAt),
		t.Client.UID,
	}
}

// CreateAccessToken implements store.Store.
func (s *Store) CreateAccessToken(ctx context.Context, t store.AccessToken) error {
	return s.change(ctx, "create access token",
		`INSERT INTO access_tokens (`+accessTokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, accessTokenArgs(&t)...)
}

// tokenAndGrant is an access token with its grant, which is zero when it has none.
type tokenAndGrant struct {
	token store.AccessToken
	grant store.Grant
}

// AccessToken implements store.Store.
func (s *Store) AccessToken(ctx context.Context, h store.Handle) (store.AccessToken, store.Grant, error) {
	found, err := get(ctx, s, "get access token", func(row pgx.CollectableRow) (found tokenAndGrant, err error) {
		t := &found.token
		err = row.Scan(append([]any{
			(*bytes32)(&t.Handle), &t.GrantID, &t.Client.ID, (*words)(&t.Scopes), (*words)(&t.Resources), &t.KeyThumbprint,
			(*microTime)(&t.IssuedAt), (*microTime)(&t.ExpiresAt), &t.Client.UID,
		}, grantTargets(&found.grant)...)...)
		return found, err
	}, accessToken, h[:])
	return found.token, found.grant, err
}

var accessToken = `SELECT ` + columnsOf("t", accessTokenColumns) + `, ` + grantAndSession + `
	FROM access_tokens t LEFT JOIN grants g ON g.id = t.grant_id` + grantSession + `WHERE t.handle = $1 AND (t.grant_id = '' OR g.id IS NOT NULL)`

// columnsOf names the columns of one table in a join.
func columnsOf(table, columns string) string {
	names := strings.Split(columns, ",")
	for i, name := range names {
		names[i] = table + "." + strings.TrimSpace(name)
	}
	return strings.Join(names, ", ")
}

// DeleteAccessToken implements store.Store.
func (s *Store) DeleteAccessToken(ctx context.Context, h store.Handle) error {
	return s.change(ctx, "delete access token", `DELETE FROM access_tokens WHERE handle = $1`, h[:])
}
