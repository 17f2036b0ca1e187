package v1alpha1

// MASPreset is what the Matrix Authentication Service must be told of an upstream provider besides what the provider itself
// is: an entry of upstream_oauth2.providers in its configuration.
//
// +kubebuilder:validation:XValidation:rule="!has(self.secretMountPath) || !has(self.secretDelivery) || self.secretDelivery == 'Path'",message="secretMountPath is only for secretDelivery Path; remove it"
type MASPreset struct {
	// publicBaseURL is http.public_base of the service, with or without a slash at the end. Redirect and logout URI follow from it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",message="publicBaseURL must be an https URL without query and fragment, such as https://account.example.com; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	PublicBaseURL string `json:"publicBaseURL,omitempty"`

	// id is the provider's ID in the service, a ULID of your making. The service keeps it with every linked account, so it
	// cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=26
	// +kubebuilder:validation:MaxLength=26
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-7][0-9A-HJKMNP-TV-Z]{25}$')",message="id must be a ULID: 26 of the characters 0-9 and A-Z without I L O U, the first of them 0-7"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="id cannot be changed, because the service keeps it with every linked account, and people would get new accounts; create a new OIDCClient"
	ID string `json:"id,omitempty"`

	// synapseIDPID is the ID under which Synapse itself knew the provider, for a migration: oidc- and its idp_id, or oidc. Unset:
	// none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^oidc(-[A-Za-z0-9._~-]+)?$')",message="synapseIDPID must be oidc-, followed by the idp_id in Synapse's configuration, or oidc"
	SynapseIDPID string `json:"synapseIDPID,omitempty"`

	// humanName is what the button on the service's login page says. Unset: the host of the
	// issuer.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	HumanName string `json:"humanName,omitempty"`

	// brandName is a brand that the login page knows a logo of. Unset: none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9_.-]*$')",message="brandName must begin with a letter and consist of the characters a-z 0-9 _ . -"
	BrandName string `json:"brandName,omitempty"`

	// discoveryMode says how the service gets to know the provider: OIDC (from its discovery document, strictly checked), Insecure
	// (unchecked) or Disabled (every endpoint is written into the file). Unset: OIDC, and Insecure for an http issuer, which
	// the checks would refuse.
	// +optional
	DiscoveryMode MASDiscoveryMode `json:"discoveryMode,omitempty"`

	// responseMode says how a login returns: Query or FormPost. Unset: Query.
	// +optional
	ResponseMode MASResponseMode `json:"responseMode,omitempty"`

	// fetchUserinfo asks the userinfo endpoint, too. Unset: true if claimsIn is Userinfo, else false: the ID token says the same.
	// +optional
	FetchUserinfo *bool `json:"fetchUserinfo,omitempty"`

	// forwardLoginHint passes on whom a Matrix client wants to log in. Unset: false.
	// +optional
	ForwardLoginHint *bool `json:"forwardLoginHint,omitempty"`

	// claimsImports says how claims become a Matrix account.
	// +optional
	ClaimsImports MASClaimsImports `json:"claimsImports,omitzero"`

	// onBackchannelLogout says what the end of a login session does: DoNothing, LogoutBrowserOnly (it ends the browser's session
	// with the service) or LogoutAll (it ends those of Matrix clients, too, and one without a key backup takes the keys of
	// encrypted messages with it). Unset: LogoutBrowserOnly if backchannelLogoutURI is set, else DoNothing.
	// +optional
	OnBackchannelLogout MASBackchannelLogout `json:"onBackchannelLogout,omitempty"`

	// registrationTokenRequired lets people who have no account make one only with a registration token of the service. Unset:
	// false.
	// +optional
	RegistrationTokenRequired *bool `json:"registrationTokenRequired,omitempty"`

	// additionalAuthorizationParameters are added to every authorization request, such as acr_values or prompt. The service takes
	// them for templates from 2026 on. Unset: none.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, !(name in ['client_id', 'redirect_uri', 'response_type', 'response_mode', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method']))",message="additionalAuthorizationParameters must not hold a parameter that the service sends itself (client_id, redirect_uri, response_type, response_mode, scope, state, nonce, code_challenge, code_challenge_method)"
	AdditionalAuthorizationParameters map[string]string `json:"additionalAuthorizationParameters,omitempty"`

	// secretDelivery says how the service comes by the client secret: Path (the file names the one beside it in the Secret and
	// holds none itself) or Inline. Unset: Path.
	// +optional
	SecretDelivery SecretDelivery `json:"secretDelivery,omitempty"`

	// secretMountPath is the directory in the service's container where the Secret is mounted. Unset: /etc/oidc.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(/[A-Za-z0-9._~@+=:,-]+)+/?$') && !self.matches('/[.]{1,2}(/|$)')",message="secretMountPath must be an absolute path, such as /etc/oidc"
	SecretMountPath string `json:"secretMountPath,omitempty"`
}

// MASDiscoveryMode says how the service gets to know the provider.
//
// +kubebuilder:validation:Enum=OIDC;Insecure;Disabled
type MASDiscoveryMode string

// The ways of getting to know the provider.
const (
	// MASDiscoveryOIDC reads the discovery document and checks it strictly.
	MASDiscoveryOIDC MASDiscoveryMode = "OIDC"
	// MASDiscoveryInsecure reads the discovery document and does not check it.
	MASDiscoveryInsecure MASDiscoveryMode = "Insecure"
	// MASDiscoveryDisabled takes the endpoints from the configuration.
	MASDiscoveryDisabled MASDiscoveryMode = "Disabled"
)

// MASResponseMode says how a login returns.
//
// +kubebuilder:validation:Enum=Query;FormPost
type MASResponseMode string

// The ways in which a login returns.
const (
	// MASResponseQuery returns in the query of a URL.
	MASResponseQuery MASResponseMode = "Query"
	// MASResponseFormPost returns in a posted form.
	MASResponseFormPost MASResponseMode = "FormPost"
)

// MASBackchannelLogout says what the end of a login session does.
//
// +kubebuilder:validation:Enum=DoNothing;LogoutBrowserOnly;LogoutAll
type MASBackchannelLogout string

// What the end of a login session can do.
const (
	// MASLogoutDoNothing leaves everything as it is.
	MASLogoutDoNothing MASBackchannelLogout = "DoNothing"
	// MASLogoutBrowserOnly ends the browser's session with the service.
	MASLogoutBrowserOnly MASBackchannelLogout = "LogoutBrowserOnly"
	// MASLogoutAll ends the sessions of Matrix clients, too.
	MASLogoutAll MASBackchannelLogout = "LogoutAll"
)

// MASClaimsImports says how claims become a Matrix account. The templates are Jinja2; user holds the claims.
//
// +kubebuilder:validation:XValidation:rule="!has(self.skipConfirmation) || !self.skipConfirmation || ((!has(self.localpart) || !has(self.localpart.action) || self.localpart.action == 'Require') && (!has(self.displayName) || !has(self.displayName.action) || self.displayName.action != 'Suggest') && (!has(self.email) || !has(self.email.action) || self.email.action != 'Suggest'))",message="skipConfirmation needs the action Require for localpart and another than Suggest for displayName and email, because nobody is asked; change them or remove it"
type MASClaimsImports struct {
	// subjectTemplate makes what the service knows a person by. Unset: {{ user.sub }}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	SubjectTemplate string `json:"subjectTemplate,omitempty"`

	// skipConfirmation makes new accounts without a page that shows people what they will be called. Unset: false.
	// +optional
	SkipConfirmation *bool `json:"skipConfirmation,omitempty"`

	// localpart makes the part of a Matrix ID before the colon. Unset: Require, {{ user.preferred_username }}.
	// +optional
	Localpart MASLocalpartImport `json:"localpart,omitzero"`

	// displayName makes the display name. Unset: Suggest (Force with skipConfirmation), {{ user.name }}.
	// +optional
	DisplayName MASImport `json:"displayName,omitzero"`

	// email makes the e-mail address. Unset: Suggest (Force with skipConfirmation), {{ user.email }}.
	// +optional
	Email MASImport `json:"email,omitzero"`

	// accountNameTemplate makes what people see as the name of the linked account. Unset: {{ user.preferred_username }}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	AccountNameTemplate string `json:"accountNameTemplate,omitempty"`
}

// MASImport says what is done with what a template makes of the claims.
type MASImport struct {
	// action is Ignore, Suggest (people may change it), Force (they may not) or Require (and without it nobody gets in). Unset:
	// as the field that holds this says.
	// +optional
	Action MASImportAction `json:"action,omitempty"`

	// template makes the value. Unset: as the field that holds this says.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Template string `json:"template,omitempty"`
}

// MASLocalpartImport says where the part of a Matrix ID before the colon comes from.
//
// +kubebuilder:validation:XValidation:rule="!has(self.onConflict) || self.onConflict == 'Fail' || !has(self.action) || self.action in ['Force', 'Require']",message="onConflict other than Fail needs the action Force or Require, or the service does not start; change one of them"
type MASLocalpartImport struct {
	// action is Ignore, Suggest (people may change it), Force (they may not) or Require (and without it nobody gets in). Unset:
	// Require.
	// +optional
	Action MASImportAction `json:"action,omitempty"`

	// template makes the value. Unset: {{ user.preferred_username }}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Template string `json:"template,omitempty"`

	// onConflict says what happens when the account exists already: Fail, Add (it is linked), Set (it is linked unless somebody of
	// this provider is already) or Replace (it is linked, and whoever of this provider was is not any more). With all but Fail, whoever
	// may choose their username at the provider can take over the account of that name. Unset: Fail.
	// +optional
	OnConflict MASConflict `json:"onConflict,omitempty"`
}

// MASImportAction says what is done with a value.
//
// +kubebuilder:validation:Enum=Ignore;Suggest;Force;Require
type MASImportAction string

// What can be done with a value.
const (
	// MASImportIgnore does not use it.
	MASImportIgnore MASImportAction = "Ignore"
	// MASImportSuggest lets people change it.
	MASImportSuggest MASImportAction = "Suggest"
	// MASImportForce uses it where there is one.
	MASImportForce MASImportAction = "Force"
	// MASImportRequire lets nobody in without it.
	MASImportRequire MASImportAction = "Require"
)

// MASConflict says what happens when a Matrix account exists already.
//
// +kubebuilder:validation:Enum=Fail;Add;Replace;Set
type MASConflict string

// What can happen when a Matrix account exists already.
const (
	// MASConflictFail ends the login.
	MASConflictFail MASConflict = "Fail"
	// MASConflictAdd links the account.
	MASConflictAdd MASConflict = "Add"
	// MASConflictReplace links the account, and unlinks whoever of this provider was.
	MASConflictReplace MASConflict = "Replace"
	// MASConflictSet links the account unless somebody of this provider is already.
	MASConflictSet MASConflict = "Set"
)
