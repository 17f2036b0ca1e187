package controllers

import (
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// slim makes an object small before it is kept in the cache, beside thousands of its kind: it drops what others keep there for
// themselves, and lets the texts that all of them repeat share their memory.
func slim(obj any) (any, error) {
	if o, ok := obj.(metav1.Object); ok {
		o.SetManagedFields(nil)
		delete(o.GetAnnotations(), corev1.LastAppliedConfigAnnotation)
		shareKeys(o.GetAnnotations())
	}
	switch obj := obj.(type) {
	case *corev1.Secret:
		obj.Type = corev1.SecretType(shared(string(obj.Type)))
		shareKeys(obj.Data)
		for key, value := range obj.Labels {
			obj.Labels[shared(key)] = shared(value)
		}
	case resource:
		conditions := *obj.Conditions()
		for i := range conditions {
			c := &conditions[i]
			c.Type, c.Reason = shared(c.Type), shared(c.Reason)
			if c.Type != v1alpha1.ConditionCredentialsReady { // which names a Secret
				c.Message = shared(c.Message)
			}
		}
	}
	return obj, nil
}

// shareKeys relies on an assignment replacing a key by an equal one.
func shareKeys[V any](m map[string]V) {
	for key, value := range m {
		m[shared(key)] = value
	}
}

// shared returns an equal text that has its memory in common with all others. What nobody holds any more is forgotten.
func shared(text string) string {
	return unique.Make(text).Value()
}
