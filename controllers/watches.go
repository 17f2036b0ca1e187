package controllers

import (
	"context"
	"strings"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// options are those of every controller. Only failures are slowed down, each resource by itself, and no namespace holds up another.
func options(concurrency int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: concurrency,
		NewQueue:                newFairQueue,
		RateLimiter: workqueue.NewTypedMaxOfRateLimiter(
			workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](20*time.Millisecond, 5*time.Minute),
			&workqueue.TypedBucketRateLimiter[reconcile.Request]{Limiter: rate.NewLimiter(rate.Limit(50), 500)},
		),
	}
}

// ownerRequests maps an object to the resource of a kind that it was made for, by its annotation. Only an OIDCClient has
// objects in another namespace.
func ownerRequests(kind string) handler.MapFunc {
	return func(_ context.Context, obj client.Object) []reconcile.Request {
		rest, ok := strings.CutPrefix(obj.GetAnnotations()[resources.AnnotationOwner], kind+"/")
		namespace, name, cut := strings.Cut(rest, "/")
		if !ok || !cut || (kind != kindClient && namespace != obj.GetNamespace()) {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
	}
}

// served maps a replica's report to the resources whose registration every ready replica has now applied.
func (r registrar) served(ctx context.Context, lease client.Object) []reconcile.Request {
	provider := leaseProvider(lease)
	ready, err := readyReplicas(ctx, r.objects.client, provider, r.now())
	if err != nil {
		return unlisted(ctx, err)
	}
	var requests []reconcile.Request
	for _, key := range r.waiters.release(provider, ready) {
		requests = append(requests, reconcile.Request{NamespacedName: key})
	}
	return requests
}

// leaseProvider returns the provider whose replica reports on a Lease.
func leaseProvider(lease client.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: lease.GetNamespace(), Name: lease.GetLabels()[registration.LabelProvider]}
}

func requestFor(obj client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)}
}

func requestsFor[T any, P interface {
	*T
	client.Object
}](items []T) []reconcile.Request {
	requests := make([]reconcile.Request, len(items))
	for i := range items {
		requests[i] = requestFor(P(&items[i]))
	}
	return requests
}

// unlisted records that the cache could not be read. It can fail only for want of an index, which is a defect.
func unlisted(ctx context.Context, err error) []reconcile.Request {
	log.FromContext(ctx).Error(err, "read cache")
	return nil
}

// foreignObjects is a source of the Secrets or ConfigMaps that the operator has not made.
func foreignObjects(foreign cache.Cache, kind string, requests handler.MapFunc) source.Source {
	metadata := &metav1.PartialObjectMetadata{}
	metadata.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return source.Kind(foreign, client.Object(metadata), handler.EnqueueRequestsFromMapFunc(requests))
}

// replaced tells that an object was deleted and made again: a watch that was interrupted meanwhile tells that as a change.
func replaced(e event.UpdateEvent) bool {
	return e.ObjectOld.GetUID() != e.ObjectNew.GetUID()
}

// specChanged passes what comes or goes, and changes of a spec.
func specChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return replaced(e) || e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration()
	}}
}

// existencePredicate passes what appears and disappears, and no changes.
func existencePredicate() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: replaced}
}

// activityPredicate passes SigningKeys that come or go, or begin or cease to have an active key. A rotation is neither: it
// would start a reconcile of every client of the algorithm at each step.
func activityPredicate() predicate.Predicate {
	active := func(obj client.Object) bool {
		k, ok := obj.(*v1alpha1.SigningKey)
		return ok && k.Status.ActiveKeyID != ""
	}
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return replaced(e) || active(e.ObjectOld) != active(e.ObjectNew) }}
}
