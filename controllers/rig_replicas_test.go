package controllers

import (
	"slices"
	"strconv"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// catchUp makes the replica of each provider apply what is registered and report it.
func (r *rig) catchUp() {
	r.t.Helper()
	providers := &v1alpha1.OIDCProviderList{}
	r.must(r.mirror.List(r.t.Context(), providers))
	r.applied = nil
	for i := range providers.Items {
		if p := &providers.Items[i]; p.DesiredReplicas() == 0 {
			r.retireReplica(p)
		} else {
			r.catchUpWith(p)
		}
	}
}

func (r *rig) catchUpWith(p *v1alpha1.OIDCProvider) {
	r.t.Helper()
	version, counts := "1", map[registration.Kind]int{}
	for _, secret := range r.registrations(p) {
		if order, err := resourceversion.CompareResourceVersion(secret.ResourceVersion, version); err != nil || order > 0 {
			version = secret.ResourceVersion
		}
		kind := registration.Kind(secret.Labels[registration.LabelKind])
		counts[kind]++
		switch kind {
		case registration.KindClient:
			document, err := registration.Parse[registration.Client](secret.Data[kind.File()])
			r.must(err)
			r.applied = append(r.applied, document)
		case registration.KindSigningKey:
			// One that cannot be read is not applied: the provider keeps what it has.
			if document, err := registration.Parse[registration.SigningKey](secret.Data[kind.File()]); err == nil {
				r.applyKeys(document)
			}
		}
	}
	r.reportApplied(p, version, counts)
}

// retireReplica ends the replica of a provider that is stopped, which takes its report with it.
func (r *rig) retireReplica(p *v1alpha1.OIDCProvider) {
	r.t.Helper()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name + "-one"}}
	r.must(client.IgnoreNotFound(r.mirror.Delete(r.t.Context(), lease)))
}

// registrations returns what a provider is given.
func (r *rig) registrations(p *v1alpha1.OIDCProvider) []corev1.Secret {
	r.t.Helper()
	list := &corev1.SecretList{}
	r.must(r.mirror.List(r.t.Context(), list, client.InNamespace(p.Namespace),
		client.MatchingLabels{registration.LabelProvider: p.Name}, client.HasLabels{registration.LabelKind}))
	return list.Items
}

// reportApplied writes the replica's Lease, unless it says so already.
func (r *rig) reportApplied(p *v1alpha1.OIDCProvider, version string, counts map[registration.Kind]int) {
	r.t.Helper()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name + "-one"}}
	err := r.mirror.Get(r.t.Context(), client.ObjectKeyFromObject(lease), lease)
	// A registration that is gone was applied as well.
	if order, _ := resourceversion.CompareResourceVersion(lease.Annotations[registration.AnnotationApplied], version); err == nil && order > 0 {
		version = lease.Annotations[registration.AnnotationApplied]
	}
	if err == nil && lease.Annotations[registration.AnnotationApplied] == version && lease.Spec.RenewTime.Time.Equal(r.now) {
		return
	}
	lease.Labels = map[string]string{registration.LabelProvider: p.Name, registration.LabelReplica: "true"}
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	lease.Annotations[registration.AnnotationApplied] = version
	lease.Annotations[registration.AnnotationClients] = strconv.Itoa(counts[registration.KindClient])
	lease.Annotations[registration.AnnotationUsers] = strconv.Itoa(counts[registration.KindUser])
	if lease.Spec.AcquireTime == nil {
		lease.Spec.AcquireTime = new(metav1.NewMicroTime(r.now))
	}
	lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = new(metav1.NewMicroTime(r.now)), new(int32(3600))
	if apierrors.IsNotFound(err) {
		r.must(r.mirror.Create(r.t.Context(), lease))
		return
	}
	r.must(r.mirror.Update(r.t.Context(), lease))
}

// applyKeys notes which keys of a document sign, and makes sure that each that has signed can be verified for as long as what it has
// signed may be valid: 24 hours, unless keys are revoked.
func (r *rig) applyKeys(document *registration.SigningKey) {
	r.t.Helper()
	for _, key := range document.Keys {
		if key.Phase == registration.PhaseActive {
			r.signed[signedBy{document.Name, key.KeyID}] = r.now
		}
	}
	for by, last := range r.signed {
		verifies := slices.ContainsFunc(document.Keys, func(k registration.Key) bool { return k.KeyID == by.keyID })
		if by.signingKey == document.Name && !verifies && !r.revoked && r.now.Before(last.Add(24*time.Hour)) {
			r.t.Fatalf("write %d: the provider forgets a key that has signed until %v; now it is %v", r.writes, last, r.now)
		}
	}
}
