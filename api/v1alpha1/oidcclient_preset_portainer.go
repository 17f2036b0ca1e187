package v1alpha1

// PortainerPreset is what Portainer must be told of an identity provider besides what the provider itself is: its OAuth
// settings.
type PortainerPreset struct {
	// url is Portainer's address, as people's browsers show it. It is the redirect URI, to the letter.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",message="url must be an https URL without query and fragment, such as https://portainer.example.com; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	URL string `json:"url,omitempty"`

	// userIdentifier is the claim that people's names in Portainer come from. Unset: preferred_username.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.:/-]+$')",message="userIdentifier must consist of the characters A-Z a-z 0-9 _ . : / -"
	UserIdentifier string `json:"userIdentifier,omitempty"`

	// autoCreateUsers gives people who have no account one when they log in. Whoever has the name of an account that exists
	// gets that one in any case. Unset: true.
	// +optional
	AutoCreateUsers *bool `json:"autoCreateUsers,omitempty"`

	// defaultTeamID is the number of the team that new accounts are put into. Unset: none.
	// +optional
	// +kubebuilder:validation:Minimum=1
	DefaultTeamID *int32 `json:"defaultTeamID,omitempty"`

	// sso lets people in who are logged in at the provider; false asks for the password each time. Unset: true.
	// +optional
	SSO *bool `json:"sso,omitempty"`

	// logout ends the login session at the provider when somebody logs out of Portainer. Unset: true.
	// +optional
	Logout *bool `json:"logout,omitempty"`
}
