package controllers

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
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
	// replacedDefault is the default SigningKey when replacement, the user's own, signs in its place; both are nil otherwise.
	replacedDefault, replacement *v1alpha1.SigningKey
	// exposed is how the pods are reached.
	exposed resources.Exposed
	// tls is ConditionTLSReady of a provider with spec.tls.
	tls verdict
	// again is when to look again, because something that no event tells of will have changed; zero: never.
	again time.Duration
}

// planProvider decides about an OIDCProvider. It calls makeSalt when its settings have no salt of pairwise subjects yet.
func planProvider(p *v1alpha1.OIDCProvider, state providerState, image string, makeSalt func() string, keyGrace time.Duration, now time.Time) (providerPlan, error) {
	if _, err := oidc.ParseIssuer(p.Spec.Issuer); err != nil {
		v := stall(v1alpha1.ReasonInvalidSpec, "spec.issuer "+err.Error()+"; create a new OIDCProvider")
		return providerPlan{obstacle: &v}, nil //nolint:nilerr // it is told in status; repeating would not mend it
	}
	if owner := state.issuerOwner; owner != nil {
		v := stall(v1alpha1.ReasonIssuerTaken, fmt.Sprintf(
			"issuer %q belongs to the older OIDCProvider %q in namespace %q; delete one of the two, or create this one with another issuer. Until then nothing of it is created or changed",
			p.Spec.Issuer, owner.Name, owner.Namespace))
		return providerPlan{obstacle: &v}, nil
	}
	salt := state.salt
	if salt == "" {
		salt = makeSalt()
	}
	document := buildSettings(p, salt, state.logo)
	if err := document.Validate(); err != nil {
		v := invalidSpec(err)
		return providerPlan{obstacle: &v}, nil
	}
	settings, err := buildRegistration(p.Key(), registration.KindSettings, resources.SettingsName(p.Name),
		resources.Owner(kindProvider, p.Key()), document)
	if err != nil {
		return providerPlan{}, err
	}
	settings.WithOwnerReferences(resources.OwnerReference(kindProvider, p))
	exposed := resources.ExposedBy(p, state.pods, podServes)
	plan := providerPlan{exposed: exposed, children: []child{
		{p.Name, &corev1.ServiceAccount{}, resources.ServiceAccount(p)},
		{p.Name, &rbacv1.Role{}, resources.Role(p)},
		{p.Name, &rbacv1.RoleBinding{}, resources.RoleBinding(p)},
		{resources.SettingsName(p.Name), &corev1.Secret{}, settings},
		{p.Name, &networkingv1.NetworkPolicy{}, resources.NetworkPolicy(p, exposed)},
		{p.Name, &policyv1.PodDisruptionBudget{}, resources.PodDisruptionBudget(p)},
		{p.Name, &corev1.Service{}, resources.Service(p, exposed)},
	}}
	// A volume that is no longer used is kept: the data on it may still be wanted.
	if claim := resources.Claim(p); claim != nil {
		plan.children = append(plan.children, child{resources.ClaimName(p), &corev1.PersistentVolumeClaim{}, claim})
	}
	usable := true
	if p.Spec.TLS != nil {
		var changes time.Time
		plan.tls, changes = judgeTLS(p, state.certificate, state.key, now)
		if !changes.IsZero() {
			plan.lookAgain(changes.Sub(now))
		}
		usable = plan.tls.outcome == done || p.DesiredReplicas() == 0
	}
	if dsnDigest, known := planDSN(p, state, salt); known && usable {
		plan.children = append(plan.children, child{p.Name, &appsv1.Deployment{}, resources.Deployment(p, image, dsnDigest)})
	}
	if ingress := resources.Ingress(p, exposed); ingress != nil {
		plan.children = append(plan.children, child{p.Name, &networkingv1.Ingress{}, ingress})
	} else {
		plan.children = append(plan.children, child{p.Name, &networkingv1.Ingress{}, nil})
	}
	plan.children = append(plan.children, routeChild(p, state.gateway, exposed)...)
	plan.defaultKey(p, state, keyGrace, now)
	for _, replica := range state.ready {
		plan.lookAgain(replica.expires.Sub(now))
	}
	return plan, nil
}

// routeChild is the HTTPRoute. Without the Gateway API there is none to remove.
func routeChild(p *v1alpha1.OIDCProvider, gateway bool, exposed resources.Exposed) []child {
	empty := &unstructured.Unstructured{}
	empty.SetGroupVersionKind(resources.HTTPRouteKind())
	if route := resources.HTTPRoute(p, exposed); route != nil {
		return []child{{p.Name, empty, client.ApplyConfigurationFromUnstructured(route)}}
	}
	if gateway {
		return []child{{p.Name, empty, nil}}
	}
	return nil
}

// firstMoments is how long after the default SigningKey one of the user's own may come that has been meant to be there from the start.
const firstMoments = time.Minute

// defaultKey gives the provider a SigningKey when it has none. RS256 because Synapse and DSM need RSA. Manifests that are applied together do
// not arrive together: it waits no longer than pods take to start, and takes the default back when the user's own key comes after it.
func (plan *providerPlan) defaultKey(p *v1alpha1.OIDCProvider, state providerState, grace time.Duration, now time.Time) {
	if len(state.signingKeys) > 0 {
		plan.replacedDefault, plan.replacement = replacedDefaultKey(p, state.signingKeys)
		return
	}
	if remaining := p.CreationTimestamp.Add(grace).Sub(now); remaining > 0 {
		plan.lookAgain(remaining)
		return
	}
	key := oidcac.SigningKey(defaultKeyName(p.Key()), p.Namespace).
		WithLabels(map[string]string{resources.LabelManagedBy: resources.ManagedBy}).
		WithAnnotations(map[string]string{resources.AnnotationOwner: resources.Owner(kindProvider, p.Key())}).
		WithOwnerReferences(resources.OwnerReference(kindProvider, p)).
		WithSpec(oidcac.SigningKeySpec().
			WithProviderRef(oidcac.LocalProviderReference().WithName(p.Name)).
			WithAlgorithm(v1alpha1.DefaultAlgorithm))
	plan.children = append(plan.children, child{defaultKeyName(p.Key()), &v1alpha1.SigningKey{}, key})
}

func defaultKeyName(provider types.NamespacedName) string { return provider.Name + "-default" }

// replacedDefaultKey returns the default SigningKey and the user's own that is to sign in its place from the start, or nil and nil. One that
// somebody has edited stays: it is theirs. So does one beside which a key comes later, because relying parties know it by then.
func replacedDefaultKey(p *v1alpha1.OIDCProvider, signingKeys []v1alpha1.SigningKey) (replaced, replacement *v1alpha1.SigningKey) {
	mine := ownedBy(resources.Owner(kindProvider, p.Key()))
	i := slices.IndexFunc(signingKeys, func(k v1alpha1.SigningKey) bool {
		return k.Name == defaultKeyName(p.Key()) && mine(&k) && k.Generation == 1 && k.Annotations[v1alpha1.AnnotationRotate] == "" && !restored(&k)
	})
	if i < 0 {
		return nil, nil
	}
	until := signingKeys[i].CreationTimestamp.Add(firstMoments)
	for j := range signingKeys {
		if k := &signingKeys[j]; j != i && k.Status.ActiveKeyID != "" && k.DeletionTimestamp.IsZero() && !k.CreationTimestamp.After(until) {
			return &signingKeys[i], k
		}
	}
	return nil, nil
}

// restored reports whether a SigningKey has keys from before it was created: a backup has brought it back, and relying parties know them.
func restored(k *v1alpha1.SigningKey) bool {
	before := k.CreationTimestamp.Add(-firstMoments) // more than two clocks differ
	return slices.ContainsFunc(k.Status.Keys, func(key v1alpha1.KeyStatus) bool { return key.CreatedAt.Time.Before(before) })
}

// lookAgain looks again after d, unless that is to happen sooner anyway.
func (plan *providerPlan) lookAgain(d time.Duration) {
	d = max(d, 0) + 100*time.Millisecond
	if plan.again == 0 || d < plan.again {
		plan.again = d
	}
}

// planDSN returns the digest of how to reach the database, which replaces the pods when it changes. While the Secret is
// missing the pods keep what they have, and known is false when they have nothing yet: they could not start.
func planDSN(p *v1alpha1.OIDCProvider, state providerState, salt string) (digest string, known bool) {
	if p.Spec.Storage.Postgres == nil {
		return "", true
	}
	if judgeDSN(p, state.dsn).outcome == done {
		return digestOf(state.dsn.value, salt), true
	}
	if state.deployment != nil {
		digest = state.deployment.Spec.Template.Annotations[resources.AnnotationDSNDigest]
	}
	return digest, digest != ""
}

// digestOf tells contents apart without telling anything of them: it is keyed, because a password in a DSN may be guessed.
func digestOf(dsn []byte, salt string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte("dsn\n"))
	mac.Write(dsn)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}

// buildSettings translates the spec into the settings that the provider reads. A logo that cannot be shown is left out.
func buildSettings(p *v1alpha1.OIDCProvider, salt string, logo referent) *registration.Settings {
	settings := &registration.Settings{
		Lifetimes: lifetimes(p.Spec.Tokens),
		Sessions: registration.Sessions{
			Idle:     duration(p.Spec.Sessions.Idle),
			Absolute: duration(p.Spec.Sessions.Absolute),
		},
		Login: registration.Login{Window: duration(p.Spec.Login.Window)},
		Branding: registration.Branding{
			Title:       p.Spec.Branding.Title,
			AccentColor: p.Spec.Branding.AccentColor,
		},
		SynologySSO: registration.SynologySSO{
			Enabled:    p.Spec.SynologySSO.Serves(),
			DomainName: p.Spec.SynologySSO.DomainName,
			LDAPBaseDN: p.Spec.SynologySSO.LDAPBaseDN,
		},
		PairwiseSalt: salt,
	}
	if attempts := p.Spec.Login.MaxAttempts; attempts != nil {
		settings.Login.MaxAttempts = int(*attempts)
	}
	if p.Spec.Branding.LogoConfigMapRef != nil && judgeLogo(p, logo).outcome == done {
		settings.Branding.Logo, settings.Branding.LogoType = logo.value, logoType(p.Spec.Branding.LogoConfigMapRef.Key)
	}
	return settings
}

// logoType returns the media type that a key's ending stands for, or "".
func logoType(key string) string {
	return map[string]string{
		".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
	}[path.Ext(key)]
}

// newSalt returns 256 random bits.
func newSalt() string {
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // it stops the program before it returns an error
	return base64.RawURLEncoding.EncodeToString(salt)
}
