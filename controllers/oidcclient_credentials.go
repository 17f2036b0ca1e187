package controllers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/controllers/templates"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// credentialsData returns what the application's Secret holds. files are those of its preset. An error names the key, and tells
// nothing of any value.
func credentialsData(c *v1alpha1.OIDCClient, issuer, secret string, files map[string][]byte) (map[string][]byte, error) {
	keys := c.CredentialsKeys()
	values := []struct {
		key   v1alpha1.SecretKey
		name  string // in templates
		value string
	}{
		{keys.ClientID, "clientID", c.ClientID()},
		{keys.ClientSecret, "clientSecret", secret},
		{keys.Issuer, "issuer", issuer},
		{keys.DiscoveryURL, "discoveryURL", oidc.Endpoint(issuer, oidc.PathDiscovery)},
		{keys.AuthorizationEndpoint, "authorizationEndpoint", oidc.Endpoint(issuer, oidc.PathAuthorization)},
		{keys.TokenEndpoint, "tokenEndpoint", oidc.Endpoint(issuer, oidc.PathToken)},
		{keys.UserinfoEndpoint, "userinfoEndpoint", oidc.Endpoint(issuer, oidc.PathUserinfo)},
		{keys.EndSessionEndpoint, "endSessionEndpoint", oidc.Endpoint(issuer, oidc.PathLogout)},
		{keys.JWKSURI, "jwksURI", oidc.Endpoint(issuer, oidc.PathJWKS)},
		{keys.Scopes, "scopes", strings.Join(c.Scopes(), " ")},
	}
	data := map[string][]byte{}
	known := map[string]any{
		"name": c.Name, "namespace": c.Namespace, "scopeList": slices.Clone(c.Scopes()), "redirectURIs": slices.Clone(c.Spec.RedirectURIs),
	}
	for _, v := range values {
		known[v.name] = v.value
		if v.name == "clientSecret" && secret == "" {
			continue
		}
		if _, twice := data[string(v.key)]; twice {
			return nil, fmt.Errorf("spec.credentials.keys gives two things the key %q; change one of them", v.key)
		}
		data[string(v.key)] = []byte(v.value)
	}
	for key, file := range files {
		if _, twice := data[key]; twice {
			return nil, fmt.Errorf("spec.credentials.keys uses the key %q, which the preset needs; change it", key)
		}
		data[key] = file
	}
	for _, key := range slices.Sorted(maps.Keys(c.Spec.Credentials.Data)) {
		if _, twice := data[key]; twice {
			return nil, fmt.Errorf("spec.credentials.data has the key %q, which is in use already; choose another one", key)
		}
		text, err := templates.Render(key, string(c.Spec.Credentials.Data[key]), known)
		if err != nil {
			return nil, fmt.Errorf("spec.credentials.data: %w", err)
		}
		data[key] = []byte(text)
	}
	return data, nil
}

// buildCredentials returns the Secret that the application reads, beside a registration of a UID. adopted describes one that the operator has
// not made, and is nil for any other.
func buildCredentials(c *v1alpha1.OIDCClient, adopted *adoption, data map[string][]byte, issued issuance, uid string) *acorev1.SecretApplyConfiguration {
	annotations := map[string]string{
		resources.AnnotationOwner: resources.Owner(kindClient, client.ObjectKeyFromObject(c)), annotationRegistrationUID: uid,
	}
	if key := string(c.CredentialsKeys().ClientSecret); data[key] != nil && issued.secretID != "" {
		annotations[annotationSecretKey] = key
		maps.Copy(annotations, issued.annotations())
	}
	secret := acorev1.Secret(c.SecretName(), c.Namespace).
		WithLabels(c.Spec.Credentials.Labels).
		WithLabels(map[string]string{resources.LabelManagedBy: resources.ManagedBy}).
		WithAnnotations(c.Spec.Credentials.Annotations).
		WithAnnotations(annotations).
		WithData(data)
	if adopted != nil {
		return adopted.complete(c, secret)
	}
	secret = secret.WithType(resources.SecretTypeCredentials)
	if !c.RetainsSecret() {
		secret = secret.WithOwnerReferences(resources.OwnerReference(kindClient, c))
	}
	return secret
}

// retainsSecret tells whether a credentials Secret of a type outlives c. One that somebody else has made does unless told otherwise, also
// when adopt is taken out of the spec again.
func retainsSecret(c *v1alpha1.OIDCClient, secretType corev1.SecretType) bool {
	return c.RetainsSecret() || c.Spec.Credentials.DeletionPolicy == "" && secretType != resources.SecretTypeCredentials
}

// ownCredentials returns a test for the credentials Secrets of c. One whose label or annotation somebody has removed is still known by its
// type or its owner reference. A registration of c, which may be in the same namespace, is none.
func ownCredentials(c *v1alpha1.OIDCClient) func(metav1.Object) bool {
	owner := resources.Owner(kindClient, client.ObjectKeyFromObject(c))
	return func(obj metav1.Object) bool {
		if obj.GetNamespace() != c.Namespace {
			return false
		}
		secret, isSecret := obj.(*corev1.Secret)
		if isSecret && secret.Type == registration.SecretType {
			return false
		}
		switch obj.GetAnnotations()[resources.AnnotationOwner] {
		case owner:
			return resources.Managed(obj) || isSecret && isCredentials(secret)
		case "":
			return isSecret && isCredentials(secret) && metav1.IsControlledBy(obj, c)
		default:
			return false
		}
	}
}

// clientSecretIn returns the client secret in a credentials Secret of c: under the key that is noted there, or else under the one
// that the spec names.
func clientSecretIn(c *v1alpha1.OIDCClient, secret *corev1.Secret) string {
	if key := secret.Annotations[annotationSecretKey]; key != "" {
		return string(secret.Data[key])
	}
	return string(secret.Data[string(c.CredentialsKeys().ClientSecret)])
}

// holder returns the Secret of c that holds its client secret, or nil: the one under the current name, or else one from before the
// name was changed. That is believed only as far as the provider has the secret, or has none: it may have been there for years.
func holder(c *v1alpha1.OIDCClient, state clientState, registered []registration.ClientSecret, made *madeSecret) *corev1.Secret {
	mine := ownCredentials(c)
	if s := state.credentials; s != nil && clientSecretIn(c, s) != "" && (mine(s) || state.adoptable(c, s) == nil) {
		return s
	}
	for i := range state.owned {
		s := &state.owned[i]
		value := clientSecretIn(c, s)
		if isRegistration(s) || s.Name == c.SecretName() || !mine(s) || value == "" {
			continue
		}
		if len(registered) == 0 || made.find(value, registered) >= 0 {
			return s
		}
	}
	return nil
}
