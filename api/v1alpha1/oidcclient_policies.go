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
// +kubebuilder:validation:XValidation:rule="has(self.expression) == (has(self.mode) && self.mode == 'Expression')",message="expression is for mode Expression, and that needs it; set both or none"
// +kubebuilder:validation:XValidation:rule="!has(self.examples) || has(self.expression)",message="examples are of expression; set that or remove them"
type ClientSubject struct {
	// mode says what sub is: Public (the person's subject, the same for every application), Pairwise (another one for each
	// sector, so that applications cannot compare notes), Username, Email, UserUUID (the subject where that is a UUID, else
	// a UUID made from it), or Expression. After a change the application takes everybody for somebody new. Unset: Public.
	// +optional
	Mode SubjectMode `json:"mode,omitempty"`

	// expression gives sub, in CEL, from user and client: at most 255 printable ASCII characters without spaces. It must give
	// another one for every person and the same one for ever; nobody checks that for you. Who has none does not get in.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Expression string `json:"expression,omitempty"`

	// examples are people and the sub that expression must give for them. The OIDCClient is not accepted while one does not
	// hold. Unset: none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Examples []ExpressionExample `json:"examples,omitempty"`

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
// +kubebuilder:validation:Enum=Public;Pairwise;Username;Email;UserUUID;Expression
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
	// SubjectExpression is what an expression gives.
	SubjectExpression SubjectMode = "Expression"
)

// ClientAccess says who may log in to an application: whom both allowedGroups and rule let in, where they are set.
//
// +kubebuilder:validation:XValidation:rule="!has(self.examples) || has(self.rule)",message="examples are of rule; set that or remove them"
type ClientAccess struct {
	// allowedGroups lets in only people who are in at least one of these groups, to the letter. Unset: everybody.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	AllowedGroups []string `json:"allowedGroups,omitempty"`

	// rule lets in only people for whom it gives true, in CEL, from user, client and now: user.email.endsWith('@example.com').
	// It is asked at every login and whenever tokens are exchanged or used. One that has no result for somebody keeps them
	// out. Unset: everybody whom allowedGroups lets in.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Rule string `json:"rule,omitempty"`

	// examples are people and whether rule lets them in: expected is true or false. The OIDCClient is not accepted while one
	// does not hold. Unset: none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Examples []ExpressionExample `json:"examples,omitempty"`

	// contact is whom the page for people who may not log in tells them to ask: an e-mail address or an https URL, which become
	// links, or a few words. Unset: whoever looks after the application.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:cntrl:]]*[^[:space:][:cntrl:]][^[:cntrl:]]*$')",message="contact must be one line, such as it-support@example.com"
	Contact string `json:"contact,omitempty"`
}

// LogoutTokenSubject says what a logout token identifies.
//
// +kubebuilder:validation:Enum=Session;User
type LogoutTokenSubject string

// The subjects of logout tokens.
const (
	// LogoutIdentifiesSession names the session and its user.
	LogoutIdentifiesSession LogoutTokenSubject = "Session"
	// LogoutIdentifiesUser names the user alone.
	LogoutIdentifiesUser LogoutTokenSubject = "User"
)

// RefreshTokenRotation says whether each use of a refresh token gives another one.
//
// +kubebuilder:validation:Enum=Always;Never
type RefreshTokenRotation string

// The rotations of refresh tokens.
const (
	// RefreshTokenRotationAlways gives another one.
	RefreshTokenRotationAlways RefreshTokenRotation = "Always"
	// RefreshTokenRotationNever keeps the same one.
	RefreshTokenRotationNever RefreshTokenRotation = "Never"
)
