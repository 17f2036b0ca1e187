package controllers

import (
	"context"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// countsDelay gathers the reports of a burst of registrations into one change of the counts in status.
const countsDelay = time.Second

// setUp starts a reconcile of an OIDCProvider when its spec, one of its objects, one of its SigningKeys, a Secret or ConfigMap
// that it refers to, one of its pods, what a replica reports, or whether another one has its issuer changes.
func (r *providerReconciler) setUp(mgr ctrl.Manager, foreign cache.Cache, concurrency int) error {
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.OIDCProvider{}, builder.WithPredicates(predicate.Or(r.reporter.writes.shown(), specChanged()))).
		Watches(&v1alpha1.SigningKey{}, handler.EnqueueRequestsFromMapFunc(ofSigningKey)).
		Watches(&corev1.Secret{}, r.recordVersions()).
		Watches(&v1alpha1.OIDCProvider{}, handler.EnqueueRequestsFromMapFunc(r.sameIssuer), builder.WithPredicates(existencePredicate())).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(ofPod)).
		Watches(&coordinationv1.Lease{}, reports()).
		WatchesRawSource(foreignObjects(foreign, "Secret", r.referringTo(indexSecretName))).
		WatchesRawSource(foreignObjects(foreign, "ConfigMap", r.referringTo(indexConfigMapName)))
	owned := handler.EnqueueRequestsFromMapFunc(ownerRequests(kindProvider))
	for _, kind := range []client.Object{
		&appsv1.Deployment{}, &corev1.Service{}, &corev1.ServiceAccount{}, &corev1.PersistentVolumeClaim{}, &corev1.Secret{},
		&rbacv1.Role{}, &rbacv1.RoleBinding{}, &policyv1.PodDisruptionBudget{}, &networkingv1.NetworkPolicy{}, &networkingv1.Ingress{},
	} {
		b.Watches(kind, owned)
	}
	kind := resources.HTTPRouteKind()
	if _, err := mgr.GetRESTMapper().RESTMapping(kind.GroupKind(), kind.Version); err == nil {
		r.gateway = true
		route := &unstructured.Unstructured{}
		route.SetGroupVersionKind(kind)
		b.Watches(route, owned)
	}
	return b.WithOptions(options(concurrency)).Complete(untilNamespaceEnds{r})
}

// referringTo maps an object to the OIDCProviders of its namespace that an index has under its name.
func (r *providerReconciler) referringTo(index string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		list := &v1alpha1.OIDCProviderList{}
		if err := r.client.List(ctx, list, client.InNamespace(obj.GetNamespace()), client.MatchingFields{index: obj.GetName()}); err != nil {
			return unlisted(ctx, err)
		}
		return requestsFor(list.Items)
	}
}

// sameIssuer maps an OIDCProvider to the others with its issuer.
func (r *providerReconciler) sameIssuer(ctx context.Context, obj client.Object) []reconcile.Request {
	p, ok := obj.(*v1alpha1.OIDCProvider)
	if !ok || uniqueIssuer(p) == "" {
		return nil
	}
	list := &v1alpha1.OIDCProviderList{}
	if err := r.client.List(ctx, list, client.MatchingFields{indexIssuer: uniqueIssuer(p)}); err != nil {
		return unlisted(ctx, err)
	}
	return requestsFor(slices.DeleteFunc(list.Items, func(other v1alpha1.OIDCProvider) bool { return other.UID == p.UID }))
}

// ofPod maps a pod to the provider whose it is by its labels.
func ofPod(_ context.Context, pod client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.GetNamespace(), Name: resources.PodProvider(pod)}}}
}

func ofSigningKey(_ context.Context, obj client.Object) []reconcile.Request {
	k, ok := obj.(*v1alpha1.SigningKey)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: k.ProviderKey()}}
}

// recordVersions notes the versions of registrations and starts no reconcile.
func (r *providerReconciler) recordVersions() handler.EventHandler {
	record := func(obj client.Object) {
		if secret, ok := obj.(*corev1.Secret); ok && isRegistration(secret) {
			r.versions.saw(types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetLabels()[registration.LabelProvider]}, obj.GetResourceVersion())
		}
	}
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ queue) { record(e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ queue) { record(e.ObjectNew) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ queue) { record(e.Object) },
	}
}

// reports starts a reconcile at once when a replica comes or goes or says something else about its storage, soon when it has applied something, and not at all when
// it merely says that it is still there.
func reports() handler.EventHandler {
	request := func(obj client.Object) reconcile.Request {
		return reconcile.Request{NamespacedName: leaseProvider(obj)}
	}
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { q.Add(request(e.Object)) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { q.Add(request(e.Object)) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			if storage := registration.AnnotationStorage; e.ObjectOld.GetAnnotations()[storage] != e.ObjectNew.GetAnnotations()[storage] {
				q.Add(request(e.ObjectNew))
				return
			}
			if !maps.Equal(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) {
				q.AddAfter(request(e.ObjectNew), countsDelay)
			}
		},
	}
}
