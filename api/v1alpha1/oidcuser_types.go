package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OIDCUser is a person who can log in at an OIDCProvider in the same namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=oidcusers,scope=Namespaced,shortName=oidcu,categories=oidc
// +kubebuilder:printcolumn:name="Username",type=string,JSONPath=`.status.username`
// +kubebuilder:printcolumn:name="Provider",type=string,JSONPath=`.spec.providerRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Subject",type=string,JSONPath=`.status.subject`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 244 || has(self.spec.passwordSecretRef)",message="metadata.name must be at most 244 characters, because the Secret with the password is called <name>-password; shorten it, or set spec.passwordSecretRef"
type OIDCUser struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says who the person is.
	// +required
	Spec OIDCUserSpec `json:"spec,omitzero"`

	// status says whether the person can log in.
	// +optional
	// +default={"observedGeneration":-1}
	Status OIDCUserStatus `json:"status,omitempty,omitzero"`
}

// OIDCUserList is a list of OIDCUsers.
//
// +kubebuilder:object:root=true
type OIDCUserList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []OIDCUser `json:"items"`
}

// OIDCUserSpec says who a person is. Fields that become claims are named after them (OpenID Connect Core section 5.1).
//
// +kubebuilder:validation:XValidation:rule="has(self.subject) == has(oldSelf.subject)",message="subject cannot be changed, because applications know the person by it; create a new OIDCUser"
// +kubebuilder:validation:XValidation:rule="!has(self.emailVerified) || !self.emailVerified || has(self.email)",message="emailVerified needs email"
// +kubebuilder:validation:XValidation:rule="!has(self.phoneNumberVerified) || !self.phoneNumberVerified || has(self.phoneNumber)",message="phoneNumberVerified needs phoneNumber"
type OIDCUserSpec struct {
	// providerRef names the OIDCProvider, in the same namespace, at which the person logs in.
	// +required
	ProviderRef LocalProviderReference `json:"providerRef,omitzero"`

	// username is what the person types to log in, and the preferred_username claim. Case, width and composition of characters do not
	// matter when logging in (RFC 8265). Of two OIDCUsers with the same one, the older has it. Unset: metadata.name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^\\\\s]+$')",message="username must not contain spaces"
	Username string `json:"username,omitempty"`

	// subject is the sub claim, by which applications know the person for good. It cannot be changed. Unset: a UUID (version
	// 5) of the issuer and this object's namespace and name, which stays the same when the object moves to another cluster.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="subject must consist of printable ASCII characters without spaces"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="subject cannot be changed, because applications know the person by it; create a new OIDCUser"
	Subject string `json:"subject,omitempty"`

	// displayName is the name claim: the full name as it should be shown.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	DisplayName string `json:"displayName,omitempty"`

	// givenName is the given_name claim.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	GivenName string `json:"givenName,omitempty"`

	// familyName is the family_name claim.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	FamilyName string `json:"familyName,omitempty"`

	// middleName is the middle_name claim.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	MiddleName string `json:"middleName,omitempty"`

	// nickname is the nickname claim.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Nickname string `json:"nickname,omitempty"`

	// profile is the profile claim: the URL of a page about the person.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http']",message="profile must be an absolute https or http URL"
	Profile string `json:"profile,omitempty"`

	// picture is the picture claim: the URL of an image of the person.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http']",message="picture must be an absolute https or http URL"
	Picture string `json:"picture,omitempty"`

	// website is the website claim: the URL of the person's own page.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http']",message="website must be an absolute https or http URL"
	Website string `json:"website,omitempty"`

	// gender is the gender claim.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Gender string `json:"gender,omitempty"`

	// birthdate is the birthdate claim: YYYY-MM-DD, YYYY, or 0000-MM-DD without the year.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$')",message="birthdate must be YYYY-MM-DD or YYYY"
	Birthdate string `json:"birthdate,omitempty"`

	// zoneinfo is the zoneinfo claim: a time zone such as Europe/Berlin.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Zoneinfo string `json:"zoneinfo,omitempty"`

	// locale is the locale claim: a language tag such as de-DE.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=35
	Locale string `json:"locale,omitempty"`

	// email is the email claim.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=320
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^@\\\\s]+@[^@\\\\s]+$')",message="email must be an e-mail address"
	Email string `json:"email,omitempty"`

	// emailVerified is the email_verified claim. Unset: false.
	// +optional
	EmailVerified *bool `json:"emailVerified,omitempty"`

	// phoneNumber is the phone_number claim, best as E.164: +441234567890.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	PhoneNumber string `json:"phoneNumber,omitempty"`

	// phoneNumberVerified is the phone_number_verified claim. Unset: false.
	// +optional
	PhoneNumberVerified *bool `json:"phoneNumberVerified,omitempty"`

	// address is the address claim.
	// +optional
	Address *Address `json:"address,omitempty"`

	// groups are the groups claim.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Groups []string `json:"groups,omitempty"`

	// passwordSecretRef names the Secret key, in this namespace, that holds the password: in plain text, or as a hash (argon2id, bcrypt,
	// scrypt, yescrypt, PBKDF2, SHA-256 or SHA-512 crypt, SSHA, or one of Django or Werkzeug). What looks like another hash is refused.
	// Unset: a random password is made once and kept in the Secret "<name>-password".
	// +optional
	PasswordSecretRef *SecretKeyReference `json:"passwordSecretRef,omitempty"`

	// disabled refuses the person's logins and ends what they have open. Unset: false.
	// +optional
	Disabled *bool `json:"disabled,omitempty"`
}

// Address is a postal address (OpenID Connect Core section 5.1.1).
type Address struct {
	// formatted is the whole address, with line breaks.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Formatted string `json:"formatted,omitempty"`

	// streetAddress is street and number.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	StreetAddress string `json:"streetAddress,omitempty"`

	// locality is the city.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Locality string `json:"locality,omitempty"`

	// region is the state or province.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Region string `json:"region,omitempty"`

	// postalCode is the postal code.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	PostalCode string `json:"postalCode,omitempty"`

	// country is the country.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Country string `json:"country,omitempty"`
}

// OIDCUserStatus says whether a person can log in.
type OIDCUserStatus struct {
	// conditions are Ready, Accepted, CredentialsReady and Served, and Reconciling or Stalled only while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about; -1 until the operator has looked at it,
	// so that nothing takes a resource that is new for one that is ready.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// username is what the person types to log in.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Username string `json:"username,omitempty"`

	// subject is the sub claim.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Subject string `json:"subject,omitempty"`

	// passwordSecretName is the Secret that holds the password.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PasswordSecretName string `json:"passwordSecretName,omitempty"`
}
