package v1alpha1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Conditions returns the status conditions, to be read and changed in place.
func (c *OIDCClient) Conditions() *[]metav1.Condition {
	return &c.Status.Conditions
}

// StatusValue returns the whole status, to be read.
func (c *OIDCClient) StatusValue() any {
	return &c.Status
}

// SetObservedGeneration records which generation of the spec the status is about.
func (c *OIDCClient) SetObservedGeneration(generation int64) {
	c.Status.ObservedGeneration = generation
}

// ProviderKey returns the namespace and name of the OIDCProvider that serves the client.
func (c *OIDCClient) ProviderKey() types.NamespacedName {
	namespace := c.Spec.ProviderRef.Namespace
	if namespace == "" {
		namespace = c.Namespace
	}
	return types.NamespacedName{Namespace: namespace, Name: c.Spec.ProviderRef.Name}
}

// ClientID returns the client ID: that of the spec or "<namespace>.<name>", which no other namespace gets by default
// because a namespace has no dot.
func (c *OIDCClient) ClientID() string {
	if c.Spec.ClientID != "" {
		return c.Spec.ClientID
	}
	return c.Namespace + "." + c.Name
}

// SecretName returns the name of the credentials Secret.
func (c *OIDCClient) SecretName() string {
	if c.Spec.Credentials.SecretName != "" {
		return c.Spec.Credentials.SecretName
	}
	return c.Name + "-oidc"
}

// HasSecret tells whether the client proves who it is with a client secret: a public client has none, and a
// private_key_jwt client signs instead.
func (c *OIDCClient) HasSecret() bool {
	return c.Spec.TokenEndpointAuthMethod != "none" && c.Spec.TokenEndpointAuthMethod != "private_key_jwt"
}

// GrantTypes returns the grant types that the client may use.
func (c *OIDCClient) GrantTypes() []GrantType {
	if len(c.Spec.GrantTypes) == 0 {
		return []GrantType{GrantTypeAuthorizationCode, GrantTypeRefreshToken}
	}
	return c.Spec.GrantTypes
}

// Scopes returns the scopes that the client may ask for. One that only ever acts for itself has nobody's profile to ask for.
func (c *OIDCClient) Scopes() []string {
	switch {
	case len(c.Spec.Scopes) > 0:
		return c.Spec.Scopes
	case len(c.Spec.GrantTypes) == 1 && c.Spec.GrantTypes[0] == GrantTypeClientCredentials:
		return nil
	default:
		return []string{"openid", "profile", "email"}
	}
}

// SigningAlgorithms returns the algorithms that the client asks for, each once: the provider needs a SigningKey of each.
func (c *OIDCClient) SigningAlgorithms() []string {
	var algorithms []string
	for _, a := range []string{c.Spec.IDTokenSignedResponseAlg, c.Spec.UserinfoSignedResponseAlg} {
		if a != "" && !slices.Contains(algorithms, a) {
			algorithms = append(algorithms, a)
		}
	}
	return algorithms
}
