package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Credentials says how an application gets its credentials.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.existingSecretRef) && has(self.adopt) && self.adopt)",message="adopt takes the client secret that stands in the Secret itself; remove adopt or existingSecretRef"
// +kubebuilder:validation:XValidation:rule="!(has(self.existingSecretRef) && has(self.rotation) && has(self.rotation.interval))",message="rotation.interval makes new client secrets while existingSecretRef brings them; remove one of the two, and rotate by changing the Secret that existingSecretRef names"
// +kubebuilder:validation:XValidation:rule="!(has(self.existingSecretRef) && has(self.secretName)) || self.existingSecretRef.name != self.secretName",message="existingSecretRef.name must differ from secretName, which the operator writes; set adopt to have it take the Secret over"
type Credentials struct {
	// secretName is the Secret, in this namespace, that receives the client ID, the client secret and the provider's
	// endpoints. Unset: "<name>-oidc".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')",message="secretName must be the name of a Secret: a-z 0-9 and, between them, - and single dots"
	SecretName string `json:"secretName,omitempty"`

	// labels are added to the Secret. Those with a prefix (example.com/team) need the OIDCProvider's allowedClients.secretMetadata. Unset: none.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.contains('oidc-operator.dev/') && k != 'app.kubernetes.io/managed-by')",message="labels must not contain the operator's own (oidc-operator.dev/..., app.kubernetes.io/managed-by)"
	// +kubebuilder:validation:MaxProperties=64
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the Secret. Those with a prefix need the OIDCProvider's allowedClients.secretMetadata. Unset: none.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.contains('oidc-operator.dev/'))",message="annotations must not contain the operator's own (oidc-operator.dev/...)"
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`

	// keys renames the Secret's keys, for an application that insists on other names.
	// +optional
	Keys CredentialsKeys `json:"keys,omitzero"`

	// data adds keys to the Secret whose values are Go templates, such as OIDC_URL: "{{ .issuer }}". They know issuer, clientID,
	// clientSecret, discoveryURL, authorizationEndpoint, tokenEndpoint, userinfoEndpoint, endSessionEndpoint, jwksURI, scopes, name,
	// namespace, and the lists scopeList and redirectURIs. One with the key of a preset's file replaces that file. While one of them
	// has an error the Secret stays as it is. Unset: none.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 253 && k.matches('^[-._a-zA-Z0-9]+$') && k != '.' && k != '..')",message="data must have keys of at most 253 of the characters A-Z a-z 0-9 - _ ."
	Data map[string]CredentialsTemplate `json:"data,omitempty"`

	// existingSecretRef names the Secret, in this namespace, whose client secret is used instead of a generated one: at least
	// 128 bits, such as 22 random letters and digits. The Secret must allow it by the annotation oidc-operator.dev/allow-client with the name
	// of this OIDCClient. It is followed when it changes; while it is missing, nothing is made up. Unset: a client secret is generated.
	// +optional
	ExistingSecretRef *ClientSecretReference `json:"existingSecretRef,omitempty"`

	// rotation says when the client secret is replaced by a new one, and for how long the old one still works.
	// +optional
	Rotation ClientSecretRotation `json:"rotation,omitzero"`

	// rolloutRestart are the workloads, in this namespace, that are restarted when their Secret has got another client secret, by
	// an annotation on their pod template. The operator needs a right for it that it does not have by default. Unset: none.
	// +optional
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	RolloutRestart []Workload `json:"rolloutRestart,omitempty"`

	// adopt uses the existing Secret named secretName. The Secret must allow it by the annotation oidc-operator.dev/allow-client with the
	// name of this OIDCClient. The operator adds keys and changes none; a client secret in the Secret is used. Unset: false; a Secret
	// that was not made for this OIDCClient is left alone.
	// +optional
	Adopt *bool `json:"adopt,omitempty"`

	// deletionPolicy says what happens to the Secret when this OIDCClient is deleted: Delete, or Retain, which keeps it for an
	// OIDCClient of the same name. A Secret that was adopted is never deleted: Delete removes what the operator has added to it.
	// Unset: Delete; Retain for a Secret that was adopted.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// CredentialsTemplate is a Go template of a value in a credentials Secret.
//
// +kubebuilder:validation:MaxLength=8192
type CredentialsTemplate string

// CredentialsKeys are the keys under which a Secret holds credentials.
type CredentialsKeys struct {
	// clientID is the key of the client ID. Unset: client_id.
	// +optional
	ClientID SecretKey `json:"clientID,omitempty"`

	// clientSecret is the key of the client secret. Unset: client_secret.
	// +optional
	ClientSecret SecretKey `json:"clientSecret,omitempty"`

	// issuer is the key of the issuer. Unset: issuer.
	// +optional
	Issuer SecretKey `json:"issuer,omitempty"`

	// discoveryURL is the key of the discovery document's URL. Unset: discovery_url.
	// +optional
	DiscoveryURL SecretKey `json:"discoveryURL,omitempty"`

	// authorizationEndpoint is the key of the authorization endpoint. Unset: authorization_endpoint.
	// +optional
	AuthorizationEndpoint SecretKey `json:"authorizationEndpoint,omitempty"`

	// tokenEndpoint is the key of the token endpoint. Unset: token_endpoint.
	// +optional
	TokenEndpoint SecretKey `json:"tokenEndpoint,omitempty"`

	// userinfoEndpoint is the key of the userinfo endpoint. Unset: userinfo_endpoint.
	// +optional
	UserinfoEndpoint SecretKey `json:"userinfoEndpoint,omitempty"`

	// endSessionEndpoint is the key of the logout endpoint. Unset: end_session_endpoint.
	// +optional
	EndSessionEndpoint SecretKey `json:"endSessionEndpoint,omitempty"`

	// jwksURI is the key of the JSON Web Key Set's URL. Unset: jwks_uri.
	// +optional
	JWKSURI SecretKey `json:"jwksURI,omitempty"`

	// scopes is the key of the scopes. Unset: scopes.
	// +optional
	Scopes SecretKey `json:"scopes,omitempty"`
}

// SecretKey is a key in the data of a Secret.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$') && self != '.' && self != '..'",message="the key of a Secret consists of the characters A-Z a-z 0-9 - _ ."
type SecretKey string

// ClientSecretReference names one key of a Secret in the same namespace.
type ClientSecretReference struct {
	// name is that of the Secret. Its type must be Opaque or kubernetes.io/basic-auth.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')",message="name must be the name of a Secret in this namespace: a-z 0-9 and, between them, - and single dots"
	Name string `json:"name,omitempty"`

	// key is the key in the Secret's data. Unset: client_secret.
	// +optional
	// +default="client_secret"
	Key SecretKey `json:"key,omitempty"`
}

// ClientSecretRotation says when a client secret is replaced and for how long the old one still works.
//
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || duration(self.interval) > (has(self.overlap) ? duration(self.overlap) : duration('24h'))",message="interval must be longer than overlap (24h where it is unset)"
// +kubebuilder:validation:XValidation:rule="!has(self.deadline) || (has(self.retire) && self.retire == 'WhenUnused')",message="deadline is only for retire WhenUnused; set that or remove deadline"
// +kubebuilder:validation:XValidation:rule="!has(self.deadline) || duration(self.deadline) >= (has(self.overlap) ? duration(self.overlap) : duration('24h'))",message="deadline must not be shorter than overlap (24h where it is unset)"
// +kubebuilder:validation:XValidation:rule="!(has(self.retire) && self.retire == 'WhenUnused' && has(self.overlap)) || duration(self.overlap) >= duration('5m')",message="overlap must be at least 5m with retire WhenUnused, because uses are not reported at once"
type ClientSecretRotation struct {
	// interval is how long a client secret is used until a new one is made: 1h to 87600h (ten years). Up to a tenth of it is taken
	// off, differently for each OIDCClient, so that they do not all rotate together. Unset: only on request, by the annotation
	// oidc-operator.dev/rotate with any new value.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h') && duration(self) <= duration('87600h')",message="interval must be between 1h and 87600h"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// overlap is how long the old client secret works after the new one is in the Secret: 0s to 8760h. Unset: 24h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="overlap must be between 0s and 8760h"
	Overlap *metav1.Duration `json:"overlap,omitempty"`

	// retire says when the old client secret ends: AfterOverlap, or WhenUnused, when it was not used for as long as overlap, at
	// the latest at the deadline. Unset: AfterOverlap.
	// +optional
	Retire RetirePolicy `json:"retire,omitempty"`

	// deadline is when an old client secret ends that is still in use, counted from when the new one was in the Secret: up to 87600h.
	// Only for retire WhenUnused. Unset: 720h, or overlap where that is longer.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5m') && duration(self) <= duration('87600h')",message="deadline must be between 5m and 87600h"
	Deadline *metav1.Duration `json:"deadline,omitempty"`
}

// RetirePolicy says when an old client secret ends.
//
// +kubebuilder:validation:Enum=AfterOverlap;WhenUnused
type RetirePolicy string

// The retire policies.
const (
	// RetireAfterOverlap ends it when the overlap has passed.
	RetireAfterOverlap RetirePolicy = "AfterOverlap"
	// RetireWhenUnused ends it when it was not used for as long as the overlap.
	RetireWhenUnused RetirePolicy = "WhenUnused"
)

// Workload names something that runs pods, in the same namespace.
type Workload struct {
	// kind is Deployment, StatefulSet or DaemonSet.
	// +required
	Kind WorkloadKind `json:"kind,omitempty"`

	// name is its name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')",message="name must be the name of a workload in this namespace: a-z 0-9 and, between them, - and single dots"
	Name string `json:"name,omitempty"`
}

// WorkloadKind is a kind of the API group apps.
//
// +kubebuilder:validation:Enum=Deployment;StatefulSet;DaemonSet
type WorkloadKind string

// The kinds of workloads.
const (
	WorkloadDeployment  WorkloadKind = "Deployment"
	WorkloadStatefulSet WorkloadKind = "StatefulSet"
	WorkloadDaemonSet   WorkloadKind = "DaemonSet"
)

// CredentialsStatus describes the Secret that holds credentials.
type CredentialsStatus struct {
	// secretName is the Secret's name.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`

	// currentSecretID names the client secret in it without telling anything about it. Unset for a public client.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	CurrentSecretID string `json:"currentSecretID,omitempty"`

	// rotatedAt is when the client secret was put into the Secret.
	// +optional
	RotatedAt *metav1.Time `json:"rotatedAt,omitempty"`

	// nextRotationTime is when it will be replaced. Unset where nothing but a request replaces it.
	// +optional
	NextRotationTime *metav1.Time `json:"nextRotationTime,omitempty"`

	// previous is the client secret before it, while that still works.
	// +optional
	Previous *PreviousSecretStatus `json:"previous,omitempty"`

	// earlier are the client secrets before previous that still work, the newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Earlier []PreviousSecretStatus `json:"earlier,omitempty"`

	// files are the keys of the Secret that the preset has added.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	Files []string `json:"files,omitempty"`
}

// PreviousSecretStatus describes a client secret that was replaced and still works.
type PreviousSecretStatus struct {
	// secretID names it, as currentSecretID once did.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	SecretID string `json:"secretID,omitempty"`

	// expiresAt is when it stops working, at the latest.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// lastUsedAt is in which minute an application proved itself with it for the last time since it was replaced. Unset: not yet.
	// +optional
	LastUsedAt *metav1.Time `json:"lastUsedAt,omitempty"`
}
