package presets

import (
	"path"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// masFile is the key of the configuration of the Matrix Authentication Service.
const masFile = "upstream_oauth2.yaml"

// mas is the Matrix Authentication Service. It reads claims from the ID token and has no use for refresh tokens.
func mas(c *v1alpha1.OIDCClient) *Preset {
	m := c.Spec.Preset.MAS
	base := withoutSlash(m.PublicBaseURL) + "/upstream"
	defaults := v1alpha1.OIDCClientSpec{
		DisplayName:              "Matrix",
		RedirectURIs:             []string{base + "/callback/" + m.ID},
		GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
		Scopes:                   []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail},
		ClaimsIn:                 v1alpha1.ClaimsInBoth,
		TokenEndpointAuthMethod:  "client_secret_basic",
		PKCE:                     v1alpha1.PKCERequired,
		IDTokenSignedResponseAlg: "RS256",
	}
	if masLogout(c) != v1alpha1.MASLogoutDoNothing {
		defaults.BackchannelLogoutURI = base + "/backchannel-logout/" + m.ID
		defaults.BackchannelLogoutSessionRequired = new(true)
	}
	return &Preset{Name: "mas", Defaults: defaults, Secret: anySecret(), Files: masFiles}
}

// masLogout returns what the end of a login session does.
func masLogout(c *v1alpha1.OIDCClient) v1alpha1.MASBackchannelLogout {
	switch {
	case c.Spec.Preset.MAS.OnBackchannelLogout != "":
		return c.Spec.Preset.MAS.OnBackchannelLogout
	case c.Spec.BackchannelLogoutURI != "":
		return v1alpha1.MASLogoutBrowserOnly
	default:
		return v1alpha1.MASLogoutDoNothing
	}
}

// masConfig is a configuration file of the service. Several of them may be given.
type masConfig struct {
	Upstream masUpstream `yaml:"upstream_oauth2"`
}

type masUpstream struct {
	Providers []masProvider `yaml:"providers"`
}

type masProvider struct {
	ID           string `yaml:"id"`
	SynapseIDPID string `yaml:"synapse_idp_id,omitempty"`
	Issuer       string `yaml:"issuer"`
	HumanName    string `yaml:"human_name,omitempty"`
	BrandName    string `yaml:"brand_name,omitempty"`

	ClientID          string `yaml:"client_id"`
	ClientSecret      string `yaml:"client_secret,omitempty"`
	SecretFile        string `yaml:"client_secret_file,omitempty"`
	AuthMethod        string `yaml:"token_endpoint_auth_method"`
	AuthSigningAlg    string `yaml:"token_endpoint_auth_signing_alg,omitempty"`
	IDTokenAlg        string `yaml:"id_token_signed_response_alg,omitempty"`
	UserinfoAlg       string `yaml:"userinfo_signed_response_alg,omitempty"`
	Scope             string `yaml:"scope"`
	DiscoveryMode     string `yaml:"discovery_mode,omitempty"`
	PKCEMethod        string `yaml:"pkce_method,omitempty"`
	FetchUserinfo     *bool  `yaml:"fetch_userinfo,omitempty"`
	AuthorizationURL  string `yaml:"authorization_endpoint,omitempty"`
	UserinfoURL       string `yaml:"userinfo_endpoint,omitempty"`
	TokenURL          string `yaml:"token_endpoint,omitempty"`
	JWKSURL           string `yaml:"jwks_uri,omitempty"`
	ResponseMode      string `yaml:"response_mode,omitempty"`
	ForwardLoginHint  *bool  `yaml:"forward_login_hint,omitempty"`
	BackchannelLogout string `yaml:"on_backchannel_logout,omitempty"`
	RegistrationToken *bool  `yaml:"registration_token_required,omitempty"`

	ClaimsImports masClaims         `yaml:"claims_imports"`
	Parameters    map[string]string `yaml:"additional_authorization_parameters,omitempty"`
}

type masClaims struct {
	Subject     masImport `yaml:"subject,omitempty"`
	NotAsked    *bool     `yaml:"skip_confirmation,omitempty"`
	Localpart   masImport `yaml:"localpart"`
	DisplayName masImport `yaml:"displayname"`
	Email       masImport `yaml:"email"`
	AccountName masImport `yaml:"account_name"`
}

type masImport struct {
	Action     string `yaml:"action,omitempty"`
	Template   string `yaml:"template,omitempty"`
	OnConflict string `yaml:"on_conflict,omitempty"`
}

func masFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	m := spec.Preset.MAS
	if err := checkMountPath("spec.preset.mas.secretMountPath", m.SecretMountPath); err != nil {
		return nil, err
	}
	p := masProvider{
		ID: m.ID, SynapseIDPID: m.SynapseIDPID, Issuer: issued.Issuer, HumanName: m.HumanName, BrandName: m.BrandName,
		ClientID:          issued.Client.ClientID(),
		AuthMethod:        orElse(spec.TokenEndpointAuthMethod, "client_secret_basic"),
		IDTokenAlg:        spec.IDTokenSignedResponseAlg,
		UserinfoAlg:       spec.UserinfoSignedResponseAlg,
		Scope:             strings.Join(issued.Client.Scopes(), " "),
		FetchUserinfo:     m.FetchUserinfo,
		ForwardLoginHint:  m.ForwardLoginHint,
		RegistrationToken: m.RegistrationTokenRequired,
		Parameters:        m.AdditionalAuthorizationParameters,
		BackchannelLogout: map[v1alpha1.MASBackchannelLogout]string{v1alpha1.MASLogoutBrowserOnly: "logout_browser_only", v1alpha1.MASLogoutAll: "logout_all"}[masLogout(issued.Client)],
		ClaimsImports:     masClaimsOf(m.ClaimsImports),
	}
	if m.ResponseMode == v1alpha1.MASResponseFormPost {
		p.ResponseMode = "form_post"
	}
	if p.FetchUserinfo == nil && spec.ClaimsIn == v1alpha1.ClaimsInUserinfo {
		p.FetchUserinfo = new(true)
	}
	p.authenticate(issued)
	p.discover(issued)
	file, err := marshalYAML(masConfig{Upstream: masUpstream{Providers: []masProvider{p}}})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{masFile: file}, nil
}

// authenticate writes down how the service proves who it is.
func (p *masProvider) authenticate(issued Issued) {
	m := issued.Client.Spec.Preset.MAS
	if issued.Client.Spec.PKCE == v1alpha1.PKCERequired || p.AuthMethod == "none" {
		p.PKCEMethod = "always"
	}
	switch {
	case p.AuthMethod == "private_key_jwt":
		p.AuthSigningAlg = "RS256" // it has an RSA key in any case, for its own tokens
	case issued.Secret == "":
	case m.SecretDelivery == v1alpha1.SecretDeliveryInline:
		p.ClientSecret = issued.Secret
	default:
		p.SecretFile = path.Join(orElse(m.SecretMountPath, defaultMountPath), issued.SecretKey)
	}
}

// discover writes down how the service gets to know the provider, and where it does not, what it would have learned.
func (p *masProvider) discover(issued Issued) {
	mode := issued.Client.Spec.Preset.MAS.DiscoveryMode
	if mode == "" && strings.HasPrefix(issued.Issuer, "http://") {
		mode = v1alpha1.MASDiscoveryInsecure
	}
	switch mode {
	case v1alpha1.MASDiscoveryInsecure:
		p.DiscoveryMode = "insecure"
	case v1alpha1.MASDiscoveryDisabled:
		p.DiscoveryMode = "disabled"
		p.AuthorizationURL = oidc.Endpoint(issued.Issuer, oidc.PathAuthorization)
		p.TokenURL = oidc.Endpoint(issued.Issuer, oidc.PathToken)
		p.UserinfoURL = oidc.Endpoint(issued.Issuer, oidc.PathUserinfo)
		p.JWKSURL = oidc.Endpoint(issued.Issuer, oidc.PathJWKS)
	}
}

func masClaimsOf(c v1alpha1.MASClaimsImports) masClaims {
	action := func(a, unset v1alpha1.MASImportAction) string { return strings.ToLower(string(orElse(a, unset))) }
	proposal := v1alpha1.MASImportSuggest
	if isTrue(c.SkipConfirmation, false) {
		proposal = v1alpha1.MASImportForce // nobody is asked who could change it
	}
	return masClaims{
		NotAsked: c.SkipConfirmation,
		Subject:  masImport{Template: c.SubjectTemplate},
		Localpart: masImport{
			Action: action(c.Localpart.Action, v1alpha1.MASImportRequire), Template: c.Localpart.Template,
			OnConflict: strings.ToLower(string(c.Localpart.OnConflict)),
		},
		DisplayName: masImport{Action: action(c.DisplayName.Action, proposal), Template: c.DisplayName.Template},
		Email:       masImport{Action: action(c.Email.Action, proposal), Template: c.Email.Template},
		AccountName: masImport{Template: orElse(c.AccountNameTemplate, "{{ user.preferred_username }}")},
	}
}
