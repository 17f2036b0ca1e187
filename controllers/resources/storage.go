package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// ClaimName returns the name of the provider's PersistentVolumeClaim.
func ClaimName(p *v1alpha1.OIDCProvider) string {
	return p.Name + "-data"
}

// Claim is the volume of the embedded database, or nil when the provider uses scratch space or a PostgreSQL database.
func Claim(p *v1alpha1.OIDCProvider) *acorev1.PersistentVolumeClaimApplyConfiguration {
	e := p.Spec.Storage.Embedded
	if e.EmptyDir != nil || p.Spec.Storage.Postgres != nil {
		return nil
	}
	size := dataSize(p)
	spec := acorev1.PersistentVolumeClaimSpec().
		WithAccessModes(corev1.ReadWriteOnce).
		WithResources(acorev1.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: *size}))
	if e.StorageClassName != "" {
		spec.WithStorageClassName(e.StorageClassName)
	}
	claim := acorev1.PersistentVolumeClaim(ClaimName(p), p.Namespace).WithSpec(spec)
	if p.RetainsData() {
		return kept(p, claim)
	}
	return owned(p, claim)
}

// dataSize is the size of the embedded database's volume. The provider keeps to it also where the volume is larger, or is shared with others.
func dataSize(p *v1alpha1.OIDCProvider) *resource.Quantity {
	if size := p.Spec.Storage.Embedded.Size; size != nil {
		return size
	}
	return resource.NewQuantity(1<<30, resource.BinarySI)
}

// storageVolume holds the embedded database, or the file that says how to reach the other one.
func storageVolume(p *v1alpha1.OIDCProvider) *acorev1.VolumeApplyConfiguration {
	switch {
	case p.Spec.Storage.Postgres != nil:
		return acorev1.Volume().WithName("postgres").WithSecret(acorev1.SecretVolumeSource().
			WithSecretName(p.DSNSecretName()).
			WithDefaultMode(dsnFileMode).
			WithItems(acorev1.KeyToPath().WithKey(p.DSNSecretKey()).WithPath(dsnFile)))
	case p.Spec.Storage.Embedded.EmptyDir != nil:
		return acorev1.Volume().WithName("data").WithEmptyDir(acorev1.EmptyDirVolumeSource())
	default:
		return acorev1.Volume().WithName("data").
			WithPersistentVolumeClaim(acorev1.PersistentVolumeClaimVolumeSource().WithClaimName(ClaimName(p)))
	}
}

func storageMount(p *v1alpha1.OIDCProvider) *acorev1.VolumeMountApplyConfiguration {
	if p.Spec.Storage.Postgres != nil {
		return acorev1.VolumeMount().WithName("postgres").WithMountPath(dsnDir).WithReadOnly(true)
	}
	return acorev1.VolumeMount().WithName("data").WithMountPath(dataDir)
}
