package provider_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

const (
	callback = "https://app.example.com/callback"
	password = "correct horse battery staple"
)

// newIssuer returns an issuer with a key that is quick to make, the user ada and the client app, which needs no consent.
func newIssuer(t testing.TB, opts ...providertest.Option) (*providertest.Issuer, providertest.Application) {
	t.Helper()
	issuer := providertest.New(t, append([]providertest.Option{providertest.WithAlgorithms("ES256")}, opts...)...)
	issuer.AddUser(ada(), password)
	return issuer, issuer.AddClient(appClient())
}

func ada() registration.User {
	return registration.User{Username: "ada", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true}
}

func appClient() registration.Client {
	return registration.Client{
		ClientID: "app", ClientName: "Example App", RedirectURIs: []string{callback}, Consent: registration.ConsentNever,
	}
}

// relyingParty is an application made of libraries that are not ours.
type relyingParty struct {
	t        testing.TB
	ctx      context.Context
	issuer   *providertest.Issuer
	provider *oidc.Provider
	config   oauth2.Config
}

func newRelyingParty(t testing.TB, issuer *providertest.Issuer, app providertest.Application, scopes ...string) *relyingParty {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), issuer.Client())
	discovered, err := oidc.NewProvider(ctx, issuer.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &relyingParty{t: t, ctx: ctx, issuer: issuer, provider: discovered, config: oauth2.Config{
		ClientID: app.ClientID, ClientSecret: app.Secret, Endpoint: discovered.Endpoint(),
		RedirectURL: app.RedirectURIs[0], Scopes: append([]string{"openid"}, scopes...),
	}}
}

// login logs ada in, in a browser of her own, and returns the tokens.
func (rp *relyingParty) login(opts ...oauth2.AuthCodeOption) (*oauth2.Token, *oidc.IDToken) {
	rp.t.Helper()
	return rp.loginIn(rp.issuer.NewBrowser(rp.t), opts...)
}

// loginIn logs ada in with PKCE and returns the tokens.
func (rp *relyingParty) loginIn(browser *providertest.Browser, opts ...oauth2.AuthCodeOption) (*oauth2.Token, *oidc.IDToken) {
	rp.t.Helper()
	verifier := oauth2.GenerateVerifier()
	opts = append(opts, oauth2.S256ChallengeOption(verifier))
	answer := browser.Authorize(rp.config.AuthCodeURL("state-1", opts...), "ada", password).Query()
	if answer.Get("state") != "state-1" {
		rp.t.Fatalf("the answer is %v", answer)
	}
	token, err := rp.config.Exchange(rp.ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		rp.t.Fatal(err)
	}
	return token, rp.verify(token)
}

func (rp *relyingParty) verify(token *oauth2.Token) *oidc.IDToken {
	rp.t.Helper()
	raw, _ := token.Extra("id_token").(string)
	idToken, err := rp.provider.Verifier(&oidc.Config{ClientID: rp.config.ClientID, Now: rp.issuer.Clock.Now}).Verify(rp.ctx, raw)
	if err != nil {
		rp.t.Fatal(err)
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		rp.t.Fatal(err)
	}
	return idToken
}

// authorizeURL returns an authorization request of the client app with parameters changed. An empty value takes one away.
func authorizeURL(issuer *providertest.Issuer, changed ...string) string {
	q := url.Values{
		"client_id": {"app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"state-1"},
	}
	for i := 0; i+1 < len(changed); i += 2 {
		if q.Set(changed[i], changed[i+1]); changed[i+1] == "" {
			q.Del(changed[i])
		}
	}
	return issuer.Endpoint("/oauth2/authorize") + "?" + q.Encode()
}

// returned opens an authorization request in a browser where nobody has signed in and, when that fails, goes back to the application.
func returned(t testing.TB, issuer *providertest.Issuer, target string) *providertest.Page {
	t.Helper()
	browser := issuer.NewBrowser(t)
	return browser.Return(browser.Get(target))
}

// newCode logs ada in and returns a code for the request.
func newCode(t testing.TB, issuer *providertest.Issuer, changed ...string) string {
	t.Helper()
	answer := issuer.NewBrowser(t).Authorize(authorizeURL(issuer, changed...), "ada", password)
	code := answer.Query().Get("code")
	if code == "" {
		t.Fatalf("there is no code in %s", answer)
	}
	return code
}

// answer is what an endpoint answered.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (a answer) text(name string) string {
	text, _ := a.body[name].(string)
	return text
}

// send sends a request and reads a JSON answer.
func send(t testing.TB, issuer *providertest.Issuer, r *http.Request) answer {
	t.Helper()
	response, err := issuer.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, raw: string(raw)}
	if len(raw) > 0 && strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
	}
	return a
}

func get(t testing.TB, issuer *providertest.Issuer, path string, header ...string) answer {
	t.Helper()
	return send(t, issuer, newRequest(t, http.MethodGet, issuer.Endpoint(path), nil, header...))
}

func newRequest(t testing.TB, method, target string, form url.Values, header ...string) *http.Request {
	t.Helper()
	var body io.Reader = http.NoBody
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// exchange sends a token request of the client app for a code, authenticated by client_secret_post, with parameters
// changed. An empty value takes one away.
func exchange(t testing.TB, issuer *providertest.Issuer, code string, changed ...string) answer {
	t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback},
		"client_id": {"app"}, "client_secret": {"secret-of-app"},
	}
	for i := 0; i+1 < len(changed); i += 2 {
		if form.Set(changed[i], changed[i+1]); changed[i+1] == "" {
			form.Del(changed[i])
		}
	}
	return send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint("/oauth2/token"), form))
}

func userinfo(t testing.TB, issuer *providertest.Issuer, accessToken string) answer {
	t.Helper()
	return get(t, issuer, "/oauth2/userinfo", "Authorization", "Bearer "+accessToken)
}
