package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// rereadAfter is how long a pod works with the client secret that it has read: as though it were restarted now and then. It is
// less than overlap, or the secret would have a right to fail.
const rereadAfter = 8 * time.Second

// party is one pod of an application: a relying party with connections, a JWKS and a client secret of its own.
type party struct {
	caller
	k8s          client.Client
	secretKey    client.ObjectKey
	issuer       string
	inHeader     bool
	keys         *oidc.RemoteKeySet
	clientID     string
	clientSecret string
	readAt       time.Time
}

// newParty makes a pod of an application. One that proves itself inHeader uses HTTP Basic, else the secret is in the form.
func (s *site) newParty(ctx context.Context, c *v1alpha1.OIDCClient, inHeader bool) *party {
	p := &party{
		caller: caller{s.httpClient(), s.ledger}, k8s: s.client, issuer: s.issuer, inHeader: inHeader,
		secretKey: client.ObjectKey{Namespace: c.Namespace, Name: c.Status.Credentials.SecretName},
	}
	counted := *p.client
	counted.Transport = countJWKS{p.client.Transport, s.ledger}
	p.keys = oidc.NewRemoteKeySet(oidc.ClientContext(ctx, &counted), s.issuer+"/oauth2/jwks")
	return p
}

// countJWKS counts how the JWKS is fetched, which go-oidc does by itself: when it meets a key ID that it does not know.
type countJWKS struct {
	http.RoundTripper
	ledger *ledger
}

// RoundTrip implements http.RoundTripper.
func (t countJWKS) RoundTrip(request *http.Request) (*http.Response, error) {
	start := time.Now()
	response, err := t.RoundTripper.RoundTrip(request)
	if t.ledger.cut(start, err) {
		t.ledger.repeated()
		response, err = t.RoundTripper.RoundTrip(request.Clone(request.Context()))
	}
	failed := withoutURL(err)
	if err == nil && response.StatusCode != http.StatusOK {
		failed = fmt.Errorf("answers %d", response.StatusCode)
	}
	t.ledger.call("JWKS", start, failed)
	return response, err
}

// tokens is what the token endpoint answers.
type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
}

// readCredentials reads the Secret as a pod does that starts.
func (p *party) readCredentials(ctx context.Context) error {
	if time.Since(p.readAt) < rereadAfter {
		return nil
	}
	secret := &corev1.Secret{}
	if err := p.k8s.Get(ctx, p.secretKey, secret); err != nil {
		return fmt.Errorf("get secret %s: %w", p.secretKey, err)
	}
	p.clientID, p.clientSecret, p.readAt = string(secret.Data["client_id"]), string(secret.Data["client_secret"]), time.Now()
	return nil
}

// authenticated sends a form as the client.
func (p *party) authenticated(ctx context.Context, kind, path string, form url.Values) (answer, error) {
	if err := p.readCredentials(ctx); err != nil {
		p.ledger.call("mounted Secret", time.Now(), err)
		return answer{}, err
	}
	prepare := func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(p.clientID), url.QueryEscape(p.clientSecret)) }
	if !p.inHeader {
		form.Set("client_id", p.clientID)
		form.Set("client_secret", p.clientSecret)
		prepare = nil
	}
	return p.call(ctx, kind, http.MethodPost, p.issuer+path, form, prepare, http.StatusOK)
}

func (p *party) token(ctx context.Context, kind string, form url.Values) (tokens, error) {
	a, err := p.authenticated(ctx, kind, "/oauth2/token", form)
	if err != nil {
		return tokens{}, err
	}
	var t tokens
	if err := json.Unmarshal(a.body, &t); err != nil || t.AccessToken == "" {
		return t, p.fail(kind, "no access token in the answer")
	}
	return t, nil
}

// fail records what is wrong with an answer that came.
func (p *party) fail(kind, message string) error {
	err := errors.New(message)
	p.ledger.call(kind, time.Now(), err)
	return err
}

// verify verifies a signed token with the JWKS as this pod knows it, and reads its claims.
func (p *party) verify(ctx context.Context, kind, token string, claims any) error {
	start := time.Now()
	payload, err := p.keys.VerifySignature(ctx, token)
	if err == nil {
		err = json.Unmarshal(payload, claims)
	}
	if err != nil {
		err = fmt.Errorf("verify: %w", err)
	}
	p.ledger.call(kind, start, err)
	return err
}

// codeFlow logs a person in and returns the tokens, whose ID token is verified.
func (p *party) codeFlow(ctx context.Context, b *browser, scope string) (tokens, error) {
	c, err := p.authorize(ctx, b, scope, url.Values{})
	if err != nil {
		return tokens{}, err
	}
	t, err := p.redeem(ctx, c)
	if err != nil {
		return t, err
	}
	return t, p.userinfo(ctx, t.AccessToken)
}

// code is an authorization code that was not redeemed yet, with the nonce that its ID token will have.
type code struct{ value, nonce string }

// authorize has a person authorize the application, with further parameters.
func (p *party) authorize(ctx context.Context, b *browser, scope string, query url.Values) (code, error) {
	if err := p.readCredentials(ctx); err != nil {
		return code{}, p.fail("mounted Secret", err.Error())
	}
	state, nonce := rand.Text(), rand.Text()
	for name, value := range map[string]string{
		"client_id": p.clientID, "redirect_uri": callback, "response_type": "code", "scope": scope, "state": state, "nonce": nonce,
	} {
		query.Set(name, value)
	}
	told, err := b.authorize(ctx, p.issuer+"/oauth2/authorize?"+query.Encode())
	if err != nil {
		return code{}, err
	}
	if told.Get("state") != state || told.Get("iss") != p.issuer {
		return code{}, p.fail("authorize", "the answer has another state or issuer")
	}
	return code{told.Get("code"), nonce}, nil
}

// redeem exchanges a code for tokens, and verifies the ID token.
func (p *party) redeem(ctx context.Context, c code) (tokens, error) {
	t, err := p.token(ctx, "token: code", url.Values{"grant_type": {"authorization_code"}, "code": {c.value}, "redirect_uri": {callback}})
	if err != nil {
		return t, err
	}
	var claims struct{ Nonce, Iss string }
	if err := p.verify(ctx, "verify ID token", t.IDToken, &claims); err != nil {
		return t, err
	}
	if claims.Nonce != c.nonce || claims.Iss != p.issuer {
		return t, p.fail("verify ID token", "the ID token is for another login")
	}
	return t, nil
}

func (p *party) userinfo(ctx context.Context, accessToken string) error {
	_, err := p.call(ctx, "userinfo", http.MethodGet, p.issuer+"/oauth2/userinfo", nil, func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+accessToken)
	}, http.StatusOK)
	return err
}

// refresh exchanges a refresh token, and verifies the new ID token.
func (p *party) refresh(ctx context.Context, before tokens) (tokens, error) {
	t, err := p.token(ctx, "token: refresh", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {before.RefreshToken}})
	if err != nil {
		return t, err
	}
	if t.RefreshToken == "" {
		return t, p.fail("token: refresh", "no refresh token in the answer")
	}
	return t, p.verify(ctx, "verify ID token", t.IDToken, &struct{}{})
}

// clientCredentials gets an access token for the application itself, verifies it as an API would, and asks the provider about it.
func (p *party) clientCredentials(ctx context.Context) error {
	t, err := p.token(ctx, "token: client credentials", url.Values{"grant_type": {"client_credentials"}})
	if err != nil {
		return err
	}
	if err := p.verify(ctx, "verify access token", t.AccessToken, &struct{}{}); err != nil {
		return err
	}
	a, err := p.authenticated(ctx, "introspect", "/oauth2/introspect", url.Values{"token": {t.AccessToken}})
	if err != nil {
		return err
	}
	var said struct{ Active bool }
	if err := json.Unmarshal(a.body, &said); err != nil || !said.Active {
		return p.fail("introspect", "the token is said not to be active")
	}
	return nil
}
