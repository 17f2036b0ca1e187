package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// app serves the application. It keeps nothing between requests: what a login
// has to remember is in a cookie, and so it can be restarted at any time.
type app struct {
	url       string
	secretDir string
}

func newApp(url, secretDir string) http.Handler {
	a := &app{url: url, secretDir: secretDir}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.serveHome)
	mux.HandleFunc("GET /login", a.serveLogin)
	mux.HandleFunc("GET /callback", a.serveCallback)
	return mux
}

// relyingParty is one reading of the credentials, and what discovery says about
// their issuer.
type relyingParty struct {
	credentials
	provider *oidc.Provider
	oauth    oauth2.Config
}

func (a *app) relyingParty(ctx context.Context) (*relyingParty, error) {
	c, err := readCredentials(a.secretDir)
	if err != nil {
		return nil, err
	}
	provider, err := oidc.NewProvider(ctx, c.issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", c.issuer, err)
	}
	return &relyingParty{
		credentials: c,
		provider:    provider,
		oauth: oauth2.Config{
			ClientID:     c.clientID,
			ClientSecret: c.clientSecret,
			Endpoint:     provider.Endpoint(),
			RedirectURL:  a.url + "/callback",
			Scopes:       c.scopes,
		},
	}, nil
}

func (a *app) serveHome(w http.ResponseWriter, _ *http.Request) {
	c, err := readCredentials(a.secretDir)
	if err != nil {
		showError(w, http.StatusInternalServerError, "The application is not configured", err)
		return
	}
	show(w, http.StatusOK, page{Title: "Not signed in", Issuer: c.issuer, ClientID: c.clientID})
}

func (a *app) serveLogin(w http.ResponseWriter, r *http.Request) {
	rp, err := a.relyingParty(r.Context())
	if err != nil {
		showError(w, http.StatusBadGateway, "The provider cannot be reached", err)
		return
	}
	p := pending{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	p.remember(w)
	http.Redirect(w, r, rp.oauth.AuthCodeURL(p.State, oidc.Nonce(p.Nonce), oauth2.S256ChallengeOption(p.Verifier)), http.StatusFound)
}

func (a *app) serveCallback(w http.ResponseWriter, r *http.Request) {
	p, err := recall(w, r)
	if err != nil {
		showError(w, http.StatusBadRequest, "This login was not started here", err)
		return
	}
	query := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(p.State)) != 1 {
		showError(w, http.StatusBadRequest, "This login was not started here", errors.New("the state differs"))
		return
	}
	if code := query.Get("error"); code != "" {
		showError(w, http.StatusForbidden, "The provider declined", fmt.Errorf("%s: %s", code, query.Get("error_description")))
		return
	}
	rp, err := a.relyingParty(r.Context())
	if err != nil {
		showError(w, http.StatusBadGateway, "The provider cannot be reached", err)
		return
	}
	// RFC 9207 section 2.4: an answer from another issuer is a mix-up attack.
	if iss := query.Get("iss"); iss != "" && iss != rp.issuer {
		showError(w, http.StatusBadRequest, "The answer comes from somebody else", fmt.Errorf("issuer %q, expected %q", iss, rp.issuer))
		return
	}
	login, err := rp.finish(r.Context(), query.Get("code"), p)
	if err != nil {
		showError(w, http.StatusBadGateway, "The login could not be completed", err)
		return
	}
	login.Home = a.url + "/"
	show(w, http.StatusOK, *login)
}

// finish turns the code into tokens, proves the ID token and asks for userinfo.
func (rp *relyingParty) finish(ctx context.Context, code string, p pending) (*page, error) {
	token, err := rp.oauth.Exchange(ctx, code, oauth2.VerifierOption(p.Verifier))
	if err != nil {
		return nil, fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("the token answer has no id_token")
	}
	idToken, err := rp.provider.Verifier(&oidc.Config{ClientID: rp.clientID}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verify the id_token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(p.Nonce)) != 1 {
		return nil, errors.New("verify the id_token: the nonce differs")
	}
	if idToken.AccessTokenHash != "" {
		if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, fmt.Errorf("verify the id_token: %w", err)
		}
	}
	userinfo, err := rp.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("get userinfo: %w", err)
	}
	if userinfo.Subject != idToken.Subject {
		return nil, errors.New("userinfo is about another subject") // OpenID Connect Core 5.3.2
	}
	result := &page{Title: "Signed in", Issuer: rp.issuer, ClientID: rp.clientID, EndSession: rp.endSession, IDToken: raw}
	if result.IDTokenClaims, err = claims(idToken); err != nil {
		return nil, err
	}
	if result.UserinfoClaims, err = claims(userinfo); err != nil {
		return nil, err
	}
	result.Name = nameOf(userinfo)
	return result, nil
}

// claims are indented JSON, in the order of their names.
func claims(from interface{ Claims(v any) error }) (string, error) {
	var all map[string]any
	if err := from.Claims(&all); err != nil {
		return "", fmt.Errorf("read the claims: %w", err)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	return string(text), err
}

func nameOf(userinfo *oidc.UserInfo) string {
	var names struct {
		Name     string `json:"name"`
		Username string `json:"preferred_username"`
	}
	if err := userinfo.Claims(&names); err != nil {
		slog.Warn("read the name", "error", err)
	}
	for _, name := range []string{names.Name, names.Username} {
		if name != "" {
			return name
		}
	}
	return userinfo.Subject
}
