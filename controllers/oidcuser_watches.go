package controllers

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// setUp starts a reconcile of an OIDCUser when its spec, one of its Secrets, a Secret of somebody else under the name of
// its password's, its provider, another user of the same name or e-mail address, or (while it waits) a replica's report changes.
func (r *userReconciler) setUp(mgr ctrl.Manager, foreign cache.Cache, concurrency int) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.OIDCUser{}, builder.WithPredicates(predicate.Or(r.reporter.writes.shown(), specChanged()))).
		Watches(&v1alpha1.OIDCUser{}, handler.EnqueueRequestsFromMapFunc(r.rivals), builder.WithPredicates(predicate.Or(specChanged(), subjectChanged()))).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(ownerRequests(kindUser))).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.withPasswordIn)).
		WatchesRawSource(foreignObjects(foreign, "Secret", r.withPasswordIn)).
		Watches(&v1alpha1.OIDCProvider{}, handler.EnqueueRequestsFromMapFunc(r.ofProvider), builder.WithPredicates(existencePredicate())).
		Watches(&v1alpha1.OIDCProvider{}, r.outages.handler(r.now, nil)).
		Watches(&coordinationv1.Lease{}, handler.EnqueueRequestsFromMapFunc(r.registrar.served)).
		WithOptions(options(concurrency)).
		Complete(untilNamespaceEnds{r})
}

// subjectChanged passes the changes of the subject in force, which another user may have asked for.
func subjectChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, okBefore := e.ObjectOld.(*v1alpha1.OIDCUser)
		after, okAfter := e.ObjectNew.(*v1alpha1.OIDCUser)
		return okBefore && okAfter && before.Status.Subject != after.Status.Subject
	}}
}

// rivals returns the other OIDCUsers that want the same username or subject, or have the same e-mail address.
func (r *userReconciler) rivals(ctx context.Context, obj client.Object) []reconcile.Request {
	u, ok := obj.(*v1alpha1.OIDCUser)
	if !ok {
		return nil
	}
	lookups := []client.MatchingFields{{indexUsername: scoped(u.ProviderKey(), registration.FoldUsername(u.Username()))}}
	for _, subject := range []string{u.Spec.Subject, u.Status.Subject} {
		if subject != "" {
			lookups = append(lookups, client.MatchingFields{indexSubject: scoped(u.ProviderKey(), subject)})
		}
	}
	if u.Spec.Email != "" {
		lookups = append(lookups, client.MatchingFields{indexEmail: scoped(u.ProviderKey(), registration.FoldEmail(u.Spec.Email))})
	}
	var requests []reconcile.Request
	for _, fields := range lookups {
		list := &v1alpha1.OIDCUserList{}
		if err := r.client.List(ctx, list, client.InNamespace(u.Namespace), fields); err != nil {
			return unlisted(ctx, err)
		}
		for i := range list.Items {
			if list.Items[i].UID != u.UID {
				requests = append(requests, requestFor(&list.Items[i]))
			}
		}
	}
	return requests
}

func (r *userReconciler) ofProvider(ctx context.Context, provider client.Object) []reconcile.Request {
	list := &v1alpha1.OIDCUserList{}
	if err := r.client.List(ctx, list, client.MatchingFields{indexProvider: client.ObjectKeyFromObject(provider).String()}); err != nil {
		return unlisted(ctx, err)
	}
	return requestsFor(list.Items)
}

func (r *userReconciler) withPasswordIn(ctx context.Context, secret client.Object) []reconcile.Request {
	list := &v1alpha1.OIDCUserList{}
	if err := r.client.List(ctx, list, client.InNamespace(secret.GetNamespace()), client.MatchingFields{indexSecretName: secret.GetName()}); err != nil {
		return unlisted(ctx, err)
	}
	return requestsFor(list.Items)
}
