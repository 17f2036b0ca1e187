package controllers

import (
	"maps"
	"strings"
	"testing"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func TestSlimDropsBookkeeping(t *testing.T) {
	c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"))
	c.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	c.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}", v1alpha1.AnnotationRotate: "now"}
	if _, err := slim(c); err != nil || c.ManagedFields != nil || len(c.Annotations) != 1 || c.Annotations[v1alpha1.AnnotationRotate] == "" {
		t.Errorf("left %v and %v, err %v", c.ManagedFields, c.Annotations, err)
	}
}

func TestSlimSharesKeys(t *testing.T) {
	secret := func() *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{strings.Clone("label"): strings.Clone("value")}},
			Data:       map[string][]byte{strings.Clone("client_id"): []byte("a"), strings.Clone("issuer"): []byte("b")},
		}
	}
	one, two, untouched := secret(), secret(), secret()
	for _, s := range []*corev1.Secret{one, two} {
		if _, err := slim(s); err != nil {
			t.Fatal(err)
		}
	}
	if !maps.EqualFunc(one.Data, untouched.Data, func(a, b []byte) bool { return string(a) == string(b) }) || !maps.Equal(one.Labels, untouched.Labels) {
		t.Errorf("changed to %v and %v", one.Labels, one.Data)
	}
	addresses := func(s *corev1.Secret) map[*byte]bool {
		found := map[*byte]bool{}
		for key := range s.Data {
			found[unsafe.StringData(key)] = true
		}
		for key, value := range s.Labels {
			found[unsafe.StringData(key)], found[unsafe.StringData(value)] = true, true
		}
		return found
	}
	if !maps.Equal(addresses(one), addresses(two)) {
		t.Error("two Secrets do not share the texts that they have in common")
	}
	if maps.Equal(addresses(one), addresses(untouched)) {
		t.Error("the test sees no difference")
	}
}

// What the author of a resource can make as large as they like is not kept.
func TestSlimKeepsOnlyOwnMetadata(t *testing.T) {
	c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"))
	long := strings.Repeat("x", 100_000)
	c.Annotations = map[string]string{"example.com/notes": long, "oidc-operator.dev/other": long, v1alpha1.AnnotationRotate: "now", annotationOversized: "1"}
	c.Labels, c.Finalizers = map[string]string{"a": "b"}, []string{"example.com/hold"}
	c.OwnerReferences = []metav1.OwnerReference{{Name: long}}
	if _, err := slim(c); err != nil || !maps.Equal(c.Annotations, map[string]string{v1alpha1.AnnotationRotate: "now"}) ||
		c.Labels != nil || c.Finalizers != nil || c.OwnerReferences != nil {
		t.Errorf("left %+v, err %v", c.ObjectMeta, err)
	}
}

// A spec that is too large is refused with words and not kept. What it says of its Secret stays, so that none is taken for another.
func TestSlimBoundsSpecs(t *testing.T) {
	client := func(length int) *v1alpha1.OIDCClient {
		c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"), gen.WithClientID("wiki"), gen.WithSecretName("login"))
		c.Spec.Credentials.DeletionPolicy = "Retain"
		c.Spec.Claims = []v1alpha1.ClientClaim{{Name: "a", Expression: "'x'", Examples: []v1alpha1.ExpressionExample{
			{User: &runtime.RawExtension{Raw: []byte(`{"username":"` + strings.Repeat("x", length) + `"}`)}},
		}}}
		if _, err := slim(c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := client(1000); len(c.Spec.Claims) != 1 || c.Annotations[annotationOversized] != "" {
		t.Errorf("a usual one is cut to %+v", c.Spec)
	}
	c := client(maxSpecBytes)
	if c.Spec.Claims != nil || c.ClientID() != "wiki" || c.SecretName() != "login" || c.Spec.Credentials.DeletionPolicy != "Retain" || c.ProviderKey().Name != "sso" {
		t.Errorf("it is cut to %+v", c.Spec)
	}
	got := judgeClient(c, clientState{provider: gen.OIDCProvider("sso", "sso"), namespaceAllowed: true}, &registration.Client{})
	if got.reason != v1alpha1.ReasonInvalidSpec || !strings.Contains(got.message, "of at most 65536") {
		t.Errorf("it is judged %+v", got)
	}
}
