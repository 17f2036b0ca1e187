package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Conditions returns the status conditions, to be read and changed in place.
func (c *OIDCClient) Conditions() *[]metav1.Condition {
	return &c.Status.Conditions
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

// Public tells whether the client has no secret (RFC 6749 section 2.1).
func (c *OIDCClient) Public() bool {
	return c.Spec.TokenEndpointAuthMethod == "none"
}

// Scopes returns the scopes that the client may ask for.
func (c *OIDCClient) Scopes() []string {
	if len(c.Spec.Scopes) == 0 {
		return []string{"openid", "profile", "email"}
	}
	return c.Spec.Scopes
}
