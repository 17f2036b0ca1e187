package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OIDCProviderStatus says what runs.
type OIDCProviderStatus struct {
	// conditions are Ready, StorageReady, SigningReady, RolledOut and Available, TLSReady with tls, BrandingReady with
	// branding.logoConfigMapRef, and Reconciling or Stalled only while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about; -1 until the operator has looked at it,
	// so that nothing takes a resource that is new for one that is ready.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// endpoints are the URLs that relying parties use.
	// +optional
	Endpoints *Endpoints `json:"endpoints,omitempty"`

	// signingAlgorithms are the algorithms of active keys, which the discovery document lists. When one leaves, there is an
	// event: relying parties that keep the document, such as Matrix Synapse, must be restarted.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=16
	SigningAlgorithms []string `json:"signingAlgorithms,omitempty"`

	// replicas counts provider replicas by what they have reported.
	// +optional
	Replicas *ReplicaCounts `json:"replicas,omitempty"`

	// registered counts what every ready replica has loaded.
	// +optional
	Registered *RegisteredCounts `json:"registered,omitempty"`
}

// Endpoints are the URLs of a provider.
type Endpoints struct {
	// issuer is the exact issuer string.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Issuer string `json:"issuer,omitempty"`

	// discovery is the URL of the discovery document.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Discovery string `json:"discovery,omitempty"`

	// authorization is the URL of the authorization endpoint.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Authorization string `json:"authorization,omitempty"`

	// token is the URL of the token endpoint.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Token string `json:"token,omitempty"`

	// userinfo is the URL of the userinfo endpoint.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Userinfo string `json:"userinfo,omitempty"`

	// jwks is the URL of the public signing keys.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	JWKS string `json:"jwks,omitempty"`

	// endSession is the URL at which relying parties start a logout.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	EndSession string `json:"endSession,omitempty"`

	// introspection is the URL at which APIs ask what a token is worth (RFC 7662).
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Introspection string `json:"introspection,omitempty"`

	// revocation is the URL at which relying parties end a token (RFC 7009).
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Revocation string `json:"revocation,omitempty"`

	// pushedAuthorizationRequest is the URL to which relying parties push authorization requests (RFC 9126).
	// +optional
	// +kubebuilder:validation:MaxLength=600
	PushedAuthorizationRequest string `json:"pushedAuthorizationRequest,omitempty"`

	// deviceAuthorization is the URL at which a device starts a login (RFC 8628).
	// +optional
	// +kubebuilder:validation:MaxLength=600
	DeviceAuthorization string `json:"deviceAuthorization,omitempty"`
}

// ReplicaCounts counts provider replicas.
type ReplicaCounts struct {
	// ready replicas answer requests.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Ready *int32 `json:"ready,omitempty"`

	// current replicas are ready and have applied every registration.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Current *int32 `json:"current,omitempty"`
}

// RegisteredCounts counts registrations.
type RegisteredCounts struct {
	// clients is how many clients can log people in.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Clients *int32 `json:"clients,omitempty"`

	// users is how many people are known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Users *int32 `json:"users,omitempty"`
}
