package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// setUp starts a reconcile of a SigningKey when its spec, its Secret, or the existence of its provider changes.
func (r *signingKeyReconciler) setUp(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.SigningKey{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(ownerRequests(kindSigningKey))).
		Watches(&v1alpha1.OIDCProvider{}, handler.EnqueueRequestsFromMapFunc(r.ofProvider), builder.WithPredicates(existencePredicate())).
		WithOptions(options(1)).
		Complete(r)
}

func (r *signingKeyReconciler) ofProvider(ctx context.Context, provider client.Object) []reconcile.Request {
	list := &v1alpha1.SigningKeyList{}
	if err := r.client.List(ctx, list, client.MatchingFields{indexProvider: client.ObjectKeyFromObject(provider).String()}); err != nil {
		return unlisted(ctx, err)
	}
	return requestsFor(list.Items)
}
