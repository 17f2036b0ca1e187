package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// providerState is everything that a decision about an OIDCProvider depends on.
type providerState struct {
	// signingKeys are the provider's, the oldest first: its first active key is the default.
	signingKeys []v1alpha1.SigningKey
	// ready are the reports of the replicas that answer requests.
	ready []replicaReport
	// version is the highest resource version that any of the provider's registrations has had.
	version string
	// deployment is nil when there is none yet.
	deployment *appsv1.Deployment
	// gateway tells whether the cluster had the Gateway API when the operator started.
	gateway bool
}

func (r *providerReconciler) observe(ctx context.Context, p *v1alpha1.OIDCProvider) (providerState, error) {
	state := providerState{gateway: r.gateway, version: r.versions.highest(p.Key())}
	signingKeys := &v1alpha1.SigningKeyList{}
	if err := r.client.List(ctx, signingKeys, client.MatchingFields{indexProvider: p.Key().String()}); err != nil {
		return state, fmt.Errorf("list signing keys: %w", err)
	}
	state.signingKeys = signingKeys.Items
	slices.SortFunc(state.signingKeys, oldestFirst)
	var err error
	if state.ready, err = readyReplicas(ctx, r.client, p.Key(), r.now()); err != nil {
		return state, err
	}
	deployment := &appsv1.Deployment{}
	if err := r.client.Get(ctx, p.Key(), deployment); client.IgnoreNotFound(err) != nil {
		return state, fmt.Errorf("get deployment: %w", err)
	} else if err == nil {
		state.deployment = deployment
	}
	return state, nil
}

func oldestFirst(a, b v1alpha1.SigningKey) int {
	if order := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); order != 0 {
		return order
	}
	return strings.Compare(a.Name, b.Name)
}

// registrationVersions remembers the highest resource version seen among each provider's registrations, so that counting
// the replicas that have applied all of them needs no look at each.
type registrationVersions struct {
	mu       sync.Mutex
	versions map[types.NamespacedName]string
}

func newRegistrationVersions() *registrationVersions {
	return &registrationVersions{versions: map[types.NamespacedName]string{}}
}

func (v *registrationVersions) saw(provider types.NamespacedName, version string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if order, err := resourceversion.CompareResourceVersion(version, v.versions[provider]); err != nil || order > 0 {
		v.versions[provider] = version
	}
}

func (v *registrationVersions) highest(provider types.NamespacedName) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.versions[provider]
}
