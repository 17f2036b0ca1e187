package controllers

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	oidcac "github.com/oidc-operator/oidc-operator/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// child is an object that an OIDCProvider needs.
type child struct {
	// name is the object's, in the provider's namespace.
	name string
	// empty is an object of its kind to read the standing one into.
	empty client.Object
	// desired is nil when there should be none.
	desired runtime.ApplyConfiguration
}

// providerPlan is what is to be done about an OIDCProvider.
type providerPlan struct {
	// children in the order in which they are written: what the pods need stands before them.
	children []child
	// obstacle is why nothing is to be written, or nil.
	obstacle *verdict
	// again is when to look again, because something that no event tells of will have changed; zero: never.
	again time.Duration
}

// planProvider decides about an OIDCProvider.
func planProvider(p *v1alpha1.OIDCProvider, state providerState, image string, keyGrace time.Duration, now time.Time) (providerPlan, error) {
	if _, err := oidc.ParseIssuer(p.Spec.Issuer); err != nil {
		v := stall(v1alpha1.ReasonInvalidSpec, "spec.issuer "+err.Error()+"; create a new OIDCProvider")
		return providerPlan{obstacle: &v}, nil //nolint:nilerr // it is told in status; repeating would not mend it
	}
	settings, err := buildRegistration(p.Key(), registration.KindSettings, resources.SettingsName(p.Name),
		resources.Owner(kindProvider, p.Key()), buildSettings(p))
	if err != nil {
		return providerPlan{}, err
	}
	settings.WithOwnerReferences(resources.OwnerReference(kindProvider, p))
	plan := providerPlan{children: []child{
		{p.Name, &corev1.ServiceAccount{}, resources.ServiceAccount(p)},
		{p.Name, &rbacv1.Role{}, resources.Role(p)},
		{p.Name, &rbacv1.RoleBinding{}, resources.RoleBinding(p)},
		{resources.SettingsName(p.Name), &corev1.Secret{}, settings},
		{p.Name, &networkingv1.NetworkPolicy{}, resources.NetworkPolicy(p)},
		{p.Name, &policyv1.PodDisruptionBudget{}, resources.PodDisruptionBudget(p)},
		{p.Name, &corev1.Service{}, resources.Service(p)},
	}}
	// A volume that is no longer used is kept: the data on it may still be wanted.
	if claim := resources.Claim(p); claim != nil {
		plan.children = append(plan.children, child{resources.ClaimName(p), &corev1.PersistentVolumeClaim{}, claim})
	}
	plan.children = append(plan.children, child{p.Name, &appsv1.Deployment{}, resources.Deployment(p, image)})
	if ingress := resources.Ingress(p); ingress != nil {
		plan.children = append(plan.children, child{p.Name, &networkingv1.Ingress{}, ingress})
	} else {
		plan.children = append(plan.children, child{p.Name, &networkingv1.Ingress{}, nil})
	}
	plan.children = append(plan.children, routeChild(p, state.gateway)...)
	plan.defaultKey(p, state, keyGrace, now)
	for _, replica := range state.ready {
		plan.lookAgain(replica.expires.Sub(now))
	}
	return plan, nil
}

// routeChild is the HTTPRoute. Without the Gateway API there is none to remove.
func routeChild(p *v1alpha1.OIDCProvider, gateway bool) []child {
	empty := &unstructured.Unstructured{}
	empty.SetGroupVersionKind(resources.HTTPRouteKind())
	if route := resources.HTTPRoute(p); route != nil {
		return []child{{p.Name, empty, client.ApplyConfigurationFromUnstructured(route)}}
	}
	if gateway {
		return []child{{p.Name, empty, nil}}
	}
	return nil
}

// defaultKey gives the provider a SigningKey when it has none. RS256 because Synapse and DSM need RSA. It waits a little
// first, since manifests that are applied together do not arrive together.
func (plan *providerPlan) defaultKey(p *v1alpha1.OIDCProvider, state providerState, grace time.Duration, now time.Time) {
	if len(state.signingKeys) > 0 {
		return
	}
	if remaining := p.CreationTimestamp.Add(grace).Sub(now); remaining > 0 {
		plan.lookAgain(remaining)
		return
	}
	key := oidcac.SigningKey(p.Name+"-default", p.Namespace).
		WithLabels(map[string]string{resources.LabelManagedBy: resources.ManagedBy}).
		WithAnnotations(map[string]string{resources.AnnotationOwner: resources.Owner(kindProvider, p.Key())}).
		WithOwnerReferences(resources.OwnerReference(kindProvider, p)).
		WithSpec(oidcac.SigningKeySpec().
			WithProviderRef(oidcac.LocalProviderReference().WithName(p.Name)).
			WithAlgorithm(v1alpha1.DefaultAlgorithm))
	plan.children = append(plan.children, child{p.Name + "-default", &v1alpha1.SigningKey{}, key})
}

// lookAgain looks again after d, unless that is to happen sooner anyway.
func (plan *providerPlan) lookAgain(d time.Duration) {
	d = max(d, 0) + 100*time.Millisecond
	if plan.again == 0 || d < plan.again {
		plan.again = d
	}
}

func buildSettings(p *v1alpha1.OIDCProvider) registration.Settings {
	return registration.Settings{
		Lifetimes: lifetimes(p.Spec.Tokens),
		Sessions: registration.Sessions{
			Idle:     duration(p.Spec.Sessions.Idle),
			Absolute: duration(p.Spec.Sessions.Absolute),
		},
	}
}
