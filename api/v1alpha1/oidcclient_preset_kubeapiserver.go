package v1alpha1

// KubeAPIServerPreset is how people become users of a Kubernetes cluster: an entry of jwt in the API server's
// AuthenticationConfiguration, and a kubeconfig with which kubectl logs them in.
type KubeAPIServerPreset struct {
	// configVersion is the version of AuthenticationConfiguration that is written: v1 (Kubernetes 1.34 and later) or v1beta1.
	// Unset: v1.
	// +optional
	ConfigVersion KubeConfigVersion `json:"configVersion,omitempty"`

	// username says what people are called in the cluster. Unset: "oidc:" and the claim preferred_username.
	// +optional
	Username KubeUsernameMapping `json:"username,omitzero"`

	// groups says in which groups people are in the cluster. Unset: "oidc:" and each value of the claim groups.
	// +optional
	Groups KubeGroupsMapping `json:"groups,omitzero"`

	// uidClaim is the claim that becomes the user's UID, by which audit logs tell people apart who had one name after another.
	// Unset: sub.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	UIDClaim string `json:"uidClaim,omitempty"`

	// extra are further attributes of the user, which authorizers and admission policies can see. Unset: none.
	// +optional
	// +listType=map
	// +listMapKey=key
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Extra []KubeExtraMapping `json:"extra,omitempty"`

	// claimValidationRules are what must hold for the claims, in the API server's CEL: claims is a map. Unset: none; access on
	// the OIDCClient turns people away before, with a page that says so.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	ClaimValidationRules []KubeValidationRule `json:"claimValidationRules,omitempty"`

	// userValidationRules are what must hold for the user that results, in the API server's CEL: user is a UserInfo. They come
	// after those that keep the names of Kubernetes itself, see allowSystemNames. Unset: no more than those.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	UserValidationRules []KubeValidationRule `json:"userValidationRules,omitempty"`

	// allowSystemNames lets people have names and groups that begin with system:, which belong to Kubernetes itself: whoever
	// can put somebody into the group system:masters at the provider owns the cluster. Unset: false.
	// +optional
	AllowSystemNames *bool `json:"allowSystemNames,omitempty"`

	// discoveryURL is where the API server reads the discovery document, if it cannot reach the issuer. Unset: below the issuer.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+/[A-Za-z0-9._~!$&()*+,;=:@%/-]*$')",message="discoveryURL must be an https URL with a path, such as https://sso.sso.svc/.well-known/openid-configuration"
	DiscoveryURL string `json:"discoveryURL,omitempty"`

	// certificateAuthority is the certificate, in PEM, of a private authority that has issued the provider's. API server and
	// kubectl are told of it. Unset: those of the machines.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +kubebuilder:validation:XValidation:rule="self.contains('-----BEGIN CERTIFICATE-----')",message="certificateAuthority must hold certificates in PEM (-----BEGIN CERTIFICATE-----)"
	CertificateAuthority string `json:"certificateAuthority,omitempty"`

	// kubectl says how kubectl logs people in.
	// +optional
	Kubectl KubectlLogin `json:"kubectl,omitzero"`
}

// KubeConfigVersion is a version of the API server's AuthenticationConfiguration.
//
// +kubebuilder:validation:Enum=v1;v1beta1
type KubeConfigVersion string

// The versions of the API server's AuthenticationConfiguration.
const (
	KubeConfigV1      KubeConfigVersion = "v1"
	KubeConfigV1Beta1 KubeConfigVersion = "v1beta1"
)

// KubeUsernameMapping says what people are called in a cluster.
//
// +kubebuilder:validation:XValidation:rule="!has(self.expression) || !(has(self.claim) || has(self.prefix))",message="username must hold either claim and prefix or expression; an expression puts a prefix in front itself: \"'oidc:' + claims.preferred_username\""
type KubeUsernameMapping struct {
	// claim is the claim that holds the name. Unset: preferred_username.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Claim string `json:"claim,omitempty"`

	// prefix stands in front of the name, so that nobody gets that of somebody else whom the cluster knows. Unset: "oidc:".
	// +optional
	// +kubebuilder:validation:MinLength=0
	// +kubebuilder:validation:MaxLength=64
	Prefix *string `json:"prefix,omitempty"`

	// expression gives the name, in the API server's CEL: claims is a map. Unset: see claim.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Expression string `json:"expression,omitempty"`
}

// KubeGroupsMapping says in which groups people are in a cluster.
//
// +kubebuilder:validation:XValidation:rule="!has(self.expression) || !(has(self.claim) || has(self.prefix))",message="groups must hold either claim and prefix or expression; an expression puts a prefix in front itself: \"claims.groups.map(g, 'oidc:' + g)\""
type KubeGroupsMapping struct {
	// claim is the claim that holds the groups. Unset: groups.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Claim string `json:"claim,omitempty"`

	// prefix stands in front of every group. Unset: "oidc:".
	// +optional
	// +kubebuilder:validation:MinLength=0
	// +kubebuilder:validation:MaxLength=64
	Prefix *string `json:"prefix,omitempty"`

	// expression gives the groups, a text or a list of texts, in the API server's CEL: claims is a map. Unset: see claim.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Expression string `json:"expression,omitempty"`
}

// KubeExtraMapping is a further attribute of a user of a cluster.
type KubeExtraMapping struct {
	// key is the attribute's name, in lower case and with a domain: example.com/department.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[a-z0-9._~/-]+$')",message="key must be a domain, a slash and a name, in lower case, such as example.com/department"
	Key string `json:"key,omitempty"`

	// valueExpression gives the value, a text or a list of texts, in the API server's CEL: claims is a map.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	ValueExpression string `json:"valueExpression,omitempty"`
}

// KubeValidationRule is something that must hold for whoever uses a cluster.
type KubeValidationRule struct {
	// expression is true for those who may, in the API server's CEL.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Expression string `json:"expression,omitempty"`

	// message is what the API server's log says about the others. Unset: the expression.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// KubectlLogin says how kubectl logs people in: with the plugin kubelogin (kubectl oidc-login).
type KubectlLogin struct {
	// flow is Browser (kubectl opens a browser on the same machine) or Device (people enter a code in the browser of any
	// machine). The client may use both, whichever it is. Unset: Browser.
	// +optional
	Flow KubectlFlow `json:"flow,omitempty"`

	// userName is the name of the user's entry in the kubeconfig. Unset: the client ID.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	UserName string `json:"userName,omitempty"`

	// extraArguments are added to the plugin's, such as --token-cache-storage=keyring. Unset: none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.all(a, a.startsWith('--'))",message="extraArguments must be flags that begin with --, each with its value, such as --token-cache-storage=keyring"
	ExtraArguments []string `json:"extraArguments,omitempty"`

	// cluster makes the kubeconfig whole, so that it can be used as it is. Unset: it holds only the user, to be added to a
	// kubeconfig that knows the cluster.
	// +optional
	Cluster *KubectlCluster `json:"cluster,omitempty"`
}

// KubectlFlow is a way in which kubectl logs people in.
//
// +kubebuilder:validation:Enum=Browser;Device
type KubectlFlow string

// The ways in which kubectl logs people in.
const (
	// KubectlFlowBrowser opens a browser and receives the answer on a loopback port (RFC 8252).
	KubectlFlowBrowser KubectlFlow = "Browser"
	// KubectlFlowDevice shows a code that is entered elsewhere (RFC 8628).
	KubectlFlowDevice KubectlFlow = "Device"
)

// KubectlCluster is a cluster in a kubeconfig.
type KubectlCluster struct {
	// name is that of cluster and context. Unset: the name of the OIDCClient.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// server is the address of the API server.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",message="server must be an https URL, such as https://kube.example.com:6443"
	Server string `json:"server,omitempty"`

	// certificateAuthority is the certificate, in PEM, of the authority that has issued the API server's. Unset: those of the
	// machine.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +kubebuilder:validation:XValidation:rule="self.contains('-----BEGIN CERTIFICATE-----')",message="certificateAuthority must hold certificates in PEM (-----BEGIN CERTIFICATE-----)"
	CertificateAuthority string `json:"certificateAuthority,omitempty"`

	// namespace is the one that kubectl starts in. Unset: default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",message="namespace must be the name of a namespace: a-z 0-9 and, between them, -"
	Namespace string `json:"namespace,omitempty"`
}
