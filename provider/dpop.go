package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// endpointOf returns the URL of the endpoint that a request was routed to. The request's Host header says nothing about
// it: behind a proxy it may be any name, and whoever sends the request writes it.
func (p *Provider) endpointOf(r *http.Request) string { return p.origin + r.URL.EscapedPath() }

// keyProof is the DPoP proof of a request. It is right, but may have been used before.
type keyProof struct {
	// thumbprint is that of the key that has signed it.
	thumbprint string
	// once is the handle under which it is remembered until expiresAt.
	once      store.Handle
	expiresAt time.Time
	used      bool
}

// readProof returns the proof of a request (RFC 9449 section 4.3), or nil when it has none. token is the access token that the
// request uses, if it does. Nothing is stored yet: anybody can make proofs, with any key. useProof does that, once the request is known to
// come from somebody who has something to lose.
func (p *Provider) readProof(r *http.Request, token string) (*keyProof, error) {
	headers := r.Header["Dpop"]
	switch {
	case len(headers) == 0:
		return nil, nil //nolint:nilnil // most requests have none: that is no error
	case len(headers) > 1:
		return nil, &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP header is sent more than once"}
	}
	payload, thumbprint, err := keys.VerifyProof(headers[0])
	if err != nil {
		return nil, errProof
	}
	proof, err := oidc.ReadProof(payload, oidc.ProofRequest{Method: r.Method, URL: p.endpointOf(r), AccessToken: token}, p.now())
	if err != nil {
		return nil, err
	}
	return &keyProof{thumbprint: thumbprint, once: onceOf("proof", thumbprint, proof.ID), expiresAt: proof.ExpiresAt}, nil
}

// useProof uses up the proof of a request, if it has one. A proof is good once, on every replica. One request may ask several times.
func (p *Provider) useProof(ctx context.Context, proof *keyProof) error {
	if proof == nil || proof.used {
		return nil
	}
	err := p.store.UseOnce(ctx, proof.once, p.now(), proof.expiresAt)
	switch {
	case errors.Is(err, store.ErrReplayed):
		return &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP proof was used before; make one for each request"}
	case err != nil:
		return fmt.Errorf("use up proof: %w", err)
	}
	proof.used = true
	return nil
}

var errProof = &oidc.Error{
	Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP proof must be a JWT of typ dpop+jwt, signed by the public key in its header",
}

// onceOf returns the handle under which a jti is remembered. owner is who has chosen it, so that nobody uses up another's.
// The space keeps the handle from beginning with a time, see store.HandleOf.
func onceOf(kind, owner, jti string) store.Handle {
	return store.HandleOf("jti " + kind + " " + owner + " " + jti)
}

// bindTokens reads the DPoP proof of a token request, to which its tokens are then bound (RFC 9449 section 5). Who grants them uses it up.
func (p *Provider) bindTokens(r *http.Request, t *tokenRequest) (err error) {
	t.proof, err = p.readProof(r, "")
	switch {
	case err != nil:
		return err
	case t.proof != nil:
		t.keyThumbprint = t.proof.thumbprint
	case t.client.DPoPBoundAccessTokens:
		return &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "this client must send a DPoP proof"}
	}
	return nil
}

// bindCode makes a pushed authorization request that comes with a DPoP proof one that names the proof's key (RFC 9449 section 10.1).
// The proof is to be used up when the request is kept.
func (p *Provider) bindCode(r *http.Request, request url.Values) (*keyProof, error) {
	proof, err := p.readProof(r, "")
	if err != nil || proof == nil {
		return nil, err
	}
	switch given := request["dpop_jkt"]; {
	case len(given) > 1:
		return proof, nil // refused like every parameter that is sent more than once
	case len(given) == 1 && given[0] != "" && given[0] != proof.thumbprint:
		return nil, &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP proof is not signed by the key of dpop_jkt"}
	}
	request.Set("dpop_jkt", proof.thumbprint)
	return proof, nil
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
	proof, err := p.readProof(r, sent.value)
	switch {
	case err != nil:
		return err
	case proof == nil:
		return &oidc.Error{Code: oidc.CodeInvalidDPoPProof, Description: "the DPoP proof is missing"}
	case proof.thumbprint != a.KeyThumbprint:
		return &oidc.Error{Code: oidc.CodeInvalidToken, Description: "the access token is bound to another key"}
	}
	return p.useProof(r.Context(), proof)
}
