package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OIDCProvider is an OpenID Connect provider that the operator runs in this namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=oidcproviders,scope=Namespaced,shortName=oidcp,categories=oidc
// +kubebuilder:printcolumn:name="Issuer",type=string,JSONPath=`.spec.issuer`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.status.replicas.ready`
// +kubebuilder:printcolumn:name="Clients",type=integer,JSONPath=`.status.registered.clients`
// +kubebuilder:printcolumn:name="Users",type=integer,JSONPath=`.status.registered.users`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",message="metadata.name must be at most 40 of the characters a-z 0-9 - and start with a letter, because it names the provider's Service"
type OIDCProvider struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what provider to run.
	// +required
	Spec OIDCProviderSpec `json:"spec,omitzero"`

	// status says what runs.
	// +optional
	Status OIDCProviderStatus `json:"status,omitempty,omitzero"`
}

// OIDCProviderList is a list of OIDCProviders.
//
// +kubebuilder:object:root=true
type OIDCProviderList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []OIDCProvider `json:"items"`
}

// OIDCProviderSpec says what provider to run.
//
// +kubebuilder:validation:XValidation:rule="!oldSelf.?storage.?embedded.?size.hasValue() || self.?storage.?embedded.?size.hasValue() || self.?storage.?embedded.?emptyDir.hasValue()",message="size cannot be left out once it is set, because that would shrink it to 1Gi"
// +kubebuilder:validation:XValidation:rule="self.?storage.?embedded.?emptyDir.hasValue() || oldSelf.?storage.?embedded.?emptyDir.hasValue() || self.?storage.?embedded.?storageClassName.hasValue() == oldSelf.?storage.?embedded.?storageClassName.hasValue()",message="storageClassName cannot be changed, because a PersistentVolumeClaim keeps its storage class"
type OIDCProviderSpec struct {
	// issuer is the provider's identity and the URL below which it is reached: https with a host and optionally a path, or
	// http on localhost. It is used verbatim everywhere, including a trailing slash, and cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="issuer cannot be changed, because every application and token names it; create a new OIDCProvider instead"
	// +kubebuilder:validation:XValidation:rule="!self.contains('?')",message="issuer must not have a query; remove everything from the ? on"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="issuer must not have a fragment; remove everything from the # on"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@')",message="issuer must not contain a user name or password"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[a-z]+://[^/]*/(.*/)?([.]{0,2})/.*$') && !self.matches('^[a-z]+://[^/]*/(.*/)?[.]{1,2}$')",message="issuer must not have empty, . or .. parts in its path"
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getHostname() != ''",message="issuer must be an absolute URL, such as https://id.example.com"
	// +kubebuilder:validation:XValidation:rule="self.startsWith('https://') || self.matches('^http://(([a-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?(/.*)?$')",message="issuer must use https; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	Issuer string `json:"issuer,omitempty"`

	// replicas is how many provider pods run: 1, or 0 to stop the provider. Embedded storage serves one pod.
	// +optional
	// +default=1
	// +kubebuilder:validation:XValidation:rule="self >= 0 && self <= 1",message="replicas must be 0 or 1, because embedded storage serves one pod"
	Replicas *int32 `json:"replicas,omitempty"`

	// storage is where sessions, codes, tokens and consents are kept. Unset: embedded, on a PersistentVolumeClaim of 1Gi.
	// +optional
	Storage Storage `json:"storage,omitzero"`

	// expose makes the provider reachable from outside the cluster. Unset: it has a Service only.
	// +optional
	Expose Expose `json:"expose,omitzero"`

	// tls makes the provider itself serve https. Unset: it serves http, and whatever stands before it serves https.
	// +optional
	TLS *ProviderTLS `json:"tls,omitempty"`

	// allowedClients says which OIDCClients may use this provider. Unset: those in its own namespace, with any redirect host.
	// +optional
	AllowedClients AllowedClients `json:"allowedClients,omitzero"`

	// tokens sets lifetimes for all clients.
	// +optional
	Tokens TokenLifetimes `json:"tokens,omitzero"`

	// sessions limits how long a browser stays logged in.
	// +optional
	Sessions SessionLifetimes `json:"sessions,omitzero"`

	// template adjusts the provider's pods.
	// +optional
	Template PodTemplate `json:"template,omitzero"`
}

// Storage is where a provider keeps what it must not forget.
type Storage struct {
	// embedded keeps it in a SQLite database on a volume of the pod.
	// +optional
	Embedded EmbeddedStorage `json:"embedded,omitzero"`
}

// EmbeddedStorage is a SQLite database on a volume.
//
// +kubebuilder:validation:XValidation:rule="!has(self.emptyDir) || (!has(self.size) && !has(self.storageClassName) && !has(self.deletionPolicy))",message="emptyDir cannot be combined with size, storageClassName or deletionPolicy; remove one or the other"
type EmbeddedStorage struct {
	// size of the PersistentVolumeClaim. It can grow where the storage class allows, and not shrink. Unset: 1Gi.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0",message="size cannot shrink"
	Size *resource.Quantity `json:"size,omitempty"`

	// storageClassName of the PersistentVolumeClaim, set once. Unset: the cluster's default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storageClassName cannot be changed, because a PersistentVolumeClaim keeps its storage class"
	StorageClassName string `json:"storageClassName,omitempty"`

	// deletionPolicy says what happens to the PersistentVolumeClaim when the OIDCProvider is deleted. Unset: Retain.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// emptyDir keeps the database in the pod's own scratch space: everybody is logged out whenever the pod is replaced.
	// +optional
	EmptyDir *EmptyDir `json:"emptyDir,omitempty"`
}

// EmptyDir chooses scratch space that lives as long as the pod. It has no fields.
type EmptyDir struct{}

// DeletionPolicy says what happens to what a resource owns when the resource is deleted.
//
// +kubebuilder:validation:Enum=Delete;Retain
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionPolicyDelete deletes it.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyRetain keeps it; a resource of the same name takes it up again.
	DeletionPolicyRetain DeletionPolicy = "Retain"
)

// Expose makes a provider reachable from outside the cluster, under the host and path of its issuer.
type Expose struct {
	// ingress creates an Ingress.
	// +optional
	Ingress *ExposeIngress `json:"ingress,omitempty"`

	// httpRoute creates an HTTPRoute of the Gateway API.
	// +optional
	HTTPRoute *ExposeHTTPRoute `json:"httpRoute,omitempty"`
}

// ExposeIngress describes an Ingress.
type ExposeIngress struct {
	// className of the Ingress. Unset: the cluster's default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName string `json:"className,omitempty"`

	// tlsSecretName is the Secret with the certificate of the issuer's host. Unset: the Ingress has no TLS section.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	TLSSecretName string `json:"tlsSecretName,omitempty"`

	// annotations of the Ingress.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// ExposeHTTPRoute describes an HTTPRoute.
type ExposeHTTPRoute struct {
	// parentRefs are the Gateways that the route attaches to.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	ParentRefs []GatewayReference `json:"parentRefs,omitempty"`
}

// GatewayReference names a Gateway, or one listener of it.
type GatewayReference struct {
	// name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// namespace of the Gateway. Unset: that of the OIDCProvider.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// sectionName is the listener's name. Unset: every listener.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SectionName string `json:"sectionName,omitempty"`
}

// ProviderTLS is the certificate that a provider serves https with.
type ProviderTLS struct {
	// secretName is the kubernetes.io/tls Secret in the provider's namespace. A renewed certificate is used without restart.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`
}

// AllowedClients says which OIDCClients may use a provider.
type AllowedClients struct {
	// namespaces from which OIDCClients may use the provider. Unset: the provider's own.
	// +optional
	Namespaces AllowedNamespaces `json:"namespaces,omitzero"`

	// redirectHosts are the hosts that redirect URIs may have: a host name, or "*." and a domain for every host below it.
	// Unset: any host.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.all(h, h.matches('^([*][.])?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$') || h.matches('^\\\\[[0-9a-f:]+\\\\]$'))",message="redirectHosts must hold host names in lower case without scheme, port or path, such as app.example.com or *.example.com"
	RedirectHosts []string `json:"redirectHosts,omitempty"`
}

// AllowedNamespaces chooses namespaces.
//
// +kubebuilder:validation:XValidation:rule="(has(self.from) && self.from == 'Selector') == has(self.selector)",message="selector must be set exactly when from is Selector"
type AllowedNamespaces struct {
	// from says which: Same (the provider's own), All, or those that match the Selector. Unset: Same.
	// +optional
	From NamespacesFrom `json:"from,omitempty"`

	// selector chooses namespaces by their labels.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// NamespacesFrom says how namespaces are chosen.
//
// +kubebuilder:validation:Enum=Same;All;Selector
type NamespacesFrom string

// The ways to choose namespaces.
const (
	// NamespacesFromSame is the provider's own namespace.
	NamespacesFromSame NamespacesFrom = "Same"
	// NamespacesFromAll is every namespace.
	NamespacesFromAll NamespacesFrom = "All"
	// NamespacesFromSelector is every namespace whose labels match.
	NamespacesFromSelector NamespacesFrom = "Selector"
)

// TokenLifetimes sets how long what the provider issues is valid.
type TokenLifetimes struct {
	// authorizationCode is how long a code can be redeemed: 1s to 10m. Unset: 60s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('10m')",message="authorizationCode must be between 1s and 10m"
	AuthorizationCode *metav1.Duration `json:"authorizationCode,omitempty"`

	// accessToken is how long an access token is valid: 1s to 24h. Unset: 15m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="accessToken must be between 1s and 24h"
	AccessToken *metav1.Duration `json:"accessToken,omitempty"`

	// idToken is how long an ID token is valid: 1s to 24h. Unset: 15m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="idToken must be between 1s and 24h"
	IDToken *metav1.Duration `json:"idToken,omitempty"`
}

// SessionLifetimes limits how long a browser stays logged in.
type SessionLifetimes struct {
	// idle ends a session that was not used for so long: at least 1m. Unset: 12h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m')",message="idle must be at least 1m"
	Idle *metav1.Duration `json:"idle,omitempty"`

	// absolute ends a session so long after the login: at least 1m. Unset: 168h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m')",message="absolute must be at least 1m"
	Absolute *metav1.Duration `json:"absolute,omitempty"`
}

// PodTemplate adjusts pods.
type PodTemplate struct {
	// labels are added to the pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="!('app.kubernetes.io/name' in self) && !('app.kubernetes.io/instance' in self)",message="labels must not contain app.kubernetes.io/name and app.kubernetes.io/instance, by which the Service finds the pods"
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the pods.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`

	// resources of the provider's container. Unset: requests of 50m CPU and 64Mi, a limit of 512Mi.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// nodeSelector of the pods.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// tolerations of the pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// affinity of the pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// env adds environment variables to the provider's container.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(e, e.name != 'POD_NAME' && e.name != 'POD_UID')",message="env must not contain POD_NAME and POD_UID, by which the provider reports what it serves"
	Env []corev1.EnvVar `json:"env,omitempty"`
}

// OIDCProviderStatus says what runs.
type OIDCProviderStatus struct {
	// conditions are Ready, Available and SigningReady, and Reconciling or Stalled only while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// endpoints are the URLs that relying parties use.
	// +optional
	Endpoints *Endpoints `json:"endpoints,omitempty"`

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
