package provider_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
)

func metadata(t *testing.T, issuer *providertest.Issuer) oidc.Metadata {
	t.Helper()
	var m oidc.Metadata
	if err := json.Unmarshal([]byte(get(t, issuer, oidc.PathDiscovery).raw), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// An issuer may have a path (OpenID Connect Discovery 4.1), and is used to the letter everywhere (4.3).
func TestWholeLoginForEveryFormOfIssuer(t *testing.T) {
	for name, opts := range map[string][]providertest.Option{
		"http on loopback":             nil,
		"https":                        {providertest.WithTLS()},
		"with a path":                  {providertest.WithPath("/realms/one")},
		"with a slash at its end":      {providertest.WithPath("/")},
		"with a path and a slash":      {providertest.WithPath("/realm/")},
		"with an escape in its path":   {providertest.WithPath("/a%20b")},
		"https, with a path and slash": {providertest.WithTLS(), providertest.WithPath("/realm/")},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, app := newIssuer(t, opts...)
			token, idToken := newRelyingParty(t, issuer, app, "email").login()
			if idToken.Issuer != issuer.URL || idToken.Subject != "sub-ada" {
				t.Errorf("the ID token is of %q for %q", idToken.Issuer, idToken.Subject)
			}
			if info := userinfo(t, issuer, token.AccessToken); info.text("email") != "ada@example.com" {
				t.Errorf("userinfo answers %d %s", info.status, info.raw)
			}
		})
	}
}

// Discovery names only what works (OpenID Connect Discovery 3).
func TestDiscoveryIsHonest(t *testing.T) {
	issuer, _ := newIssuer(t)
	m := metadata(t, issuer)
	for name, ok := range map[string]bool{
		"issuer is the configured one":           m.Issuer == issuer.URL,
		"response types":                         slices.Equal(m.ResponseTypesSupported, []string{"code"}),
		"response modes":                         slices.Equal(m.ResponseModesSupported, []string{"query", "form_post"}),
		"grant types":                            slices.Equal(m.GrantTypesSupported, []string{"authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"}),
		"S256 is the only challenge":             slices.Equal(m.CodeChallengeMethodsSupported, []string{"S256"}),
		"subject types":                          slices.Equal(m.SubjectTypesSupported, []string{"public", "pairwise"}),
		"algorithms are those of the keys":       slices.Equal(m.IDTokenSigningAlgValuesSupported, []string{"ES256"}),
		"iss is in the answers (RFC 9207 3)":     m.AuthorizationResponseIssParameterSupported,
		"request objects by value only":          m.RequestParameterSupported && !m.RequestURIParameterSupported && !m.RequireSignedRequestObject,
		"request objects, signed and unsigned":   slices.Contains(m.RequestObjectSigningAlgValuesSupported, "none") && slices.Contains(m.RequestObjectSigningAlgValuesSupported, "ES256") && !slices.Contains(m.RequestObjectSigningAlgValuesSupported, "HS256"),
		"openid is among the scopes":             slices.Contains(m.ScopesSupported, "openid"),
		"authentication methods are those taken": slices.Equal(m.TokenEndpointAuthMethodsSupported, []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}),
		"signed assertions (RFC 8414 2)":         slices.Contains(m.TokenEndpointAuthSigningAlgValuesSupported, "ES256") && !slices.Contains(m.TokenEndpointAuthSigningAlgValuesSupported, "none"),
		"introspection (RFC 8414 2)":             m.IntrospectionEndpoint == issuer.Endpoint("/oauth2/introspect") && !slices.Contains(m.IntrospectionEndpointAuthMethodsSupported, "none"),
		"revocation (RFC 8414 2)":                m.RevocationEndpoint == issuer.Endpoint("/oauth2/revoke") && slices.Contains(m.RevocationEndpointAuthMethodsSupported, "none"),
		"DPoP (RFC 9449 5.1)":                    slices.Contains(m.DPoPSigningAlgValuesSupported, "ES256") && !slices.Contains(m.DPoPSigningAlgValuesSupported, "HS256"),
		"userinfo is signed by the same keys":    slices.Equal(m.UserinfoSigningAlgValuesSupported, m.IDTokenSigningAlgValuesSupported),
	} {
		if !ok {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if !strings.Contains(get(t, issuer, oidc.PathDiscovery).raw, `"request_uri_parameter_supported":false`) {
		t.Error("request_uri_parameter_supported is left out, which means true")
	}
}

// RFC 8414 3 and 3.1: the same metadata by its OAuth 2.0 name, for an issuer with a path in both places.
func TestServerMetadata(t *testing.T) {
	for _, path := range []string{"", "/", "/realm", "/realm/", "/a%20b"} {
		t.Run(path, func(t *testing.T) {
			issuer, _ := newIssuer(t, providertest.WithPath(path))
			want := get(t, issuer, oidc.PathDiscovery).raw
			host := strings.TrimSuffix(issuer.URL, path)
			for _, url := range []string{issuer.Endpoint(oidc.PathServerMetadata), host + oidc.PathServerMetadata + strings.TrimSuffix(path, "/")} {
				got := send(t, issuer, newRequest(t, http.MethodGet, url, nil))
				if got.status != http.StatusOK || got.raw != want || got.text("issuer") != issuer.URL {
					t.Errorf("%s answers %d %s", url, got.status, got.raw)
				}
			}
		})
	}
}

func TestDocumentsAreCacheable(t *testing.T) {
	for _, path := range []string{oidc.PathDiscovery, oidc.PathJWKS} {
		t.Run(path, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			first := get(t, issuer, path)
			etag := first.header.Get("ETag")
			if first.status != http.StatusOK || etag == "" || first.header.Get("Content-Type") != "application/json" ||
				!strings.HasPrefix(first.header.Get("Cache-Control"), "public, max-age=") {
				t.Fatalf("answers %d with %v", first.status, first.header)
			}
			for name, want := range map[string]struct {
				match  string
				status int
			}{
				"the same":           {etag, http.StatusNotModified},
				"the same, weakly":   {"W/" + etag, http.StatusNotModified},
				"one of several":     {`"x", ` + etag, http.StatusNotModified},
				"anything":           {"*", http.StatusNotModified},
				"something else":     {`"x"`, http.StatusOK},
				"a part of the same": {etag[:len(etag)-2], http.StatusOK},
			} {
				if got := get(t, issuer, path, "If-None-Match", want.match); got.status != want.status {
					t.Errorf("%s: answers %d", name, got.status)
				}
			}
			head := send(t, issuer, newRequest(t, http.MethodHead, issuer.Endpoint(path), nil))
			if head.status != http.StatusOK || head.raw != "" || head.header.Get("Content-Length") != first.header.Get("Content-Length") {
				t.Errorf("HEAD answers %d with %v", head.status, head.header)
			}
		})
	}
}

func TestDocumentsFollowTheKeys(t *testing.T) {
	issuer, _ := newIssuer(t)
	before := get(t, issuer, oidc.PathJWKS).header.Get("ETag")
	kid := issuer.AddKey("EdDSA", time.Now())
	after := get(t, issuer, oidc.PathJWKS)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(after.raw), &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Key(kid)) != 1 || after.header.Get("ETag") == before {
		t.Errorf("the new key is not in %s", after.raw)
	}
	for _, key := range set.Keys {
		if !key.IsPublic() || key.Use != "sig" || key.KeyID == "" || key.Algorithm == "" {
			t.Errorf("key %q is not fit for a JWKS", key.KeyID)
		}
	}
	if got := metadata(t, issuer).IDTokenSigningAlgValuesSupported; !slices.Equal(got, []string{"ES256", "EdDSA"}) {
		t.Errorf("algorithms are %v", got)
	}
}

func TestWithoutAKeyDiscoverySaysSo(t *testing.T) {
	issuer := providertest.New(t, providertest.WithAlgorithms())
	got := get(t, issuer, oidc.PathDiscovery)
	if got.status != http.StatusServiceUnavailable || got.text("error_description") != "no signing key is active" || got.header.Get("Retry-After") == "" {
		t.Errorf("answers %d %s", got.status, got.raw)
	}
	if got := get(t, issuer, oidc.PathJWKS); got.status != http.StatusOK {
		t.Errorf("the JWKS, by which older tokens are still verified, answers %d", got.status)
	}
}

func TestNothingIsServedBeforeTheRegistrationsAreRead(t *testing.T) {
	var synced atomic.Bool
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Synced = synced.Load }))
	paths := []string{oidc.PathDiscovery, oidc.PathUserinfo, "/login", "/"}
	for _, path := range paths {
		if got := get(t, issuer, path); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s answers %d before", path, got.status)
		}
	}
	synced.Store(true)
	for _, path := range paths {
		if got := get(t, issuer, path); got.status == http.StatusServiceUnavailable {
			t.Errorf("%s answers 503 after", path)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, c := range map[string]struct{ url, says string }{
		"http on another host": {"http://id.example.com", "https"},
		"a query":              {"https://id.example.com/?a=b", "query"},
		"a fragment":           {"https://id.example.com/#a", "fragment"},
		"no URL":               {"id.example.com", "absolute"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provider.New(provider.Options{Issuer: c.url, Registry: issuer.Registry, Store: issuer.Store})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithPath("/realm"))
	get(t, issuer, oidc.PathDiscovery) // from now on it is served by the shorter way
	for name, c := range map[string]struct {
		method, url string
		status      int
		allow       string
	}{
		"a page that is not there":      {http.MethodGet, issuer.URL + "/nope", http.StatusNotFound, ""},
		"above the issuer":              {http.MethodGet, strings.TrimSuffix(issuer.URL, "/realm") + "/login", http.StatusNotFound, ""},
		"GET at the token endpoint":     {http.MethodGet, issuer.URL + "/oauth2/token", http.StatusMethodNotAllowed, "POST"},
		"PUT at the userinfo endpoint":  {http.MethodPut, issuer.URL + "/oauth2/userinfo", http.StatusMethodNotAllowed, "GET, POST"},
		"POST at the discovery":         {http.MethodPost, issuer.URL + oidc.PathDiscovery, http.StatusMethodNotAllowed, "GET, HEAD"},
		"DELETE at the login page":      {http.MethodDelete, issuer.URL + "/login", http.StatusMethodNotAllowed, "GET, HEAD, POST"},
		"an asset that is not there":    {http.MethodGet, issuer.URL + "/assets/style.css", http.StatusNotFound, ""},
		"an asset outside of the asset": {http.MethodGet, issuer.URL + "/assets/..%2f..%2frender.go", http.StatusNotFound, ""},
		// Nothing repeats a form, though it were here: RFC 9700 section 4.12.
		"a form to a path with a slash more":   {http.MethodPost, issuer.URL + "//oauth2/token", http.StatusNotFound, ""},
		"a form to a path with dots":           {http.MethodPost, issuer.URL + "/assets/../login", http.StatusNotFound, ""},
		"a form to a path with a slash behind": {http.MethodPost, issuer.URL + "/login/", http.StatusNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, issuer, newRequest(t, c.method, c.url, nil))
			if got.status != c.status || got.header.Get("Allow") != c.allow || got.header.Get("X-Request-Id") == "" {
				t.Errorf("answers %d with %v", got.status, got.header)
			}
		})
	}
}
