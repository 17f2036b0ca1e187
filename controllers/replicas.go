package controllers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// replicaReport is what one provider replica says of itself on its Lease.
type replicaReport struct {
	name string
	// applied is the resource version up to which it has applied its registrations.
	applied        string
	clients, users int
	// pod is the UID of its pod, or "" when it runs in none.
	pod types.UID
	// storage is why it cannot use its storage.
	storage registration.StorageFault
	// expires is when the replica counts as gone unless it reports again.
	expires time.Time
}

func parseReport(lease *coordinationv1.Lease) replicaReport {
	r := replicaReport{
		name: lease.Name, applied: lease.Annotations[registration.AnnotationApplied],
		storage: registration.ParseStorageFault(lease.Annotations[registration.AnnotationStorage]),
	}
	for _, owner := range lease.OwnerReferences {
		if owner.Kind == "Pod" {
			r.pod = owner.UID
		}
	}
	r.clients, _ = strconv.Atoi(lease.Annotations[registration.AnnotationClients]) // 0 when absent
	r.users, _ = strconv.Atoi(lease.Annotations[registration.AnnotationUsers])
	if lease.Spec.RenewTime != nil && lease.Spec.LeaseDurationSeconds != nil {
		r.expires = lease.Spec.RenewTime.Add(time.Duration(*lease.Spec.LeaseDurationSeconds) * time.Second)
	}
	return r
}

// readyReplicas returns the reports of the provider replicas that are ready at now, by name.
func readyReplicas(ctx context.Context, reader client.Reader, provider types.NamespacedName, now time.Time) ([]replicaReport, error) {
	leases, err := replicaLeases(ctx, reader, provider)
	if err != nil {
		return nil, err
	}
	return readyAmong(leases, now), nil
}

// replicaLeases returns the Leases of a provider's replicas, as the cache has them: not to be changed.
func replicaLeases(ctx context.Context, reader client.Reader, provider types.NamespacedName) ([]coordinationv1.Lease, error) {
	leases := &coordinationv1.LeaseList{}
	err := reader.List(ctx, leases, client.InNamespace(provider.Namespace), client.MatchingFields{indexLeaseProvider: provider.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list replica reports of %s: %w", provider, err)
	}
	return leases.Items, nil
}

func readyAmong(leases []coordinationv1.Lease, now time.Time) []replicaReport {
	var ready []replicaReport
	for i := range leases {
		if r := parseReport(&leases[i]); r.expires.After(now) {
			ready = append(ready, r)
		}
	}
	slices.SortFunc(ready, func(a, b replicaReport) int { return strings.Compare(a.name, b.name) })
	return ready
}

// hasApplied tells whether the replica has applied the object with that resource version. Resource versions are
// comparable numbers (since Kubernetes 1.35 by contract, before by fact); what does not compare counts as not applied.
func (r replicaReport) hasApplied(version string) bool {
	order, err := resourceversion.CompareResourceVersion(r.applied, version)
	return err == nil && order >= 0
}

// judgeServed decides by the replicas' reports whether a registration with a resource version is served. Without any ready replica a
// registration that was served before and has not changed stays served; that nobody can sign in then is for judgeSignIn to say.
func judgeServed(ready []replicaReport, version string, servedBefore bool) verdict {
	var behind []string
	for _, r := range ready {
		if !r.hasApplied(version) {
			behind = append(behind, r.name)
		}
	}
	served := accept(v1alpha1.ReasonServed, "every ready provider replica has applied the current registration")
	switch {
	case len(behind) > 0:
		who := "provider replica " + behind[0] + " has"
		if len(behind) > 1 {
			who = "provider replicas " + strings.Join(behind, ", ") + " have"
		}
		return wait(v1alpha1.ReasonAwaitingReplicas, who+" not applied the current registration yet")
	case len(ready) > 0 || servedBefore:
		return served
	default:
		return wait(v1alpha1.ReasonNoReplicas, "no replica of the provider is ready; see its OIDCProvider's conditions")
	}
}

// waiters remembers which resources wait for provider replicas to apply their registration, so that a report costs as
// much as there are resources waiting, not as there are resources.
type waiters struct {
	mu   sync.Mutex
	held map[types.NamespacedName]map[types.NamespacedName]awaited // provider -> resource
}

// awaited is the resource version that replicas are to apply.
type awaited struct {
	version string
	since   time.Time
}

func newWaiters() *waiters {
	return &waiters{held: map[types.NamespacedName]map[types.NamespacedName]awaited{}}
}

// add makes a resource wait, and returns since when it waits for that version. Add before looking at the reports, so that none is
// missed in between.
func (w *waiters) add(provider, resource types.NamespacedName, version string, now time.Time) (since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[provider] == nil {
		w.held[provider] = map[types.NamespacedName]awaited{}
	}
	if last := w.held[provider][resource]; last.version == version {
		return last.since
	}
	w.held[provider][resource] = awaited{version, now}
	return now
}

// remove ends the waiting of a resource.
func (w *waiters) remove(provider, resource types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.held[provider], resource)
	if len(w.held[provider]) == 0 {
		delete(w.held, provider)
	}
}

// release returns the resources whose wait is over by these reports, which no longer wait then.
func (w *waiters) release(provider types.NamespacedName, ready []replicaReport) []types.NamespacedName {
	w.mu.Lock()
	defer w.mu.Unlock()
	var over []types.NamespacedName
	if len(ready) == 0 {
		return nil
	}
	for resource, wait := range w.held[provider] {
		if !slices.ContainsFunc(ready, func(r replicaReport) bool { return !r.hasApplied(wait.version) }) {
			over = append(over, resource)
			delete(w.held[provider], resource)
		}
	}
	return over
}
