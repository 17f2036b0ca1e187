package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Conditions returns the status conditions, to be read and changed in place.
func (u *OIDCUser) Conditions() *[]metav1.Condition {
	return &u.Status.Conditions
}

// StatusValue returns the whole status, to be read.
func (u *OIDCUser) StatusValue() any {
	return &u.Status
}

// SetObservedGeneration records which generation of the spec the status is about.
func (u *OIDCUser) SetObservedGeneration(generation int64) {
	u.Status.ObservedGeneration = generation
}

// ProviderKey returns the namespace and name of the OIDCProvider at which the person logs in.
func (u *OIDCUser) ProviderKey() types.NamespacedName {
	return types.NamespacedName{Namespace: u.Namespace, Name: u.Spec.ProviderRef.Name}
}

// Username returns what the person types to log in.
func (u *OIDCUser) Username() string {
	if u.Spec.Username != "" {
		return u.Spec.Username
	}
	return u.Name
}

// PasswordSecretName returns the name of the Secret that holds the password, brought or generated.
func (u *OIDCUser) PasswordSecretName() string {
	if u.Spec.PasswordSecretRef != nil {
		return u.Spec.PasswordSecretRef.Name
	}
	return u.GeneratedPasswordSecretName()
}

// GeneratedPasswordSecretName returns the name of the Secret that holds a generated password.
func (u *OIDCUser) GeneratedPasswordSecretName() string {
	return u.Name + "-password"
}
