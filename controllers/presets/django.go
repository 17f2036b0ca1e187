package presets

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The keys of the settings, as a module and as data.
const (
	djangoModule = "oidc_settings.py"
	djangoJSON   = "oidc_settings.json"
)

// django is a Django project with mozilla-django-oidc. It sends its secret in the form, reads userinfo, and knows people again by
// their e-mail address, in whatever case.
func django(c *v1alpha1.OIDCClient) *Preset {
	d := c.Spec.Preset.Django
	base := withoutSlash(d.BaseURL) + "/"
	return &Preset{
		Name: "django",
		Defaults: v1alpha1.OIDCClientSpec{
			RedirectURIs:             []string{base + djangoPrefix(d) + "callback/"},
			PostLogoutRedirectURIs:   []string{base},
			GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
			Scopes:                   []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail},
			TokenEndpointAuthMethod:  "client_secret_post",
			PKCE:                     v1alpha1.PKCERequired,
			IDTokenSignedResponseAlg: "RS256",
			Claims:                   djangoClaims(d),
			ClaimsIn:                 v1alpha1.ClaimsInBoth,
		},
		Secret: anySecret(),
		Files:  djangoFiles,
	}
}

func djangoPrefix(d *v1alpha1.DjangoPreset) string { return orElse(d.URLPrefix, "oidc/") }

// djangoClaims leaves e-mail addresses out that could be anybody's.
func djangoClaims(d *v1alpha1.DjangoPreset) []v1alpha1.ClientClaim {
	if isTrue(d.UnverifiedEmail, false) {
		return nil
	}
	return []v1alpha1.ClientClaim{{Name: "email", Expression: "user.emailVerified ? user.email : ''"}}
}

// djangoSetting is a setting with a value that JSON knows.
type djangoSetting struct {
	name  string
	value any
}

func djangoFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	if err := checkLines("django", spec.Preset.Django); err != nil {
		return nil, err
	}
	switch alg := spec.IDTokenSignedResponseAlg; {
	case !issued.Client.HasSecret():
		return nil, errors.New("spec.tokenEndpointAuthMethod must be unset, client_secret_basic or client_secret_post, because mozilla-django-oidc has nothing but a secret to prove who it is")
	case !strings.HasPrefix(alg, "RS") && !strings.HasPrefix(alg, "ES"):
		return nil, errors.New("spec.idTokenSignedResponseAlg must be one of RS256 RS384 RS512 ES256 ES384 ES512, because mozilla-django-oidc takes any other for a shared secret; remove it to get RS256")
	case spec.UserinfoSignedResponseAlg != "":
		return nil, errors.New("spec.userinfoSignedResponseAlg must be unset, because mozilla-django-oidc wants a nonce in a signed answer")
	}
	settings := djangoSettings(issued)
	object := map[string]any{"OIDC_RP_CLIENT_SECRET": issued.Secret}
	files := map[string][]byte{"OIDC_RP_CLIENT_SECRET": []byte(issued.Secret)}
	for _, s := range settings {
		object[s.name] = s.value
		files[s.name] = fmt.Append(nil, s.value)
	}
	encoded, err := marshalJSON(object)
	if err != nil {
		return nil, err
	}
	files[djangoJSON] = encoded
	files[djangoModule], err = djangoPython(issued, settings)
	return files, err
}

// djangoSettings returns all but the client secret, in the order in which they are written.
func djangoSettings(issued Issued) []djangoSetting {
	spec := issued.Client.Spec
	d := spec.Preset.Django
	seconds := int32(900)
	if d.RenewIDTokenExpirySeconds != nil {
		seconds = *d.RenewIDTokenExpirySeconds
	}
	return []djangoSetting{
		{"OIDC_RP_CLIENT_ID", issued.Client.ClientID()},
		{"OIDC_RP_SIGN_ALGO", spec.IDTokenSignedResponseAlg},
		{"OIDC_RP_SCOPES", strings.Join(issued.Client.Scopes(), " ")},
		{"OIDC_OP_AUTHORIZATION_ENDPOINT", oidc.Endpoint(issued.Issuer, oidc.PathAuthorization)},
		{"OIDC_OP_TOKEN_ENDPOINT", oidc.Endpoint(issued.Issuer, oidc.PathToken)},
		{"OIDC_OP_USER_ENDPOINT", oidc.Endpoint(issued.Issuer, oidc.PathUserinfo)},
		{"OIDC_OP_JWKS_ENDPOINT", oidc.Endpoint(issued.Issuer, oidc.PathJWKS)},
		{"OIDC_TOKEN_USE_BASIC_AUTH", spec.TokenEndpointAuthMethod == "client_secret_basic"},
		{"OIDC_USE_NONCE", true},
		{"OIDC_USE_PKCE", true},
		{"OIDC_PKCE_CODE_CHALLENGE_METHOD", "S256"},
		{"OIDC_CREATE_USER", isTrue(d.CreateUser, true)},
		{"OIDC_STORE_ID_TOKEN", djangoLogsOut(issued)},
		{"OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS", seconds},
	}
}

// djangoLogsOut tells whether a logout of the project is one of the provider, too. The ID token then says whose.
func djangoLogsOut(issued Issued) bool {
	spec := issued.Client.Spec
	return isTrue(spec.Preset.Django.Logout, true) && len(spec.PostLogoutRedirectURIs) > 0
}

// djangoPython returns the module that a project's settings import.
func djangoPython(issued Issued, settings []djangoSetting) ([]byte, error) {
	var module strings.Builder
	module.WriteString(`"""Settings of mozilla-django-oidc, for: from oidc_settings import *"""
from pathlib import Path as _Path
from urllib.parse import urlencode as _urlencode

OIDC_RP_CLIENT_SECRET = _Path(__file__).with_name("` + issued.SecretKey + `").read_text().strip()
`)
	for _, s := range settings {
		value := []any{map[any]string{true: "True", false: "False"}[s.value]}
		if value[0] == "" {
			var err error
			if value, err = djangoTexts(s.value); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(&module, "%s = %s\n", s.name, value[0])
	}
	module.WriteString(`OIDC_USERNAME_ALGO = "oidc_settings.username"
`)
	if djangoLogsOut(issued) {
		module.WriteString(`OIDC_OP_LOGOUT_URL_METHOD = "oidc_settings.logout_url"
`)
	}
	module.WriteString(`

def username(email, claims):
    """What a new account is called."""
    return claims.get("preferred_username") or email
`)
	if djangoLogsOut(issued) {
		texts, err := djangoTexts(issued.Client.Spec.PostLogoutRedirectURIs[0], oidc.Endpoint(issued.Issuer, oidc.PathLogout))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&module, `

def logout_url(request):
    """Where a logout goes on, so that the login session ends at the provider, too."""
    parameters = {"client_id": OIDC_RP_CLIENT_ID, "post_logout_redirect_uri": %s}
    if "oidc_id_token" in request.session:
        parameters["id_token_hint"] = request.session["oidc_id_token"]
    return %s + "?" + _urlencode(parameters)
`, texts...)
	}
	return []byte(module.String()), nil
}

// djangoTexts returns texts and numbers as Python reads them, which is as JSON has them: encoding/json makes no escapes of two parts.
func djangoTexts(values ...any) ([]any, error) {
	texts := make([]any, len(values))
	for i, value := range values {
		encoded, err := marshalJSON(value)
		if err != nil {
			return nil, err
		}
		texts[i] = strings.TrimSpace(string(encoded))
	}
	return texts, nil
}
