package provider

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

func invalidGrant(description string) error {
	return &oidc.Error{Code: oidc.CodeInvalidGrant, Description: description}
}

// errCode is what is said of every code that was not issued here, or not lately.
var errCode = invalidGrant("the code is unknown or expired")

// newCode returns the value of a grant's authorization code: the grant's ID and a secret.
func newCode(grantID string) string {
	return grantID + newSecret()
}

// grantCode exchanges an authorization code (RFC 6749 section 4.1.3, OpenID Connect Core section 3.1.3, RFC 7636 section
// 4.5). A request that fails a check leaves the code to whom it belongs.
func (p *Provider) grantCode(ctx context.Context, t *tokenRequest) (*tokenAnswer, error) {
	value := t.params.Get("code")
	switch {
	case value == "":
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "code is missing"}
	case len(value) <= store.IDLength:
		return nil, errCode
	}
	grant, err := p.store.Grant(ctx, value[:store.IDLength])
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, errCode
	case err != nil:
		return nil, fmt.Errorf("read grant: %w", err)
	case grant.Code.Handle == (store.Handle{}) || !sameHandle(grant.Code.Handle, store.HandleOf(value)):
		return nil, errCode
	case grant.Client != storedAs(t.client):
		return nil, invalidGrant("the code was issued to another client")
	}
	if !grant.Code.Redeemed {
		if err := p.checkCode(&grant.Code, t); err != nil {
			return nil, err
		}
	}
	if err := p.useProof(ctx, t.proof); err != nil {
		return nil, err // also of a request that was overheard and is sent again, which revokes nothing
	}
	if grant.Code.Redeemed {
		return nil, p.replayed(ctx, &grant)
	}
	return p.redeemCode(ctx, t, &grant)
}

func sameHandle(a, b store.Handle) bool {
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (p *Provider) checkCode(code *store.Code, t *tokenRequest) error {
	verifier := t.params.Get("code_verifier")
	switch {
	case !p.now().Before(code.ExpiresAt):
		return errCode
	case t.params.Get("redirect_uri") == "":
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "redirect_uri is missing"}
	case t.params.Get("redirect_uri") != code.RedirectURI:
		return invalidGrant("redirect_uri differs from the one of the authorization request")
	case code.KeyThumbprint != "" && code.KeyThumbprint != t.keyThumbprint:
		return invalidGrant("the DPoP proof is not signed by the key of the authorization request (dpop_jkt)")
	case code.CodeChallenge == "" && verifier != "":
		// RFC 9700 section 2.1.1: otherwise an attacker could cut the challenge out of the request unnoticed.
		return invalidGrant("code_verifier is sent, but the authorization request had no code_challenge")
	case code.CodeChallenge == "":
		return nil
	case verifier == "":
		return invalidGrant("code_verifier is missing")
	case !oidc.ValidVerifier(verifier):
		return invalidGrant("code_verifier must be 43 to 128 of the characters A-Z a-z 0-9 - . _ ~")
	case !oidc.VerifyChallenge(code.CodeChallenge, verifier):
		return invalidGrant("code_verifier does not fit the code_challenge")
	}
	return nil
}

// replayed revokes what came from a code that is sent a second time: someone has it who should not (RFC 6749 section 4.1.2).
func (p *Provider) replayed(ctx context.Context, grant *store.Grant) error {
	if err := p.store.DeleteGrant(ctx, grant.ID); err != nil {
		return fmt.Errorf("revoke grant: %w", err)
	}
	p.recordReuse(ctx, grant, "authorization_code")
	return invalidGrant("the code was used before; its tokens are revoked")
}

// redeemCode signs first and then uses up the code: a failing signature must not cost the client its code.
func (p *Provider) redeemCode(ctx context.Context, t *tokenRequest, grant *store.Grant) (*tokenAnswer, error) {
	made, err := p.mint(ctx, t, grant, grant.Code.Nonce)
	if err != nil {
		return nil, err
	}
	err = p.store.RedeemCode(ctx, grant.ID, made.refresh, made.token, made.grantExpiresAt)
	switch {
	case errors.Is(err, store.ErrRedeemed):
		return nil, p.replayed(ctx, grant)
	case errors.Is(err, store.ErrNotFound):
		return nil, errCode
	case err != nil:
		return nil, fmt.Errorf("redeem code: %w", err)
	}
	return made.answer, nil
}
