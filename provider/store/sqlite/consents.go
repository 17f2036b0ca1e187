package sqlite

import (
	"context"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// PutConsent implements store.Store.
func (s *Store) PutConsent(ctx context.Context, consent store.Consent) error {
	return s.change(ctx, "put consent", func(c *conn) error {
		_, err := c.exec(`INSERT INTO consents (subject, client_id, scopes, granted_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (subject, client_id) DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at`,
			consent.Subject, consent.ClientID, list(consent.Scopes), micros(consent.GrantedAt))
		return err
	})
}

// Consent implements store.Store.
func (s *Store) Consent(ctx context.Context, subject, clientID string) (store.Consent, error) {
	var consent store.Consent
	err := s.read(ctx, "get consent", func(c *conn) error {
		return get(c, `SELECT scopes, granted_at FROM consents WHERE subject = ? AND client_id = ?`,
			func(r *row) {
				consent = store.Consent{Subject: subject, ClientID: clientID, Scopes: r.list(), GrantedAt: r.time()}
			}, subject, clientID)
	})
	return consent, err
}
