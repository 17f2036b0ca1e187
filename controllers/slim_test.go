package controllers

import (
	"maps"
	"strings"
	"testing"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
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
