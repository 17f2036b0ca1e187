package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
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
	// salt is that of pairwise subjects in the standing settings, or "".
	salt string
	// dsn is how to reach the database, logo the image on the pages, where the spec refers to them.
	dsn, logo referent
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
	if state.salt, err = r.salt(ctx, p); err != nil {
		return state, err
	}
	if err := r.observeReferents(ctx, p, &state); err != nil {
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

// observeReferents reads what the spec refers to.
func (r *providerReconciler) observeReferents(ctx context.Context, p *v1alpha1.OIDCProvider, state *providerState) error {
	var err error
	if name := p.DSNSecretName(); name == "" {
		r.dsns.forget(p.Key())
	} else if state.dsn, err = r.dsns.of(ctx, p.Key(), name, p.DSNSecretKey(), &corev1.Secret{}); err != nil {
		return err
	}
	if name := p.LogoConfigMapName(); name == "" {
		r.logos.forget(p.Key())
	} else if state.logo, err = r.logos.of(ctx, p.Key(), name, p.Spec.Branding.LogoConfigMapRef.Key, &corev1.ConfigMap{}); err != nil {
		return err
	}
	return nil
}

// salt returns the salt in the standing settings, or "". Where the cache shows none it asks the API server: a second salt,
// made because the cache lags behind the first, would change every pairwise subject.
func (r *providerReconciler) salt(ctx context.Context, p *v1alpha1.OIDCProvider) (string, error) {
	key := client.ObjectKey{Namespace: p.Namespace, Name: resources.SettingsName(p.Name)}
	for _, reader := range []client.Reader{r.client, r.objects.live} {
		settings := &corev1.Secret{}
		if err := reader.Get(ctx, key, settings); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return "", fmt.Errorf("get secret %s: %w", key, err)
		}
		if salt := saltIn(settings); salt != "" && ownedBy(resources.Owner(kindProvider, p.Key()))(settings) {
			return salt, nil
		}
	}
	return "", nil
}

// saltIn reads the salt whatever else stands in the settings: they may come from an operator that knew other fields.
func saltIn(settings *corev1.Secret) string {
	var document struct {
		PairwiseSalt string `json:"pairwise_salt"`
	}
	if err := json.Unmarshal(settings.Data[registration.KindSettings.File()], &document); err != nil {
		return "" // to be written anew
	}
	if found := (registration.Settings{PairwiseSalt: document.PairwiseSalt}); found.Validate() != nil {
		return ""
	}
	return document.PairwiseSalt
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
