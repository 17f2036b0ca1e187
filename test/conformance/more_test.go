package conformance_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

const (
	api      = "https://api.example.com"
	otherAPI = "https://other.example.com/v1"
)

// moreClients are those for what is beyond the Foundation's profiles.
func moreClients(site string) []registration.Client {
	callback := []string{site + "/callback"}
	people := "openid profile email offline_access"
	codeAndRefresh := []string{registration.GrantCode, registration.GrantRefreshToken}
	return []registration.Client{
		{ClientID: "asking", Scope: people, RedirectURIs: callback, Consent: registration.ConsentAlways, GrantTypes: codeAndRefresh},
		{ClientID: "cautious", Scope: people, RedirectURIs: callback, GrantTypes: codeAndRefresh},
		{
			ClientID: "native", TokenEndpointAuthMethod: registration.AuthMethodNone, Scope: people, GrantTypes: codeAndRefresh,
			RedirectURIs: []string{"http://127.0.0.1/callback", "http://[::1]/callback", "com.example.app:/callback"},
		},
		{
			ClientID: "resources", Scope: people, GrantTypes: codeAndRefresh, RedirectURIs: callback, Consent: registration.ConsentNever,
			AccessTokenFormat: registration.FormatJWT, Resources: []string{api, otherAPI},
		},
		{
			ClientID: "service", Scope: "read write", GrantTypes: []string{registration.GrantClientCredentials}, Resources: []string{api},
			AccessTokenFormat: registration.FormatJWT,
		},
		{ClientID: "worker", Scope: "read write", GrantTypes: []string{registration.GrantClientCredentials}},
		{
			ClientID: "signer", TokenEndpointAuthMethod: registration.AuthMethodPrivateKeyJWT, JWKS: signerJWKS(), RedirectURIs: callback,
			Scope: people + " read", GrantTypes: append(codeAndRefresh, registration.GrantClientCredentials), Consent: registration.ConsentNever,
		},
		{
			ClientID: "television", TokenEndpointAuthMethod: registration.AuthMethodNone, Scope: people,
			GrantTypes: []string{registration.GrantDeviceCode, registration.GrantRefreshToken},
		},
		{ClientID: "pushing", Scope: people, RedirectURIs: callback, RequirePushedRequests: true, GrantTypes: codeAndRefresh, Consent: registration.ConsentNever},
		{
			ClientID: "bound", Scope: people, RedirectURIs: callback, DPoPBoundAccessTokens: true, GrantTypes: codeAndRefresh,
			Consent: registration.ConsentNever,
		},
		{
			ClientID: "signing", Scope: people, RedirectURIs: callback, JWKS: signerJWKS(), RequestObjectSigningAlg: "ES256", RequireSignedRequestObject: true,
			GrantTypes: codeAndRefresh, Consent: registration.ConsentNever,
		},
		{ClientID: "strict", Scope: people, RedirectURIs: callback, RequirePKCE: true, GrantTypes: codeAndRefresh, Consent: registration.ConsentNever},
		{ClientID: "pairwise-a", Scope: people, RedirectURIs: callback, SubjectMode: registration.SubjectPairwise, SectorIdentifier: "a.example.com", GrantTypes: codeAndRefresh, Consent: registration.ConsentNever},
		{ClientID: "pairwise-b", Scope: people, RedirectURIs: callback, SubjectMode: registration.SubjectPairwise, SectorIdentifier: "b.example.com", GrantTypes: codeAndRefresh, Consent: registration.ConsentNever},
		{
			ClientID: "es256", Scope: people, RedirectURIs: callback, IDTokenSignedResponseAlg: "ES256", UserinfoSignedResponseAlg: "ES256",
			GrantTypes: codeAndRefresh, Consent: registration.ConsentNever,
		},
		{
			ClientID: "node", Scope: people + " read", RedirectURIs: callback, PostLogoutRedirectURIs: []string{site + "/bye"},
			GrantTypes: registration.GrantTypes(), Consent: registration.ConsentNever, Resources: []string{api},
		},
	}
}

// signerKey is the key of the client "signer".
var signerKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

func signerJWKS() json.RawMessage {
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: signerKey().Public(), KeyID: "signer-1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		panic(err)
	}
	return jwks
}
