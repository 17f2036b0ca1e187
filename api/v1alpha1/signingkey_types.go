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
// +kubebuilder:printcolumn:name="Next rotation",type=string,JSONPath=`.status.nextRotationTime`
// +kubebuilder:printcolumn:name="Active key",type=string,JSONPath=`.status.activeKeyID`,priority=1
// +kubebuilder:printcolumn:name="Phases",type=string,JSONPath=`.status.keys[*].phase`,priority=1
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
	// +default={"observedGeneration":-1}
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
// +kubebuilder:validation:XValidation:rule="!has(self.__import__) || !has(self.rsaBits)",message="rsaBits is not for an imported key, whose size is its own; remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.__import__) || !has(self.rotation) || !has(self.rotation.interval)",message="rotation.interval is not for an imported key, which changes when its Secret does; remove it"
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

	// rotation says when the key is replaced by a new one, and how long both are known. A rotation begins by interval, or when
	// the annotation oidc-operator.dev/rotate gets a value that it has not had. Unset: only on request, with the default times.
	// +optional
	Rotation KeyRotation `json:"rotation,omitzero"`

	// import takes the private key from a Secret instead of making one, and another one when the Secret changes, through the
	// same phases as any new key. Unset: keys are made.
	// +optional
	Import *KeyImport `json:"import,omitempty"`

	// deletionPolicy says what happens to the private key when the SigningKey is deleted. The provider stops signing with it
	// in either case, and goes on verifying with the public half for rotation.retainAfter; a retained one is taken up again by
	// a SigningKey of the same name. Unset: Delete.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// KeyRotation says when a key is replaced by a new one, and how long both are known.
//
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || duration(self.interval) >= duration(has(self.publishBefore) ? self.publishBefore : '24h')",message="interval must not be shorter than publishBefore"
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || !has(self.retainAfter) || duration(self.retainAfter).getHours() <= 6 * duration(self.interval).getHours()",message="retainAfter must be at most six times interval, because the JWKS holds every key that is retained"
type KeyRotation struct {
	// interval is how long a key signs before the next one takes its place: 24h to 87600h (ten years). Unset: until a rotation
	// is asked for.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('24h') && duration(self) <= duration('87600h')",message="interval must be between 24h and 87600h"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// publishBefore is how long a new key is in the JWKS of every provider replica before it signs: 10m to 8760h. It is never
	// shorter than relying parties may keep the JWKS without asking (5m) and takes the slower ones along that ask once a day.
	// Unset: 24h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10m') && duration(self) <= duration('8760h')",message="publishBefore must be between 10m and 8760h"
	PublishBefore *metav1.Duration `json:"publishBefore,omitempty"`

	// retainAfter is how long a key that signs no more stays in the JWKS: 24h to 8760h. 24h is the longest that a token of any
	// client can be valid. Unset: 24h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('24h') && duration(self) <= duration('8760h')",message="retainAfter must be between 24h and 8760h, because a token can be valid for 24h"
	RetainAfter *metav1.Duration `json:"retainAfter,omitempty"`
}

// KeyImport says where a private key comes from that the operator does not make.
type KeyImport struct {
	// secretRef names the Secret, in the SigningKey's own namespace, and the key in it: PEM with PKCS#8, PKCS#1 or SEC1, not
	// encrypted, such as the tls.key of cert-manager, or a private JSON Web Key. It must fit algorithm; RSA needs 2048 to 4096 bits.
	// +required
	SecretRef ImportSecretReference `json:"secretRef,omitzero"`
}

// ImportSecretReference names one key of a Secret in the same namespace.
type ImportSecretReference struct {
	// name is that of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// key is the key in the Secret's data. Unset: tls.key.
	// +optional
	// +default="tls.key"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// SigningKeyStatus says which keys there are.
type SigningKeyStatus struct {
	// conditions are Ready, and Reconciling or Stalled only while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about; -1 until the operator has looked at it,
	// so that nothing takes a resource that is new for one that is ready.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// activeKeyID is the key ID (kid, an RFC 7638 thumbprint) of the key that signs.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ActiveKeyID string `json:"activeKeyID,omitempty"`

	// keys are all keys in the provider's JWKS that belong to this SigningKey.
	// +optional
	// +listType=map
	// +listMapKey=keyID
	// +kubebuilder:validation:MaxItems=32
	Keys []KeyStatus `json:"keys,omitempty"`

	// nextRotationTime is when another key is to begin to sign, if nobody asks for it earlier. It is absent without
	// rotation.interval, and while a new key waits until every provider replica serves it.
	// +optional
	NextRotationTime *metav1.Time `json:"nextRotationTime,omitempty"`
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

	// retiresAt is when the key leaves the JWKS, once it signs no more.
	// +optional
	RetiresAt *metav1.Time `json:"retiresAt,omitempty"`
}
