package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// refreshGrace is for how long a refresh token still works after it was exchanged, so that a lost answer does not end a
// login. It gives the same new token as the first time.
const refreshGrace = 10 * time.Second

// errRefresh is what is said of every refresh token that is not good, whatever the reason.
var errRefresh = invalidGrant("the refresh token is unknown, expired or revoked")

// grantRefresh exchanges a refresh token (RFC 6749 section 6) and gives another one in its place (RFC 9700 section 4.14.2).
// One that was exchanged before revokes the grant, because somebody has it who should not.
func (p *Provider) grantRefresh(ctx context.Context, t *tokenRequest) (*tokenAnswer, error) {
	value := t.params.Get("refresh_token")
	if value == "" {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "refresh_token is missing"}
	}
	var readable bool
	if t.refresh, readable = readRefreshToken(value); !readable {
		return nil, errRefresh
	}
	for {
		grant, err := p.store.Grant(ctx, t.refresh.grantID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil, errRefresh
		case err != nil:
			return nil, fmt.Errorf("read grant: %w", err)
		case grant.Refresh.Handle == (store.Handle{}) || !t.refresh.issued(&grant.Refresh.Key):
			return nil, errRefresh
		case grant.Client != storedAs(t.client):
			return nil, invalidGrant("the refresh token was issued to another client")
		}
		if err := p.useProof(ctx, t.proof); err != nil {
			return nil, err
		}
		answer, err := p.exchangeRefresh(ctx, t, &grant, store.HandleOf(value))
		if !errors.Is(err, store.ErrRedeemed) {
			return answer, err
		}
		// Another request has exchanged it meanwhile: the grant now says how long ago.
	}
}

// exchangeRefresh returns store.ErrRedeemed when the grant has changed since it was read.
func (p *Provider) exchangeRefresh(ctx context.Context, t *tokenRequest, grant *store.Grant, handle store.Handle) (*tokenAnswer, error) {
	now, state := p.now(), grant.Refresh
	switch {
	case !now.Before(state.ExpiresAt) || !now.Before(state.IdleUntil):
		return nil, errRefresh
	case state.KeyThumbprint != "" && state.KeyThumbprint != t.keyThumbprint:
		return nil, invalidGrant("the DPoP proof is not signed by the key that the refresh token is bound to")
	case sameHandle(handle, state.Handle):
		return p.rotate(ctx, t, grant, handle)
	case sameHandle(handle, state.Previous) && now.Sub(state.RotatedAt) <= refreshGrace:
		// The answer with the next token was lost. What it would be follows from the one before.
		grant.Refresh.Handle = state.Previous
		return p.rotate(ctx, t, grant, state.Handle)
	}
	if err := p.store.DeleteGrant(ctx, grant.ID); err != nil {
		return nil, fmt.Errorf("revoke grant: %w", err)
	}
	p.recordReuse(ctx, grant, "refresh_token")
	return nil, invalidGrant("the refresh token was used before; everything that came from this login is revoked")
}

// rotate makes the tokens and puts the new refresh token in the place of the one whose handle is from.
func (p *Provider) rotate(ctx context.Context, t *tokenRequest, grant *store.Grant, from store.Handle) (*tokenAnswer, error) {
	rotatedAt := grant.Refresh.RotatedAt
	again := !sameHandle(from, grant.Refresh.Handle)
	made, err := p.mint(ctx, t, grant, "")
	if err != nil {
		return nil, err
	}
	if again {
		made.refresh.RotatedAt = rotatedAt // the grace counts from the first time
	}
	err = p.store.RotateRefresh(ctx, grant.ID, from, made.refresh, made.token, made.grantExpiresAt)
	switch {
	case errors.Is(err, store.ErrRedeemed):
		return nil, store.ErrRedeemed
	case errors.Is(err, store.ErrNotFound):
		return nil, errRefresh
	case err != nil:
		return nil, fmt.Errorf("rotate refresh token: %w", err)
	}
	return made.answer, nil
}
