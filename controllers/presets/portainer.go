package presets

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The keys of what Portainer's API takes, and of what people enter in its form.
const (
	portainerJSON = "portainer-settings.json"
	portainerText = "portainer-oauth.txt"
)

// portainerOAuth is Portainer's number for OAuth among its ways to log in.
const portainerOAuth = 3

// portainer is Portainer. It sends no code challenge, takes the name from userinfo, tries both ways to send its secret, and
// has no use for refresh tokens.
func portainer(c *v1alpha1.OIDCClient) *Preset {
	p := c.Spec.Preset.Portainer
	return &Preset{
		Name: "portainer",
		Defaults: v1alpha1.OIDCClientSpec{
			DisplayName:              "Portainer",
			RedirectURIs:             []string{p.URL},
			PostLogoutRedirectURIs:   []string{p.URL},
			GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
			Scopes:                   withScopeOf(portainerIdentifier(p), []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail}),
			IDTokenSignedResponseAlg: "RS256",
			ClaimsIn:                 v1alpha1.ClaimsInBoth,
		},
		Secret: anySecret(),
		Files:  portainerFiles,
	}
}

func portainerIdentifier(p *v1alpha1.PortainerPreset) string {
	return orElse(p.UserIdentifier, "preferred_username")
}

// portainerSettings is the body of PUT /api/settings; what it does not hold stays as it is.
type portainerSettings struct {
	AuthenticationMethod int                    `json:"AuthenticationMethod"`
	OAuth                portainerOAuthSettings `json:"OAuthSettings"`
}

type portainerOAuthSettings struct {
	ClientID         string `json:"ClientID"`
	ClientSecret     string `json:"ClientSecret"`
	AccessTokenURI   string `json:"AccessTokenURI"`
	AuthorizationURI string `json:"AuthorizationURI"`
	ResourceURI      string `json:"ResourceURI"`
	RedirectURI      string `json:"RedirectURI"`
	LogoutURI        string `json:"LogoutURI"`
	UserIdentifier   string `json:"UserIdentifier"`
	Scopes           string `json:"Scopes"`
	AutoCreateUsers  bool   `json:"OAuthAutoCreateUsers"`
	DefaultTeamID    int32  `json:"DefaultTeamID"`
	SSO              bool   `json:"SSO"`
}

func portainerFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	p := spec.Preset.Portainer
	if err := checkLines("portainer", p); err != nil {
		return nil, err
	}
	switch {
	case !issued.Client.HasSecret():
		return nil, errors.New("spec.tokenEndpointAuthMethod must be unset, client_secret_basic or client_secret_post, because Portainer has nothing but a secret to prove who it is")
	case spec.PKCE == v1alpha1.PKCERequired:
		return nil, errors.New("spec.pkce must be unset or Optional, because Portainer sends no code challenge")
	case spec.UserinfoSignedResponseAlg != "":
		return nil, errors.New("spec.userinfoSignedResponseAlg must be unset, because Portainer reads plain JSON")
	}
	if err := checkScopeOf(portainerIdentifier(p), "spec.preset.portainer.userIdentifier", issued.Client.Scopes()); err != nil {
		return nil, err
	}
	settings := portainerOAuthSettings{
		ClientID: issued.Client.ClientID(), ClientSecret: issued.Secret,
		AccessTokenURI:   oidc.Endpoint(issued.Issuer, oidc.PathToken),
		AuthorizationURI: oidc.Endpoint(issued.Issuer, oidc.PathAuthorization),
		ResourceURI:      oidc.Endpoint(issued.Issuer, oidc.PathUserinfo),
		RedirectURI:      spec.RedirectURIs[0],
		UserIdentifier:   portainerIdentifier(p),
		// Portainer puts them into the address as they are: commas would become part of their names.
		Scopes:          strings.Join(issued.Client.Scopes(), " "),
		AutoCreateUsers: isTrue(p.AutoCreateUsers, true),
		SSO:             isTrue(p.SSO, true),
	}
	if p.DefaultTeamID != nil {
		settings.DefaultTeamID = *p.DefaultTeamID
	}
	if isTrue(p.Logout, true) && len(spec.PostLogoutRedirectURIs) > 0 {
		settings.LogoutURI = logoutURL(issued, spec.PostLogoutRedirectURIs[0])
	}
	body, err := marshalJSON(portainerSettings{AuthenticationMethod: portainerOAuth, OAuth: settings})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{portainerJSON: body, portainerText: settings.form()}, nil
}

// form returns Portainer's form with its labels, in their order.
func (s portainerOAuthSettings) form() []byte {
	onOff := map[bool]string{true: "on", false: "off"}
	team := "none"
	if s.DefaultTeamID != 0 {
		team = "number " + strconv.Itoa(int(s.DefaultTeamID))
	}
	var text bytes.Buffer
	text.WriteString("Settings > Authentication > OAuth > Custom\n\n")
	for _, field := range [][2]string{
		{"Use SSO", onOff[s.SSO]},
		{"Automatic user provisioning", onOff[s.AutoCreateUsers]},
		{"Default team", team},
		{"Client ID", s.ClientID},
		{"Client secret", s.ClientSecret},
		{"Authorization URL", s.AuthorizationURI},
		{"Access token URL", s.AccessTokenURI},
		{"Resource URL", s.ResourceURI},
		{"Redirect URL", s.RedirectURI},
		{"Logout URL", s.LogoutURI},
		{"User identifier", s.UserIdentifier},
		{"Scopes", s.Scopes},
		{"Auth Style", "Auto Detect"},
	} {
		fmt.Fprintf(&text, "%-28s %s\n", field[0]+":", field[1])
	}
	return text.Bytes()
}
