package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// How OIDCClients follow the Available condition of their provider. An outage that is shorter than outageGrace changes none of them;
// after a longer one they come back when the provider has been available for recoveryGrace. A provider that flaps thus costs at most one
// status write per client for each outage that lasts, and one when it is over.
const (
	outageGrace   = 10 * time.Second
	recoveryGrace = 20 * time.Second
	// outagePace is the time between two clients that are reconciled for it: 10,000 take 40 seconds.
	outagePace = 4 * time.Millisecond
)

// availability is what the status of an OIDCProvider says about whether users can sign in.
type availability struct {
	// known is false while the operator has not judged the provider yet.
	known, available bool
	since            time.Time
}

func availabilityOf(p *v1alpha1.OIDCProvider) availability {
	if p == nil {
		return availability{}
	}
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionAvailable)
	if c == nil {
		return availability{}
	}
	return availability{true, c.Status == metav1.ConditionTrue, c.LastTransitionTime.Time}
}

// judgeSignIn returns ConditionServed of a resource: served, what the replicas' reports say of its registration, unless nobody can
// sign in. A resource whose registration was served before follows an outage only when follows is set and the outage lasts.
func judgeSignIn(served verdict, before []metav1.Condition, servedBefore, follows bool, p *v1alpha1.OIDCProvider, now time.Time) verdict {
	if p == nil || served.outcome == stalled {
		return served
	}
	a := availabilityOf(p)
	was := meta.FindStatusCondition(before, v1alpha1.ConditionServed)
	shown := was != nil && was.Reason == v1alpha1.ReasonProviderUnavailable
	unavailable := wait(v1alpha1.ReasonProviderUnavailable, fmt.Sprintf(
		"nobody can sign in: OIDCProvider %q is not Available; see its conditions", p.Key()))
	switch {
	case shown && served.reason == v1alpha1.ReasonNoReplicas:
		return unavailable
	case served.outcome != done || !a.known:
		return served
	case a.available:
		if shown && now.Before(a.since.Add(recoveryGrace)) {
			return unavailable
		}
		return served
	case servedBefore && (!follows || now.Before(a.since.Add(outageGrace))):
		return served
	case servedBefore || shown:
		return unavailable
	default:
		return wait(v1alpha1.ReasonAwaitingProvider, fmt.Sprintf(
			"nobody can sign in yet: OIDCProvider %q is not Available; see its conditions", p.Key()))
	}
}

// phase of availability at a time: what judgeSignIn tells apart.
type phase struct {
	known, available, lasts bool
}

func (a availability) phase(now time.Time) phase {
	grace := outageGrace
	if a.available {
		grace = recoveryGrace
	}
	return phase{a.known, a.available, a.known && !now.Before(a.since.Add(grace))}
}

// availabilityChanged reports whether what was judged of a provider, which may be nil, at a time is outdated by now. It is asked after
// outages.note: what comes before that has found nothing to start a reconcile of.
func availabilityChanged(ctx context.Context, reader client.Reader, judged *v1alpha1.OIDCProvider, at time.Time, now func() time.Time) (bool, error) {
	if judged == nil {
		return false, nil
	}
	current := &v1alpha1.OIDCProvider{}
	if err := reader.Get(ctx, judged.Key(), current); client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("get provider: %w", err)
	} else if err != nil {
		return false, nil //nolint:nilerr // it is gone, and its end starts a reconcile
	}
	return availabilityOf(current).phase(now()) != availabilityOf(judged).phase(at), nil
}

// outages starts reconciles of the resources that depend on whether their provider is available. It remembers only those that are not
// Served for that reason, so that a provider that comes back costs as much as there are of them.
type outages struct {
	mu sync.Mutex
	// affected holds the reason of ConditionServed, by provider and resource; providerOf finds a resource in it.
	affected   map[types.NamespacedName]map[types.NamespacedName]string
	providerOf map[types.NamespacedName]types.NamespacedName
	timers     map[types.NamespacedName]*time.Timer
}

func newOutages() *outages {
	return &outages{
		affected:   map[types.NamespacedName]map[types.NamespacedName]string{},
		providerOf: map[types.NamespacedName]types.NamespacedName{},
		timers:     map[types.NamespacedName]*time.Timer{},
	}
}

// note remembers what the conditions of a resource say.
func (o *outages) note(provider, resource types.NamespacedName, conditions []metav1.Condition) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(resource)
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionServed)
	if c == nil {
		return
	}
	switch c.Reason {
	case v1alpha1.ReasonProviderUnavailable, v1alpha1.ReasonAwaitingProvider, v1alpha1.ReasonNoReplicas:
		if o.affected[provider] == nil {
			o.affected[provider] = map[types.NamespacedName]string{}
		}
		o.affected[provider][resource], o.providerOf[resource] = c.Reason, provider
	}
}

// forget drops a resource that is gone.
func (o *outages) forget(resource types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(resource)
}

func (o *outages) drop(resource types.NamespacedName) {
	provider, known := o.providerOf[resource]
	if !known {
		return
	}
	delete(o.providerOf, resource)
	delete(o.affected[provider], resource)
	if len(o.affected[provider]) == 0 {
		delete(o.affected, provider)
	}
}

// with returns the affected resources of a provider whose reason passes.
func (o *outages) with(provider types.NamespacedName, passes func(reason string) bool) []reconcile.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	var requests []reconcile.Request
	for resource, reason := range o.affected[provider] {
		if passes(reason) {
			requests = append(requests, reconcile.Request{NamespacedName: resource})
		}
	}
	return requests
}

type requestQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// handler follows the availability of OIDCProviders. served returns the resources of a provider that follow an outage that lasts.
func (o *outages) handler(now func() time.Time, served func(ctx context.Context, provider client.Object) []reconcile.Request) handler.EventHandler {
	observed := func(ctx context.Context, obj client.Object, q requestQueue) {
		if p, ok := obj.(*v1alpha1.OIDCProvider); ok {
			o.observed(ctx, p, q, now(), served)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q requestQueue) { observed(ctx, e.Object, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q requestQueue) {
			before, _ := e.ObjectOld.(*v1alpha1.OIDCProvider)
			after, _ := e.ObjectNew.(*v1alpha1.OIDCProvider)
			if availabilityOf(before) != availabilityOf(after) {
				observed(ctx, e.ObjectNew, q)
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ requestQueue) {
			o.schedule(client.ObjectKeyFromObject(e.Object), 0, nil)
		},
	}
}

// observed starts the reconciles that follow from a provider's availability: at once those of what waits for the provider, and those of
// what follows it when it has lasted.
func (o *outages) observed(ctx context.Context, p *v1alpha1.OIDCProvider, q requestQueue, now time.Time, served func(context.Context, client.Object) []reconcile.Request) {
	a, key := availabilityOf(p), p.Key()
	follows := func(reason string) bool { return reason == v1alpha1.ReasonProviderUnavailable }
	switch {
	case !a.known:
		o.schedule(key, 0, nil)
	case a.available:
		enqueue(q, o.with(key, func(reason string) bool { return !follows(reason) }))
		o.schedule(key, a.since.Add(recoveryGrace).Sub(now), func() { enqueue(q, o.with(key, follows)) })
	case served != nil:
		o.schedule(key, a.since.Add(outageGrace).Sub(now), func() { enqueue(q, served(ctx, p)) })
	default:
		o.schedule(key, 0, nil)
	}
}

// schedule runs what after d, in place of what was scheduled for the provider before; nil: nothing.
func (o *outages) schedule(provider types.NamespacedName, d time.Duration, what func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if timer := o.timers[provider]; timer != nil {
		timer.Stop()
	}
	delete(o.timers, provider)
	if what != nil {
		o.timers[provider] = time.AfterFunc(max(d, 0)+50*time.Millisecond, what)
	}
}

func enqueue(q requestQueue, requests []reconcile.Request) {
	for i, request := range requests {
		q.AddAfter(request, time.Duration(i)*outagePace)
	}
}
