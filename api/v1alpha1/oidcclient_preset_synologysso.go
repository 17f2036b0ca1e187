package v1alpha1

// SynologySSOPreset is what the provider must know of an application that was written for Synology SSO Server.
type SynologySSOPreset struct {
	// redirectURIs are the pages to which a login may return: to the letter what the application gives as redirect_uri, https, or http
	// on a loopback host. Pages of their origins may ask in frames who is logged in.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.contains('#'))",message="redirectURIs must not have a fragment, in which the answer comes; remove everything from the # on"
	RedirectURIs []string `json:"redirectURIs,omitempty"`

	// appID is the app_id of the application, 32 hexadecimal digits in lower case, where it cannot be changed there. It is no secret, and
	// no two OIDCClients of a provider can have the same. Unset: one that is made from the client ID.
	// +optional
	// +kubebuilder:validation:MinLength=32
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9a-f]{32}$')",message="appID must be 32 of the characters 0-9 a-f, such as 153fcb35b01571b49cb0adca3a4bda40; leave it out to have one made"
	AppID string `json:"appID,omitempty"`
}
