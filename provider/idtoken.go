package provider

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// idToken is the payload of an ID token (OpenID Connect Core section 2). It has one audience, and therefore no azp.
type idToken struct {
	Issuer          string   `json:"iss"`
	Audience        string   `json:"aud"`
	Expiry          int64    `json:"exp"`
	IssuedAt        int64    `json:"iat"`
	AuthTime        int64    `json:"auth_time"`
	Nonce           string   `json:"nonce,omitempty"`
	SessionID       string   `json:"sid,omitempty"`
	AccessTokenHash string   `json:"at_hash"`
	AuthContext     string   `json:"acr,omitempty"`
	AuthMethods     []string `json:"amr,omitempty"`
	claims
}

// signIDToken returns the ID token of a grant with the algorithm the client is registered for. It holds the claims of the
// granted scopes, because some relying parties never ask the userinfo endpoint, unless the client has them elsewhere.
func (p *Provider) signIDToken(
	client *registration.Client, user *registration.User, grant *store.Grant, scopes []string, nonce, accessToken string, now time.Time,
) (string, error) {
	signer, ok := p.registry.Keys().Signer(client.IDTokenSignedResponseAlg)
	if !ok {
		algorithm := client.IDTokenSignedResponseAlg
		if algorithm == "" {
			algorithm = "any algorithm"
		}
		return "", fmt.Errorf("sign ID token of client %s: there is no active signing key of %s", client.ClientID, algorithm)
	}
	subject, err := p.subjectOf(client, user)
	if err != nil {
		return "", err
	}
	told := p.claimsFor(inIDToken, client, user, subject, scopes, grant)
	payload, err := json.Marshal(idToken{
		Issuer:          p.issuer,
		Audience:        client.ClientID,
		Expiry:          now.Add(time.Duration(p.lifetimes(client).IDToken)).Unix(),
		IssuedAt:        now.Unix(),
		AuthTime:        grant.AuthTime.Unix(),
		Nonce:           nonce,
		SessionID:       p.sidOf(client, grant.SessionID),
		AccessTokenHash: oidc.HalfHash(signer.Alg(), accessToken),
		AuthContext:     oidc.ACROf(grant.AuthMethods),
		AuthMethods:     grant.AuthMethods,
		claims:          told,
	})
	if err != nil {
		return "", fmt.Errorf("marshal ID token: %w", err)
	}
	return signer.Sign(withOwn(payload, told.own))
}
