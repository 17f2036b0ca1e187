package controllers

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
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
		keepOwn(obj)
		if c, ok := obj.(*v1alpha1.OIDCClient); ok {
			if err := boundSpec(c); err != nil {
				return nil, err
			}
		}
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

// keepOwn drops of the metadata of a resource what the operator does not look at, which its author can make as large as a whole object may be.
func keepOwn(obj resource) {
	var labels map[string]string
	if resources.Managed(obj) { // a default SigningKey
		labels = map[string]string{resources.LabelManagedBy: resources.ManagedBy}
	}
	obj.SetLabels(labels)
	obj.SetOwnerReferences(nil)
	obj.SetFinalizers(nil)
	annotations := obj.GetAnnotations()
	for key, value := range annotations {
		if !strings.HasPrefix(key, ownAnnotations) || len(value) > maxAnnotation || key == annotationOversized {
			delete(annotations, key)
		}
	}
}

const (
	ownAnnotations = "oidc-operator.dev/"
	// maxAnnotation is more than the operator reads of any annotation.
	maxAnnotation = 1024
	// annotationOversized is on an OIDCClient in the cache, and nowhere else, whose spec is too large: it says how large.
	annotationOversized = "oidc-operator.dev/oversized"
	// maxSpecBytes bounds the spec of an OIDCClient as JSON. The schema bounds each field, all of which together would be more than
	// ten thousand clients can have, and cannot bound what is free in form.
	maxSpecBytes = 64 << 10
)

// boundSpec leaves of a spec that is too large what tells whose Secret and client ID it is about. It is refused, see judgeSize.
func boundSpec(c *v1alpha1.OIDCClient) error {
	encoded, err := json.Marshal(&c.Spec)
	if err != nil {
		return fmt.Errorf("measure spec: %w", err)
	}
	if len(encoded) <= maxSpecBytes {
		return nil
	}
	credentials := c.Spec.Credentials
	credentials.Data, credentials.Labels, credentials.Annotations = nil, nil, nil
	c.Spec = v1alpha1.OIDCClientSpec{
		ProviderRef: c.Spec.ProviderRef, ClientID: c.Spec.ClientID, TokenEndpointAuthMethod: c.Spec.TokenEndpointAuthMethod, Credentials: credentials,
	}
	c.Status.Effective = nil
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations[annotationOversized] = strconv.Itoa(len(encoded))
	return nil
}

// judgeSize says what is wrong with a spec that was too large to be kept.
func judgeSize(c *v1alpha1.OIDCClient) (refused verdict, ok bool) {
	size := c.Annotations[annotationOversized]
	if size == "" {
		return verdict{}, true
	}
	return stall(v1alpha1.ReasonInvalidSpec, fmt.Sprintf(
		"spec has %s bytes as JSON, of at most %d; shorten the examples, spec.credentials.data or whatever else is long", size, maxSpecBytes)), false
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
