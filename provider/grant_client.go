package provider

import (
	"context"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// grantClient gives a client an access token for itself (RFC 6749 section 4.4): nobody logs in, so that there is no ID
// token, and the client can ask again at any time, so that there is no refresh token.
//
// The token's "sub" is the client ID. It must not pass for that of a person, whatever somebody has called their client (RFC
// 9068 section 5).
func (p *Provider) grantClient(ctx context.Context, t *tokenRequest) (*tokenAnswer, error) {
	if p.namesSomebody(t.client.ClientID) {
		return nil, &oidc.Error{
			Code: oidc.CodeUnauthorizedClient, Description: "this client ID is also the subject or username of a person, for whom the token could be taken",
		}
	}
	if oidc.LooksLikeSubject(t.client.ClientID) {
		return nil, &oidc.Error{
			Code:        oidc.CodeUnauthorizedClient,
			Description: "this client ID has the form of a person's pairwise or UUID subject, for whom the token could be taken; register the client with another",
		}
	}
	scopes, err := clientScopes(t)
	if err != nil {
		return nil, err
	}
	resources, err := exchangedResources(t, nil)
	if err != nil {
		return nil, err
	}
	if err := p.useProof(ctx, t.proof); err != nil {
		return nil, err
	}
	made, err := p.newAccessToken(t, &authorized{scopes: scopes, resources: resources}, p.now())
	if err != nil {
		return nil, err
	}
	if made.stored != nil {
		if err := p.store.CreateAccessToken(ctx, *made.stored); err != nil {
			return nil, p.notStored(ctx, "store access token", err)
		}
		p.trimClientTokens(ctx, t.client)
	}
	return &tokenAnswer{
		AccessToken: made.value, TokenType: t.tokenType(), ExpiresIn: made.expiresIn, Scope: strings.Join(scopes, " "),
	}, nil
}

// namesSomebody tells whether a client ID is what clients may know a person by.
func (p *Provider) namesSomebody(clientID string) bool {
	if _, known := p.registry.UserBySubject(clientID); known {
		return true
	}
	user, known := p.registry.UserByName(clientID)
	return known && user.Username == clientID
}

// clientScopes returns the scopes of a client that acts for itself. Unlike an authorization request, which a person can
// still refuse, one for too much is refused. Without a scope parameter it is everything the client is registered for that
// is not about a person.
func clientScopes(t *tokenRequest) ([]string, error) {
	registered := t.client.Scopes()
	asked := strings.Fields(t.params.Get("scope"))
	if len(asked) == 0 {
		return slices.DeleteFunc(registered, func(scope string) bool { return slices.Contains(oidc.Scopes(), scope) }), nil
	}
	scopes := make([]string, 0, len(asked))
	for _, scope := range asked {
		switch {
		case scope == oidc.ScopeOpenID || scope == oidc.ScopeOfflineAccess:
			return nil, &oidc.Error{Code: oidc.CodeInvalidScope, Description: "a client that acts for itself cannot have openid or offline_access"}
		case !slices.Contains(registered, scope):
			return nil, &oidc.Error{Code: oidc.CodeInvalidScope, Description: "scope must not hold more than the client is registered for"}
		case !slices.Contains(scopes, scope):
			scopes = append(scopes, scope)
		}
	}
	return scopes, nil
}
