package v1alpha1

// VaultPreset is what Vault, or OpenBao, must be told of an identity provider besides what the provider itself is: the
// configuration of its JWT/OIDC auth method and one role of it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.boundGroups) || !has(self.boundClaims) || !self.boundClaims.exists(c, c.name == 'groups')",message="boundClaims must not hold groups beside boundGroups; choose one"
type VaultPreset struct {
	// address is Vault's address in people's browsers, with or without a slash at the end. The redirect URI of its UI follows.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",message="address must be an https URL without query and fragment, such as https://vault.example.com:8200; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	Address string `json:"address,omitempty"`

	// mountPath is where the auth method is mounted. Unset: oidc.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$')",message="mountPath must consist of letters, digits, _ and -, with single slashes between them"
	MountPath string `json:"mountPath,omitempty"`

	// role is the name of the role, which is also the default. Unset: default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$')",message="role must consist of a-z 0-9 _ and, between them, . and -"
	Role string `json:"role,omitempty"`

	// policies are what tokens of the role may, beside what Vault's identity groups give. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.all(p, p.matches('^[^, ]+$') && p != 'root')",message="policies must be names of policies without spaces and commas, and not root"
	Policies []string `json:"policies,omitempty"`

	// boundGroups are the groups of which a person must be in one; Vault checks it. access on the OIDCClient turns people away
	// before, with a page that says so. Unset: everybody.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	BoundGroups []string `json:"boundGroups,omitempty"`

	// boundClaims are claims, each with values of which it must be or hold one. Unset: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	BoundClaims []VaultBoundClaim `json:"boundClaims,omitempty"`

	// userClaim is the claim by which Vault knows a person again. A username can change hands, and with it what Vault's
	// identities give. Unset: sub.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.:/-]+$')",message="userClaim must consist of the characters A-Z a-z 0-9 _ . : / -"
	UserClaim string `json:"userClaim,omitempty"`

	// groupsClaim is the claim whose values Vault's external groups are called by. Unset: groups.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.:/-]+$')",message="groupsClaim must consist of the characters A-Z a-z 0-9 _ . : / -"
	GroupsClaim string `json:"groupsClaim,omitempty"`

	// claimMappings are the claims that become metadata of a token and its identity, each with the name that it has there.
	// Unset: preferred_username as username, name as name and email as email.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(c, self[c] != 'role')",message="claimMappings must give each claim a name other than role, which is Vault's own"
	ClaimMappings map[string]VaultMetadataName `json:"claimMappings,omitempty"`

	// tokenTTL and tokenMaxTTL are how long a token lives without and with renewals. Unset: what Vault says.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^[1-9][0-9]*[smh]$')",message="tokenTTL must be a number of seconds, minutes or hours, such as 12h"
	TokenTTL string `json:"tokenTTL,omitempty"`

	// tokenMaxTTL is how long a token lives with renewals. Unset: what Vault says.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^[1-9][0-9]*[smh]$')",message="tokenMaxTTL must be a number of seconds, minutes or hours, such as 24h"
	TokenMaxTTL string `json:"tokenMaxTTL,omitempty"`

	// certificateAuthority is the certificate, in PEM, of a private authority that has issued the provider's. Unset: those of
	// Vault's system.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +kubebuilder:validation:XValidation:rule="self.contains('-----BEGIN CERTIFICATE-----')",message="certificateAuthority must hold certificates in PEM (-----BEGIN CERTIFICATE-----)"
	CertificateAuthority string `json:"certificateAuthority,omitempty"`
}

// VaultMetadataName is what a claim is called in Vault.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
type VaultMetadataName string

// VaultBoundClaim is a claim that must have one of some values.
type VaultBoundClaim struct {
	// name is that of the claim.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`

	// values are those of which the claim must be or hold one.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Values []string `json:"values,omitempty"`
}
