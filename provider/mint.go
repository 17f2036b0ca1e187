package provider

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// minted is what a grant is exchanged for, made but not stored.
type minted struct {
	answer *tokenAnswer
	// token is nil when the access token needs not be stored.
	token          *store.AccessToken
	refresh        store.Refresh
	grantExpiresAt time.Time
}

// mint makes access token, ID token and, for a client that may use them, the next refresh token of a grant. A grant that is worth
// nothing any more is deleted.
func (p *Provider) mint(ctx context.Context, t *tokenRequest, grant *store.Grant, nonce string) (*minted, error) {
	t.grant = grant
	if _, reason := p.holderOf(grant); reason != "" {
		return nil, p.discard(ctx, grant, reason)
	}
	user, err := p.grantor(t.client, grant)
	if errors.Is(err, errNotFor) {
		p.recordLostAccess(ctx, t.client, grant)
	}
	if err != nil {
		return nil, err
	}
	scopes, err := exchangedScopes(t, grant)
	if err != nil {
		return nil, err
	}
	resources, err := exchangedResources(t, grant)
	if err != nil {
		return nil, err
	}
	now, lifetimes := p.now(), p.lifetimes(t.client)
	access, err := p.newAccessToken(t, &authorized{user: user, grant: grant, scopes: scopes, resources: resources}, now)
	if err != nil {
		return nil, err
	}
	made := &minted{
		token:          access.stored,
		refresh:        grant.Refresh,
		grantExpiresAt: later(grant.ExpiresAt, access.expiresAt),
		answer: &tokenAnswer{
			AccessToken: access.value, TokenType: t.tokenType(), ExpiresIn: access.expiresIn, Scope: strings.Join(scopes, " "),
		},
	}
	if slices.Contains(scopes, oidc.ScopeOpenID) {
		if made.answer.IDToken, err = p.signIDToken(t.client, user, grant, scopes, nonce, access.value, now); err != nil {
			return nil, err
		}
	}
	if t.client.MayUse(registration.GrantRefreshToken) {
		made.refresh, made.answer.RefreshToken = nextRefresh(t, grant, now, lifetimes)
		made.grantExpiresAt = later(made.grantExpiresAt, made.refresh.ExpiresAt)
	}
	return made, nil
}

// exchangedScopes returns the scopes of one exchange: those of the grant, or fewer where the request asks for fewer (RFC
// 6749 section 6). What the client is no longer registered for is left out.
func exchangedScopes(t *tokenRequest, grant *store.Grant) ([]string, error) {
	granted := oidc.GrantedScopes(grant.Scopes, t.client.Scopes())
	asked := strings.Fields(t.params.Get("scope"))
	if len(asked) == 0 || t.params.Get("grant_type") != registration.GrantRefreshToken {
		return granted, nil
	}
	for _, scope := range asked {
		if !slices.Contains(grant.Scopes, scope) {
			return nil, &oidc.Error{Code: oidc.CodeInvalidScope, Description: "scope must not hold more than what was granted"}
		}
	}
	return oidc.GrantedScopes(asked, granted), nil
}

// nextRefresh returns the next state of a grant's refresh tokens, and the token that is good then.
func nextRefresh(t *tokenRequest, grant *store.Grant, now time.Time, lifetimes registration.Lifetimes) (store.Refresh, string) {
	next := grant.Refresh
	var token refreshToken
	if next.Handle == (store.Handle{}) {
		_, _ = rand.Read(next.Key[:]) // never fails: the program is stopped instead
		token = firstRefreshToken(grant.ID)
		next.ExpiresAt = now.Add(time.Duration(lifetimes.RefreshAbsolute))
		if t.client.Public() {
			next.KeyThumbprint = t.keyThumbprint // RFC 9449 section 5; a confidential client proves itself
		}
	} else if token = t.refresh; t.client.RotatesRefreshTokens() || next.Handle == next.Previous { // a lost answer is given again
		token = t.refresh.next(&next.Key)
	}
	value := token.value(&next.Key)
	if handle := store.HandleOf(value); handle != next.Handle {
		next.Previous, next.Handle, next.RotatedAt = next.Handle, handle, now
	}
	next.IdleUntil = now.Add(time.Duration(lifetimes.RefreshIdle))
	return next, value
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
