package v1alpha1

// ClientPreset names the application that an OIDCClient is for.
//
// +kubebuilder:validation:XValidation:rule="[has(self.synapse), has(self.mas), has(self.synologyDSM), has(self.synologySSO), has(self.kubeAPIServer), has(self.grafana), has(self.vault), has(self.minio), has(self.portainer), has(self.proxmox), has(self.django)].filter(set, set).size() == 1",message="preset must hold exactly one application; an OIDCClient is for one, so remove all but one or create an OIDCClient for each"
type ClientPreset struct {
	// synapse is a Matrix homeserver: Synapse. The Secret gets oidc_providers.yaml, which Synapse loads as one more -c.
	// +optional
	Synapse *SynapsePreset `json:"synapse,omitempty"`

	// mas is the Matrix Authentication Service. The Secret gets upstream_oauth2.yaml, which it loads as one more --config.
	// +optional
	MAS *MASPreset `json:"mas,omitempty"`

	// synologyDSM is the SSO client of a Synology NAS. The Secret gets what to enter in its form, field by field:
	// dsm-sso-client.txt for people, dsm-sso-client.json for programs, and a key for each field.
	// +optional
	SynologyDSM *SynologyDSMPreset `json:"synologyDSM,omitempty"`

	// synologySSO is an application that was written for Synology SSO Server, with its JavaScript SDK or by its manual flow. The
	// provider must have synologySSO enabled. The Secret gets app_id, oauthserver_url and synology-sso.json, with what the
	// application gives to SYNOSSO.init.
	// +optional
	SynologySSO *SynologySSOPreset `json:"synologySSO,omitempty"`

	// kubeAPIServer is a Kubernetes cluster. The Secret gets authentication-config.yaml for kube-apiserver and kubeconfig.yaml,
	// with which kubectl logs people in.
	// +optional
	KubeAPIServer *KubeAPIServerPreset `json:"kubeAPIServer,omitempty"`

	// grafana is Grafana. The Secret gets the section auth.generic_oauth in grafana.ini, and the same as variables GF_*.
	// +optional
	Grafana *GrafanaPreset `json:"grafana,omitempty"`

	// vault is HashiCorp Vault or OpenBao. The Secret gets the configuration of the auth method and a role in JSON, and vault.sh,
	// which writes both.
	// +optional
	Vault *VaultPreset `json:"vault,omitempty"`

	// minio is MinIO. The Secret gets its variables MINIO_IDENTITY_OPENID_*.
	// +optional
	MinIO *MinIOPreset `json:"minio,omitempty"`

	// portainer is Portainer. The Secret gets what its API takes in portainer-settings.json, and what to enter in its form in
	// portainer-oauth.txt.
	// +optional
	Portainer *PortainerPreset `json:"portainer,omitempty"`

	// proxmox is Proxmox VE. The Secret gets the command that adds the realm in proxmox-realm.sh, and its section in
	// domains.cfg.
	// +optional
	Proxmox *ProxmoxPreset `json:"proxmox,omitempty"`

	// django is a Django project with mozilla-django-oidc. The Secret gets oidc_settings.py, which its settings import, and the
	// same in oidc_settings.json.
	// +optional
	Django *DjangoPreset `json:"django,omitempty"`
}

// SecretDelivery says how an application's configuration file comes by the client secret.
//
// +kubebuilder:validation:Enum=Path;Inline
type SecretDelivery string

// The ways of delivering a client secret.
const (
	// SecretDeliveryPath names the file in which the client secret stands, so that the configuration holds no secret.
	SecretDeliveryPath SecretDelivery = "Path"
	// SecretDeliveryInline writes the client secret into the configuration.
	SecretDeliveryInline SecretDelivery = "Inline"
)

// EffectiveClientStatus is what an application is registered with. The fields are those of the spec.
type EffectiveClientStatus struct {
	// preset is the application.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Preset string `json:"preset,omitempty"`

	// displayName is what people see on the login and consent pages. Unset: the client ID.
	// +optional
	// +kubebuilder:validation:MaxLength=100
	DisplayName string `json:"displayName,omitempty"`

	// redirectURIs are where a login may return to.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=2048
	RedirectURIs []string `json:"redirectURIs,omitempty"`

	// postLogoutRedirectURIs are where a logout that the application starts may return to.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=2048
	PostLogoutRedirectURIs []string `json:"postLogoutRedirectURIs,omitempty"`

	// grantTypes are the ways in which the application may get tokens.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	GrantTypes []GrantType `json:"grantTypes,omitempty"`

	// scopes are what the application may ask for.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=128
	Scopes []string `json:"scopes,omitempty"`

	// tokenEndpointAuthMethod is how the application proves who it is. Unset: basic or post, whichever it sends.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	TokenEndpointAuthMethod string `json:"tokenEndpointAuthMethod,omitempty"`

	// pkce says whether an authorization request must carry a code challenge.
	// +optional
	PKCE PKCEPolicy `json:"pkce,omitempty"`

	// idTokenSignedResponseAlg signs the ID tokens. Unset: the algorithm of the provider's default key.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	IDTokenSignedResponseAlg string `json:"idTokenSignedResponseAlg,omitempty"`

	// subjectMode says what sub is.
	// +optional
	SubjectMode SubjectMode `json:"subjectMode,omitempty"`

	// claims are the claims that expressions give.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Claims []EffectiveClaim `json:"claims,omitempty"`

	// claimsIn says where claims stand.
	// +optional
	ClaimsIn ClaimsPlacement `json:"claimsIn,omitempty"`

	// consent says when people are asked for it.
	// +optional
	Consent ConsentPolicy `json:"consent,omitempty"`

	// backchannelLogoutURI is where logout tokens are sent.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	BackchannelLogoutURI string `json:"backchannelLogoutURI,omitempty"`

	// backchannelLogoutSessionRequired says whether logout tokens always hold sid. Unset: they may hold the subject alone.
	// +optional
	BackchannelLogoutSessionRequired *bool `json:"backchannelLogoutSessionRequired,omitempty"`

	// frontchannelLogoutURI is the page that the logout page loads.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	FrontchannelLogoutURI string `json:"frontchannelLogoutURI,omitempty"`
}

// EffectiveClaim is a claim that an application is told, and where its value comes from.
type EffectiveClaim struct {
	// name is the claim's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`

	// expression gives the value.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32768
	Expression string `json:"expression,omitempty"`
}
