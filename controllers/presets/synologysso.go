package presets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The keys of what an application of Synology SSO Server is told.
const (
	ssoAppID  = "app_id"
	ssoServer = "oauthserver_url"
	ssoJSON   = "synology-sso.json"
)

// synologySSO is an application that was written for Synology SSO Server. It gets the name of whoever logs in and nothing else, and
// speaks no OpenID Connect; its redirect URIs are registered for that, too, so that it can be changed to it one day.
func synologySSO(c *v1alpha1.OIDCClient) *Preset {
	d := c.Spec.Preset.SynologySSO
	return &Preset{
		Name: "synologySSO",
		Defaults: v1alpha1.OIDCClientSpec{
			RedirectURIs: d.RedirectURIs,
			GrantTypes:   []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
			Scopes:       []string{oidc.ScopeOpenID, oidc.ScopeProfile},
			PKCE:         v1alpha1.PKCERequired,
		},
		Secret: anySecret(),
		Files:  ssoFiles,
	}
}

// SynologySSO returns what the client is registered with for the protocol of Synology SSO Server; nil: it does not speak it.
func SynologySSO(c *v1alpha1.OIDCClient) *registration.SynologySSOClient {
	if c.Spec.Preset == nil || c.Spec.Preset.SynologySSO == nil {
		return nil
	}
	d := c.Spec.Preset.SynologySSO
	return &registration.SynologySSOClient{
		AppID:        orElse(d.AppID, registration.SynologyAppID(c.ClientID())),
		RedirectURIs: d.RedirectURIs,
	}
}

// ssoInit is what an application gives to SYNOSSO.init, besides its callback.
type ssoInit struct {
	Server      string `json:"oauthserver_url"`
	AppID       string `json:"app_id"`
	RedirectURI string `json:"redirect_uri"`
}

func ssoFiles(issued Issued) (map[string][]byte, error) {
	issuer, err := url.Parse(issued.Issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	server, app := issuer.Scheme+"://"+issuer.Host, SynologySSO(issued.Client)
	var inits []ssoInit
	for _, uri := range app.RedirectURIs {
		inits = append(inits, ssoInit{server, app.AppID, uri})
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(inits); err != nil {
		return nil, fmt.Errorf("encode %s: %w", ssoJSON, err)
	}
	return map[string][]byte{ssoAppID: []byte(app.AppID), ssoServer: []byte(server), ssoJSON: encoded.Bytes()}, nil
}
