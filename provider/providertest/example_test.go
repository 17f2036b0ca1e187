package providertest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// An application is tested from its login link to the name that it greets. In a test it is New(t) and NewBrowser(t), and
// nothing has to be closed.
func Example() {
	issuer := providertest.Start()
	defer issuer.Close()
	issuer.AddUser(registration.User{Username: "ada", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true}, "secret")

	ctx := oidc.ClientContext(context.Background(), issuer.Client())
	provider, err := oidc.NewProvider(ctx, issuer.URL)
	if err != nil {
		panic(err)
	}
	config := oauth2.Config{Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
	verifier := oauth2.GenerateVerifier()
	application := http.NewServeMux()
	application.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	})
	application.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		token, err := config.Exchange(ctx, r.FormValue("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		raw, _ := token.Extra("id_token").(string)
		idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
		var claims struct{ Name, Email string }
		if err != nil || idToken.Claims(&claims) != nil {
			http.Error(w, "no ID token", http.StatusForbidden)
			return
		}
		_, _ = fmt.Fprintf(w, "Hello %s <%s>", claims.Name, claims.Email)
	})
	server := httptest.NewServer(application)
	defer server.Close()
	app := issuer.AddClient(registration.Client{ClientID: "app", RedirectURIs: []string{server.URL + "/callback"}})
	config.ClientID, config.ClientSecret, config.RedirectURL = app.ClientID, app.Secret, app.RedirectURIs[0]

	browser := issuer.NewBrowser(nil)
	callback := browser.Authorize(server.URL+"/login", "ada", "secret")
	fmt.Println(browser.Get(callback.String()).Body)
	// Output: Hello Ada Lovelace <ada@example.com>
}

// A refresh token outlives the access token, and time can be made to pass.
func ExampleClock_Advance() {
	issuer := providertest.Start(providertest.WithAlgorithms("ES256"))
	defer issuer.Close()
	issuer.AddUser(registration.User{Username: "ada"}, "secret")
	app := issuer.AddClient(registration.Client{
		ClientID: "app", RedirectURIs: []string{"https://app.example.com/callback"},
		GrantTypes: []string{registration.GrantCode, registration.GrantRefreshToken},
	})
	config := oauth2.Config{
		ClientID: app.ClientID, ClientSecret: app.Secret, RedirectURL: app.RedirectURIs[0], Scopes: []string{"openid", "offline_access"},
		Endpoint: oauth2.Endpoint{AuthURL: issuer.Endpoint("/oauth2/authorize"), TokenURL: issuer.Endpoint("/oauth2/token")},
	}
	callback := issuer.NewBrowser(nil).Authorize(config.AuthCodeURL("state"), "ada", "secret")
	first, err := config.Exchange(context.Background(), callback.Query().Get("code"))
	if err != nil {
		panic(err)
	}
	issuer.Clock.Advance(time.Hour)
	first.Expiry = time.Now() // what the application would find an hour later
	second, err := config.TokenSource(context.Background(), first).Token()
	if err != nil {
		panic(err)
	}
	fmt.Println("another access token:", second.AccessToken != first.AccessToken)
	fmt.Println("another refresh token:", second.RefreshToken != first.RefreshToken)
	// Output:
	// another access token: true
	// another refresh token: true
}

// A program acts for itself. Its access tokens are JWTs that a resource server can check alone.
func ExampleIssuer_AddClient_clientCredentials() {
	issuer := providertest.Start(providertest.WithAlgorithms("ES256"))
	defer issuer.Close()
	job := issuer.AddClient(registration.Client{
		ClientID: "job", GrantTypes: []string{registration.GrantClientCredentials}, Scope: "reports:read",
		AccessTokenFormat: registration.FormatJWT, Resources: []string{"https://api.example.com"},
	})
	config := clientcredentials.Config{
		ClientID: job.ClientID, ClientSecret: job.Secret, TokenURL: issuer.Endpoint("/oauth2/token"), Scopes: []string{"reports:read"},
		EndpointParams: map[string][]string{"resource": {"https://api.example.com"}},
	}
	token, err := config.Token(context.Background())
	if err != nil {
		panic(err)
	}
	keys := oidc.NewRemoteKeySet(context.Background(), issuer.Endpoint("/oauth2/jwks"))
	verifier := oidc.NewVerifier(issuer.URL, keys, &oidc.Config{ClientID: "https://api.example.com", SupportedSigningAlgs: []string{oidc.ES256}})
	verified, err := verifier.Verify(context.Background(), token.AccessToken)
	if err != nil {
		panic(err)
	}
	fmt.Println(token.TokenType, verified.Subject, token.Extra("scope"))
	// Output: Bearer job reports:read
}

// A public client has no secret and proves with PKCE that the code is its own.
func ExampleIssuer_AddClient_public() {
	issuer := providertest.Start(providertest.WithAlgorithms("ES256"))
	defer issuer.Close()
	issuer.AddUser(registration.User{Username: "ada", Groups: []string{"staff"}}, "secret")
	cli := issuer.AddClient(registration.Client{
		ClientID: "cli", TokenEndpointAuthMethod: registration.AuthMethodNone, RedirectURIs: []string{"http://127.0.0.1/callback"},
		Consent: registration.ConsentNever, AllowedGroups: []string{"staff"},
	})
	config := oauth2.Config{
		ClientID: cli.ClientID, RedirectURL: "http://127.0.0.1:51004/callback", Scopes: []string{"openid"}, // any port will do
		Endpoint: oauth2.Endpoint{AuthURL: issuer.Endpoint("/oauth2/authorize"), TokenURL: issuer.Endpoint("/oauth2/token")},
	}
	verifier := oauth2.GenerateVerifier()
	callback := issuer.NewBrowser(nil).Authorize(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), "ada", "secret")
	_, err := config.Exchange(context.Background(), callback.Query().Get("code"))
	fmt.Println("without the verifier:", err != nil)
	_, err = config.Exchange(context.Background(), callback.Query().Get("code"), oauth2.VerifierOption(verifier))
	fmt.Println("with it:", err)
	// Output:
	// without the verifier: true
	// with it: <nil>
}

// Keys change while applications run: one that reads the JWKS only once fails here.
func ExampleIssuer_AddKey() {
	issuer := providertest.Start(providertest.WithAlgorithms("ES256"))
	defer issuer.Close()
	kid := issuer.AddKey("ES256", issuer.Clock.Now().Add(-time.Hour)) // older than the other one, so that it signs
	signer, _ := issuer.Registry.Keys().Signer("")
	fmt.Println(signer.KeyID() == kid)
	// Output: true
}
