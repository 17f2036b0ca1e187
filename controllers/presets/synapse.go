package presets

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// synapseFile is the key of Synapse's configuration.
const synapseFile = "oidc_providers.yaml"

// synapse is Matrix Synapse. It reads claims from the ID token, sends client ID and secret in the Authorization header without
// encoding them, and has no use for refresh tokens.
func synapse(c *v1alpha1.OIDCClient) *Preset {
	s := c.Spec.Preset.Synapse
	base := synapseBase(s)
	defaults := v1alpha1.OIDCClientSpec{
		DisplayName:             "Matrix",
		RedirectURIs:            []string{base + "/callback"},
		GrantTypes:              []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
		Scopes:                  synapseScopes(s.AttributeRequirements),
		ClaimsIn:                v1alpha1.ClaimsInBoth,
		TokenEndpointAuthMethod: "client_secret_basic",
		// Synapse keeps what discovery has told it until it is restarted; the provider's default key may change before.
		IDTokenSignedResponseAlg: "RS256",
	}
	if isTrue(s.Discover, true) {
		// Without discovery Synapse sends no code challenge unless it is told to.
		defaults.PKCE = v1alpha1.PKCERequired
	}
	if isTrue(s.BackchannelLogout, c.Spec.BackchannelLogoutURI != "") {
		defaults.BackchannelLogoutURI = base + "/backchannel_logout"
		defaults.BackchannelLogoutSessionRequired = new(true)
	}
	return &Preset{Name: "synapse", Defaults: defaults, Secret: anySecret(), Files: synapseFiles}
}

// synapseBase begins the addresses at which Synapse listens to the provider and its answers.
func synapseBase(s *v1alpha1.SynapsePreset) string {
	return withoutSlash(s.PublicBaseURL) + "/_synapse/client/oidc"
}

// synapseScopes returns the scopes that Synapse asks for: a requirement about a claim needs the scope that the claim comes with.
func synapseScopes(requirements []v1alpha1.SynapseAttributeRequirement) []string {
	scopes := []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail}
	for _, r := range requirements {
		scopes = withScopeOf(r.Attribute, scopes)
	}
	return scopes
}

// synapseConfig is a configuration file of Synapse. Several of them may be given, and a top-level key in one replaces that in
// the ones before: there is only one here, so that nothing else is replaced.
type synapseConfig struct {
	Providers []synapseProvider `yaml:"oidc_providers"`
}

type synapseProvider struct {
	IDPID    string `yaml:"idp_id"`
	IDPName  string `yaml:"idp_name"`
	IDPIcon  string `yaml:"idp_icon,omitempty"`
	IDPBrand string `yaml:"idp_brand,omitempty"`

	Issuer       string `yaml:"issuer"`
	Discover     *bool  `yaml:"discover,omitempty"`
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret,omitempty"`
	SecretPath   string `yaml:"client_secret_path,omitempty"`
	AuthMethod   string `yaml:"client_auth_method,omitempty"`
	PKCEMethod   string `yaml:"pkce_method,omitempty"`
	RedirectURI  string `yaml:"redirect_uri,omitempty"`

	Scopes                  []string             `yaml:"scopes"`
	AuthorizationEndpoint   string               `yaml:"authorization_endpoint,omitempty"`
	TokenEndpoint           string               `yaml:"token_endpoint,omitempty"`
	UserinfoEndpoint        string               `yaml:"userinfo_endpoint,omitempty"`
	JWKSURI                 string               `yaml:"jwks_uri,omitempty"`
	SigningAlgorithms       []string             `yaml:"id_token_signing_alg_values_supported,omitempty"`
	SkipVerification        *bool                `yaml:"skip_verification,omitempty"`
	UserProfileMethod       string               `yaml:"user_profile_method,omitempty"`
	AllowExistingUsers      *bool                `yaml:"allow_existing_users,omitempty"`
	EnableRegistration      *bool                `yaml:"enable_registration,omitempty"`
	BackchannelLogout       bool                 `yaml:"backchannel_logout_enabled,omitempty"`
	BackchannelIgnoreSub    bool                 `yaml:"backchannel_logout_ignore_sub,omitempty"`
	AttributeRequirements   []synapseRequirement `yaml:"attribute_requirements,omitempty"`
	AuthorizationParameters map[string]string    `yaml:"additional_authorization_parameters,omitempty"`
	PassthroughParameters   []string             `yaml:"passthrough_authorization_parameters,omitempty"`

	UserMapping synapseMappingProvider `yaml:"user_mapping_provider"`
}

type synapseRequirement struct {
	Attribute string   `yaml:"attribute"`
	Value     string   `yaml:"value,omitempty"`
	OneOf     []string `yaml:"one_of,omitempty"`
}

type synapseMappingProvider struct {
	Config synapseMapping `yaml:"config"`
}

type synapseMapping struct {
	SubjectClaim        string            `yaml:"subject_claim,omitempty"`
	LocalpartTemplate   string            `yaml:"localpart_template"`
	ConfirmLocalpart    *bool             `yaml:"confirm_localpart,omitempty"`
	DisplayNameTemplate string            `yaml:"display_name_template"`
	EmailTemplate       string            `yaml:"email_template"`
	PictureClaim        string            `yaml:"picture_claim,omitempty"`
	ExtraAttributes     map[string]string `yaml:"extra_attributes,omitempty"`
}

func synapseFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	s := spec.Preset.Synapse
	p := synapseProvider{
		IDPID: s.IDPID, IDPName: orElse(s.IDPName, s.IDPID), IDPIcon: s.IDPIcon, IDPBrand: s.IDPBrand,
		Issuer: issued.Issuer, Discover: s.Discover, ClientID: issued.Client.ClientID(),
		Scopes:                  issued.Client.Scopes(),
		SkipVerification:        s.SkipVerification,
		AllowExistingUsers:      s.AllowExistingUsers,
		EnableRegistration:      s.EnableRegistration,
		BackchannelLogout:       isTrue(s.BackchannelLogout, spec.BackchannelLogoutURI != ""),
		AuthorizationParameters: s.AdditionalAuthorizationParameters,
		PassthroughParameters:   s.PassthroughAuthorizationParameters,
		UserMapping:             synapseMappingProvider{Config: synapseMappingOf(s.UserMapping)},
	}
	if !slices.Contains(spec.RedirectURIs, synapseBase(s)+"/callback") {
		p.RedirectURI = spec.RedirectURIs[0] // it would send its own, which is not registered
	}
	if p.SkipVerification == nil && strings.HasPrefix(issued.Issuer, "http://") {
		p.SkipVerification = new(true)
	}
	if s.UserProfileMethod == v1alpha1.SynapseUserProfileUserinfoEndpoint || s.UserProfileMethod == "" && spec.ClaimsIn == v1alpha1.ClaimsInUserinfo {
		p.UserProfileMethod = "userinfo_endpoint"
	}
	p.BackchannelIgnoreSub = p.BackchannelLogout &&
		isTrue(s.BackchannelLogoutIgnoreSub, orElse(s.UserMapping.SubjectClaim, "sub") != "sub")
	for _, r := range s.AttributeRequirements {
		p.AttributeRequirements = append(p.AttributeRequirements, synapseRequirement(r))
	}
	if !isTrue(s.Discover, true) {
		p.undiscovered(issued)
	}
	if err := p.authenticate(issued); err != nil {
		return nil, err
	}
	file, err := marshalYAML(synapseConfig{Providers: []synapseProvider{p}})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{synapseFile: file}, nil
}

// undiscovered writes down what Synapse would have learned from the discovery document.
func (p *synapseProvider) undiscovered(issued Issued) {
	p.AuthorizationEndpoint = oidc.Endpoint(issued.Issuer, oidc.PathAuthorization)
	p.TokenEndpoint = oidc.Endpoint(issued.Issuer, oidc.PathToken)
	p.UserinfoEndpoint = oidc.Endpoint(issued.Issuer, oidc.PathUserinfo)
	p.JWKSURI = oidc.Endpoint(issued.Issuer, oidc.PathJWKS)
	if alg := issued.Client.Spec.IDTokenSignedResponseAlg; alg != "RS256" && alg != "" {
		p.SigningAlgorithms = []string{alg} // Synapse takes RS256 for granted
	}
}

// authenticate writes down how Synapse proves who it is. What Synapse does anyway is left out.
func (p *synapseProvider) authenticate(issued Issued) error {
	spec := issued.Client.Spec
	s := spec.Preset.Synapse
	if err := checkMountPath("spec.preset.synapse.secretMountPath", s.SecretMountPath); err != nil {
		return err
	}
	switch method := spec.TokenEndpointAuthMethod; method {
	case "private_key_jwt":
		return errors.New("spec.tokenEndpointAuthMethod must not be private_key_jwt, because Synapse cannot sign; remove it, spec.jwks and spec.jwksURI")
	case "", "client_secret_basic":
	default:
		p.AuthMethod = method
	}
	if spec.PKCE == v1alpha1.PKCERequired || spec.TokenEndpointAuthMethod == "none" {
		p.PKCEMethod = "always"
	}
	switch {
	case issued.Secret == "":
	case s.SecretDelivery == v1alpha1.SecretDeliveryInline:
		p.ClientSecret = issued.Secret
	default:
		p.SecretPath = path.Join(orElse(s.SecretMountPath, defaultMountPath), issued.SecretKey)
	}
	return nil
}

func synapseMappingOf(m v1alpha1.SynapseUserMapping) synapseMapping {
	return synapseMapping{
		SubjectClaim:        m.SubjectClaim,
		LocalpartTemplate:   orElse(m.LocalpartTemplate, "{{ user.preferred_username }}"),
		ConfirmLocalpart:    m.ConfirmLocalpart,
		DisplayNameTemplate: orElse(m.DisplayNameTemplate, "{{ user.name }}"),
		EmailTemplate:       orElse(m.EmailTemplate, "{{ user.email }}"),
		PictureClaim:        m.PictureClaim,
		ExtraAttributes:     m.ExtraAttributes,
	}
}
