package providertest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Where there is no test to fail, a mistake must not go unnoticed.
func TestStartPanics(t *testing.T) {
	issuer := providertest.Start(providertest.WithAlgorithms("ES256"))
	for name, mistake := range map[string]func(){
		"redirect_uris": func() { issuer.AddClient(registration.Client{ClientID: "app"}) },
		"login stops":   func() { issuer.NewBrowser(nil).Authorize(issuer.URL, "ada", "secret") },
	} {
		func() {
			defer func() {
				if said, _ := recover().(string); !strings.Contains(said, name) {
					t.Errorf("instead of %s it says %q", name, said)
				}
			}()
			mistake()
		}()
	}
	issuer.Close()
	if response, err := http.Get(issuer.URL); err == nil {
		response.Body.Close()
		t.Error("a closed issuer answers")
	}
}

func TestSecrets(t *testing.T) {
	issuer := providertest.New(t, providertest.WithAlgorithms("ES256"), providertest.WithPath("/realm"), providertest.WithTLS())
	if !strings.HasPrefix(issuer.URL, "https://") || !strings.HasSuffix(issuer.URL, "/realm") {
		t.Errorf("the issuer is %s", issuer.URL)
	}
	for name, c := range map[string]struct {
		client registration.Client
		secret string
	}{
		"any":    {registration.Client{}, "secret-of-any"},
		"public": {registration.Client{TokenEndpointAuthMethod: registration.AuthMethodNone}, ""},
		"keys":   {registration.Client{TokenEndpointAuthMethod: registration.AuthMethodPrivateKeyJWT, JWKSURI: "https://app.example.com/jwks"}, ""},
	} {
		c.client.ClientID, c.client.RedirectURIs = name, []string{"https://app.example.com/callback"}
		if app := issuer.AddClient(c.client); app.Secret != c.secret || len(app.Secrets) > 0 != (c.secret != "") {
			t.Errorf("%s has the secret %q", name, app.Secret)
		}
	}
}
