package gen

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// OIDCProvider returns a provider that admits clients of every namespace and keeps its data in scratch space.
func OIDCProvider(namespace, name string, options ...func(*v1alpha1.OIDCProvider)) *v1alpha1.OIDCProvider {
	p := &v1alpha1.OIDCProvider{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.OIDCProviderSpec{
			Issuer:         "https://id.example.com",
			Storage:        v1alpha1.Storage{Embedded: v1alpha1.EmbeddedStorage{EmptyDir: &v1alpha1.EmptyDir{}}},
			AllowedClients: v1alpha1.AllowedClients{Namespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesFromAll}},
		},
	}
	for _, option := range options {
		option(p)
	}
	return p
}

// WithIssuer sets the issuer.
func WithIssuer(issuer string) func(*v1alpha1.OIDCProvider) {
	return func(p *v1alpha1.OIDCProvider) { p.Spec.Issuer = issuer }
}

// WithPostgres keeps the provider's data in the PostgreSQL database that a Secret says how to reach, under the key "uri".
func WithPostgres(secret string) func(*v1alpha1.OIDCProvider) {
	return func(p *v1alpha1.OIDCProvider) {
		p.Spec.Storage = v1alpha1.Storage{Postgres: &v1alpha1.PostgresStorage{DSNSecretRef: v1alpha1.DSNSecretReference{Name: secret}}}
	}
}

// WithLogo shows the image under a key of a ConfigMap.
func WithLogo(configMap, key string) func(*v1alpha1.OIDCProvider) {
	return func(p *v1alpha1.OIDCProvider) {
		p.Spec.Branding.LogoConfigMapRef = &v1alpha1.LogoReference{Name: configMap, Key: key}
	}
}

// SigningKey returns an ES256 key, which is quick to make.
func SigningKey(namespace, name, provider string, options ...func(*v1alpha1.SigningKey)) *v1alpha1.SigningKey {
	k := &v1alpha1.SigningKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.SigningKeySpec{ProviderRef: v1alpha1.LocalProviderReference{Name: provider}, Algorithm: "ES256"},
	}
	for _, option := range options {
		option(k)
	}
	return k
}

// OIDCClient returns a confidential client of a provider.
func OIDCClient(namespace, name string, provider *v1alpha1.OIDCProvider, options ...func(*v1alpha1.OIDCClient)) *v1alpha1.OIDCClient {
	c := &v1alpha1.OIDCClient{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.OIDCClientSpec{
			ProviderRef:  v1alpha1.ProviderReference{Name: provider.Name, Namespace: provider.Namespace},
			RedirectURIs: []string{"https://" + name + ".example.com/callback"},
		},
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// WithRedirectURIs replaces the redirect URIs.
func WithRedirectURIs(uris ...string) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) { c.Spec.RedirectURIs = uris }
}

// WithClientID sets the client ID.
func WithClientID(id string) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) { c.Spec.ClientID = id }
}

// WithGrantTypes sets the grant types.
func WithGrantTypes(grants ...v1alpha1.GrantType) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) { c.Spec.GrantTypes = grants }
}

// WithKeys makes it a private_key_jwt client with a JSON Web Key Set.
func WithKeys(jwks string) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) {
		c.Spec.TokenEndpointAuthMethod, c.Spec.JWKS = "private_key_jwt", &runtime.RawExtension{Raw: []byte(jwks)}
	}
}

// WithSecretName sets the name of the credentials Secret.
func WithSecretName(name string) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.SecretName = name }
}

// OIDCUser returns a user of a provider in the same namespace.
func OIDCUser(namespace, name, provider string, options ...func(*v1alpha1.OIDCUser)) *v1alpha1.OIDCUser {
	u := &v1alpha1.OIDCUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.OIDCUserSpec{ProviderRef: v1alpha1.LocalProviderReference{Name: provider}},
	}
	for _, option := range options {
		option(u)
	}
	return u
}

// WithPasswordFrom names the Secret and key of the password.
func WithPasswordFrom(name, key string) func(*v1alpha1.OIDCUser) {
	return func(u *v1alpha1.OIDCUser) {
		u.Spec.PasswordSecretRef = &v1alpha1.SecretKeyReference{Name: name, Key: key}
	}
}

// Secret returns an Opaque Secret that nobody owns.
func Secret(namespace, name string, data map[string]string, options ...func(*corev1.Secret)) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
	for _, option := range options {
		option(secret)
	}
	return secret
}

// AllowingClient lets an OIDCClient adopt a Secret or use the client secret in it.
func AllowingClient(name string) func(*corev1.Secret) {
	return func(s *corev1.Secret) { s.Annotations = map[string]string{v1alpha1.AnnotationAllowClient: name} }
}

// WithPreset makes it a client of an application that the operator knows, and leaves the redirect URIs to that.
func WithPreset(preset v1alpha1.ClientPreset) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) { c.Spec.Preset, c.Spec.RedirectURIs = &preset, nil }
}

// SilentReplica returns the report of a replica of a provider that is ready and applies nothing.
func SilentReplica(namespace, provider, name string) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: provider + "-" + name,
			Labels:      map[string]string{registration.LabelProvider: provider, registration.LabelReplica: "true", "app.kubernetes.io/managed-by": "oidc-operator"},
			Annotations: map[string]string{registration.AnnotationApplied: "1"},
		},
		Spec: coordinationv1.LeaseSpec{RenewTime: new(metav1.NewMicroTime(time.Now())), LeaseDurationSeconds: new(int32(3600))},
	}
}
