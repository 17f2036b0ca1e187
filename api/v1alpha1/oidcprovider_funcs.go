package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Conditions returns the status conditions, to be read and changed in place.
func (p *OIDCProvider) Conditions() *[]metav1.Condition {
	return &p.Status.Conditions
}

// StatusValue returns the whole status, to be read.
func (p *OIDCProvider) StatusValue() any {
	return &p.Status
}

// SetObservedGeneration records which generation of the spec the status is about.
func (p *OIDCProvider) SetObservedGeneration(generation int64) {
	p.Status.ObservedGeneration = generation
}

// Key returns the namespace and name.
func (p *OIDCProvider) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: p.Namespace, Name: p.Name}
}

// DesiredReplicas returns how many replicas should run.
func (p *OIDCProvider) DesiredReplicas() int32 {
	if p.Spec.Replicas == nil {
		return 1
	}
	return *p.Spec.Replicas
}

// RetainsData tells whether the PersistentVolumeClaim outlives the OIDCProvider.
func (p *OIDCProvider) RetainsData() bool {
	return p.Spec.Storage.Embedded.DeletionPolicy != DeletionPolicyDelete
}

// DSNSecretName returns the name of the Secret that says how to reach the database, or "" on embedded storage.
func (p *OIDCProvider) DSNSecretName() string {
	if p.Spec.Storage.Postgres == nil {
		return ""
	}
	return p.Spec.Storage.Postgres.DSNSecretRef.Name
}

// DSNSecretKey returns the key in that Secret.
func (p *OIDCProvider) DSNSecretKey() string {
	if p.Spec.Storage.Postgres == nil || p.Spec.Storage.Postgres.DSNSecretRef.Key == "" {
		return "uri"
	}
	return p.Spec.Storage.Postgres.DSNSecretRef.Key
}

// TLSSecretName returns the name of the Secret with the certificate that the provider serves https with, or "".
func (p *OIDCProvider) TLSSecretName() string {
	if p.Spec.TLS == nil {
		return ""
	}
	return p.Spec.TLS.SecretName
}

// LogoConfigMapName returns the name of the ConfigMap that holds the logo, or "".
func (p *OIDCProvider) LogoConfigMapName() string {
	if p.Spec.Branding.LogoConfigMapRef == nil {
		return ""
	}
	return p.Spec.Branding.LogoConfigMapRef.Name
}

// Serves tells whether the protocol is served.
func (s SynologySSO) Serves() bool { return s.Enabled != nil && *s.Enabled }
