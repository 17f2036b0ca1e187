package v1alpha1

// SynologyDSMPreset is what the SSO client of Synology DSM must be told besides what the provider itself is.
//
// +kubebuilder:validation:XValidation:rule="has(self.usernameDomain) == (has(self.accountType) && self.accountType in ['LDAP', 'Domain'])",message="usernameDomain must be set for accountType LDAP and Domain, whose accounts are called user@domain, and only for those"
type SynologyDSMPreset struct {
	// urls are the addresses at which people open DSM, as the browser shows them: with the port and without a slash at the end. DSM
	// returns to the one that a login came from.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.all(u, u.matches('^https://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\\\[[0-9A-Fa-f:.]+\\\\])(:[0-9]+)?$') || u.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?$'))",message="urls must be https addresses with the port and nothing after it, not even a slash, such as https://nas.example.com:5001; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	URLs []string `json:"urls,omitempty"`

	// accountType says what kind of accounts log in: Local (of the NAS itself; DSM 7.2 and later), LDAP or Domain (of the directory that
	// the NAS has joined). They must exist already; DSM makes none. Unset: Local.
	// +optional
	AccountType SynologyAccountType `json:"accountType,omitempty"`

	// usernameDomain is what stands after the @ in the names of accounts of the type LDAP or Domain, such as example.com. Unset:
	// names without an @, of the type Local.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$')",message="usernameDomain must be what stands after the @ in the names of the accounts, such as example.com"
	UsernameDomain string `json:"usernameDomain,omitempty"`

	// usernameClaim is the claim in which DSM finds the name of the account. For accounts of the type LDAP and Domain the preset makes
	// it from username and usernameDomain, unless it is email or sub; for local accounts a standard claim is what it always is,
	// and any other is the username. One of this name in claims wins. Unset: preferred_username.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",message="usernameClaim must consist of letters, digits and _, such as preferred_username"
	UsernameClaim string `json:"usernameClaim,omitempty"`

	// name is what DSM's login page calls the provider. Unset: SSO.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name,omitempty"`
}

// SynologyAccountType says what kind of accounts log in to DSM.
//
// +kubebuilder:validation:Enum=Local;LDAP;Domain
type SynologyAccountType string

// The kinds of accounts.
const (
	// SynologyAccountLocal are accounts of the NAS itself.
	SynologyAccountLocal SynologyAccountType = "Local"
	// SynologyAccountLDAP are accounts of an LDAP directory.
	SynologyAccountLDAP SynologyAccountType = "LDAP"
	// SynologyAccountDomain are accounts of a Windows domain.
	SynologyAccountDomain SynologyAccountType = "Domain"
)
