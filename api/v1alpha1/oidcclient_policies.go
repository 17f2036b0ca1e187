package v1alpha1

// GrantType is a way of getting tokens. device_code stands for urn:ietf:params:oauth:grant-type:device_code.
//
// +kubebuilder:validation:Enum=authorization_code;refresh_token;client_credentials;device_code
type GrantType string

// The grant types.
const (
	// GrantTypeAuthorizationCode is a login in a browser (RFC 6749 section 4.1).
	GrantTypeAuthorizationCode GrantType = "authorization_code"
	// GrantTypeRefreshToken renews tokens without a login (RFC 6749 section 6).
	GrantTypeRefreshToken GrantType = "refresh_token"
	// GrantTypeClientCredentials is the application acting for itself (RFC 6749 section 4.4).
	GrantTypeClientCredentials GrantType = "client_credentials"
	// GrantTypeDeviceCode is a login on another device than the one that gets the tokens (RFC 8628).
	GrantTypeDeviceCode GrantType = "device_code"
)

// PKCEPolicy says whether a code challenge is needed.
//
// +kubebuilder:validation:Enum=Optional;Required
type PKCEPolicy string

// The PKCE policies.
const (
	// PKCEOptional accepts requests without a code challenge.
	PKCEOptional PKCEPolicy = "Optional"
	// PKCERequired refuses them.
	PKCERequired PKCEPolicy = "Required"
)

// ConsentPolicy says when people are asked for consent.
//
// +kubebuilder:validation:Enum=Always;Remember;Never
type ConsentPolicy string

// The consent policies.
const (
	// ConsentAlways asks at every login.
	ConsentAlways ConsentPolicy = "Always"
	// ConsentRemember asks once for each set of scopes.
	ConsentRemember ConsentPolicy = "Remember"
	// ConsentNever does not ask.
	ConsentNever ConsentPolicy = "Never"
)

// AccessTokenFormat says what access tokens are.
//
// +kubebuilder:validation:Enum=Opaque;JWT
type AccessTokenFormat string

// The formats of access tokens.
const (
	// AccessTokenOpaque is a handle that only the provider can look up.
	AccessTokenOpaque AccessTokenFormat = "Opaque"
	// AccessTokenJWT is a signed token that APIs can check themselves (RFC 9068).
	AccessTokenJWT AccessTokenFormat = "JWT"
)

// ClientSubject says as whom an application knows a person.
//
// +kubebuilder:validation:XValidation:rule="!has(self.sectorIdentifier) || (has(self.mode) && self.mode == 'Pairwise')",message="sectorIdentifier is only for mode Pairwise; set that or remove it"
type ClientSubject struct {
	// mode says what sub is: Public (the person's subject, the same for every application), Pairwise (another one for each
	// sector, so that applications cannot compare notes), Username, Email, or UserUUID (the subject where that is a UUID, else
	// a UUID made from it). After a change the application takes everybody for somebody new. Unset: Public.
	// +optional
	Mode SubjectMode `json:"mode,omitempty"`

	// sectorIdentifier is the host name that applications share which shall know people by the same pairwise subjects. After a
	// change the application takes everybody for somebody new. Unset: the host of redirectURIs, which must then be the same in
	// all of them.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="sectorIdentifier must be a host name in lower case without scheme, port or path, such as example.com"
	SectorIdentifier string `json:"sectorIdentifier,omitempty"`
}

// SubjectMode says what sub tells an application.
//
// +kubebuilder:validation:Enum=Public;Pairwise;Username;Email;UserUUID
type SubjectMode string

// The subject modes.
const (
	// SubjectPublic is the person's subject, the same for every application.
	SubjectPublic SubjectMode = "Public"
	// SubjectPairwise differs for every sector (OpenID Connect Core section 8.1).
	SubjectPairwise SubjectMode = "Pairwise"
	// SubjectUsername is the username.
	SubjectUsername SubjectMode = "Username"
	// SubjectEmail is the e-mail address.
	SubjectEmail SubjectMode = "Email"
	// SubjectUserUUID is the subject where that is a UUID, else a UUID made from it.
	SubjectUserUUID SubjectMode = "UserUUID"
)

// ClientAccess says who may log in to an application.
type ClientAccess struct {
	// allowedGroups lets in only people who are in at least one of these groups, to the letter. Unset: everybody.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	AllowedGroups []string `json:"allowedGroups,omitempty"`
}
