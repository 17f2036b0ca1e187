package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// withdraw makes the provider stop signing with the keys of a SigningKey that is gone, and forget them when what they have
// signed is no longer valid. It returns when that will be, or zero.
//
// Nothing holds the SigningKey back meanwhile: its Secret has the provider as another owner, and what is to become of it is
// written in it. Should the operator be down, the key signs on until it is back.
func (r *signingKeyReconciler) withdraw(ctx context.Context, key types.NamespacedName) (next time.Duration, err error) {
	r.imports.forget(key)
	owner := resources.Owner(kindSigningKey, key)
	secrets, err := r.objects.orphans(ctx, owner, &v1alpha1.SigningKey{}, key, client.InNamespace(key.Namespace))
	if err != nil {
		return 0, err
	}
	for i := range secrets {
		secret := &secrets[i]
		name := types.NamespacedName{Namespace: secret.Namespace, Name: secret.Labels[registration.LabelProvider]}
		r.registrar.forget(name, key)
		provider := &v1alpha1.OIDCProvider{}
		if err := r.client.Get(ctx, name, provider); apierrors.IsNotFound(err) {
			provider = nil
		} else if err != nil {
			return 0, fmt.Errorf("get provider: %w", err)
		}
		w, err := planWithdrawal(secret, provider, r.now())
		if err != nil {
			return 0, err
		}
		if w.desired == nil {
			err = r.objects.remove(ctx, secret)
		} else {
			_, err = r.objects.applySecret(ctx, w.desired, secret, ownedBy(owner))
		}
		if err != nil {
			return 0, err
		}
		if w.next > 0 && (next == 0 || w.next < next) {
			next = w.next
		}
	}
	return next, nil
}

// retains tells whether the key in a Secret is to be taken up by a SigningKey of the same name: by its deletionPolicy, or
// because it comes from a backup, which has no owners, and was there before its SigningKey.
func retains(secret *corev1.Secret) bool {
	return secret.Annotations[resources.AnnotationDeletionPolicy] == string(v1alpha1.DeletionPolicyRetain) || len(secret.OwnerReferences) == 0
}

// retireAll leaves of a ring what is needed to verify what its keys have signed.
func retireAll(ring *keyRing, now time.Time) error {
	if ring.in(registration.PhaseActive) != nil {
		if err := retireActive(ring, now, time.Duration(ring.memory.RetainAfter)); err != nil {
			return err
		}
	}
	if pending := ring.in(registration.PhasePublished); pending != nil {
		ring.drop(pending.KeyID, false)
	}
	return nil
}

// withdrawal is what is to become of the Secret of a SigningKey that is gone.
type withdrawal struct {
	// desired is nil when it is to be deleted.
	desired *acorev1.SecretApplyConfiguration
	// next is when to look again, or zero.
	next time.Duration
}

// planWithdrawal decides about the Secret of a SigningKey that is gone. provider is nil when that is gone too.
func planWithdrawal(secret *corev1.Secret, provider *v1alpha1.OIDCProvider, now time.Time) (withdrawal, error) {
	now = now.UTC().Truncate(time.Second)
	retain := retains(secret)
	if retain && !isRegistration(secret) {
		return withdrawal{desired: withoutRegistration(secret, secret.Data)}, nil
	}
	ring, err := readKeyRing(secret)
	if err != nil || provider == nil || ring.document.Validate() != nil {
		ring = &keyRing{} // there is nobody to verify anything, or nothing to verify it with
	}
	active := registration.Key{}
	if key := ring.in(registration.PhaseActive); key != nil {
		active = *key
	}
	if err := retireAll(ring, now); err != nil {
		return withdrawal{}, err
	}
	if key := ring.find(active.KeyID); key != nil && retain {
		key.PrivateJWK = active.PrivateJWK
	}
	next := time.Duration(0)
	verifying := false
	for _, key := range ring.clone().document.Keys {
		left := key.RetiresAt.Sub(now)
		if left > 0 {
			verifying = true
			if next == 0 || left < next {
				next = left
			}
		} else if !retain || !hasPrivateHalf(&key, ring.document.Algorithm) {
			ring.drop(key.KeyID, true)
		}
	}
	switch {
	case !verifying && retain && len(ring.document.Keys) == 0:
		return withdrawal{desired: withoutRegistration(secret, secret.Data)}, nil
	case !verifying && !retain:
		return withdrawal{}, nil
	}
	data, err := ring.data()
	if err != nil {
		return withdrawal{}, err
	}
	if !verifying {
		return withdrawal{desired: withoutRegistration(secret, data)}, nil
	}
	return withdrawal{desired: verifyingSecret(secret, provider, data, retain), next: next}, nil
}

// verifyingSecret is a Secret from which the provider only verifies.
func verifyingSecret(secret *corev1.Secret, provider *v1alpha1.OIDCProvider, data map[string][]byte, retain bool) *acorev1.SecretApplyConfiguration {
	desired := withoutRegistration(secret, data).WithLabels(map[string]string{
		registration.LabelProvider: provider.Name,
		registration.LabelKind:     string(registration.KindSigningKey),
	})
	if !retain {
		desired.WithOwnerReferences(resources.SharedOwnerReference(kindProvider, provider))
	}
	return desired
}

// withoutRegistration is a key's Secret without the labels by which the provider finds it.
func withoutRegistration(secret *corev1.Secret, data map[string][]byte) *acorev1.SecretApplyConfiguration {
	annotations := map[string]string{resources.AnnotationOwner: secret.Annotations[resources.AnnotationOwner]}
	if policy, has := secret.Annotations[resources.AnnotationDeletionPolicy]; has {
		annotations[resources.AnnotationDeletionPolicy] = policy
	}
	return acorev1.Secret(secret.Name, secret.Namespace).
		WithType(registration.SecretType).
		WithResourceVersion(secret.ResourceVersion).
		WithLabels(map[string]string{resources.LabelManagedBy: resources.ManagedBy}).
		WithAnnotations(annotations).
		WithData(data)
}
