package v1alpha1

// SynapsePreset is what Synapse must be told of an identity provider besides what the provider itself is: an entry of
// oidc_providers in its configuration.
//
// +kubebuilder:validation:XValidation:rule="!has(self.secretMountPath) || !has(self.secretDelivery) || self.secretDelivery == 'Path'",message="secretMountPath is only for secretDelivery Path; remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.backchannelLogoutIgnoreSub) || !has(self.backchannelLogout) || self.backchannelLogout",message="backchannelLogoutIgnoreSub needs backchannelLogout; set that to true or remove it"
type SynapsePreset struct {
	// publicBaseURL is Synapse's public_baseurl, with or without a slash at the end. Redirect and logout URI follow from it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",message="publicBaseURL must be an https URL without query and fragment, such as https://matrix.example.com; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	PublicBaseURL string `json:"publicBaseURL,omitempty"`

	// idpID is Synapse's idp_id. Synapse keeps it with every account that is linked, so it cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=250
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9._~-]+$')",message="idpID must consist of the characters A-Z a-z 0-9 . _ ~ -"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="idpID cannot be changed, because Synapse keeps it with every linked account, and people would get new accounts; create a new OIDCClient"
	IDPID string `json:"idpID,omitempty"`

	// idpName is what the button on Matrix clients' login pages says. Unset: idpID.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	IDPName string `json:"idpName,omitempty"`

	// idpIcon is the picture on that button, as the mxc:// address of an upload. Unset: none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^mxc://[^/?# ]+/[A-Za-z0-9_-]+$')",message="idpIcon must be the address of an upload to a Matrix server, such as mxc://example.com/AbCdEf"
	IDPIcon string `json:"idpIcon,omitempty"`

	// idpBrand is a name by which Matrix clients may style the button. Unset: none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9_.-]*$')",message="idpBrand must begin with a letter and consist of the characters a-z 0-9 _ . -"
	IDPBrand string `json:"idpBrand,omitempty"`

	// discover lets Synapse read the provider's endpoints and abilities from its discovery document. false writes every
	// endpoint into the file instead. Unset: true.
	// +optional
	Discover *bool `json:"discover,omitempty"`

	// skipVerification switches off Synapse's checks of the provider's metadata. Unset: true for an http issuer, which they
	// would refuse, else false.
	// +optional
	SkipVerification *bool `json:"skipVerification,omitempty"`

	// userProfileMethod says where Synapse reads what it is told of people: Auto (the ID token) or UserinfoEndpoint. Unset:
	// UserinfoEndpoint if claimsIn is Userinfo, else Auto.
	// +optional
	UserProfileMethod SynapseUserProfileMethod `json:"userProfileMethod,omitempty"`

	// allowExistingUsers links people to accounts that exist already under their localpart. Whoever may choose their username
	// at the provider can then take over the Matrix account of that name. Unset: false.
	// +optional
	AllowExistingUsers *bool `json:"allowExistingUsers,omitempty"`

	// enableRegistration gives people who have no account one when they log in. Unset: true.
	// +optional
	EnableRegistration *bool `json:"enableRegistration,omitempty"`

	// userMapping says how claims become a Matrix account.
	// +optional
	UserMapping SynapseUserMapping `json:"userMapping,omitzero"`

	// attributeRequirements lets in only people for whom every one of these holds; Synapse checks it. access on the OIDCClient
	// turns them away before, with a page that says so. Unset: everybody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	AttributeRequirements []SynapseAttributeRequirement `json:"attributeRequirements,omitempty"`

	// backchannelLogout ends people's Matrix sessions that came from a login session when that session ends. A Matrix session that
	// ends without a key backup takes the keys of encrypted messages with it. The provider's pods must be able to reach Synapse.
	// Unset: true if backchannelLogoutURI is set, else false.
	// +optional
	BackchannelLogout *bool `json:"backchannelLogout,omitempty"`

	// backchannelLogoutIgnoreSub makes Synapse go by the session alone and not compare the subject of a logout. Unset: true if
	// userMapping.subjectClaim is another claim than sub, because no logout would fit, else false.
	// +optional
	BackchannelLogoutIgnoreSub *bool `json:"backchannelLogoutIgnoreSub,omitempty"`

	// additionalAuthorizationParameters are added to every authorization request, such as acr_values or prompt. Unset: none.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, !(name in ['client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method']))",message="additionalAuthorizationParameters must not hold a parameter that Synapse sends itself (client_id, redirect_uri, response_type, scope, state, nonce, code_challenge, code_challenge_method)"
	AdditionalAuthorizationParameters map[string]string `json:"additionalAuthorizationParameters,omitempty"`

	// passthroughAuthorizationParameters are the names of parameters that Matrix clients may give, and that are passed on with the
	// authorization request, such as login_hint. Synapse must be of 2025 or later. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[A-Za-z0-9_.-]+$') && !(name in ['client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method']))",message="passthroughAuthorizationParameters must be names of letters, digits and _ . -, and of none that Synapse sends itself (client_id, redirect_uri, response_type, scope, state, nonce, code_challenge, code_challenge_method)"
	PassthroughAuthorizationParameters []string `json:"passthroughAuthorizationParameters,omitempty"`

	// secretDelivery says how Synapse comes by the client secret: Path (the file names the one beside it in the Secret and holds
	// none itself) or Inline. Unset: Path.
	// +optional
	SecretDelivery SecretDelivery `json:"secretDelivery,omitempty"`

	// secretMountPath is the directory in Synapse's container where the Secret is mounted. Unset: /etc/oidc.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(/[A-Za-z0-9._~@+=:,-]+)+/?$') && !self.matches('/[.]{1,2}(/|$)')",message="secretMountPath must be an absolute path, such as /etc/oidc"
	SecretMountPath string `json:"secretMountPath,omitempty"`
}

// SynapseUserProfileMethod says where Synapse reads what it is told of people.
//
// +kubebuilder:validation:Enum=Auto;UserinfoEndpoint
type SynapseUserProfileMethod string

// The places where Synapse can read what it is told of people.
const (
	// SynapseUserProfileAuto is the ID token, where there is one.
	SynapseUserProfileAuto SynapseUserProfileMethod = "Auto"
	// SynapseUserProfileUserinfoEndpoint is the userinfo endpoint.
	SynapseUserProfileUserinfoEndpoint SynapseUserProfileMethod = "UserinfoEndpoint"
)

// SynapseUserMapping says how claims become a Matrix account. The templates are Jinja2; user holds the claims.
type SynapseUserMapping struct {
	// subjectClaim is the claim by which Synapse knows a person again. Unset: sub.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	SubjectClaim string `json:"subjectClaim,omitempty"`

	// localpartTemplate makes the part of a Matrix ID before the colon. Unset: {{ user.preferred_username }}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	LocalpartTemplate string `json:"localpartTemplate,omitempty"`

	// confirmLocalpart asks people at their first login whether they like it. Unset: false.
	// +optional
	ConfirmLocalpart *bool `json:"confirmLocalpart,omitempty"`

	// displayNameTemplate makes the display name at the first login. Unset: {{ user.name }}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	DisplayNameTemplate string `json:"displayNameTemplate,omitempty"`

	// emailTemplate makes the e-mail address at the first login. Unset: {{ user.email }}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	EmailTemplate string `json:"emailTemplate,omitempty"`

	// pictureClaim is the claim that holds the URL of a picture. Unset: picture.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	PictureClaim string `json:"pictureClaim,omitempty"`

	// extraAttributes are templates, by name, of what Matrix clients are told with a login. Unset: none.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	ExtraAttributes map[string]string `json:"extraAttributes,omitempty"`
}

// SynapseAttributeRequirement lets in only people whose claim has a value: that of value, one of oneOf, or with neither any.
//
// +kubebuilder:validation:XValidation:rule="!has(self.value) || !has(self.oneOf)",message="an attribute requirement must not hold both value and oneOf; move value into oneOf"
type SynapseAttributeRequirement struct {
	// attribute is the name of the claim. Of a list of values, one must fit.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Attribute string `json:"attribute,omitempty"`

	// value is what the claim must be or hold. Unset: see oneOf.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Value string `json:"value,omitempty"`

	// oneOf are values of which the claim must be or hold one. Unset: value, and without that the claim
	// need only be there. Synapse must be of 2025 or later to know anything but value.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	OneOf []string `json:"oneOf,omitempty"`
}
