package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Conditions returns the status conditions, to be read and changed in place.
func (k *SigningKey) Conditions() *[]metav1.Condition {
	return &k.Status.Conditions
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
