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
	"github.com/oidc-operator/oidc-operator/provider/oidc"
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
	// dsn is how to reach the database, logo the image on the pages, certificate and key what https is served with, where the spec refers
	// to them.
	dsn, logo, certificate, key referent
	// pods are the provider's, also those that are about to go.
	pods []corev1.Pod
	// claim is the volume of the embedded database, or nil.
	claim *corev1.PersistentVolumeClaim
	// issuerOwner is the older OIDCProvider that has the issuer, or nil.
	issuerOwner *v1alpha1.OIDCProvider
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
	if err := r.observePods(ctx, p, &state); err != nil {
		return state, err
	}
	if state.issuerOwner, err = r.issuerOwner(ctx, p); err != nil {
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

// observePods reads what runs, and what the replicas report. In a cluster a report counts while its pod is ready: one that was killed
// leaves its report behind for a while.
func (r *providerReconciler) observePods(ctx context.Context, p *v1alpha1.OIDCProvider, state *providerState) error {
	pods := &corev1.PodList{}
	err := r.client.List(ctx, pods, client.InNamespace(p.Namespace), client.MatchingLabels(resources.PodSelector(p)), client.UnsafeDisableDeepCopy)
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	state.pods = pods.Items
	claim := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: p.Namespace, Name: resources.ClaimName(p)}
	if err := r.client.Get(ctx, key, claim); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("get claim: %w", err)
	} else if err == nil {
		state.claim = claim
	}
	reports, err := readyReplicas(ctx, r.client, p.Key(), r.now())
	if err != nil {
		return err
	}
	state.ready = slices.DeleteFunc(reports, func(report replicaReport) bool {
		return report.pod != "" && !slices.ContainsFunc(state.pods, func(pod corev1.Pod) bool { return pod.UID == report.pod && podServes(&pod) })
	})
	return nil
}

// absent returns what the pods need and cannot mount.
func (s providerState) absent(p *v1alpha1.OIDCProvider) []string {
	var found []string
	if name := p.TLSSecretName(); name != "" && !s.certificate.found {
		found = append(found, fmt.Sprintf("Secret %q does not exist", name))
	}
	if name := p.DSNSecretName(); name != "" && !s.dsn.found {
		found = append(found, fmt.Sprintf("Secret %q does not exist", name))
	}
	if s.claim != nil && resources.Claim(p) != nil && s.claim.Status.Phase == corev1.ClaimPending {
		class := "the default storage class"
		if s.claim.Spec.StorageClassName != nil {
			class = fmt.Sprintf("storage class %q", *s.claim.Spec.StorageClassName)
		}
		found = append(found, fmt.Sprintf("PersistentVolumeClaim %q is Pending with %s", s.claim.Name, class))
	}
	return found
}

// issuerOwner returns the oldest OIDCProvider, in any namespace, that precedes p and has the same issuer, or nil.
func (r *providerReconciler) issuerOwner(ctx context.Context, p *v1alpha1.OIDCProvider) (*v1alpha1.OIDCProvider, error) {
	issuer := uniqueIssuer(p)
	if issuer == "" {
		return nil, nil //nolint:nilnil // nobody can have it
	}
	same := &v1alpha1.OIDCProviderList{}
	if err := r.client.List(ctx, same, client.MatchingFields{indexIssuer: issuer}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list providers of the same issuer: %w", err)
	}
	var owner *v1alpha1.OIDCProvider
	for i := range same.Items {
		other := &same.Items[i]
		if other.UID != p.UID && precedes(kindProvider, "", other, p) && (owner == nil || precedes(kindProvider, "", other, owner)) {
			owner = other
		}
	}
	return owner, nil
}

// uniqueIssuer returns an issuer as it is compared: two that lead browsers to the same place are one, though relying parties compare
// them letter by letter. It is "" for what cannot be one, and for loopback hosts, which are different machines for everybody.
func uniqueIssuer(p *v1alpha1.OIDCProvider) string {
	u, err := oidc.ParseIssuer(p.Spec.Issuer)
	if err != nil || oidc.IsLoopback(u.Hostname()) {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if port := u.Port(); port != "" && port != "443" {
		host += ":" + port
	}
	return "https://" + host + strings.TrimSuffix(u.EscapedPath(), "/")
}

// observeReferents reads what the spec refers to.
func (r *providerReconciler) observeReferents(ctx context.Context, p *v1alpha1.OIDCProvider, state *providerState) error {
	var err error
	if name := p.DSNSecretName(); name == "" {
		r.dsns.forget(p.Key())
	} else if state.dsn, err = r.dsns.of(ctx, p.Key(), name, p.DSNSecretKey(), &corev1.Secret{}); err != nil {
		return err
	}
	if name := p.TLSSecretName(); name == "" {
		r.certificates.forget(p.Key())
		r.tlsKeys.forget(p.Key())
	} else if state.certificate, err = r.certificates.of(ctx, p.Key(), name, corev1.TLSCertKey, &corev1.Secret{}); err != nil {
		return err
	} else if state.key, err = r.tlsKeys.of(ctx, p.Key(), name, corev1.TLSPrivateKeyKey, &corev1.Secret{}); err != nil {
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
