package sqlite

import (
	"context"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// PutConsent implements store.Store.
func (s *Store) PutConsent(ctx context.Context, consent store.Consent) error {
	return s.change(ctx, "put consent", func(c *conn) error {
		_, err := c.exec(`INSERT INTO consents (subject, client_id, client_uid, scopes, granted_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (subject, client_id) DO UPDATE
			SET client_uid = excluded.client_uid, scopes = excluded.scopes, granted_at = excluded.granted_at`,
			consent.Subject, consent.Client.ID, consent.Client.UID, list(consent.Scopes), micros(consent.GrantedAt))
		return err
	})
}

func scanConsent(r *row) store.Consent {
	return store.Consent{Subject: r.text(), Client: scanClient(r), Scopes: r.list(), GrantedAt: r.time()}
}

// Consent implements store.Store.
func (s *Store) Consent(ctx context.Context, subject string, client store.Client) (consent store.Consent, err error) {
	err = s.read(ctx, "get consent", func(c *conn) error {
		return get(c, `SELECT subject, client_id, client_uid, scopes, granted_at FROM consents WHERE subject = ? AND client_id = ?
			AND client_uid = ?`, func(r *row) { consent = scanConsent(r) }, subject, client.ID, client.UID)
	})
	return consent, err
}

// ConsentsOf implements store.Store.
func (s *Store) ConsentsOf(ctx context.Context, subject string) (consents []store.Consent, err error) {
	err = s.read(ctx, "list consents", func(c *conn) (err error) {
		consents, err = getAll(c, `SELECT subject, client_id, client_uid, scopes, granted_at FROM consents WHERE subject = ?
			ORDER BY granted_at DESC, client_id`, scanConsent, subject)
		return err
	})
	return consents, err
}

// revokeGrants deletes all that a subject lets a client do.
const revokeGrants = `DELETE FROM grants WHERE subject = ? AND client_id = ?`

// Revoke implements store.Store.
func (s *Store) Revoke(ctx context.Context, subject, clientID string) (revoked bool, err error) {
	err = s.change(ctx, "revoke", func(c *conn) error {
		consents, err := c.exec(`DELETE FROM consents WHERE subject = ? AND client_id = ?`, subject, clientID)
		if err != nil {
			return err
		}
		grants, err := c.exec(revokeGrants, subject, clientID)
		revoked = consents+grants > 0
		return err
	})
	return revoked && err == nil, err
}
