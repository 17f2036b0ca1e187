package provider

import (
	"context"
	"net/http"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// tokenParameters are those of RFC 6749 sections 2.3.1 and 4.1.3, RFC 7636 section 4.5, RFC 7521 section 4.2 and RFC 8628
// section 3.4, none of which may stand twice. Only resource may (RFC 8707 section 2).
var tokenParameters = []string{
	"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "scope",
	"refresh_token", "device_code", "client_assertion", "client_assertion_type",
}

// tokenAnswer is the JSON of RFC 6749 section 5.1 and OpenID Connect Core section 3.1.3.3.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	// ExpiresIn is in seconds.
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

// tokenRequest is a token request of a client that is proven.
type tokenRequest struct {
	client *registration.Client
	params oidc.Parameters
	// proof is the request's DPoP proof (RFC 9449 section 4); nil when it has none. Whatever answers the request uses it up as soon as
	// it has found what the client asks tokens for.
	proof *keyProof
	// keyThumbprint is that of the key that signed the proof; empty when there is none.
	keyThumbprint string
	// refresh is the refresh token that is exchanged, if that is what the request does.
	refresh refreshToken
	// grant is what the request is exchanged for, once that is known. A client that acts for itself has none.
	grant *store.Grant
}

// tokenType is the token_type of the answer (RFC 6749 section 7.1, RFC 9449 section 5).
func (t *tokenRequest) tokenType() string { return tokenTypeOf(t.keyThumbprint) }

func tokenTypeOf(keyThumbprint string) string {
	if keyThumbprint != "" {
		return schemeDPoP
	}
	return schemeBearer
}

// grantHandler answers a token request of one grant type.
type grantHandler func(ctx context.Context, t *tokenRequest) (*tokenAnswer, error)

// serveToken exchanges a grant for tokens (RFC 6749 section 3.2).
func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request) error {
	answer, err := p.exchange(w, r)
	if err != nil {
		return err
	}
	p.respondJSON(w, http.StatusOK, answer)
	return nil
}

// exchange proves the client and lets the grant answer. Each grant has a file of its own.
func (p *Provider) exchange(w http.ResponseWriter, r *http.Request) (answer *tokenAnswer, err error) {
	grantType := ""
	defer func() { p.metrics.countTokens(grantType, err) }()
	params, err := readForm(w, r)
	if err != nil {
		return nil, err
	}
	grantType = params.Get("grant_type")
	if name := params.Repeated(tokenParameters...); name != "" {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: name + " is sent more than once"}
	}
	client, err := p.authenticateClient(r, params)
	if err != nil {
		return nil, err
	}
	t := &tokenRequest{client: client, params: params}
	if err := p.bindTokens(r, t); err != nil {
		return nil, err
	}
	grant, err := p.grantFor(t)
	if err != nil {
		return nil, err
	}
	if answer, err = grant(r.Context(), t); err == nil {
		p.recordTokens(r.Context(), t, answer)
	}
	return answer, err
}

// grantFor returns what answers the request's grant type.
func (p *Provider) grantFor(t *tokenRequest) (grantHandler, error) {
	grants := map[string]grantHandler{
		registration.GrantCode:              p.grantCode,
		registration.GrantRefreshToken:      p.grantRefresh,
		registration.GrantClientCredentials: p.grantClient,
		registration.GrantDeviceCode:        p.grantDevice,
	}
	grantType := t.params.Get("grant_type")
	grant, known := grants[grantType]
	switch {
	case grantType == "":
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "grant_type is missing"}
	case !known:
		return nil, &oidc.Error{Code: oidc.CodeUnsupportedGrantType, Description: "grant_type must be one of " + strings.Join(registration.GrantTypes(), ", ")}
	case !t.client.MayUse(grantType):
		return nil, &oidc.Error{Code: oidc.CodeUnauthorizedClient, Description: "this client is not registered for grant_type " + grantType}
	}
	return grant, nil
}

// lifetimes returns those of a client.
func (p *Provider) lifetimes(client *registration.Client) registration.Lifetimes {
	return client.Lifetimes.Over(p.registry.Settings().Lifetimes)
}
