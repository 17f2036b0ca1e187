package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// PutConsent implements store.Store.
func (s *Store) PutConsent(ctx context.Context, c store.Consent) error {
	c.Scopes, c.GrantedAt = slices.Clone(c.Scopes), micros(c.GrantedAt)
	return s.call(ctx, func() error {
		s.consents[consentKey{c.Subject, c.Client.ID}] = c
		return nil
	})
}

// Consent implements store.Store.
func (s *Store) Consent(ctx context.Context, subject string, client store.Client) (store.Consent, error) {
	c, err := find(ctx, s, s.consents, consentKey{subject, client.ID})
	if err == nil && c.Client != client {
		return store.Consent{}, store.ErrNotFound
	}
	c.Scopes = slices.Clone(c.Scopes)
	return c, err
}

// ConsentsOf implements store.Store.
func (s *Store) ConsentsOf(ctx context.Context, subject string) (found []store.Consent, err error) {
	err = s.call(ctx, func() error {
		for key, c := range s.consents {
			if key.subject == subject {
				c.Scopes = slices.Clone(c.Scopes)
				found = append(found, c)
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b store.Consent) int {
		return cmp.Or(b.GrantedAt.Compare(a.GrantedAt), cmp.Compare(a.Client.ID, b.Client.ID))
	})
	return found, err
}

// Revoke implements store.Store.
func (s *Store) Revoke(ctx context.Context, subject, clientID string) (revoked bool, err error) {
	err = s.call(ctx, func() error {
		_, revoked = s.consents[consentKey{subject, clientID}]
		delete(s.consents, consentKey{subject, clientID})
		for id, g := range s.grants {
			if g.Subject == subject && g.Client.ID == clientID {
				revoked = true
				delete(s.grants, id)
			}
		}
		return nil
	})
	return revoked, err
}

func copyGrant(g store.Grant) store.Grant {
	g.Scopes, g.Resources, g.AuthMethods = slices.Clone(g.Scopes), slices.Clone(g.Resources), slices.Clone(g.AuthMethods)
	g.AuthTime, g.CreatedAt, g.ExpiresAt = micros(g.AuthTime), micros(g.CreatedAt), micros(g.ExpiresAt)
	g.Code.ExpiresAt = micros(g.Code.ExpiresAt)
	g.Refresh = copyRefresh(g.Refresh)
	return g
}

func copyRefresh(r store.Refresh) store.Refresh {
	r.RotatedAt, r.IdleUntil, r.ExpiresAt = micros(r.RotatedAt), micros(r.IdleUntil), micros(r.ExpiresAt)
	return r
}

// CreateGrant implements store.Store.
func (s *Store) CreateGrant(ctx context.Context, g store.Grant) error {
	return s.call(ctx, func() error {
		if _, ok := s.sessions[g.SessionID]; !ok && g.SessionID != "" {
			return store.ErrNotFound
		}
		if err := s.insertGrant(g); err != nil || g.SessionID == "" {
			return err
		}
		if s.clients[g.SessionID] == nil {
			s.clients[g.SessionID] = map[string]string{}
		}
		s.clients[g.SessionID][g.Client.ID] = g.Client.UID
		return nil
	})
}

func (s *Store) insertGrant(g store.Grant) error {
	g = copyGrant(g)
	g.Session = store.SessionTimes{}
	return insert(s.grants, g.ID, g)
}

// grant returns a copy of a grant, with the times of its session.
func (s *Store) grant(id string) (store.Grant, error) {
	g, ok := s.grants[id]
	if !ok {
		return g, store.ErrNotFound
	}
	g = copyGrant(g)
	session := s.sessions[g.SessionID]
	g.Session = store.SessionTimes{LastSeenAt: session.LastSeenAt, ExpiresAt: session.ExpiresAt}
	return g, nil
}

// Grant implements store.Store.
func (s *Store) Grant(ctx context.Context, id string) (g store.Grant, err error) {
	err = s.call(ctx, func() error {
		g, err = s.grant(id)
		return err
	})
	return g, err
}

// AuthorizationsOf implements store.Store.
func (s *Store) AuthorizationsOf(ctx context.Context, subject string, now time.Time, limit int) (found []store.Authorization, err error) {
	sums := map[string]store.Authorization{}
	err = s.call(ctx, func() error {
		for _, g := range s.grants {
			if g.Subject != subject || !g.ExpiresAt.After(micros(now)) {
				continue
			}
			key := strings.Join([]string{g.Client.ID, g.Client.UID, strings.Join(g.Scopes, " "), strings.Join(g.Resources, " ")}, "\n")
			sum, ok := sums[key]
			if !ok {
				sum = store.Authorization{Client: g.Client, Scopes: slices.Clone(g.Scopes), Resources: slices.Clone(g.Resources), Since: g.CreatedAt}
			}
			if g.CreatedAt.Before(sum.Since) {
				sum.Since = g.CreatedAt
			}
			for _, used := range []time.Time{g.CreatedAt, g.Refresh.RotatedAt} {
				if used.After(sum.LastUsed) {
					sum.LastUsed = used
				}
			}
			sums[key] = sum
		}
		return nil
	})
	for _, sum := range sums {
		found = append(found, sum)
	}
	slices.SortFunc(found, func(a, b store.Authorization) int {
		return cmp.Or(cmp.Compare(a.Client.ID, b.Client.ID), cmp.Compare(a.Client.UID, b.Client.UID), slices.Compare(a.Scopes, b.Scopes), slices.Compare(a.Resources, b.Resources))
	})
	return found[:min(len(found), limit)], err
}

// RedeemCode implements store.Store.
func (s *Store) RedeemCode(ctx context.Context, id string, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.call(ctx, func() error {
		g, ok := s.grants[id]
		if !ok {
			return store.ErrNotFound
		}
		if g.Code.Redeemed {
			return store.ErrRedeemed
		}
		if _, ok := s.sessions[g.SessionID]; !ok && g.SessionID != "" {
			return store.ErrNotFound
		}
		g.Code.Redeemed = true
		return s.renew(g, r, t, expiresAt)
	})
}

// RotateRefresh implements store.Store.
func (s *Store) RotateRefresh(ctx context.Context, id string, from store.Handle, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	return s.call(ctx, func() error {
		g, ok := s.grants[id]
		if !ok {
			return store.ErrNotFound
		}
		if g.Refresh.Handle != from || from == (store.Handle{}) {
			return store.ErrRedeemed
		}
		return s.renew(g, r, t, expiresAt)
	})
}

// renew stores what a grant was exchanged for.
func (s *Store) renew(g store.Grant, r store.Refresh, t *store.AccessToken, expiresAt time.Time) error {
	if t != nil {
		if err := s.insertToken(*t); err != nil {
			return err
		}
	}
	g.Refresh, g.ExpiresAt = copyRefresh(r), micros(expiresAt)
	s.grants[g.ID] = g
	return nil
}

// DeleteGrant implements store.Store.
func (s *Store) DeleteGrant(ctx context.Context, id string) error {
	return s.call(ctx, func() error { delete(s.grants, id); return nil })
}

// DeleteGrantsOf implements store.Store.
func (s *Store) DeleteGrantsOf(ctx context.Context, subject string) (deleted []store.DeletedGrant, err error) {
	err = s.call(ctx, func() error {
		for _, id := range slices.Sorted(maps.Keys(s.grants)) {
			if g := s.grants[id]; g.Subject == subject {
				deleted = append(deleted, store.DeletedGrant{ID: id, Client: g.Client, SessionID: g.SessionID})
				delete(s.grants, id)
			}
		}
		return nil
	})
	return deleted, err
}

func (s *Store) insertToken(t store.AccessToken) error {
	t.Scopes, t.Resources = slices.Clone(t.Scopes), slices.Clone(t.Resources)
	t.IssuedAt, t.ExpiresAt = micros(t.IssuedAt), micros(t.ExpiresAt)
	return insert(s.tokens, t.Handle, t)
}

// CreateAccessToken implements store.Store.
func (s *Store) CreateAccessToken(ctx context.Context, t store.AccessToken) error {
	return s.call(ctx, func() error { return s.insertToken(t) })
}

// AccessToken implements store.Store.
func (s *Store) AccessToken(ctx context.Context, h store.Handle) (t store.AccessToken, g store.Grant, err error) {
	err = s.call(ctx, func() error {
		token, ok := s.tokens[h]
		if !ok {
			return store.ErrNotFound
		}
		if token.GrantID != "" {
			if g, err = s.grant(token.GrantID); err != nil {
				return err
			}
		}
		token.Scopes, token.Resources = slices.Clone(token.Scopes), slices.Clone(token.Resources)
		t = token
		return nil
	})
	return t, g, err
}

// DeleteAccessToken implements store.Store.
func (s *Store) DeleteAccessToken(ctx context.Context, h store.Handle) error {
	return s.call(ctx, func() error { delete(s.tokens, h); return nil })
}
