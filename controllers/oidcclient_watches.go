package controllers

import (
	"context"
	"maps"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// setUp starts a reconcile of an OIDCClient when its spec, its annotation that asks for a rotation, one of its Secrets, a Secret of
// somebody else under the name of its credentials' or their source's, what its provider's spec says to clients, what its namespace's
// labels say to its provider, a SigningKey of an algorithm that it asks for or that its preset heeds, another client of the same ID,
// or (while it waits) a replica's report changes, when its provider has not been available for some time or is so again, and when a replica reports that one of several client secrets was used.
func (r *clientReconciler) setUp(mgr ctrl.Manager, foreign cache.Cache, concurrency int) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.OIDCClient{}, builder.WithPredicates(predicate.Or(r.reporter.writes.shown(), r.released.deleted(), specChanged(), requested()))).
		Watches(&v1alpha1.OIDCClient{}, handler.EnqueueRequestsFromMapFunc(r.rivals), builder.WithPredicates(specChanged())).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofSecret)).
		Watches(&corev1.Secret{}, r.freedIDs()).
		Watches(&v1alpha1.SigningKey{}, handler.EnqueueRequestsFromMapFunc(r.signedWith), builder.WithPredicates(activityPredicate())).
		WatchesRawSource(foreignObjects(foreign, "Secret", r.withSecretName)).
		Watches(&v1alpha1.OIDCProvider{}, handler.EnqueueRequestsFromMapFunc(r.ofProvider), builder.WithPredicates(concerningClients())).
		Watches(&v1alpha1.OIDCProvider{}, r.outages.handler(r.now, r.ofProvider)).
		Watches(&corev1.Namespace{}, r.inNamespace(), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&corev1.Namespace{}, r.outsideNamespace(), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&coordinationv1.Lease{}, handler.EnqueueRequestsFromMapFunc(r.registrar.served)).
		Watches(&coordinationv1.Lease{}, handler.Funcs{UpdateFunc: r.usedSecrets}).
		WithOptions(options(concurrency)).
		Complete(untilNamespaceEnds{r})
}

// cached returns the OIDCClients of the cache that a question finds. They are not copied, since there may be thousands, and must not be
// changed.
func (r *clientReconciler) cached(ctx context.Context, question ...client.ListOption) []v1alpha1.OIDCClient {
	list := &v1alpha1.OIDCClientList{}
	if err := r.client.List(ctx, list, append(question, client.UnsafeDisableDeepCopy)...); err != nil {
		unlisted(ctx, err)
	}
	return list.Items
}

// ofSecret returns the OIDCClient that a Secret of the operator was made for, and those that name the Secret: it may have been made for
// another one that is gone, or allow them now to use it.
func (r *clientReconciler) ofSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	requests := ownerRequests(kindClient)(ctx, secret)
	if s, is := secret.(*corev1.Secret); is && s.Type == registration.SecretType {
		return requests
	}
	return append(requests, r.withSecretName(ctx, secret)...)
}

// rivals returns the other OIDCClients that want the same client ID or app_id, or the same Secret.
func (r *clientReconciler) rivals(ctx context.Context, obj client.Object) []reconcile.Request {
	c, ok := obj.(*v1alpha1.OIDCClient)
	if !ok {
		return nil
	}
	rivals := r.cached(ctx, client.MatchingFields{indexClientID: scoped(c.ProviderKey(), c.ClientID())})
	if sso := presets.SynologySSO(c); sso != nil {
		rivals = append(rivals, r.cached(ctx, client.MatchingFields{indexAppID: scoped(c.ProviderKey(), sso.AppID)})...)
	}
	rivals = append(rivals, r.cached(ctx, client.InNamespace(c.Namespace), client.MatchingFields{indexSecretName: c.SecretName()})...)
	var requests []reconcile.Request
	for i := range rivals {
		if rivals[i].UID != c.UID {
			requests = append(requests, requestFor(&rivals[i]))
		}
	}
	return requests
}

func (r *clientReconciler) ofProvider(ctx context.Context, provider client.Object) []reconcile.Request {
	return requestsFor(r.cached(ctx, client.MatchingFields{indexProvider: client.ObjectKeyFromObject(provider).String()}))
}

func (r *clientReconciler) signedWith(ctx context.Context, obj client.Object) []reconcile.Request {
	k, ok := obj.(*v1alpha1.SigningKey)
	if !ok {
		return nil
	}
	var requests []reconcile.Request
	for _, algorithm := range []string{k.Algorithm(), anyAlgorithm} {
		requests = append(requests, requestsFor(r.cached(ctx, client.MatchingFields{indexAlgorithm: scoped(k.ProviderKey(), algorithm)}))...)
	}
	return requests
}

func (r *clientReconciler) withSecretName(ctx context.Context, secret client.Object) []reconcile.Request {
	return requestsFor(r.cached(ctx, client.InNamespace(secret.GetNamespace()), client.MatchingFields{indexSecretName: secret.GetName()}))
}

// concerningClients passes providers that come or go, and the changes of their specs apart from what no OIDCClient depends on:
// there may be thousands of them.
func concerningClients() predicate.Predicate {
	said := func(p *v1alpha1.OIDCProvider) *v1alpha1.OIDCProviderSpec {
		spec := p.Spec.DeepCopy()
		spec.Replicas, spec.Storage, spec.Expose, spec.TLS, spec.Template = nil, v1alpha1.Storage{}, v1alpha1.Expose{}, nil, v1alpha1.PodTemplate{}
		spec.Branding, spec.Sessions, spec.Login = v1alpha1.Branding{}, v1alpha1.SessionLifetimes{}, v1alpha1.LoginLimits{}
		return spec
	}
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, okBefore := e.ObjectOld.(*v1alpha1.OIDCProvider)
		after, okAfter := e.ObjectNew.(*v1alpha1.OIDCProvider)
		return okBefore && okAfter && (before.UID != after.UID || !equality.Semantic.DeepEqual(said(before), said(after)))
	}}
}

// inNamespace starts a reconcile of the OIDCClients of a namespace that comes or goes, and, when its labels change, of those whose
// providers admit it now and did not before, or the other way round.
func (r *clientReconciler) inNamespace() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	enqueue := func(ctx context.Context, namespace client.Object, q queue, concerned func(*v1alpha1.OIDCClient) bool) {
		inside := r.cached(ctx, client.InNamespace(namespace.GetName()))
		for i := range inside {
			if concerned(&inside[i]) {
				q.Add(requestFor(&inside[i]))
			}
		}
	}
	all := func(*v1alpha1.OIDCClient) bool { return true }
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { enqueue(ctx, e.Object, q, all) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { enqueue(ctx, e.Object, q, all) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			enqueue(ctx, e.ObjectNew, q, func(c *v1alpha1.OIDCClient) bool { return r.admittedOtherwise(ctx, c, e.ObjectOld, e.ObjectNew) })
		},
	}
}

// admittedOtherwise tells whether c's provider, going by labels, judges two states of its namespace differently. It may while the
// provider cannot be read.
func (r *clientReconciler) admittedOtherwise(ctx context.Context, c *v1alpha1.OIDCClient, before, after client.Object) bool {
	provider := &v1alpha1.OIDCProvider{}
	if err := r.client.Get(ctx, c.ProviderKey(), provider); err != nil {
		return !apierrors.IsNotFound(err) // its coming starts a reconcile, too
	}
	allowed := provider.Spec.AllowedClients.Namespaces
	return allowed.From == v1alpha1.NamespacesFromSelector && labelsAdmitted(allowed.Selector, before.GetLabels()) != labelsAdmitted(allowed.Selector, after.GetLabels())
}

// requested passes the changes of the annotations that ask for a rotation or a revocation, or give the client ID up.
func requested() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()
		return before[v1alpha1.AnnotationRotate] != after[v1alpha1.AnnotationRotate] || before[v1alpha1.AnnotationRevoke] != after[v1alpha1.AnnotationRevoke] ||
			releases(e.ObjectOld) != releases(e.ObjectNew)
	}}
}

// usedSecrets starts a reconcile of the OIDCClients of which a replica reports something new about the use of their secrets. What
// it reports changes at most once a minute for each.
func (r *clientReconciler) usedSecrets(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	before, after := e.ObjectOld.GetAnnotations()[registration.AnnotationSecretUses], e.ObjectNew.GetAnnotations()[registration.AnnotationSecretUses]
	if before == after {
		return
	}
	known, _ := registration.ParseSecretUses(before)
	uses, err := registration.ParseSecretUses(after)
	if err != nil {
		log.FromContext(ctx).Error(err, "the report of a provider replica is not understood", "lease", client.ObjectKeyFromObject(e.ObjectNew))
		return
	}
	for clientID, uses := range uses {
		if maps.EqualFunc(uses, known[clientID], time.Time.Equal) {
			continue
		}
		for _, request := range requestsFor(r.cached(ctx, client.MatchingFields{indexClientID: scoped(leaseProvider(e.ObjectNew), clientID)})) {
			queue.Add(request)
		}
	}
}
