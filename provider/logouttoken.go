package provider

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// logoutEvent is what a logout token is about (OpenID Connect Back-Channel Logout section 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutTokenLifetime is the longest that section 2.4 recommends. Each attempt has a token of its own.
const logoutTokenLifetime = 2 * time.Minute

// logoutToken is the payload of a logout token (OpenID Connect Back-Channel Logout section 2.4). It never has a nonce, so
// that it cannot pass for an ID token.
type logoutToken struct {
	Issuer string `json:"iss"`
	// Subject is left out when nobody knows it any more: the session ID says enough.
	Subject  string              `json:"sub,omitempty"`
	Audience string              `json:"aud"`
	IssuedAt int64               `json:"iat"`
	Expiry   int64               `json:"exp"`
	ID       string              `json:"jti"`
	Events   map[string]struct{} `json:"events"`
	// SessionID is also there for a client that does not require it, because without it the client has to end every session of the user. A
	// client whose software ends nothing when it is there asks for its absence (BackchannelLogoutIdentifies).
	SessionID string `json:"sid,omitempty"`
}

// signLogoutToken returns a new logout token for a client, with the algorithm of its ID tokens (section 2.6).
func (p *Provider) signLogoutToken(client *registration.Client, n *store.Notice) (string, error) {
	signer, ok := p.registry.Keys().Signer(client.IDTokenSignedResponseAlg)
	if !ok {
		return "", fmt.Errorf("sign logout token of client %s: %w", client.ClientID, errNoKey)
	}
	now := p.now()
	token := logoutToken{
		Issuer: p.issuer, Audience: client.ClientID, IssuedAt: now.Unix(), Expiry: now.Add(logoutTokenLifetime).Unix(),
		ID: newSecret(), Events: map[string]struct{}{logoutEvent: {}}, SessionID: p.sidOf(client, n.SessionID),
	}
	if user, known := p.registry.UserBySubject(n.Subject); known {
		if subject, err := p.subjectOf(client, user); err == nil {
			token.Subject = subject
		}
	}
	if client.BackchannelLogoutIdentifies == registration.LogoutIdentifiesUser && token.Subject != "" {
		token.SessionID = "" // without both the token would be invalid
	}
	payload, err := json.Marshal(token)
	if err != nil {
		return "", fmt.Errorf("marshal logout token: %w", err)
	}
	return signer.SignAs(keys.TypeLogoutToken, payload)
}
