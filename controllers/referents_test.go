package controllers

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// oneSecret is a reader of one Secret, or of none. It counts how often that was read in full.
type oneSecret struct {
	client.Reader
	secret *corev1.Secret
	reads  int
}

func (o *oneSecret) Get(_ context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	if o.secret == nil || o.secret.Name != key.Name {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, key.Name)
	}
	switch obj := obj.(type) {
	case *metav1.PartialObjectMetadata:
		obj.ObjectMeta = o.secret.ObjectMeta
	case *corev1.Secret:
		o.reads++
		o.secret.DeepCopyInto(obj)
	}
	return nil
}

func TestReferentsAreReadOncePerVersion(t *testing.T) {
	server := &oneSecret{}
	r := newReferents(server, server)
	resource := types.NamespacedName{Namespace: "sso", Name: "sso"}
	for _, step := range []struct {
		name   string
		change func()
		key    string
		found  bool
		value  string
		reads  int // in all, until here
	}{
		{"there is none", func() {}, "uri", false, "", 0},
		{"it appears", func() {
			server.secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "pg", ResourceVersion: "1"}, Data: map[string][]byte{"uri": []byte("one")}}
		}, "uri", true, "one", 1},
		{"nothing has changed", func() {}, "uri", true, "one", 1},
		{"it has changed", func() { server.secret.ResourceVersion, server.secret.Data["uri"] = "2", []byte("two") }, "uri", true, "two", 2},
		{"another key is asked for", func() {}, "password", true, "", 3},
		{"that it has nothing is remembered too", func() {}, "password", true, "", 3},
		{"it goes", func() { server.secret = nil }, "password", false, "", 3},
	} {
		step.change()
		got, err := r.of(context.Background(), resource, "pg", step.key, &corev1.Secret{})
		if err != nil || got.found != step.found || string(got.value) != step.value || server.reads != step.reads {
			t.Errorf("%s: got %v %q after %d reads, %v", step.name, got.found, got.value, server.reads, err)
		}
	}
	if len(r.read) != 0 {
		t.Errorf("kept %d readings of what is gone", len(r.read))
	}
}
