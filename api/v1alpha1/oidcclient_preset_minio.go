package v1alpha1

// MinIOPreset is what MinIO must be told of an identity provider besides what the provider itself is: its variables
// MINIO_IDENTITY_OPENID_*.
//
// +kubebuilder:validation:XValidation:rule="!has(self.rolePolicy) || !(has(self.policies) || has(self.claimName))",message="minio must not hold policies or claimName beside rolePolicy, which gives everybody the same; remove the one or the other"
type MinIOPreset struct {
	// consoleURL is the address of MinIO's console, with or without a slash at the end. The redirect URI follows from it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",message="consoleURL must be an https URL without query and fragment, such as https://minio.example.com; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	ConsoleURL string `json:"consoleURL,omitempty"`

	// displayName is what the button on the console's login page says. Unset: SSO.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	DisplayName string `json:"displayName,omitempty"`

	// policies gives people MinIO's policies by their groups: they become the claim that claimName says. Unset: see rolePolicy;
	// without either, spec.claims must make the claim.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=14
	Policies []MinIOPolicy `json:"policies,omitempty"`

	// rolePolicy gives everybody the same policies, several with commas between them. Unset: see policies.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	RolePolicy string `json:"rolePolicy,omitempty"`

	// claimName is the claim whose values are the names of MinIO's policies. Unset: policy.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_]+$')",message="claimName must consist of letters, digits and _"
	ClaimName string `json:"claimName,omitempty"`
}

// MinIOPolicy gives the members of a group one of MinIO's policies.
type MinIOPolicy struct {
	// group is a group of people at the provider.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Group string `json:"group,omitempty"`

	// policy is the name of a policy of MinIO, such as readwrite or consoleAdmin.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^, ]+$')",message="policy must be the name of one policy without spaces and commas"
	Policy string `json:"policy,omitempty"`
}
