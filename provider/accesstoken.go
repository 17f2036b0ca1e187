package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// authorized is what an access token stands for. user and grant are nil when the client acts for itself.
type authorized struct {
	user      *registration.User
	grant     *store.Grant
	scopes    []string
	resources []string
}

// madeAccessToken is an access token of either format.
type madeAccessToken struct {
	value string
	// stored is nil for a JWT, which says everything itself.
	stored    *store.AccessToken
	expiresAt time.Time
	// expiresIn is in seconds.
	expiresIn int64
}

// newAccessToken makes an access token in the format that the client is registered for.
func (p *Provider) newAccessToken(t *tokenRequest, a *authorized, now time.Time) (madeAccessToken, error) {
	lifetime := time.Duration(p.lifetimes(t.client).AccessToken)
	if t.client.AccessTokenFormat == registration.FormatJWT {
		return p.signAccessToken(t, a, now, lifetime)
	}
	value := store.NewValue(now)
	token := &store.AccessToken{
		Handle:        store.HandleOf(value),
		Client:        storedAs(t.client),
		Scopes:        a.scopes,
		Resources:     a.resources,
		KeyThumbprint: t.keyThumbprint,
		IssuedAt:      now,
		ExpiresAt:     now.Add(lifetime),
	}
	if a.grant != nil {
		token.GrantID = a.grant.ID
	}
	return madeAccessToken{value, token, token.ExpiresAt, seconds(lifetime)}, nil
}

// accessClaims are the payload of a JWT access token (RFC 9068 section 2.2).
type accessClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Expiry   int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
	// Audience are the resources asked for, else the issuer: the token is then for this provider and whoever trusts all of its tokens.
	Audience jwt.Audience `json:"aud"`
	// ID is the ID of the grant, unless the client acts for itself, and one of the token.
	ID           string        `json:"jti"`
	ClientID     string        `json:"client_id"`
	Scope        string        `json:"scope,omitempty"`
	AuthTime     int64         `json:"auth_time,omitempty"`
	AuthContext  string        `json:"acr,omitempty"`
	AuthMethods  []string      `json:"amr,omitempty"`
	Groups       []string      `json:"groups,omitempty"`
	Confirmation *confirmation `json:"cnf,omitempty"`
}

// confirmation names the DPoP key to which a token is bound (RFC 9449 section 6).
type confirmation struct {
	Thumbprint string `json:"jkt"`
}

func confirmationOf(thumbprint string) *confirmation {
	if thumbprint == "" {
		return nil
	}
	return &confirmation{thumbprint}
}

// signAccessToken makes a JWT access token. The provider's default key signs it: resource servers do not know which
// algorithm the client prefers for its ID tokens.
func (p *Provider) signAccessToken(t *tokenRequest, a *authorized, now time.Time, lifetime time.Duration) (madeAccessToken, error) {
	signer, ok := p.registry.Keys().Signer("")
	if !ok {
		return madeAccessToken{}, fmt.Errorf("sign access token of client %s: there is no active signing key", t.client.ClientID)
	}
	claims := accessClaims{
		Issuer:       p.issuer,
		Subject:      t.client.ClientID,
		Expiry:       now.Unix() + seconds(lifetime),
		IssuedAt:     now.Unix(),
		Audience:     a.resources,
		ID:           store.NewID(now),
		ClientID:     t.client.ClientID,
		Scope:        strings.Join(a.scopes, " "),
		Confirmation: confirmationOf(t.keyThumbprint),
	}
	if len(claims.Audience) == 0 {
		claims.Audience = jwt.Audience{p.issuer}
	}
	if a.grant != nil {
		// Claims of the client's own have no place here either, for the same reason.
		subject, err := p.subjectForOthers(t.client, a.user)
		if err != nil {
			return madeAccessToken{}, err
		}
		claims.Subject, claims.ID = subject, a.grant.ID+claims.ID
		claims.AuthTime, claims.AuthMethods = a.grant.AuthTime.Unix(), a.grant.AuthMethods
		claims.AuthContext = oidc.ACROf(a.grant.AuthMethods)
		if slices.Contains(a.scopes, oidc.ScopeGroups) {
			claims.Groups = a.user.Groups
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return madeAccessToken{}, fmt.Errorf("marshal access token: %w", err)
	}
	value, err := signer.SignAs(keys.TypeAccessToken, payload)
	if err != nil {
		return madeAccessToken{}, err
	}
	return madeAccessToken{value, nil, time.Unix(claims.Expiry, 0), claims.Expiry - claims.IssuedAt}, nil
}

// errToken is what is said of every access token that is not good, whatever the reason.
var errToken = &oidc.Error{Code: oidc.CodeInvalidToken, Description: "the access token is unknown, expired or revoked"}

// access is an access token that is good now, of either format.
type access struct {
	store.AccessToken
	client *registration.Client
	// grant and user are nil when the client acts for itself.
	grant *store.Grant
	user  *registration.User
	// id is the jti of a JWT, audience its aud.
	id string
}

// issuedTo tells whether a token is one of a client. That of a client that acts for itself, as a JWT, does not say for which of several
// registrations of the client ID it was issued: nor could the resource servers know that read it themselves.
func (a *access) issuedTo(client *registration.Client) bool {
	if a.id != "" && a.grant == nil {
		return a.Client.ID == client.ClientID
	}
	return a.Client == storedAs(client)
}

// readAccess returns what an access token stands for, or errToken. The token may be bound to a key, which is for the
// caller to check.
func (p *Provider) readAccess(ctx context.Context, value string) (*access, error) {
	a, err := p.findAccess(ctx, value)
	if err != nil {
		return nil, err
	}
	client, known := p.registry.Client(a.Client.ID)
	if !p.now().Before(a.ExpiresAt) || !known || client.Disabled || !a.issuedTo(client) {
		return nil, errToken
	}
	a.client = client
	if a.grant == nil {
		return a, nil
	}
	a.user, err = p.grantor(client, a.grant)
	if errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidGrant}) {
		return nil, errToken
	}
	return a, err
}

// findAccess returns an access token and its grant, however long ago it was issued.
func (p *Provider) findAccess(ctx context.Context, value string) (*access, error) {
	if strings.Contains(value, ".") { // which no opaque one does
		return p.findSigned(ctx, value)
	}
	token, grant, err := p.store.AccessToken(ctx, store.HandleOf(value))
	if errors.Is(err, store.ErrNotFound) {
		return nil, errToken
	}
	if err != nil {
		return nil, fmt.Errorf("read access token: %w", err)
	}
	a := &access{AccessToken: token}
	if token.GrantID != "" {
		a.grant = &grant
	}
	return a, nil
}

func (p *Provider) findSigned(ctx context.Context, value string) (*access, error) {
	payload, err := p.registry.Keys().VerifyAs(keys.TypeAccessToken, value)
	if err != nil {
		return nil, errToken
	}
	var claims accessClaims
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Issuer != p.issuer {
		return nil, errToken // signed with our key by another issuer, which has been given it, too
	}
	a := &access{id: claims.ID, AccessToken: store.AccessToken{
		Client:    store.Client{ID: claims.ClientID},
		Scopes:    strings.Fields(claims.Scope),
		IssuedAt:  time.Unix(claims.IssuedAt, 0),
		ExpiresAt: time.Unix(claims.Expiry, 0),
	}}
	if !slices.Equal(claims.Audience, jwt.Audience{p.issuer}) {
		a.Resources = claims.Audience
	}
	if claims.Confirmation != nil {
		a.KeyThumbprint = claims.Confirmation.Thumbprint
	}
	if len(claims.ID) == store.IDLength {
		return a, nil
	}
	a.GrantID = claims.ID[:min(len(claims.ID), store.IDLength)]
	grant, err := p.store.Grant(ctx, a.GrantID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errToken
	}
	if err != nil {
		return nil, fmt.Errorf("read grant: %w", err)
	}
	a.grant, a.Client.UID = &grant, grant.Client.UID
	return a, nil
}
