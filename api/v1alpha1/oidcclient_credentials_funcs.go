package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationAllowClient on a Secret that the operator has not made names the OIDCClients, of the Secret's namespace and separated by commas,
// that may adopt it or use the client secret in it.
const AnnotationAllowClient = "oidc-operator.dev/allow-client"

// AnnotationReleaseClientID with the value "true" on an OIDCClient gives its client ID up: when its registration ends, no reservation keeps
// the client ID, and the app_id, from other namespaces.
const AnnotationReleaseClientID = "oidc-operator.dev/release-client-id"

// The times of a rotation where nothing is set.
const (
	defaultOverlap  = 24 * time.Hour
	defaultDeadline = 720 * time.Hour
)

// Replaced returns the client secrets that were replaced and still work, the newest first. It may be called on nil.
func (s *CredentialsStatus) Replaced() []PreviousSecretStatus {
	if s == nil || s.Previous == nil {
		return nil
	}
	return append([]PreviousSecretStatus{*s.Previous}, s.Earlier...)
}

// CredentialsKeys returns the keys of the credentials Secret: those of the spec, and the usual ones for the rest.
func (c *OIDCClient) CredentialsKeys() CredentialsKeys {
	keys := c.Spec.Credentials.Keys
	for _, k := range []struct {
		key   *SecretKey
		usual SecretKey
	}{
		{&keys.ClientID, "client_id"},
		{&keys.ClientSecret, "client_secret"},
		{&keys.Issuer, "issuer"},
		{&keys.DiscoveryURL, "discovery_url"},
		{&keys.AuthorizationEndpoint, "authorization_endpoint"},
		{&keys.TokenEndpoint, "token_endpoint"},
		{&keys.UserinfoEndpoint, "userinfo_endpoint"},
		{&keys.EndSessionEndpoint, "end_session_endpoint"},
		{&keys.JWKSURI, "jwks_uri"},
		{&keys.Scopes, "scopes"},
	} {
		if *k.key == "" {
			*k.key = k.usual
		}
	}
	return keys
}

// ExistingSecretName returns the name of the Secret that brings the client secret, or "".
func (c *OIDCClient) ExistingSecretName() string {
	if c.Spec.Credentials.ExistingSecretRef == nil {
		return ""
	}
	return c.Spec.Credentials.ExistingSecretRef.Name
}

// Adopts tells whether a Secret that somebody else has made may be taken over.
func (c *OIDCClient) Adopts() bool {
	return c.Spec.Credentials.Adopt != nil && *c.Spec.Credentials.Adopt
}

// RetainsSecret tells whether the credentials Secret outlives the client. One that was there before it does unless told otherwise.
func (c *OIDCClient) RetainsSecret() bool {
	if c.Spec.Credentials.DeletionPolicy == "" {
		return c.Adopts()
	}
	return c.Spec.Credentials.DeletionPolicy == DeletionPolicyRetain
}

// RotationInterval returns how long a client secret is used until a new one is made; zero: until somebody asks.
func (c *OIDCClient) RotationInterval() time.Duration {
	return orDefault(c.Spec.Credentials.Rotation.Interval, 0)
}

// Overlap returns how long an old client secret works after the new one is in the Secret.
func (c *OIDCClient) Overlap() time.Duration {
	return orDefault(c.Spec.Credentials.Rotation.Overlap, defaultOverlap)
}

// RetiresWhenUnused tells whether an old client secret stays for as long as it is used.
func (c *OIDCClient) RetiresWhenUnused() bool {
	return c.Spec.Credentials.Rotation.Retire == RetireWhenUnused
}

// Retention returns how long after its replacement an old client secret works at most.
func (c *OIDCClient) Retention() time.Duration {
	if !c.RetiresWhenUnused() {
		return c.Overlap()
	}
	return max(orDefault(c.Spec.Credentials.Rotation.Deadline, defaultDeadline), c.Overlap())
}

func orDefault(d *metav1.Duration, unset time.Duration) time.Duration {
	if d == nil {
		return unset
	}
	return d.Duration
}
