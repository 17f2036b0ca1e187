package presets

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// grafanaFile is the key of Grafana's configuration.
const grafanaFile = "grafana.ini"

// grafanaVariable begins the names of the variables that stand for the settings in that file.
const grafanaVariable = "GF_AUTH_GENERIC_OAUTH_"

// grafana is Grafana. It reads the ID token and userinfo, refreshes its tokens, and so notices within their lifetime that a
// login session has ended: its refresh tokens are those of the session, without offline_access.
func grafana(c *v1alpha1.OIDCClient) *Preset {
	base := withoutSlash(c.Spec.Preset.Grafana.RootURL)
	return &Preset{
		Name: "grafana",
		Defaults: v1alpha1.OIDCClientSpec{
			DisplayName:              "Grafana",
			RedirectURIs:             []string{base + "/login/generic_oauth"},
			PostLogoutRedirectURIs:   []string{base + "/login"},
			GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode, v1alpha1.GrantTypeRefreshToken},
			Scopes:                   []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, oidc.ScopeGroups},
			TokenEndpointAuthMethod:  "client_secret_basic",
			PKCE:                     v1alpha1.PKCERequired,
			IDTokenSignedResponseAlg: "RS256",
			ClaimsIn:                 v1alpha1.ClaimsInBoth,
		},
		Secret: anySecret(),
		Files:  grafanaFiles,
	}
}

func grafanaFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	g := spec.Preset.Grafana
	if err := checkLines("grafana", g); err != nil {
		return nil, err
	}
	if err := checkMountPath("spec.preset.grafana.secretMountPath", g.SecretMountPath); err != nil {
		return nil, err
	}
	if spec.TokenEndpointAuthMethod == "private_key_jwt" {
		return nil, errors.New("spec.tokenEndpointAuthMethod must not be private_key_jwt, because Grafana has no key to sign with; remove it to get client_secret_basic")
	}
	if spec.UserinfoSignedResponseAlg != "" {
		return nil, errors.New("spec.userinfoSignedResponseAlg must be unset, because Grafana reads plain JSON")
	}
	if g.Roles != nil {
		if err := checkScopeOf("groups", "spec.preset.grafana.roles", issued.Client.Scopes()); err != nil {
			return nil, err
		}
	}
	settings := grafanaSettings(issued)
	for name, value := range g.Settings {
		settings[name] = string(value)
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		for _, replaced := range []string{"${", "$__", "%("} {
			if strings.Contains(settings[name], replaced) {
				return nil, fmt.Errorf("spec.preset.grafana makes the setting %s hold %s, which Grafana replaces by something else; write it in another way", name, replaced)
			}
		}
		if err := oidc.ValidateDisplayText(settings[name]); err != nil {
			return nil, fmt.Errorf("spec.preset.grafana: the setting %s %w", name, err)
		}
	}
	settings["client_secret"] = issued.Secret
	files := map[string][]byte{}
	for name, value := range settings {
		files[grafanaVariable+strings.ToUpper(name)] = []byte(value)
	}
	if issued.Secret != "" && g.SecretDelivery != v1alpha1.SecretDeliveryInline {
		settings["client_secret"] = "$__file{" + path.Join(orElse(g.SecretMountPath, defaultMountPath), issued.SecretKey) + "}"
	}
	var ini strings.Builder
	ini.WriteString("[auth.generic_oauth]\n")
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&ini, "%s = %s\n", name, iniValue(settings[name]))
	}
	files[grafanaFile] = []byte(ini.String())
	return files, nil
}

// grafanaSettings returns the section without the client secret.
func grafanaSettings(issued Issued) map[string]string {
	spec := issued.Client.Spec
	g := spec.Preset.Grafana
	settings := map[string]string{
		"enabled":               "true",
		"name":                  orElse(g.Name, "SSO"),
		"allow_sign_up":         strconv.FormatBool(isTrue(g.AllowSignUp, true)),
		"auto_login":            strconv.FormatBool(isTrue(g.AutoLogin, false)),
		"client_id":             issued.Client.ClientID(),
		"scopes":                strings.Join(issued.Client.Scopes(), " "),
		"auth_url":              oidc.Endpoint(issued.Issuer, oidc.PathAuthorization),
		"token_url":             oidc.Endpoint(issued.Issuer, oidc.PathToken),
		"api_url":               oidc.Endpoint(issued.Issuer, oidc.PathUserinfo),
		"auth_style":            "InHeader",
		"use_pkce":              strconv.FormatBool(spec.PKCE == v1alpha1.PKCERequired),
		"use_refresh_token":     strconv.FormatBool(slices.Contains(issued.Client.GrantTypes(), v1alpha1.GrantTypeRefreshToken)),
		"login_attribute_path":  "preferred_username",
		"name_attribute_path":   "name",
		"email_attribute_path":  "email",
		"groups_attribute_path": "groups",
	}
	if spec.TokenEndpointAuthMethod == "client_secret_post" || spec.TokenEndpointAuthMethod == "none" {
		settings["auth_style"] = "InParams"
	}
	if isTrue(g.SignOut, true) && len(spec.PostLogoutRedirectURIs) > 0 {
		settings["signout_redirect_url"] = logoutURL(issued, spec.PostLogoutRedirectURIs[0])
	}
	if g.CAFile != "" {
		settings["tls_client_ca"] = g.CAFile
	}
	maps.Copy(settings, grafanaRoleSettings(g))
	return settings
}

func grafanaRoleSettings(g *v1alpha1.GrafanaPreset) map[string]string {
	switch {
	case g.RoleAttributePath != "":
		// It may have been written in several lines, as JMESPath allows.
		return map[string]string{"role_attribute_path": strings.TrimSpace(strings.NewReplacer("\r\n", " ", "\n", " ").Replace(g.RoleAttributePath))}
	case g.Roles == nil && (g.Settings["role_attribute_path"] != "" || g.Settings["org_mapping"] != ""):
		return nil // roles come from those, and Grafana would not look at them
	case g.Roles == nil:
		// Otherwise everybody would be put back to auto_assign_org_role at every login.
		return map[string]string{"skip_org_role_sync": "true"}
	}
	others := g.Roles.Others
	if others == "" && len(g.Roles.Viewer) > 0 {
		others = v1alpha1.GrafanaOthersDeny
	}
	var path []string
	for _, role := range []struct {
		name   string
		groups []string
	}{{"GrafanaAdmin", g.Roles.GrafanaAdmin}, {"Admin", g.Roles.Admin}, {"Editor", g.Roles.Editor}, {"Viewer", g.Roles.Viewer}} {
		for _, group := range role.groups {
			// Whoever is in no group has no such claim.
			path = append(path, "contains(groups || `[]`, "+jmesText(group)+") && '"+role.name+"'")
		}
	}
	settings := map[string]string{}
	if others == v1alpha1.GrafanaOthersDeny {
		settings["role_attribute_strict"] = "true"
	} else {
		path = append(path, "'"+string(orElse(others, v1alpha1.GrafanaOthersViewer))+"'")
	}
	settings["role_attribute_path"] = strings.Join(path, " || ")
	if len(g.Roles.GrafanaAdmin) > 0 {
		settings["allow_assign_grafana_admin"] = "true"
	}
	return settings
}

// jmesText returns a text in JMESPath: a raw string, or a JSON literal for what that cannot hold, because its only escape is that of the
// quote and libraries differ about the others.
func jmesText(text string) string {
	if !strings.ContainsAny(text, `\'`) {
		return "'" + text + "'"
	}
	encoded, _ := json.Marshal(text) // texts have no faults
	return "`" + strings.ReplaceAll(string(encoded), "`", "\\`") + "`"
}

// iniValue returns a value as Grafana's parser of ini files reads it. Quotes around a value, what looks like a comment and a backslash at
// the end mean something there, except between backquotes, of which the last one counts.
func iniValue(value string) string {
	if value == "" || strings.ContainsAny(value, "#;\\`'\"") || strings.TrimSpace(value) != value {
		return "`" + value + "`"
	}
	return value
}
