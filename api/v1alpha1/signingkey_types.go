package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SigningKey is a key with which an OIDCProvider in the same namespace signs tokens.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=signingkeys,scope=Namespaced,shortName=skey,categories=oidc
// +kubebuilder:printcolumn:name="Provider",type=string,JSONPath=`.spec.providerRef.name`
// +kubebuilder:printcolumn:name="Algorithm",type=string,JSONPath=`.spec.algorithm`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Active key",type=string,JSONPath=`.status.activeKeyID`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be at most 63 characters"
type SigningKey struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what key to keep.
	// +required
	Spec SigningKeySpec `json:"spec,omitzero"`

	// status says which keys there are.
	// +optional
	Status SigningKeyStatus `json:"status,omitempty,omitzero"`
}

// SigningKeyList is a list of SigningKeys.
//
// +kubebuilder:object:root=true
type SigningKeyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SigningKey `json:"items"`
}

// SigningKeySpec says what key to keep.
//
// +kubebuilder:validation:XValidation:rule="!has(self.rsaBits) || self.algorithm.startsWith('RS') || self.algorithm.startsWith('PS')",message="rsaBits is only for the RS and PS algorithms; remove it"
// +kubebuilder:validation:XValidation:rule="has(self.rsaBits) == has(oldSelf.rsaBits)",message="rsaBits cannot be changed; create a second SigningKey and delete this one when nothing it signed is valid any more"
type SigningKeySpec struct {
	// providerRef names the OIDCProvider, in the same namespace, that signs with this key.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="providerRef cannot be changed, because a key ID belongs to one issuer; create a new SigningKey"
	ProviderRef LocalProviderReference `json:"providerRef,omitzero"`

	// algorithm is the JWS algorithm (RFC 7518). Matrix Synapse and Synology DSM need RS256. Unset: RS256.
	// +optional
	// +default="RS256"
	// +kubebuilder:validation:Enum=RS256;RS384;RS512;PS256;PS384;PS512;ES256;ES384;ES512;EdDSA
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="algorithm cannot be changed; create a second SigningKey and delete this one when nothing it signed is valid any more"
	Algorithm string `json:"algorithm,omitempty"`

	// rsaBits is the size of an RSA key. Unset: 2048.
	// +optional
	// +kubebuilder:validation:Enum=2048;3072;4096
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="rsaBits cannot be changed; create a second SigningKey and delete this one when nothing it signed is valid any more"
	RSABits *int32 `json:"rsaBits,omitempty"`

	// deletionPolicy says what happens to the private key when the SigningKey is deleted. The provider stops using it in
	// either case; a retained one is taken up again by a SigningKey of the same name. Unset: Delete.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// SigningKeyStatus says which keys there are.
type SigningKeyStatus struct {
	// conditions are Ready, and Reconciling or Stalled only while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// activeKeyID is the key ID (kid, an RFC 7638 thumbprint) of the key that signs.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ActiveKeyID string `json:"activeKeyID,omitempty"`

	// keys are all keys in the provider's JWKS that belong to this SigningKey.
	// +optional
	// +listType=map
	// +listMapKey=keyID
	// +kubebuilder:validation:MaxItems=16
	Keys []KeyStatus `json:"keys,omitempty"`
}

// KeyStatus is one key of a SigningKey.
type KeyStatus struct {
	// keyID is the key's RFC 7638 thumbprint.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	KeyID string `json:"keyID,omitempty"`

	// phase is Published (known, not signing), Active (signing) or Retiring (verifying only).
	// +required
	// +kubebuilder:validation:Enum=Published;Active;Retiring
	Phase string `json:"phase,omitempty"`

	// createdAt is when the key was made.
	// +required
	CreatedAt metav1.Time `json:"createdAt,omitzero"`

	// activatedAt is when the key began to sign.
	// +optional
	ActivatedAt *metav1.Time `json:"activatedAt,omitempty"`
}
