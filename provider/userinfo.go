package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// serveUserinfo answers with the claims that an access token is good for (OpenID Connect Core section 5.3), signed where
// the client is registered for that.
func (p *Provider) serveUserinfo(w http.ResponseWriter, r *http.Request) error {
	sent, err := readSentToken(w, r)
	if err != nil {
		return err
	}
	a, err := p.readAccess(r.Context(), sent.value)
	if err != nil {
		return err
	}
	if err := p.checkBinding(r, sent, a); err != nil {
		return err
	}
	switch {
	case !slices.Contains(a.Scopes, oidc.ScopeOpenID) || a.user == nil:
		return &oidc.Error{Code: oidc.CodeInsufficientScope, Description: "the access token is not good for openid"}
	case len(a.Resources) > 0 && !slices.Contains(a.Resources, p.issuer) && !slices.Contains(a.Resources, oidc.Endpoint(p.issuer, oidc.PathUserinfo)):
		// RFC 8707 section 2: whoever gets such a token must not be able to use it elsewhere, and this is elsewhere.
		return &oidc.Error{Code: oidc.CodeInvalidToken, Description: "the access token is for other resources"}
	}
	subject, err := p.subjectOf(a.client, a.user)
	if err != nil {
		return err
	}
	told := p.claimsFor(inUserinfo, a.client, a.user, subject, a.Scopes, a.grant)
	if a.client.UserinfoSignedResponseAlg == "" {
		body, err := json.Marshal(told)
		if err != nil {
			return fmt.Errorf("marshal userinfo: %w", err)
		}
		p.respondBody(w, http.StatusOK, jsonType, withOwn(body, told.own))
		return nil
	}
	signed, err := p.signUserinfo(a, told)
	if err != nil {
		return err
	}
	p.respondBody(w, http.StatusOK, jwtType, []byte(signed))
	return nil
}

// signedUserinfo is what a signed answer holds besides the claims (OpenID Connect Core section 5.3.2).
type signedUserinfo struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	claims
}

func (p *Provider) signUserinfo(a *access, told claims) (string, error) {
	signer, ok := p.registry.Keys().Signer(a.client.UserinfoSignedResponseAlg)
	if !ok {
		return "", fmt.Errorf("sign userinfo for client %s: there is no active signing key of %s", a.Client.ID, a.client.UserinfoSignedResponseAlg)
	}
	payload, err := json.Marshal(signedUserinfo{p.issuer, a.Client.ID, told})
	if err != nil {
		return "", fmt.Errorf("marshal userinfo: %w", err)
	}
	return signer.Sign(withOwn(payload, told.own))
}
