package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
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
	// +default={"observedGeneration":-1}
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
// +kubebuilder:validation:XValidation:rule="!oldSelf.?storage.?embedded.?size.hasValue() || self.?storage.?embedded.?size.hasValue() || self.?storage.?embedded.?emptyDir.hasValue() || self.?storage.?postgres.hasValue()",message="size cannot be left out once it is set, because that would shrink it to 1Gi"
// +kubebuilder:validation:XValidation:rule="self.?storage.?postgres.hasValue() || oldSelf.?storage.?postgres.hasValue() || self.?storage.?embedded.?emptyDir.hasValue() || oldSelf.?storage.?embedded.?emptyDir.hasValue() || self.?storage.?embedded.?storageClassName.hasValue() == oldSelf.?storage.?embedded.?storageClassName.hasValue()",message="storageClassName cannot be changed, because a PersistentVolumeClaim keeps its storage class"
// +kubebuilder:validation:XValidation:rule="self.?replicas.orValue(1) <= 1 || self.?storage.?postgres.hasValue()",message="replicas must be 0 or 1 on embedded storage, which serves one pod; set storage.postgres to run more"
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

	// replicas is how many provider pods run: 1, or 0 to stop the provider, or with storage.postgres any number.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=0
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

	// trustedProxies are the networks, in CIDR notation, from which the header X-Forwarded-For is believed, so that failed
	// logins count against the browser's address and not the proxy's: those of the Ingress controller or Gateway. Unset: loopback
	// only; then nobody behind another proxy is locked out by address.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="self.all(n, isCIDR(n))",message="trustedProxies must hold networks in CIDR notation, such as 10.0.0.0/8 or 192.0.2.7/32"
	TrustedProxies []string `json:"trustedProxies,omitempty"`

	// allowedClients says which OIDCClients may use this provider. Unset: those in its own namespace, with any redirect host.
	// +optional
	AllowedClients AllowedClients `json:"allowedClients,omitzero"`

	// tokens sets lifetimes for all clients.
	// +optional
	Tokens TokenLifetimes `json:"tokens,omitzero"`

	// sessions limits how long a browser stays logged in.
	// +optional
	Sessions SessionLifetimes `json:"sessions,omitzero"`

	// login slows down those who guess passwords.
	// +optional
	Login LoginLimits `json:"login,omitzero"`

	// branding is how the login pages look. Unset: the provider's own look.
	// +optional
	Branding Branding `json:"branding,omitzero"`

	// synologySSO lets applications log in that were written for Synology SSO Server. Unset: nothing of that protocol is served.
	// +optional
	SynologySSO SynologySSO `json:"synologySSO,omitzero"`

	// template adjusts the provider's pods.
	// +optional
	Template PodTemplate `json:"template,omitzero"`
}

// SynologySSO lets applications log in that were written for Synology SSO Server, at /webman/sso of the issuer's host.
type SynologySSO struct {
	// enabled serves the protocol, which is weaker than OpenID Connect, for those OIDCClients that ask for it. Unset: false.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// domainName is the Windows domain that applications may insist on by domain_name, such as MYDOMAIN.COM. Unset: those that
	// insist on one are refused.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	DomainName string `json:"domainName,omitempty"`

	// ldapBaseDN is the base DN of the LDAP directory that applications may insist on by ldap_baseDN, such as dc=example,dc=com.
	// Unset: those that insist on one are refused.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	LDAPBaseDN string `json:"ldapBaseDN,omitempty"`
}

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

	// redirectHosts are the hosts that may stand where an OIDCClient says where people, logout tokens and key lookups go, and as
	// sector identifier: a host name, or "*." and a domain for every host below it. Unset: any host.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.all(h, h.matches('^([*][.])?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$') || h.matches('^\\\\[[0-9a-f:]+\\\\]$'))",message="redirectHosts must hold host names in lower case without scheme, port or path, such as app.example.com or *.example.com"
	RedirectHosts []string `json:"redirectHosts,omitempty"`

	// secretMetadata lists which keys spec.credentials.labels and annotations of OIDCClients may use: prefixes such as example.com, or
	// whole keys such as app.kubernetes.io/part-of. Other controllers act on such labels and annotations of Secrets. Keys without a prefix
	// are always allowed. Unset: only those.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$'))",message="secretMetadata must hold prefixes such as example.com or keys such as app.kubernetes.io/part-of"
	SecretMetadata []string `json:"secretMetadata,omitempty"`
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
