package presets

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// minioVariable begins the names of MinIO's variables.
const minioVariable = "MINIO_IDENTITY_OPENID_"

// minio is MinIO. Its console logs people in, and the server takes their policies from a claim of the ID token.
func minio(c *v1alpha1.OIDCClient) *Preset {
	m := c.Spec.Preset.MinIO
	return &Preset{
		Name: "minio",
		Defaults: v1alpha1.OIDCClientSpec{
			DisplayName:              "MinIO",
			RedirectURIs:             []string{withoutSlash(m.ConsoleURL) + "/oauth_callback"},
			GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
			Scopes:                   withScopeOf(minioClaim(m), []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail}),
			Claims:                   minioClaims(m),
			ClaimsIn:                 v1alpha1.ClaimsInBoth,
			IDTokenSignedResponseAlg: "RS256",
		},
		Secret: anySecret(),
		Files:  minioFiles,
	}
}

// minioClaims makes people's policies of their groups.
func minioClaims(m *v1alpha1.MinIOPreset) []v1alpha1.ClientClaim {
	if len(m.Policies) == 0 {
		return nil
	}
	var pairs []string
	for _, p := range m.Policies {
		pairs = append(pairs, "["+celText(p.Group)+","+celText(p.Policy)+"]")
	}
	return []v1alpha1.ClientClaim{{
		Name: minioClaim(m),
		// As many as the API lets in, at their longest, are less than an expression may have.
		Expression: "[" + strings.Join(pairs, ",") + "].filter(p, p[0] in user.groups).map(p, p[1])",
	}}
}

func minioClaim(m *v1alpha1.MinIOPreset) string { return orElse(m.ClaimName, "policy") }

func minioFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	m := spec.Preset.MinIO
	if err := checkLines("minio", m); err != nil {
		return nil, err
	}
	claim := minioClaim(m)
	made := slices.ContainsFunc(spec.Claims, func(c v1alpha1.ClientClaim) bool { return c.Name == claim })
	switch {
	case !issued.Client.HasSecret():
		return nil, errors.New("spec.tokenEndpointAuthMethod must be unset, client_secret_basic or client_secret_post, because MinIO has nothing but a secret to prove who it is")
	case m.RolePolicy == "" && spec.ClaimsIn == v1alpha1.ClaimsInUserinfo:
		return nil, errors.New("spec.claimsIn must not be Userinfo, because MinIO takes policies from the ID token; remove it")
	case m.RolePolicy == "" && !made && oidc.ScopeOfClaim(claim) == "":
		return nil, errors.New("spec.preset.minio must say which policies people have: set policies (by their groups), rolePolicy (the same for everybody), or a claim " + claim + " in spec.claims; MinIO lets nobody in without")
	}
	if m.RolePolicy == "" {
		if err := checkScopeOf(claim, "spec.preset.minio.claimName", issued.Client.Scopes()); err != nil {
			return nil, err
		}
	}
	settings := map[string]string{
		"CONFIG_URL":    oidc.Endpoint(issued.Issuer, oidc.PathDiscovery),
		"CLIENT_ID":     issued.Client.ClientID(),
		"CLIENT_SECRET": issued.Secret,
		"DISPLAY_NAME":  orElse(m.DisplayName, "SSO"),
		"SCOPES":        strings.Join(issued.Client.Scopes(), ","),
	}
	if m.RolePolicy != "" {
		settings["ROLE_POLICY"] = m.RolePolicy
	} else {
		settings["CLAIM_NAME"] = claim
	}
	files := map[string][]byte{"MINIO_BROWSER_REDIRECT_URL": []byte(withoutSlash(m.ConsoleURL))}
	for name, value := range settings {
		files[minioVariable+name] = []byte(value)
	}
	return files, nil
}

// celText returns a text in CEL, whose escapes are those of Go.
func celText(text string) string { return strconv.Quote(text) }
