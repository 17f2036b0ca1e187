package provider_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// workerClient acts for itself.
func workerClient() registration.Client {
	return registration.Client{
		ClientID: "worker", Scope: "jobs:read jobs:write profile", GrantTypes: []string{registration.GrantClientCredentials},
		Resources: []string{"https://jobs.example.com", "https://mail.example.com/api"},
	}
}

// post sends a form of name and value pairs to an endpoint.
func post(t testing.TB, issuer *providertest.Issuer, path string, pairs ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(path), form))
}

// worked asks for a token of client_credentials, with parameters added.
func worked(t testing.TB, issuer *providertest.Issuer, added ...string) answer {
	t.Helper()
	return post(t, issuer, oidc.PathToken, append([]string{
		"grant_type", "client_credentials", "client_id", "worker", "client_secret", "secret-of-worker",
	}, added...)...)
}

// RFC 6749 4.4, by a library that is not ours.
func TestClientCredentials(t *testing.T) {
	issuer, _ := newIssuer(t)
	worker := issuer.AddClient(workerClient())
	config := clientcredentials.Config{
		ClientID: worker.ClientID, ClientSecret: worker.Secret, TokenURL: issuer.Endpoint(oidc.PathToken), Scopes: []string{"jobs:read"},
	}
	token, err := config.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// RFC 6749 4.4.3: no refresh token; nobody has logged in, so there is no ID token.
	if token.RefreshToken != "" || token.Extra("id_token") != nil || token.TokenType != "Bearer" || token.Extra("scope") != "jobs:read" {
		t.Errorf("the answer is %+v", token)
	}
	// OpenID Connect Core 5.3.3, RFC 6750 3.1: there is nobody to tell about.
	info := userinfo(t, issuer, token.AccessToken)
	if info.status != http.StatusForbidden || info.text("error") != "insufficient_scope" {
		t.Errorf("userinfo answers %d %s", info.status, info.raw)
	}
	var retrieve *oauth2.RetrieveError
	config.Scopes = []string{"openid"}
	if _, err := config.Token(t.Context()); !errors.As(err, &retrieve) || retrieve.ErrorCode != "invalid_scope" {
		t.Errorf("asking for openid gives %v", err)
	}
}

// RFC 9068 section 5: the subject of a client is never that of a person, whichever application knows the person by it.
func TestClientCredentialsOfAPersonsSubject(t *testing.T) {
	issuer, _ := newIssuer(t)
	salt := strings.Repeat("s", 32)
	issuer.SetSettings(registration.Settings{PairwiseSalt: salt})
	issuer.AddUser(registration.User{Username: "eve", Subject: "7d0ff6e5-3c0c-4c70-8a3e-0d8f3a1a6f10"}, password)
	for name, c := range map[string]struct {
		clientID string
		works    bool
	}{
		"pairwise":                 {oidc.PairwiseSubject(salt, "victim.example", "sub-ada"), false},
		"UUID":                     {oidc.SubjectUUID(issuer.URL, "sub-ada"), false},
		"UUID that is the subject": {oidc.SubjectUUID(issuer.URL, "7d0ff6e5-3c0c-4c70-8a3e-0d8f3a1a6f10"), false},
		"public":                   {"sub-ada", false},
		"username":                 {"ada", false},
		"a UUID of nobody":         {"f47ac10b-58cc-4372-a567-0e02b2c3d479", true},
		"the default":              {"apps.worker", true},
		"as long as a subject":     {strings.Repeat("a.", 21) + "a", true},
	} {
		client := workerClient()
		client.ClientID = c.clientID
		app := issuer.AddClient(client)
		got := post(t, issuer, oidc.PathToken, "grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", app.Secret)
		if works := got.status == http.StatusOK; works != c.works || !works && got.text("error") != "unauthorized_client" {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
}

func TestClientCredentialsScopes(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddClient(workerClient())
	for name, c := range map[string]struct {
		scope  string
		status int
		want   string // scope, or error
	}{
		"without scope: what is not about a person": {"", 200, "jobs:read jobs:write"},
		"one":                            {"jobs:write", 200, "jobs:write"},
		"one, twice":                     {"jobs:write jobs:write", 200, "jobs:write"},
		"one about a person, asked for":  {"profile", 200, "profile"},
		"one that is not registered":     {"jobs:read jobs:admin", 400, "invalid_scope"},
		"openid":                         {"openid", 400, "invalid_scope"},
		"offline_access":                 {"offline_access jobs:read", 400, "invalid_scope"},
		"of another case (RFC 6749 3.3)": {"Jobs:read", 400, "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			got := worked(t, issuer, "scope", c.scope)
			if got.status != c.status || got.text("scope")+got.text("error") != c.want {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
}

// A client that also logs people in gets nothing of theirs for itself.
func TestClientCredentialsOfAClientForPeople(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := refreshingClient()
	client.Scope += " jobs:read"
	client.GrantTypes = append(client.GrantTypes, registration.GrantClientCredentials)
	issuer.AddClient(client)
	ask := func(scope string) answer {
		return post(t, issuer, oidc.PathToken, "grant_type", "client_credentials", "client_id", "app", "client_secret", "secret-of-app", "scope", scope)
	}
	for _, scope := range []string{"openid", "offline_access", "jobs:read openid"} {
		if got := ask(scope); got.text("error") != "invalid_scope" {
			t.Errorf("%s answers %d %s", scope, got.status, got.raw)
		}
	}
	if got := ask(""); got.text("scope") != "jobs:read" || got.body["refresh_token"] != nil || got.body["id_token"] != nil {
		t.Errorf("answers %d %s", got.status, got.raw)
	}
}

// RFC 6749 4.4: only for confidential clients, and 5.2: only for those that are registered for it.
func TestClientCredentialsAreRefused(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddClient(workerClient())
	if got := worked(t, issuer, "client_secret", "wrong"); got.status != 400 { // twice
		t.Errorf("two secrets answer %d", got.status)
	}
	if got := post(t, issuer, oidc.PathToken, "grant_type", "client_credentials", "client_id", "app", "client_secret", "secret-of-app"); got.text("error") != "unauthorized_client" {
		t.Errorf("a client that is not registered for it gets %s", got.raw)
	}
	if got := post(t, issuer, oidc.PathToken, "grant_type", "client_credentials", "client_id", "worker"); got.status != 401 || got.text("error") != "invalid_client" {
		t.Errorf("without a secret: %d %s", got.status, got.raw)
	}
	public := workerClient()
	public.TokenEndpointAuthMethod = registration.AuthMethodNone
	if err := public.Validate(); err == nil {
		t.Error("a public client can be registered for client_credentials")
	}
}

// RFC 9068 5: whoever may name a client must not get tokens that pass for a person's.
func TestClientNamedLikeAPerson(t *testing.T) {
	for clientID, want := range map[string]int{"sub-ada": http.StatusBadRequest, "ada": http.StatusBadRequest, "ada.jobs": http.StatusOK} {
		t.Run(clientID, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := workerClient()
			client.ClientID, client.AccessTokenFormat = clientID, registration.FormatJWT
			issuer.AddClient(client)
			got := post(t, issuer, oidc.PathToken, "grant_type", "client_credentials", "client_id", clientID, "client_secret", "secret-of-"+clientID)
			if got.status != want || want != http.StatusOK && got.text("error") != "unauthorized_client" {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
}
