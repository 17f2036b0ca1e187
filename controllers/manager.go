package controllers

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Options of the controllers.
type Options struct {
	// ProviderImage is the image of the provider's pods.
	ProviderImage string
	// Concurrency is how many OIDCClients, OIDCProviders and OIDCUsers each are worked on at a time. Zero means 8.
	Concurrency int
	// DefaultKeyGrace is how long a new OIDCProvider waits for a SigningKey before it gets one of its own. Zero means 1s: pods take longer to start.
	DefaultKeyGrace time.Duration
	// Probe makes a call through a provider's Service before the OIDCProvider is Available. Nil means that the operator is not in the
	// cluster's network, and nobody there runs Deployments: what the replicas report decides alone. See ProbeDiscovery.
	Probe Probe
	// Now tells the time. Nil means time.Now.
	Now func() time.Time
	// Metrics is where the metrics of the controllers are registered. Nil means nowhere.
	Metrics prometheus.Registerer
}

// NewScheme returns a scheme with every kind that the controllers handle.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("build scheme: %w", err)
		}
	}
	return scheme, nil
}

// CacheOptions makes a manager's cache hold, beside the kinds of the API, only what the operator has made, and of
// Leases only the reports of provider replicas.
func CacheOptions() cache.Options {
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{resources.LabelManagedBy: resources.ManagedBy})}
	reports := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{registration.LabelReplica: "true"})}
	return cache.Options{
		DefaultTransform: slim,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}:                ours,
			&corev1.Service{}:               ours,
			&corev1.ServiceAccount{}:        ours,
			&corev1.PersistentVolumeClaim{}: ours,
			&appsv1.Deployment{}:            ours,
			&rbacv1.Role{}:                  ours,
			&rbacv1.RoleBinding{}:           ours,
			&policyv1.PodDisruptionBudget{}: ours,
			&networkingv1.NetworkPolicy{}:   ours,
			&networkingv1.Ingress{}:         ours,
			&coordinationv1.Lease{}:         reports,
			&corev1.Pod{}:                   {Label: labels.SelectorFromSet(resources.PodLabels()), Transform: slimPod},
		},
	}
}

// newForeignCache returns a cache of the metadata of the Secrets and ConfigMaps that the operator has not made. It only serves
// to notice that one that a resource refers to comes or changes, and that a Secret that was in the way goes. The ConfigMaps
// that Kubernetes puts into each namespace are left out, since nobody's logo is in them.
func newForeignCache(mgr ctrl.Manager) (cache.Cache, error) {
	notOurs, err := labels.NewRequirement(resources.LabelManagedBy, selection.NotEquals, []string{resources.ManagedBy})
	if err != nil {
		return nil, fmt.Errorf("select foreign objects: %w", err)
	}
	foreign, err := cache.New(mgr.GetConfig(), cache.Options{
		HTTPClient:           mgr.GetHTTPClient(),
		Scheme:               mgr.GetScheme(),
		Mapper:               mgr.GetRESTMapper(),
		DefaultLabelSelector: labels.NewSelector().Add(*notOurs),
		DefaultTransform:     stripMetadata,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.ConfigMap{}: {Field: fields.AndSelectors(
				fields.OneTermNotEqualSelector("metadata.name", "kube-root-ca.crt"),
				fields.OneTermNotEqualSelector("metadata.name", "openshift-service-ca.crt"))},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("create cache of foreign objects: %w", err)
	}
	return foreign, nil
}

// SetUp adds every controller to a manager whose cache has CacheOptions.
func SetUp(ctx context.Context, mgr manager.Manager, o Options) error {
	if o.Concurrency == 0 {
		o.Concurrency = 8
	}
	if o.DefaultKeyGrace == 0 {
		o.DefaultKeyGrace = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	foreign, err := newForeignCache(mgr)
	if err != nil {
		return err
	}
	if err := mgr.Add(foreign); err != nil {
		return fmt.Errorf("add cache of foreign objects: %w", err)
	}
	c := mgr.GetClient()
	if o.Metrics != nil {
		if err := o.Metrics.Register(newSigningKeyMetrics(c)); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	objects := objects{client: c, live: mgr.GetAPIReader()}
	recorder := mgr.GetEventRecorder("oidc-operator")
	newReporter := func() reporter { return reporter{client: c, events: recorder, writes: newStatusWrites()} }
	newRegistrar := func() registrar { return registrar{objects: objects, waiters: newWaiters(), now: o.Now} }

	providers := &providerReconciler{
		client: c, objects: objects, reporter: newReporter(), versions: newRegistrationVersions(),
		dsns: newReferents(foreign, mgr.GetAPIReader()), logos: newReferents(foreign, mgr.GetAPIReader()),
		certificates: newReferents(foreign, mgr.GetAPIReader()), tlsKeys: newReferents(foreign, mgr.GetAPIReader()),
		reach: newReach(o.Probe), settings: newWaiters(),
		image: o.ProviderImage, keyGrace: o.DefaultKeyGrace, now: o.Now,
	}
	signingKeys := &signingKeyReconciler{
		client: c, objects: objects, registrar: newRegistrar(), reporter: newReporter(),
		imports: newReferents(foreign, mgr.GetAPIReader()), now: o.Now,
	}
	clients := &clientReconciler{
		client: c, objects: objects, registrar: newRegistrar(), reporter: newReporter(),
		brought: newReferents(foreign, mgr.GetAPIReader()), made: newMadeSecrets(), outages: newOutages(), now: o.Now,
	}
	users := &userReconciler{client: c, objects: objects, foreign: foreign, registrar: newRegistrar(), reporter: newReporter(), outages: newOutages(), now: o.Now}
	for kind, setUp := range map[string]func() error{
		kindProvider:   func() error { return providers.setUp(mgr, foreign, o.Concurrency) },
		kindSigningKey: func() error { return signingKeys.setUp(mgr, foreign) },
		kindClient:     func() error { return clients.setUp(mgr, foreign, o.Concurrency) },
		kindUser:       func() error { return users.setUp(mgr, foreign, o.Concurrency) },
	} {
		if err := setUp(); err != nil {
			return fmt.Errorf("set up %s controller: %w", kind, err)
		}
	}
	return nil
}

// stripMetadata keeps of a foreign object's metadata only what tells that it has changed.
func stripMetadata(obj any) (any, error) {
	if m, ok := obj.(*metav1.PartialObjectMetadata); ok {
		m.ManagedFields, m.Annotations, m.Labels, m.OwnerReferences = nil, nil, nil, nil
	}
	return obj, nil
}
