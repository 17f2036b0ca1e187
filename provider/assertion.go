package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// errAssertion is what is said of every assertion that proves no client, whatever the reason.
var errAssertion = &oidc.Error{
	Code: oidc.CodeInvalidClient, Description: "the client is unknown or the client assertion is not signed by one of its keys",
}

// authenticateAssertion proves a client by private_key_jwt (RFC 7523 section 2.2, OpenID Connect Core section 9). An
// assertion is good once, on every replica.
func (p *Provider) authenticateAssertion(r *http.Request, params oidc.Parameters) (*registration.Client, error) {
	assertion := params.Get("client_assertion")
	switch {
	case assertion == "":
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "client_assertion is missing beside client_assertion_type"}
	case params.Get("client_assertion_type") != oidc.AssertionTypeJWT:
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "client_assertion_type must be " + oidc.AssertionTypeJWT}
	}
	claimed := oidc.AssertionClient(assertion)
	if id := params.Get("client_id"); id != "" && id != claimed {
		return nil, &oidc.Error{Code: oidc.CodeInvalidClient, Description: "client_id differs from the sub of the client assertion"}
	}
	client, err := p.usableClient(claimed)
	if err != nil {
		return nil, errAssertion
	}
	if client.TokenEndpointAuthMethod != registration.AuthMethodPrivateKeyJWT {
		return nil, &oidc.Error{Code: oidc.CodeInvalidClient, Description: "this client is not registered for private_key_jwt"}
	}
	payload, err := p.verifyAssertion(r.Context(), client, assertion)
	if err != nil {
		return nil, err
	}
	if client.ClientAssertionAudience == registration.AudienceIssuer {
		if err := oidc.CheckSoleAudience(payload, p.issuer); err != nil {
			return nil, err
		}
	}
	now := p.now()
	audiences := []string{p.issuer, oidc.Endpoint(p.issuer, oidc.PathToken), p.endpointOf(r)}
	read, err := oidc.ReadAssertion(payload, client.ClientID, audiences, now)
	if err != nil {
		return nil, err
	}
	if !p.mayRemember(client, now, read.ExpiresAt) {
		return nil, errAssertions
	}
	err = p.store.UseOnce(r.Context(), onceOf("assertion", client.ClientID, read.ID), now, read.ExpiresAt)
	if errors.Is(err, store.ErrReplayed) {
		return nil, &oidc.Error{Code: oidc.CodeInvalidClient, Description: "the client assertion was used before; make one for each request"}
	}
	if err != nil {
		return nil, fmt.Errorf("use up assertion: %w", err)
	}
	p.noteRemembered(client, now, read.ExpiresAt)
	return client, nil
}

// verifyAssertion returns the payload of an assertion that one of the client's keys signed.
func (p *Provider) verifyAssertion(ctx context.Context, client *registration.Client, assertion string) ([]byte, error) {
	payload, err := p.verifyByKeysOf(ctx, client, func(set *jose.JSONWebKeySet) ([]byte, error) { return keys.VerifyAssertion(assertion, set) })
	if errors.Is(err, keys.ErrUnverified) {
		return nil, errAssertion
	}
	return payload, err
}

// verifyByKeysOf verifies with the client's keys. Keys that are fetched are fetched once more when none of them fits: the client may
// have new ones. What cannot be verified is keys.ErrUnverified.
func (p *Provider) verifyByKeysOf(ctx context.Context, client *registration.Client, verify func(*jose.JSONWebKeySet) ([]byte, error)) ([]byte, error) {
	for _, renew := range []bool{false, true} {
		set, err := p.keysOf(ctx, client, renew)
		if err != nil {
			return nil, err
		}
		payload, err := verify(set)
		if err == nil {
			return payload, nil
		}
		if client.JWKSURI == "" || !errors.Is(err, keys.ErrUnknownKey) {
			break
		}
	}
	return nil, keys.ErrUnverified
}

func (p *Provider) keysOf(ctx context.Context, client *registration.Client, renew bool) (*jose.JSONWebKeySet, error) {
	if client.JWKSURI == "" {
		set, err := registration.ParseClientKeys(client.JWKS)
		if err != nil { // which registration.Client.Validate has ruled out
			return nil, fmt.Errorf("jwks of client %s: %w", client.ClientID, err)
		}
		return set, nil
	}
	return p.clientKeys.get(ctx, client.JWKSURI, renew)
}
