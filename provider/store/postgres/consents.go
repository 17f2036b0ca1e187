package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// PutConsent implements store.Store.
func (s *Store) PutConsent(ctx context.Context, consent store.Consent) error {
	return s.change(ctx, "put consent", `INSERT INTO consents (subject, client_id, client_uid, scopes, granted_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (subject, client_id) DO UPDATE
		SET client_uid = excluded.client_uid, scopes = excluded.scopes, granted_at = excluded.granted_at`,
		consent.Subject, consent.Client.ID, consent.Client.UID, list(consent.Scopes), micros(consent.GrantedAt))
}

func scanConsent(row pgx.CollectableRow) (consent store.Consent, err error) {
	err = row.Scan(&consent.Subject, &consent.Client.ID, &consent.Client.UID, (*words)(&consent.Scopes), (*microTime)(&consent.GrantedAt))
	return consent, err
}

// Consent implements store.Store.
func (s *Store) Consent(ctx context.Context, subject string, client store.Client) (store.Consent, error) {
	if !nameable(subject, client.ID, client.UID) {
		return store.Consent{}, store.ErrNotFound
	}
	return get(ctx, s, "get consent", scanConsent,
		`SELECT subject, client_id, client_uid, scopes, granted_at FROM consents WHERE subject = $1 AND client_id = $2
			AND client_uid = $3`, subject, client.ID, client.UID)
}

// ConsentsOf implements store.Store.
func (s *Store) ConsentsOf(ctx context.Context, subject string) ([]store.Consent, error) {
	return getAll(ctx, s, "list consents", scanConsent,
		`SELECT subject, client_id, client_uid, scopes, granted_at FROM consents WHERE subject = $1 ORDER BY granted_at DESC, client_id`, subject)
}

// Revoke implements store.Store.
func (s *Store) Revoke(ctx context.Context, subject, clientID string) (revoked bool, err error) {
	if !nameable(subject, clientID) {
		return false, nil
	}
	return changeAndGet(ctx, s, "revoke", pgx.RowTo[bool], revoke, subject, clientID)
}

const revoke = `WITH consented AS (DELETE FROM consents WHERE subject = $1 AND client_id = $2 RETURNING 1),
	granted AS (DELETE FROM grants WHERE subject = $1 AND client_id = $2 RETURNING 1)
	SELECT EXISTS (SELECT 1 FROM consented) OR EXISTS (SELECT 1 FROM granted)`
