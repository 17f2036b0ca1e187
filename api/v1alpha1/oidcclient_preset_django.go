package v1alpha1

// DjangoPreset is what a Django project with mozilla-django-oidc must be told of an identity provider besides what the provider
// itself is: its settings.
type DjangoPreset struct {
	// baseURL is the address of the project, with or without a slash at the end. Redirect and logout URI follow from it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",message="baseURL must be an https URL without query and fragment, such as https://app.example.com; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	BaseURL string `json:"baseURL,omitempty"`

	// urlPrefix is where the project's URLs include mozilla_django_oidc.urls, without the base URL's path. Unset: oidc/.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9._~-]+/)+$')",message="urlPrefix must be a path without a slash in front and with one at the end, such as oidc/"
	URLPrefix string `json:"urlPrefix,omitempty"`

	// createUser gives people who have no account one when they log in. Unset: true.
	// +optional
	CreateUser *bool `json:"createUser,omitempty"`

	// unverifiedEmail tells the project e-mail addresses that are not verified, too. The project knows people again by their
	// address: whoever can enter somebody else's at the provider gets their account. Unset: false; who has no verified address
	// cannot log in.
	// +optional
	UnverifiedEmail *bool `json:"unverifiedEmail,omitempty"`

	// logout ends the login session at the provider when somebody logs out of the project. Unset: true.
	// +optional
	Logout *bool `json:"logout,omitempty"`

	// renewIDTokenExpirySeconds is after how many seconds the middleware SessionRefresh, if the project has it, asks the provider
	// whether the person is still logged in. Unset: 900.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=2592000
	RenewIDTokenExpirySeconds *int32 `json:"renewIDTokenExpirySeconds,omitempty"`
}
