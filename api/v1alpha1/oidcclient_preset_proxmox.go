package v1alpha1

// ProxmoxPreset is what Proxmox VE must be told of an identity provider besides what the provider itself is: a realm of the type
// openid.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.groupsAutocreate) || has(self.groupsOverwrite)) || has(self.groupsClaim)",message="groupsAutocreate and groupsOverwrite need groupsClaim"
// +kubebuilder:validation:XValidation:rule="has(self.realm) == has(oldSelf.realm)",message="realm cannot be changed, because it is part of the names of Proxmox VE's users; create a new OIDCClient"
type ProxmoxPreset struct {
	// urls are the addresses at which people open the web interface, of every node: with the port and without a slash at the
	// end. They are the redirect URIs, to the letter.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.all(u, u.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+$') || u.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?$'))",message="urls must be https addresses with the port and nothing after it, not even a slash, such as https://pve.example.com:8006; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	URLs []string `json:"urls,omitempty"`

	// realm is the name of the realm, which stands after the @ in the names of its users. It cannot be changed. Unset: sso.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][A-Za-z0-9._-]+$') && self != 'pam' && self != 'pve'",message="realm must begin with a letter, consist of two or more letters, digits, . _ and -, and be neither pam nor pve"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="realm cannot be changed, because it is part of the names of Proxmox VE's users; create a new OIDCClient"
	Realm string `json:"realm,omitempty"`

	// usernameClaim is the claim that people's names come from. Proxmox VE does not let it be changed once the realm exists.
	// Unset: username, which Proxmox VE takes for preferred_username.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.-]+$')",message="usernameClaim must consist of letters, digits, _ . and -"
	UsernameClaim string `json:"usernameClaim,omitempty"`

	// autocreate gives people who have no account one when they log in, without any rights. Unset: true.
	// +optional
	Autocreate *bool `json:"autocreate,omitempty"`

	// default makes the realm the one that the login page offers first. Unset: false.
	// +optional
	Default *bool `json:"default,omitempty"`

	// comment is what the login page calls the realm. Unset: none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9 ._()-]+$')",message="comment must consist of letters, digits, spaces and . _ ( ) -"
	Comment string `json:"comment,omitempty"`

	// groupsClaim is the claim that people's groups come from (Proxmox VE 8.4 and later). Unset: groups are Proxmox VE's own
	// business.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9._-]+$')",message="groupsClaim must consist of letters, digits, . _ and -"
	GroupsClaim string `json:"groupsClaim,omitempty"`

	// groupsAutocreate makes groups that do not exist. Unset: false; they are passed over.
	// +optional
	GroupsAutocreate *bool `json:"groupsAutocreate,omitempty"`

	// groupsOverwrite takes people out of groups that the claim does not hold. Unset: false.
	// +optional
	GroupsOverwrite *bool `json:"groupsOverwrite,omitempty"`

	// prompt is what the provider is asked to do at every login: login asks for the password each time, consent for consent. Unset:
	// whatever the provider does by itself.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z_]+$')",message="prompt must be one word, such as login"
	Prompt string `json:"prompt,omitempty"`

	// acrValues are the authentication context classes that the provider is asked for.
	// Unset: none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9:._/-]+$')",message="acrValues must consist of letters, digits and : . _ / -"
	ACRValues string `json:"acrValues,omitempty"`

	// queryUserinfo asks the provider's userinfo for claims, too; the ID token says the same unless claimsIn is Userinfo. Unset:
	// true.
	// +optional
	QueryUserinfo *bool `json:"queryUserinfo,omitempty"`
}
