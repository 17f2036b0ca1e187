package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// introspection is the answer of RFC 7662 section 2.2. Of a token that is not good, or is none of the caller's business,
// nothing is told but that.
type introspection struct {
	Active    bool         `json:"active"`
	Scope     string       `json:"scope,omitempty"`
	ClientID  string       `json:"client_id,omitempty"`
	Username  string       `json:"username,omitempty"`
	TokenType string       `json:"token_type,omitempty"`
	Expiry    int64        `json:"exp,omitempty"`
	IssuedAt  int64        `json:"iat,omitempty"`
	Subject   string       `json:"sub,omitempty"`
	Audience  jwt.Audience `json:"aud,omitempty"`
	Issuer    string       `json:"iss,omitempty"`
	ID        string       `json:"jti,omitempty"`
	// AuthTime, AuthContext and AuthMethods tell of the login, as in an ID token.
	AuthTime     int64         `json:"auth_time,omitempty"`
	AuthContext  string        `json:"acr,omitempty"`
	AuthMethods  []string      `json:"amr,omitempty"`
	Confirmation *confirmation `json:"cnf,omitempty"`
}

// serveIntrospection tells a client about a token (RFC 7662): about its own, and, being a resource server, about access tokens
// for one of the resources it is registered for. Public clients are told nothing, because anybody can be one.
func (p *Provider) serveIntrospection(w http.ResponseWriter, r *http.Request) error {
	client, params, err := p.readTokenOf(w, r)
	if err != nil {
		return err
	}
	if client.Public() {
		return &oidc.Error{Code: oidc.CodeInvalidClient, Description: "a public client cannot introspect tokens"}
	}
	answer, err := p.introspect(r.Context(), client, params.Get("token"))
	if err != nil {
		return err
	}
	p.respondJSON(w, http.StatusOK, answer)
	return nil
}

// readTokenOf reads a request about a token (RFC 7009 section 2.1, RFC 7662 section 2.1) and proves the client. What kind of
// token it is shows in the token itself, so that token_type_hint is not needed.
func (p *Provider) readTokenOf(w http.ResponseWriter, r *http.Request) (*registration.Client, oidc.Parameters, error) {
	params, err := readForm(w, r)
	if err != nil {
		return nil, params, err
	}
	if name := params.Repeated("token", "token_type_hint"); name != "" {
		return nil, params, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: name + " is sent more than once"}
	}
	client, err := p.authenticateClient(r, params)
	if err != nil {
		return nil, params, err
	}
	if params.Get("token") == "" {
		return nil, params, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "token is missing"}
	}
	return client, params, nil
}

func (p *Provider) introspect(ctx context.Context, caller *registration.Client, value string) (*introspection, error) {
	var answer *introspection
	var err error
	if refresh, ok := readRefreshToken(value); ok {
		answer, err = p.introspectRefresh(ctx, caller, refresh, store.HandleOf(value))
	} else {
		answer, err = p.introspectAccess(ctx, caller, value)
	}
	if errors.Is(err, errToken) || errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidGrant}) {
		return &introspection{}, nil
	}
	return answer, err
}

func (p *Provider) introspectAccess(ctx context.Context, caller *registration.Client, value string) (*introspection, error) {
	a, err := p.readAccess(ctx, value)
	if err != nil {
		return nil, err
	}
	concerned := a.Client.ID == caller.ClientID ||
		slices.ContainsFunc(a.Resources, func(uri string) bool { return slices.Contains(caller.Resources, uri) })
	if !concerned {
		return nil, errToken
	}
	answer := &introspection{
		Active:       true,
		Scope:        strings.Join(a.Scopes, " "),
		ClientID:     a.Client.ID,
		TokenType:    tokenTypeOf(a.KeyThumbprint),
		Expiry:       a.ExpiresAt.Unix(),
		IssuedAt:     a.IssuedAt.Unix(),
		Subject:      a.Client.ID,
		Audience:     a.Resources,
		Issuer:       p.issuer,
		ID:           a.id,
		Confirmation: confirmationOf(a.KeyThumbprint),
	}
	if len(answer.Audience) == 0 {
		answer.Audience = jwt.Audience{p.issuer}
	}
	subjectOf := p.subjectOf
	if a.Client.ID != caller.ClientID || a.id != "" { // a JWT says the same itself
		subjectOf = p.subjectForOthers
	}
	return answer, addPerson(answer, subjectOf, a)
}

func (p *Provider) introspectRefresh(ctx context.Context, caller *registration.Client, token refreshToken, handle store.Handle) (*introspection, error) {
	grant, err := p.store.Grant(ctx, token.grantID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errRefresh
	}
	if err != nil {
		return nil, fmt.Errorf("read grant: %w", err)
	}
	state, now := &grant.Refresh, p.now()
	if grant.Client != storedAs(caller) || !sameHandle(handle, state.Handle) || !now.Before(state.IdleUntil) || !now.Before(state.ExpiresAt) {
		return nil, errRefresh
	}
	user, err := p.grantor(caller, &grant)
	if err != nil {
		return nil, err
	}
	answer := &introspection{
		Active:       true,
		Scope:        strings.Join(grant.Scopes, " "),
		ClientID:     grant.Client.ID,
		Expiry:       earlier(state.IdleUntil, state.ExpiresAt).Unix(),
		IssuedAt:     state.RotatedAt.Unix(),
		Issuer:       p.issuer,
		Confirmation: confirmationOf(state.KeyThumbprint),
	}
	return answer, addPerson(answer, p.subjectOf, &access{AccessToken: store.AccessToken{Scopes: grant.Scopes}, client: caller, user: user, grant: &grant})
}

// addPerson adds who logged in, by the subject that the caller may know. The username is told where profile is granted.
func addPerson(i *introspection, subjectOf func(*registration.Client, *registration.User) (string, error), a *access) error {
	if a.user == nil {
		return nil
	}
	var err error
	if i.Subject, err = subjectOf(a.client, a.user); err != nil {
		return err
	}
	i.AuthTime, i.AuthContext, i.AuthMethods = a.grant.AuthTime.Unix(), oidc.ACROf(a.grant.AuthMethods), a.grant.AuthMethods
	if slices.Contains(a.Scopes, oidc.ScopeProfile) {
		i.Username = a.user.Username
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
