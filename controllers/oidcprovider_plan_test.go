package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

func TestDefaultSigningKeyIsReplacedInTheFirstMoments(t *testing.T) {
	p := &v1alpha1.OIDCProvider{ObjectMeta: metav1.ObjectMeta{Namespace: "sso", Name: "sso"}}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	key := func(name string, after time.Duration, changes ...func(*v1alpha1.SigningKey)) v1alpha1.SigningKey {
		k := v1alpha1.SigningKey{ObjectMeta: metav1.ObjectMeta{
			Namespace: "sso", Name: name, Generation: 1, CreationTimestamp: metav1.NewTime(start.Add(after)),
		}}
		k.Status.ActiveKeyID = "kid-of-" + name
		for _, change := range changes {
			change(&k)
		}
		return k
	}
	made := func(k *v1alpha1.SigningKey) {
		k.Labels = map[string]string{resources.LabelManagedBy: resources.ManagedBy}
		k.Annotations = map[string]string{resources.AnnotationOwner: resources.Owner(kindProvider, p.Key())}
	}
	for name, test := range map[string]struct {
		keys []v1alpha1.SigningKey
		want bool
	}{
		"by one of the same apply":    {[]v1alpha1.SigningKey{key("sso-default", 0, made), key("mine", 2*time.Second)}, true},
		"by one that is older":        {[]v1alpha1.SigningKey{key("mine", -time.Hour), key("sso-default", 0, made)}, true},
		"at the end of the time":      {[]v1alpha1.SigningKey{key("sso-default", 0, made), key("mine", time.Minute)}, true},
		"not later":                   {[]v1alpha1.SigningKey{key("sso-default", 0, made), key("mine", time.Minute+time.Second)}, false},
		"not while it is alone":       {[]v1alpha1.SigningKey{key("sso-default", 0, made)}, false},
		"not before it can sign":      {[]v1alpha1.SigningKey{key("sso-default", 0, made), key("mine", 0, func(k *v1alpha1.SigningKey) { k.Status.ActiveKeyID = "" })}, false},
		"not when it was edited":      {[]v1alpha1.SigningKey{key("sso-default", 0, made, func(k *v1alpha1.SigningKey) { k.Generation = 2 }), key("mine", 0)}, false},
		"not when it was rotated":     {[]v1alpha1.SigningKey{key("sso-default", 0, made, func(k *v1alpha1.SigningKey) { k.Annotations[v1alpha1.AnnotationRotate] = "1" }), key("mine", 0)}, false},
		"not when a user has made it": {[]v1alpha1.SigningKey{key("sso-default", 0), key("mine", 0)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			plan := providerPlan{}
			plan.defaultKey(p, providerState{signingKeys: test.keys}, time.Second, start.Add(time.Hour))
			if got := plan.replacedDefault != nil; got != test.want || len(plan.children) != 0 {
				t.Fatalf("is replaced: %t, want %t; and %d children", got, test.want, len(plan.children))
			}
			if test.want && (plan.replacedDefault.Name != "sso-default" || plan.replacement.Name != "mine") {
				t.Errorf("%s replaces %s", plan.replacement.Name, plan.replacedDefault.Name)
			}
		})
	}
}

func TestAwaitedKey(t *testing.T) {
	c := &v1alpha1.OIDCClient{ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "app"}}
	c.Spec.ProviderRef = v1alpha1.ProviderReference{Name: "sso", Namespace: "sso"}
	es256 := []v1alpha1.SigningKey{{ObjectMeta: metav1.ObjectMeta{Name: "ec"}, Spec: v1alpha1.SigningKeySpec{Algorithm: "ES256"}}}
	for name, test := range map[string]struct {
		keys      []v1alpha1.SigningKey
		algorithm string
		want      string
	}{
		"the default one is on its way":     {nil, "RS256", "sso-default"},
		"nobody makes one":                  {nil, "ES256", ""},
		"it has no key yet":                 {es256, "ES256", "ec"},
		"one of another algorithm is there": {es256, "RS256", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := awaitedKey(c, test.keys, test.algorithm); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
