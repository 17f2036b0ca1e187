package v1alpha1

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Conditions returns the status conditions, to be read and changed in place.
func (k *SigningKey) Conditions() *[]metav1.Condition {
	return &k.Status.Conditions
}

// StatusValue returns the whole status, to be read.
func (k *SigningKey) StatusValue() any {
	return &k.Status
}

// SetObservedGeneration records which generation of the spec the status is about.
func (k *SigningKey) SetObservedGeneration(generation int64) {
	k.Status.ObservedGeneration = generation
}

// ProviderKey returns the namespace and name of the OIDCProvider that signs with the key.
func (k *SigningKey) ProviderKey() types.NamespacedName {
	return types.NamespacedName{Namespace: k.Namespace, Name: k.Spec.ProviderRef.Name}
}

// DefaultAlgorithm is the algorithm of a SigningKey that names none.
const DefaultAlgorithm = "RS256"

// Algorithm returns the JWS algorithm.
func (k *SigningKey) Algorithm() string {
	if k.Spec.Algorithm == "" {
		return DefaultAlgorithm
	}
	return k.Spec.Algorithm
}

// RSABits returns the size of an RSA key in bits.
func (k *SigningKey) RSABits() int {
	if k.Spec.RSABits == nil {
		return 2048
	}
	return int(*k.Spec.RSABits)
}

// Annotations by which people ask for action.
const (
	// AnnotationRotate asks for a rotation whenever it gets a value that it has not had.
	AnnotationRotate = "oidc-operator.dev/rotate"
	// AnnotationRevoke names, with commas between, what nobody shall trust any more: keys of a SigningKey by their key IDs, client secrets of an
	// OIDCClient by their secret IDs.
	AnnotationRevoke = "oidc-operator.dev/revoke"
)

// RevokedKeyIDs returns the key IDs that AnnotationRevoke names.
func (k *SigningKey) RevokedKeyIDs() []string {
	return revokedIDs(k.Annotations)
}

// RevokedSecretIDs returns the IDs of client secrets that AnnotationRevoke names.
func (c *OIDCClient) RevokedSecretIDs() []string {
	return revokedIDs(c.Annotations)
}

func revokedIDs(annotations map[string]string) []string {
	return strings.FieldsFunc(annotations[AnnotationRevoke], func(r rune) bool { return r == ',' || r == ' ' })
}

// RotationInterval returns how long a key signs before the next one takes its place, or 0: until asked for. An imported key
// changes with its Secret only.
func (k *SigningKey) RotationInterval() time.Duration {
	if k.Spec.Import != nil {
		return 0
	}
	return durationOr(k.Spec.Rotation.Interval, 0)
}

// PublishBefore returns how long a new key is known before it signs.
func (k *SigningKey) PublishBefore() time.Duration {
	return durationOr(k.Spec.Rotation.PublishBefore, 24*time.Hour)
}

// RetainAfter returns how long a key that signs no more is known.
func (k *SigningKey) RetainAfter() time.Duration {
	return durationOr(k.Spec.Rotation.RetainAfter, 24*time.Hour)
}

// ImportSecretName returns the name of the Secret that the private key comes from, or "".
func (k *SigningKey) ImportSecretName() string {
	if k.Spec.Import == nil {
		return ""
	}
	return k.Spec.Import.SecretRef.Name
}

// ImportSecretKey returns the key in that Secret.
func (k *SigningKey) ImportSecretKey() string {
	if k.Spec.Import == nil || k.Spec.Import.SecretRef.Key == "" {
		return "tls.key"
	}
	return k.Spec.Import.SecretRef.Key
}

func durationOr(d *metav1.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.Duration
}
