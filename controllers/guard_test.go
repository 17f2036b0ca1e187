package controllers

import (
	"maps"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// guard judges a write of the operator by what stood before and what stands after it, of which either may be nil: of the resources
// that people write it may change status alone, of what others have made nothing, and of nothing the finalizers.
func (r *rig) guard(before, after client.Object) {
	r.t.Helper()
	if secret, is := before.(*corev1.Secret); is && secret.Name == r.adopts && secret.Namespace == r.apps && after != nil {
		return // it is asked for
	}
	if complaint := objection(before, after); complaint != "" {
		of := after
		if after == nil {
			of = before
		}
		r.t.Errorf("write %d: the operator %s %T %s", r.writes, complaint, of, client.ObjectKeyFromObject(of))
	}
}

// objection says what is wrong about a write of the operator, or "".
func objection(before, after client.Object) string {
	_, ours := before.(resource)
	_, oursToo := after.(resource)
	switch {
	case ours && after == nil:
		return "deletes"
	case oursToo && before == nil:
		if _, is := after.(*v1alpha1.SigningKey); !is || !resources.Managed(after) {
			return "creates"
		}
		return ""
	case ours:
		if !sameButStatus(before, after) {
			return "changes more than the status of"
		}
		return ""
	case after != nil && len(after.GetFinalizers()) > 0 && (before == nil || !reflect.DeepEqual(before.GetFinalizers(), after.GetFinalizers())) && !protectedByServer(after):
		return "adds a finalizer to"
	case before != nil && !resources.Managed(before):
		return touchesForeign(before, after)
	}
	return ""
}

// sameButStatus compares everything of a resource apart from its status and what the API server keeps.
func sameButStatus(before, after client.Object) bool {
	strip := func(obj client.Object) map[string]any {
		content, err := toMap(obj)
		if err != nil {
			return nil
		}
		delete(content, "status")
		if metadata, is := content["metadata"].(map[string]any); is {
			delete(metadata, "resourceVersion")
			delete(metadata, "managedFields")
		}
		return content
	}
	a, b := strip(before), strip(after)
	return a != nil && reflect.DeepEqual(a, b)
}

// protectedByServer tells whether the API server adds a finalizer of its own.
func protectedByServer(obj client.Object) bool {
	_, is := obj.(*corev1.PersistentVolumeClaim)
	return is
}

// touchesForeign objects to any change of what others have made, except that a workload's pods are restarted. A Secret that has lost the
// operator's label is the operator's still by its type.
func touchesForeign(before, after client.Object) string {
	if secret, is := before.(*corev1.Secret); is && (isCredentials(secret) || isRegistration(secret)) {
		return ""
	}
	if after == nil {
		return "deletes the foreign"
	}
	template := func(obj client.Object) *metav1.ObjectMeta {
		switch obj := obj.(type) {
		case *appsv1.Deployment:
			return &obj.Spec.Template.ObjectMeta
		case *appsv1.StatefulSet:
			return &obj.Spec.Template.ObjectMeta
		case *appsv1.DaemonSet:
			return &obj.Spec.Template.ObjectMeta
		default:
			return nil
		}
	}
	before, _ = before.DeepCopyObject().(client.Object)
	after, _ = after.DeepCopyObject().(client.Object)
	for _, obj := range []client.Object{before, after} {
		if t := template(obj); t != nil {
			t.Annotations = maps.Clone(t.Annotations)
			delete(t.Annotations, annotationRestartedFor)
			if len(t.Annotations) == 0 {
				t.Annotations = nil
			}
			obj.SetGeneration(0)
		}
	}
	if !sameButStatus(before, after) {
		return "changes the foreign"
	}
	return ""
}
