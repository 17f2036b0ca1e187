package provider

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// endpointOf returns the URL of the endpoint that a request was routed to. The request's Host header says nothing about
// it: behind a proxy it may be any name, and whoever sends the request writes it.
func (p *Provider) endpointOf(r *http.Request) string { return p.origin + r.URL.EscapedPath() }

// readProof returns the thumbprint of the key that a request is proven to hold (RFC 9449 section 4.3), or "" when it has
// no proof. A proof is good once, on every replica. token is the access token that the request uses, if it does.
func (p *Provider) readProof(r *http.Request, token string) (thumbprint string, err error) {
	headers := r.Header["Dpop"]
	switch {
	case len(headers) == 0:
		return "", nil
	case len(headers) > 1:
		return "", &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP header is sent more than once"}
	}
	payload, thumbprint, err := keys.VerifyProof(headers[0])
	if err != nil {
		return "", errProof
	}
	now := p.now()
	proof, err := oidc.ReadProof(payload, oidc.ProofRequest{Method: r.Method, URL: p.endpointOf(r), AccessToken: token}, now)
	if err != nil {
		return "", err
	}
	err = p.store.UseOnce(r.Context(), onceOf("proof", thumbprint, proof.ID), now, proof.ExpiresAt)
	if errors.Is(err, store.ErrReplayed) {
		return "", &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP proof was used before; make one for each request"}
	}
	if err != nil {
		return "", fmt.Errorf("use up proof: %w", err)
	}
	return thumbprint, nil
}

var errProof = &oidc.Error{
	Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP proof must be a JWT of typ dpop+jwt, signed by the public key in its header",
}

// onceOf returns the handle under which a jti is remembered. owner is who has chosen it, so that nobody uses up another's.
// The space keeps the handle from beginning with a time, see store.HandleOf.
func onceOf(kind, owner, jti string) store.Handle {
	return store.HandleOf("jti " + kind + " " + owner + " " + jti)
}

// bindTokens reads the DPoP proof of a token request, to which its tokens are then bound (RFC 9449 section 5).
func (p *Provider) bindTokens(r *http.Request, client *registration.Client) (thumbprint string, err error) {
	thumbprint, err = p.readProof(r, "")
	if err == nil && thumbprint == "" && client.DPoPBoundAccessTokens {
		return "", &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "this client must send a DPoP proof"}
	}
	return thumbprint, err
}

// bindCode makes a pushed authorization request that comes with a DPoP proof one that names the proof's key (RFC 9449 section 10.1).
func (p *Provider) bindCode(r *http.Request, request url.Values) error {
	thumbprint, err := p.readProof(r, "")
	if err != nil || thumbprint == "" {
		return err
	}
	switch given := request["dpop_jkt"]; {
	case len(given) > 1:
		return nil // refused like every parameter that is sent more than once
	case len(given) == 1 && given[0] != "" && given[0] != thumbprint:
		return &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP proof is not signed by the key of dpop_jkt"}
	}
	request.Set("dpop_jkt", thumbprint)
	return nil
}

// checkBinding returns nil when an access token comes with the proof of its key, or is bound to none (RFC 9449 section 7).
func (p *Provider) checkBinding(r *http.Request, sent sentToken, a *access) error {
	bound := a.KeyThumbprint != ""
	switch {
	case !bound && sent.scheme == schemeDPoP:
		return &oidc.Error{Code: oidc.CodeInvalidToken, Description: "the access token is bound to no key; send it as Bearer"}
	case !bound:
		return nil
	case sent.scheme != schemeDPoP: // RFC 9449 section 7.2: a stolen token must not be good as Bearer
		return &oidc.Error{Code: oidc.CodeInvalidToken, Description: "the access token is bound to a key; send it as DPoP, with a proof"}
	}
	thumbprint, err := p.readProof(r, sent.value)
	switch {
	case err != nil:
		return err
	case thumbprint == "":
		return &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP proof is missing"}
	case thumbprint != a.KeyThumbprint:
		return &oidc.Error{Code: oidc.CodeInvalidToken, Description: "the access token is bound to another key"}
	}
	return nil
}
