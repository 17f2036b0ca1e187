package controllers

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// setUp starts a reconcile of a SigningKey when its spec, an annotation, its Secret, the Secret that it imports from, the
// existence of its provider, or (while a published key waits) a replica's report changes.
func (r *signingKeyReconciler) setUp(mgr ctrl.Manager, foreign cache.Cache) error {
	asked := predicate.Or(r.reporter.writes.shown(), specChanged(), predicate.AnnotationChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.SigningKey{}, builder.WithPredicates(asked)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(ownerRequests(kindSigningKey))).
		WatchesRawSource(foreignObjects(foreign, "Secret", r.importing)).
		Watches(&v1alpha1.OIDCProvider{}, handler.EnqueueRequestsFromMapFunc(r.ofProvider), builder.WithPredicates(existencePredicate())).
		Watches(&coordinationv1.Lease{}, handler.EnqueueRequestsFromMapFunc(r.registrar.served)).
		WithOptions(options(1)).
		Complete(untilNamespaceEnds{r})
}

func (r *signingKeyReconciler) ofProvider(ctx context.Context, provider client.Object) []reconcile.Request {
	list := &v1alpha1.SigningKeyList{}
	if err := r.client.List(ctx, list, client.MatchingFields{indexProvider: client.ObjectKeyFromObject(provider).String()}); err != nil {
		return unlisted(ctx, err)
	}
	return requestsFor(list.Items)
}

// importing returns the SigningKeys that import from a Secret.
func (r *signingKeyReconciler) importing(ctx context.Context, secret client.Object) []reconcile.Request {
	list := &v1alpha1.SigningKeyList{}
	if err := r.client.List(ctx, list, client.InNamespace(secret.GetNamespace()), client.MatchingFields{indexSecretName: secret.GetName()}); err != nil {
		return unlisted(ctx, err)
	}
	return requestsFor(list.Items)
}
