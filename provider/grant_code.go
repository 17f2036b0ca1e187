package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// grantHandler answers a token request of one grant type, of a client that is proven.
type grantHandler func(ctx context.Context, client *registration.Client, params oidc.Parameters) (*tokenAnswer, error)

func invalidGrant(description string) error {
	return &oidc.Error{Code: oidc.CodeInvalidGrant, Description: description}
}

// grantCode exchanges an authorization code (RFC 6749 section 4.1.3, OpenID Connect Core section 3.1.3, RFC 7636 section
// 4.5). A request that fails a check leaves the code to whom it belongs.
func (p *Provider) grantCode(ctx context.Context, client *registration.Client, params oidc.Parameters) (*tokenAnswer, error) {
	if params.Get("code") == "" {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "code is missing"}
	}
	handle := store.HandleOf(params.Get("code"))
	code, redeemed, err := p.store.Code(ctx, handle)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, invalidGrant("the code is unknown or expired")
	case err != nil:
		return nil, fmt.Errorf("read code: %w", err)
	case code.ClientID != client.ClientID:
		return nil, invalidGrant("the code was issued to another client")
	case redeemed:
		return nil, p.replayed(ctx, code.GrantID)
	}
	if err := p.checkCode(&code, params); err != nil {
		return nil, err
	}
	user, known := p.registry.UserBySubject(code.Subject)
	if !known || user.Disabled {
		return nil, invalidGrant("the person may no longer log in")
	}
	return p.redeem(ctx, client, user, &code)
}

func (p *Provider) checkCode(code *store.Code, params oidc.Parameters) error {
	verifier := params.Get("code_verifier")
	switch {
	case !p.now().Before(code.ExpiresAt):
		return invalidGrant("the code is unknown or expired")
	case params.Get("redirect_uri") == "":
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "redirect_uri is missing"}
	case params.Get("redirect_uri") != code.RedirectURI:
		return invalidGrant("redirect_uri differs from the one of the authorization request")
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
func (p *Provider) replayed(ctx context.Context, grantID string) error {
	if err := p.store.RevokeGrant(ctx, grantID); err != nil {
		return fmt.Errorf("revoke grant: %w", err)
	}
	return invalidGrant("the code was used before; its tokens are revoked")
}

// redeem signs first and then uses up the code: a failing signature must not cost the client its code.
func (p *Provider) redeem(ctx context.Context, client *registration.Client, user *registration.User, code *store.Code) (*tokenAnswer, error) {
	now, lifetimes := p.now(), p.lifetimes(client)
	value := newSecret()
	idToken, err := p.signIDToken(client, user, code, value, now)
	if err != nil {
		return nil, err
	}
	token := store.AccessToken{
		Handle:    store.HandleOf(value),
		GrantID:   code.GrantID,
		ClientID:  code.ClientID,
		Subject:   code.Subject,
		SessionID: code.SessionID,
		Scopes:    code.Scopes,
		IssuedAt:  now,
		ExpiresAt: now.Add(time.Duration(lifetimes.AccessToken)),
	}
	// Remembered for as long as there is something to revoke.
	err = p.store.RedeemCode(ctx, code.Handle, token, token.ExpiresAt)
	switch {
	case errors.Is(err, store.ErrCodeRedeemed):
		return nil, p.replayed(ctx, code.GrantID)
	case errors.Is(err, store.ErrNotFound):
		return nil, invalidGrant("the code is unknown or expired")
	case err != nil:
		return nil, fmt.Errorf("redeem code: %w", err)
	}
	return &tokenAnswer{
		AccessToken: value,
		TokenType:   "Bearer",
		ExpiresIn:   int64(time.Duration(lifetimes.AccessToken) / time.Second),
		IDToken:     idToken,
		Scope:       strings.Join(code.Scopes, " "),
	}, nil
}
