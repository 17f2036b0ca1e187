package presets

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The keys of what the API server and kubectl read.
const (
	kubeAuthenticationFile = "authentication-config.yaml"
	kubeconfigFile         = "kubeconfig.yaml"
)

// kubePrefix keeps people's names apart from those that the cluster knows otherwise.
const kubePrefix = "oidc:"

// kubeAPIServer is a Kubernetes cluster: its API server trusts ID tokens, and kubectl gets them as a public client, because a
// kubeconfig is in many hands. The redirect URIs are those that kubelogin listens on unless it is told otherwise.
func kubeAPIServer(c *v1alpha1.OIDCClient) *Preset {
	scopes := []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeGroups}
	if kubeMentions(c.Spec.Preset.KubeAPIServer, "email") {
		scopes = append(scopes, oidc.ScopeEmail)
	}
	return &Preset{
		Name: "kubeAPIServer",
		Defaults: v1alpha1.OIDCClientSpec{
			DisplayName:              "Kubernetes",
			RedirectURIs:             []string{"http://localhost:8000", "http://localhost:18000"},
			GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode, v1alpha1.GrantTypeRefreshToken, v1alpha1.GrantTypeDeviceCode},
			Scopes:                   scopes,
			TokenEndpointAuthMethod:  "none",
			PKCE:                     v1alpha1.PKCERequired,
			IDTokenSignedResponseAlg: "RS256",
			ClaimsIn:                 v1alpha1.ClaimsInIDToken,
		},
		Secret: anySecret(),
		Files:  kubeFiles,
	}
}

// kubeMentions tells whether anything that is read from the claims contains a word.
func kubeMentions(k *v1alpha1.KubeAPIServerPreset, word string) bool {
	texts := []string{k.Username.Claim, k.Username.Expression, k.Groups.Claim, k.Groups.Expression, k.UIDClaim}
	for _, e := range k.Extra {
		texts = append(texts, e.ValueExpression)
	}
	for _, r := range k.ClaimValidationRules {
		texts = append(texts, r.Expression)
	}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, word) })
}

func kubeFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	k := spec.Preset.KubeAPIServer
	switch {
	case !strings.HasPrefix(issued.Issuer, "https://"):
		return nil, errors.New("spec.providerRef must name an OIDCProvider whose issuer is an https URL, because kube-apiserver takes no other")
	case spec.IDTokenSignedResponseAlg == "EdDSA":
		return nil, errors.New("spec.idTokenSignedResponseAlg must not be EdDSA, which kube-apiserver cannot verify; remove it to get RS256")
	case spec.ClaimsIn == v1alpha1.ClaimsInUserinfo:
		return nil, errors.New("spec.claimsIn must not be Userinfo, because kube-apiserver reads the ID token alone; remove it")
	case spec.TokenEndpointAuthMethod == "private_key_jwt":
		return nil, errors.New("spec.tokenEndpointAuthMethod must not be private_key_jwt, because kubectl's login plugin has no key to sign with; remove it")
	case k.DiscoveryURL == oidc.Endpoint(issued.Issuer, oidc.PathDiscovery):
		return nil, errors.New("spec.preset.kubeAPIServer.discoveryURL must differ from the issuer's own; remove it")
	}
	if k.Username.Expression == "" {
		if err := checkScopeOf(orElse(k.Username.Claim, "preferred_username"), "spec.preset.kubeAPIServer.username", issued.Client.Scopes()); err != nil {
			return nil, err
		}
	}
	if err := checkCertificates("spec.preset.kubeAPIServer.certificateAuthority", k.CertificateAuthority); err != nil {
		return nil, err
	}
	if cluster := k.Kubectl.Cluster; cluster != nil {
		if err := checkCertificates("spec.preset.kubeAPIServer.kubectl.cluster.certificateAuthority", cluster.CertificateAuthority); err != nil {
			return nil, err
		}
	}
	authentication, err := marshalYAML(kubeAuthenticationOf(issued))
	if err != nil {
		return nil, err
	}
	kubeconfig, err := marshalYAML(kubeconfigOf(issued))
	if err != nil {
		return nil, err
	}
	return map[string][]byte{kubeAuthenticationFile: authentication, kubeconfigFile: kubeconfig}, nil
}

// kubeAuthentication is the file of --authentication-config.
type kubeAuthentication struct {
	APIVersion string    `yaml:"apiVersion"`
	Kind       string    `yaml:"kind"`
	JWT        []kubeJWT `yaml:"jwt"`
}

type kubeJWT struct {
	Issuer               kubeIssuer   `yaml:"issuer"`
	ClaimValidationRules []kubeRule   `yaml:"claimValidationRules,omitempty"`
	ClaimMappings        kubeMappings `yaml:"claimMappings"`
	UserValidationRules  []kubeRule   `yaml:"userValidationRules,omitempty"`
}

type kubeIssuer struct {
	URL                  string   `yaml:"url"`
	DiscoveryURL         string   `yaml:"discoveryURL,omitempty"`
	CertificateAuthority string   `yaml:"certificateAuthority,omitempty"`
	Audiences            []string `yaml:"audiences"`
}

type kubeMappings struct {
	Username kubeMapping `yaml:"username"`
	Groups   kubeMapping `yaml:"groups"`
	UID      kubeMapping `yaml:"uid"`
	Extra    []kubeExtra `yaml:"extra,omitempty"`
}

type kubeMapping struct {
	Claim      string  `yaml:"claim,omitempty"`
	Prefix     *string `yaml:"prefix,omitempty"`
	Expression string  `yaml:"expression,omitempty"`
}

type kubeExtra struct {
	Key             string `yaml:"key"`
	ValueExpression string `yaml:"valueExpression"`
}

type kubeRule struct {
	Expression string `yaml:"expression"`
	Message    string `yaml:"message,omitempty"`
}

func kubeAuthenticationOf(issued Issued) kubeAuthentication {
	k := issued.Client.Spec.Preset.KubeAPIServer
	jwt := kubeJWT{
		Issuer: kubeIssuer{
			URL: issued.Issuer, DiscoveryURL: k.DiscoveryURL, CertificateAuthority: k.CertificateAuthority,
			Audiences: []string{issued.Client.ClientID()},
		},
		ClaimValidationRules: kubeRules(k.ClaimValidationRules),
		ClaimMappings: kubeMappings{
			Username: kubeMappingOf(k.Username.Claim, "preferred_username", k.Username.Prefix, k.Username.Expression),
			Groups:   kubeMappingOf(k.Groups.Claim, "groups", k.Groups.Prefix, k.Groups.Expression),
			UID:      kubeMapping{Claim: orElse(k.UIDClaim, "sub")},
		},
	}
	for _, e := range k.Extra {
		jwt.ClaimMappings.Extra = append(jwt.ClaimMappings.Extra, kubeExtra{Key: e.Key, ValueExpression: e.ValueExpression})
	}
	if !isTrue(k.AllowSystemNames, false) {
		jwt.UserValidationRules = []kubeRule{
			{Expression: "!user.username.startsWith('system:')", Message: "names that begin with system: belong to Kubernetes"},
			{Expression: "user.groups.all(group, !group.startsWith('system:'))", Message: "groups that begin with system: belong to Kubernetes"},
		}
	}
	jwt.UserValidationRules = append(jwt.UserValidationRules, kubeRules(k.UserValidationRules)...)
	version := orElse(k.ConfigVersion, v1alpha1.KubeConfigV1)
	return kubeAuthentication{APIVersion: "apiserver.config.k8s.io/" + string(version), Kind: "AuthenticationConfiguration", JWT: []kubeJWT{jwt}}
}

func kubeMappingOf(claim, unset string, prefix *string, expression string) kubeMapping {
	switch {
	case expression != "":
		return kubeMapping{Expression: expression}
	case prefix == nil:
		prefix = new(kubePrefix)
	}
	return kubeMapping{Claim: orElse(claim, unset), Prefix: prefix}
}

func kubeRules(rules []v1alpha1.KubeValidationRule) []kubeRule {
	var out []kubeRule
	for _, r := range rules {
		out = append(out, kubeRule{Expression: r.Expression, Message: r.Message})
	}
	return out
}

// kubeconfig is what kubectl reads.
type kubeconfig struct {
	APIVersion string              `yaml:"apiVersion"`
	Kind       string              `yaml:"kind"`
	Clusters   []kubeconfigCluster `yaml:"clusters,omitempty"`
	Contexts   []kubeconfigContext `yaml:"contexts,omitempty"`
	Current    string              `yaml:"current-context,omitempty"`
	Users      []kubeconfigUser    `yaml:"users"`
}

type kubeconfigCluster struct {
	Name    string `yaml:"name"`
	Cluster struct {
		Server               string `yaml:"server"`
		CertificateAuthority string `yaml:"certificate-authority-data,omitempty"`
	} `yaml:"cluster"`
}

type kubeconfigContext struct {
	Name    string `yaml:"name"`
	Context struct {
		Cluster   string `yaml:"cluster"`
		User      string `yaml:"user"`
		Namespace string `yaml:"namespace,omitempty"`
	} `yaml:"context"`
}

type kubeconfigUser struct {
	Name string `yaml:"name"`
	User struct {
		Exec kubeconfigExec `yaml:"exec"`
	} `yaml:"user"`
}

// kubeconfigExec is a plugin that gets credentials (client.authentication.k8s.io).
type kubeconfigExec struct {
	APIVersion         string   `yaml:"apiVersion"`
	Command            string   `yaml:"command"`
	Args               []string `yaml:"args"`
	InteractiveMode    string   `yaml:"interactiveMode"`
	ProvideClusterInfo bool     `yaml:"provideClusterInfo"`
	InstallHint        string   `yaml:"installHint"`
}

func kubeconfigOf(issued Issued) kubeconfig {
	login := issued.Client.Spec.Preset.KubeAPIServer.Kubectl
	user := kubeconfigUser{Name: orElse(login.UserName, issued.Client.ClientID())}
	user.User.Exec = kubeconfigExec{
		APIVersion: "client.authentication.k8s.io/v1", Command: "kubectl", Args: kubeloginArguments(issued), InteractiveMode: "IfAvailable",
		InstallHint: "kubectl logs in with the plugin kubelogin, see https://github.com/int128/kubelogin; with krew: kubectl krew install oidc-login",
	}
	config := kubeconfig{APIVersion: "v1", Kind: "Config", Users: []kubeconfigUser{user}}
	if login.Cluster == nil {
		return config
	}
	cluster := kubeconfigCluster{Name: orElse(login.Cluster.Name, issued.Client.Name)}
	cluster.Cluster.Server = login.Cluster.Server
	cluster.Cluster.CertificateAuthority = base64.StdEncoding.EncodeToString([]byte(login.Cluster.CertificateAuthority))
	context := kubeconfigContext{Name: cluster.Name}
	context.Context.Cluster, context.Context.User, context.Context.Namespace = cluster.Name, user.Name, login.Cluster.Namespace
	config.Clusters, config.Contexts, config.Current = []kubeconfigCluster{cluster}, []kubeconfigContext{context}, context.Name
	return config
}

// kubeloginArguments are those of kubelogin's get-token. It asks for openid by itself and finds out about PKCE.
func kubeloginArguments(issued Issued) []string {
	k := issued.Client.Spec.Preset.KubeAPIServer
	args := []string{"oidc-login", "get-token", "--oidc-issuer-url=" + issued.Issuer, "--oidc-client-id=" + issued.Client.ClientID()}
	if issued.Secret != "" {
		args = append(args, "--oidc-client-secret="+issued.Secret)
	}
	for _, scope := range issued.Client.Scopes() {
		if scope != oidc.ScopeOpenID {
			args = append(args, "--oidc-extra-scope="+scope)
		}
	}
	if k.Kubectl.Flow == v1alpha1.KubectlFlowDevice {
		args = append(args, "--grant-type=device-code")
	}
	if k.CertificateAuthority != "" {
		args = append(args, "--certificate-authority-data="+base64.StdEncoding.EncodeToString([]byte(k.CertificateAuthority)))
	}
	return append(args, k.Kubectl.ExtraArguments...)
}
