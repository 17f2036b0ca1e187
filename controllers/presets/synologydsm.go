package presets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The keys of what is to be entered in DSM's form.
const (
	dsmText = "dsm-sso-client.txt"
	dsmJSON = "dsm-sso-client.json"
)

// synologyDSM is the SSO client of Synology DSM. It verifies RSA signatures only, sends its secret in the form, is not known to send a
// code challenge or a nonce, reads the username from userinfo, and has no use for refresh tokens.
func synologyDSM(c *v1alpha1.OIDCClient) *Preset {
	d := c.Spec.Preset.SynologyDSM
	return &Preset{
		Name: "synologyDSM",
		Defaults: v1alpha1.OIDCClientSpec{
			DisplayName:              "Synology DSM",
			RedirectURIs:             d.URLs,
			GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
			Scopes:                   withScopeOf(dsmUsernameClaim(d), []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail}),
			Claims:                   dsmClaims(d),
			ClaimsIn:                 v1alpha1.ClaimsInBoth,
			PKCE:                     v1alpha1.PKCEOptional,
			IDTokenSignedResponseAlg: "RS256",
		},
		// How long a secret DSM takes is not documented; a very long one has failed.
		Secret: SecretForm{Alphabet: Alphanumeric, Length: 32, MaxLength: 32},
		Files:  dsmFiles,
		Warn:   func(algorithms []string) []string { return dsmWarnings(c, algorithms) },
	}
}

// dsmForm is DSM's form, in the order and with the labels of its fields.
type dsmForm struct {
	Profile           string `json:"Profile"`
	AccountType       string `json:"Account type"`
	Name              string `json:"Name"`
	WellKnownURL      string `json:"Well-known URL"`
	ApplicationID     string `json:"Application ID"`
	ApplicationSecret string `json:"Application secret"`
	RedirectURI       string `json:"Redirect URI"`
	Scope             string `json:"Authorization scope"`
	UsernameClaim     string `json:"Username claim"`
}

func dsmFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	if !issued.Client.HasSecret() {
		return nil, errors.New("spec.tokenEndpointAuthMethod must be unset or client_secret_post, because Synology DSM has nothing but a secret to prove who it is")
	}
	if spec.UserinfoSignedResponseAlg != "" {
		return nil, errors.New("spec.userinfoSignedResponseAlg must be unset, because Synology DSM reads the username from plain JSON")
	}
	d := spec.Preset.SynologyDSM
	if err := checkLines("synologyDSM", d); err != nil {
		return nil, err
	}
	forms := make([]dsmForm, len(spec.RedirectURIs)) // one for each NAS, or each name of it
	for i, uri := range spec.RedirectURIs {
		forms[i] = dsmForm{
			Profile: "OIDC", AccountType: "Domain/LDAP/local", Name: orElse(d.Name, "SSO"),
			WellKnownURL:  oidc.Endpoint(issued.Issuer, oidc.PathDiscovery),
			ApplicationID: issued.Client.ClientID(), ApplicationSecret: issued.Secret, RedirectURI: uri,
			Scope: strings.Join(issued.Client.Scopes(), " "), UsernameClaim: dsmUsernameClaim(d),
		}
	}
	return encodeForms(forms, spec.RedirectURIs)
}

// encodeForms returns the forms for people, for programs, and field by field. All are alike but for the redirect URI.
func encodeForms(forms []dsmForm, redirectURIs []string) (map[string][]byte, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(forms); err != nil { //nolint:gosec // G117: it is made for the Secret
		return nil, fmt.Errorf("encode form: %w", err)
	}
	var text bytes.Buffer
	text.WriteString("Control Panel > Domain/LDAP > SSO Client > OpenID Connect SSO Service\n")
	for _, form := range forms {
		fmt.Fprintf(&text, "\nFor %s\n\n", form.RedirectURI)
		for _, field := range form.fields() {
			fmt.Fprintf(&text, "%-21s%s\n", field.label+":", field.value)
		}
	}
	files := map[string][]byte{dsmText: text.Bytes(), dsmJSON: encoded.Bytes()}
	for _, form := range forms[:min(1, len(forms))] {
		form.RedirectURI = strings.Join(redirectURIs, "\n")
		for _, field := range form.fields() {
			files[field.key] = []byte(field.value)
		}
	}
	return files, nil
}

// formField is one field of DSM's form.
type formField struct {
	key, label, value string
}

func (f dsmForm) fields() []formField {
	return []formField{
		{"dsm_profile", "Profile", f.Profile},
		{"dsm_account_type", "Account type", f.AccountType},
		{"dsm_name", "Name", f.Name},
		{"dsm_well_known_url", "Well-known URL", f.WellKnownURL},
		{"dsm_application_id", "Application ID", f.ApplicationID},
		{"dsm_application_secret", "Application secret", f.ApplicationSecret},
		{"dsm_redirect_uri", "Redirect URI", f.RedirectURI},
		{"dsm_authorization_scope", "Authorization scope", f.Scope},
		{"dsm_username_claim", "Username claim", f.UsernameClaim},
	}
}

func dsmUsernameClaim(d *v1alpha1.SynologyDSMPreset) string {
	return orElse(d.UsernameClaim, "preferred_username")
}

// dsmClaims returns the claim that DSM finds the name of an account in, where no standard claim is that name: accounts of
// directories have an @ in theirs.
func dsmClaims(d *v1alpha1.SynologyDSMPreset) []v1alpha1.ClientClaim {
	name := dsmUsernameClaim(d)
	switch {
	case name == "email" || name == "sub":
		return nil
	case d.UsernameDomain != "":
		return []v1alpha1.ClientClaim{{Name: name, Expression: fmt.Sprintf("user.username + '@%s'", d.UsernameDomain)}}
	case oidc.ScopeOfClaim(name) != "":
		return nil
	default:
		return []v1alpha1.ClientClaim{{Name: name, Expression: "user.username"}}
	}
}

// dsmWarnings returns what may keep DSM from logging people in, of the provider and of what the spec has chosen itself.
func dsmWarnings(c *v1alpha1.OIDCClient, algorithms []string) []string {
	var warnings, others []string
	for _, a := range algorithms {
		if strings.HasPrefix(a, "ES") || a == "EdDSA" {
			others = append(others, a)
		}
	}
	if len(others) > 0 {
		warnings = append(warnings, fmt.Sprintf("the issuer also signs with %s, and Synology DSM verifies RSA signatures only; if DSM says that SSO is not configured properly, use a provider that has RS256 keys alone",
			strings.Join(others, ", ")))
	}
	if alg := c.Spec.IDTokenSignedResponseAlg; !strings.HasPrefix(alg, "RS") {
		warnings = append(warnings, fmt.Sprintf("spec.idTokenSignedResponseAlg is %s, and Synology DSM is known to take RS256 alone", alg))
	}
	if c.Spec.TokenEndpointAuthMethod == "client_secret_basic" {
		warnings = append(warnings, "spec.tokenEndpointAuthMethod is client_secret_basic, and Synology DSM sends its secret in the form")
	}
	if c.Spec.PKCE == v1alpha1.PKCERequired {
		warnings = append(warnings, "spec.pkce is Required, and Synology DSM is not known to send a code challenge")
	}
	if c.Spec.ClaimsIn == v1alpha1.ClaimsInIDToken {
		warnings = append(warnings, "spec.claimsIn is IDToken, and Synology DSM reads the username from userinfo")
	}
	if scope := oidc.ScopeOfClaim(dsmUsernameClaim(c.Spec.Preset.SynologyDSM)); scope != "" && !slices.Contains(c.Scopes(), scope) {
		warnings = append(warnings, fmt.Sprintf("spec.scopes lacks %s, without which Synology DSM is not told the username claim", scope))
	}
	return warnings
}
