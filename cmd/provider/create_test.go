package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func settingsDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	created(t, "", "settings", "create", "--registrations", dir)
	return dir
}

func parsed[D any, P interface {
	*D
	registration.Document
}](t *testing.T, file string) *D {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := registration.Parse[D, P](data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func keySet(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Each flag arrives in the registration, which is valid, and a client has a secret only when it needs one.
func TestCreateClient(t *testing.T) {
	jwks := keySet(t)
	for name, c := range map[string]struct {
		stdin  string
		args   []string
		want   registration.Client
		secret bool
	}{
		"as little as can be": {"", []string{"--redirect-uri", callback}, registration.Client{
			RedirectURIs: []string{callback}, Scope: "openid profile email groups", Consent: "Remember",
		}, true},
		"a native application": {"", []string{"--public", "--redirect-uri", "http://127.0.0.1/cb", "--grant-type", "authorization_code", "--grant-type", "refresh_token", "--scope", "openid offline_access"}, registration.Client{
			RedirectURIs: []string{"http://127.0.0.1/cb"}, Scope: "openid offline_access", Consent: "Remember", TokenEndpointAuthMethod: "none",
			GrantTypes: []string{"authorization_code", "refresh_token"},
		}, false},
		"a device": {"", []string{"--auth-method", "none", "--grant-type", "device_code"}, registration.Client{
			Scope: "openid profile email groups", Consent: "Remember", TokenEndpointAuthMethod: "none", GrantTypes: []string{registration.GrantDeviceCode},
		}, false},
		"a machine": {"", []string{"--grant-type", "client_credentials", "--access-token-format", "JWT", "--resource", "https://api.example.com", "--auth-method", "client_secret_basic", "--require-dpop"}, registration.Client{
			Consent: "Remember", TokenEndpointAuthMethod: "client_secret_basic", GrantTypes: []string{"client_credentials"}, AccessTokenFormat: "JWT",
			Resources: []string{"https://api.example.com"}, DPoPBoundAccessTokens: true,
		}, true},
		"a machine with scopes": {"", []string{"--grant-type", "client_credentials", "--scope", "reports:read reports:write"}, registration.Client{
			Scope: "reports:read reports:write", Consent: "Remember", GrantTypes: []string{"client_credentials"},
		}, true},
		"with keys": {jwks, []string{"--redirect-uri", callback, "--auth-method", "private_key_jwt", "--jwks-file", "-"}, registration.Client{
			RedirectURIs: []string{callback}, Scope: "openid profile email groups", Consent: "Remember", TokenEndpointAuthMethod: "private_key_jwt", JWKS: json.RawMessage(jwks),
		}, false},
		"with keys elsewhere": {"", []string{"--redirect-uri", callback, "--auth-method", "private_key_jwt", "--jwks-uri", "https://app.example.com/jwks", "--assertion-audience", "Issuer"}, registration.Client{
			RedirectURIs: []string{callback}, Scope: "openid profile email groups", Consent: "Remember", TokenEndpointAuthMethod: "private_key_jwt", JWKSURI: "https://app.example.com/jwks",
			ClientAssertionAudience: "Issuer",
		}, false},
		"all the rest": {"", []string{
			"--redirect-uri", callback, "--name", "App", "--post-logout-redirect-uri", "https://app.example.com/", "--subject-mode", "Pairwise",
			"--sector-identifier", "example.com", "--allowed-group", "staff", "--allowed-group", "admins", "--backchannel-logout-uri", "https://app.example.com/bc",
			"--backchannel-logout-session-required", "--frontchannel-logout-uri", "https://app.example.com/fc", "--frontchannel-logout-session-required",
			"--require-pkce", "--require-par", "--require-signed-request-object", "--request-object-alg", "ES256", "--jwks-uri", "https://app.example.com/jwks", "--id-token-alg", "ES256", "--userinfo-alg", "ES256", "--consent", "Always",
		}, registration.Client{
			ClientName: "App", RedirectURIs: []string{callback}, PostLogoutRedirectURIs: []string{"https://app.example.com/"}, Scope: "openid profile email groups",
			SubjectMode: "Pairwise", SectorIdentifier: "example.com", AllowedGroups: []string{"staff", "admins"},
			BackchannelLogoutURI: "https://app.example.com/bc", BackchannelLogoutSessionRequired: true,
			FrontchannelLogoutURI: "https://app.example.com/fc", FrontchannelLogoutSessionRequired: true,
			RequirePKCE: true, RequirePushedRequests: true, RequireSignedRequestObject: true, RequestObjectSigningAlg: "ES256", JWKSURI: "https://app.example.com/jwks",
			IDTokenSignedResponseAlg: "ES256", UserinfoSignedResponseAlg: "ES256", Consent: "Always",
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			answer := created(t, c.stdin, append([]string{"client", "create", "app", "--registrations", dir}, c.args...)...)
			got := parsed[registration.Client](t, filepath.Join(dir, "app.client.json"))
			if answer["client_id"] != "app" || (answer["client_secret"] != "") != c.secret || len(got.Secrets) > 0 != c.secret {
				t.Errorf("the answer is %v, and there are %d secrets", answer, len(got.Secrets))
			}
			if c.secret && !registration.CheckSecret(got.Secrets[0].Hash, answer["client_secret"]) {
				t.Error("the hash is not that of the secret")
			}
			c.want.ClientID, got.Secrets = "app", nil
			got.JWKS, c.want.JWKS = compact(t, got.JWKS), compact(t, c.want.JWKS)
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("the client is\n%+v, not\n%+v", *got, c.want)
			}
		})
	}
}

func compact(t *testing.T, text json.RawMessage) json.RawMessage {
	t.Helper()
	if len(text) == 0 {
		return nil
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCreateSettings(t *testing.T) {
	salts := map[string]bool{}
	for range 2 {
		dir := t.TempDir()
		created(t, "", "settings", "create", "--registrations", dir, "--title", "Example", "--accent-color", "#0a6", "--session-idle", "1h")
		s := parsed[registration.Settings](t, filepath.Join(dir, "settings.json"))
		if s.Branding.Title != "Example" || s.Branding.AccentColor != "#0a6" || s.Sessions.Idle != registration.Duration(time.Hour) || s.Sessions.Absolute != 0 || salts[s.PairwiseSalt] {
			t.Errorf("the settings are %+v", s)
		}
		salts[s.PairwiseSalt] = true
	}
}
