package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// apply returns the plan's verdict, or what came in between.
func (r *signingKeyReconciler) apply(ctx context.Context, k *v1alpha1.SigningKey, state signingKeyState, plan signingKeyPlan) (verdict, error) {
	if plan.remove != nil {
		return plan.ready, r.objects.remove(ctx, plan.remove)
	}
	if plan.secret == nil {
		return plan.ready, nil
	}
	owner := resources.Owner(kindSigningKey, client.ObjectKeyFromObject(k))
	_, err := r.objects.applySecret(ctx, plan.secret, state.secret, ownedBy(owner))
	if _, taken := asNotOwned(err); taken {
		return keySecretTaken(&metav1.ObjectMeta{Name: signingKeySecretName(k)}), nil
	}
	return plan.ready, err
}

// withdraw makes the provider stop using the key of a SigningKey that is gone: the Secret is deleted, or, when it is to be
// retained, no longer labelled as a registration.
func (r *signingKeyReconciler) withdraw(ctx context.Context, key types.NamespacedName) error {
	owner := resources.Owner(kindSigningKey, key)
	secrets, err := r.objects.orphans(ctx, owner, &v1alpha1.SigningKey{}, key, client.InNamespace(key.Namespace))
	if err != nil {
		return err
	}
	for i := range secrets {
		secret := &secrets[i]
		if metav1.GetControllerOf(secret) != nil {
			err = r.objects.remove(ctx, secret)
		} else {
			_, err = r.objects.applySecret(ctx, retained(secret, owner), secret, ownedBy(owner))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// retained is a key's Secret without the labels by which the provider finds it.
func retained(secret *corev1.Secret, owner string) *acorev1.SecretApplyConfiguration {
	return acorev1.Secret(secret.Name, secret.Namespace).
		WithType(registration.SecretType).
		WithLabels(map[string]string{resources.LabelManagedBy: resources.ManagedBy}).
		WithAnnotations(map[string]string{resources.AnnotationOwner: owner}).
		WithData(secret.Data)
}
