package controllers

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// apply writes what the plan says and returns the plan, or another one when something came in between. What the plan tells
// of has happened when there is no error.
func (r *signingKeyReconciler) apply(ctx context.Context, k *v1alpha1.SigningKey, state signingKeyState, plan signingKeyPlan) (signingKeyPlan, error) {
	if plan.secret == nil {
		return plan, nil
	}
	owner := resources.Owner(kindSigningKey, client.ObjectKeyFromObject(k))
	_, err := r.objects.applySecret(ctx, plan.secret, state.secret, ownedBy(owner))
	if _, taken := asNotOwned(err); taken {
		return signingKeyPlan{ready: keySecretTaken(&metav1.ObjectMeta{Name: signingKeySecretName(k)})}, nil
	}
	return plan, err
}
