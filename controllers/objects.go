package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// The field managers of server-side apply, one for each concern.
const (
	objectManager = "oidc-operator"
	statusManager = "oidc-operator-status"
)

// annotationApplied holds a digest of what was applied last, without the values in a Secret. It tells that a field is no
// longer wanted, which comparing with what stands cannot.
const annotationApplied = "oidc-operator.dev/applied-digest"

// notOwnedError says that an object exists which does not belong to who wants to write it.
type notOwnedError struct {
	kind, namespace, name string
}

func (e *notOwnedError) Error() string {
	return fmt.Sprintf("%s %q in namespace %q exists and is not owned by this resource", e.kind, e.name, e.namespace)
}

// objects writes the operator's objects.
type objects struct {
	client client.Client
	// live reads past the cache.
	live client.Reader
}

// get reads an object from the cache, and from the API server when the cache lacks it: the cache shows neither what is
// newer than it nor what has no label of the operator. It tells whether the object exists.
func (o objects) get(ctx context.Context, key client.ObjectKey, obj client.Object) (bool, error) {
	err := o.client.Get(ctx, key, obj)
	if apierrors.IsNotFound(err) {
		err = o.live.Get(ctx, key, obj)
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get %T %s: %w", obj, key, err)
	}
	return true, nil
}

// applied is an object after apply.
type applied struct {
	// version is its resource version.
	version string
	// written tells whether there was anything to write.
	written bool
	// uid is that of the object.
	uid types.UID
}

// apply brings desired about by server-side apply, and writes nothing when current, the object as get has found it or nil,
// is so already. An object that mine refuses is left alone: the error is then a *notOwnedError.
func (o objects) apply(ctx context.Context, desired runtime.ApplyConfiguration, current client.Object, mine func(metav1.Object) bool) (applied, error) {
	ours := current != nil && mine(current)
	if ours && secretStands(current, desired) {
		return standing(current), nil
	}
	want, err := withDigest(desired)
	if err != nil {
		return applied{}, err
	}
	if current != nil && !ours {
		return applied{}, &notOwnedError{want.GetKind(), want.GetNamespace(), want.GetName()}
	}
	if ours && current.GetAnnotations()[annotationApplied] == want.GetAnnotations()[annotationApplied] {
		have, err := toMap(current)
		if err != nil {
			return applied{}, err
		}
		if holds(have, want.Object) {
			return standing(current), nil
		}
	}
	if ours {
		want.SetUID(current.GetUID()) // or what was deleted meanwhile would come back, and another's of its name be taken
	}
	err = o.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(want), client.FieldOwner(objectManager), client.ForceOwnership)
	if isReplaced(err) {
		err = apierrors.NewConflict(schema.GroupResource{Resource: want.GetKind()}, want.GetName(), err)
	}
	if err != nil {
		return applied{}, fmt.Errorf("apply %s %q: %w", want.GetKind(), want.GetName(), err)
	}
	return applied{version: want.GetResourceVersion(), written: true, uid: want.GetUID()}, nil
}

// isReplaced tells that a write has met another object than that whose UID it names.
func isReplaced(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	return slices.ContainsFunc(status.Status().Details.Causes, func(cause metav1.StatusCause) bool { return cause.Field == "metadata.uid" })
}

// standing is an object that is already as it should be.
func standing(current client.Object) applied {
	return applied{version: current.GetResourceVersion(), uid: current.GetUID()}
}

// create creates an object that nothing is ever to be changed of. One that is there meanwhile is left alone: that it came starts another
// reconcile.
func (o objects) create(ctx context.Context, desired runtime.ApplyConfiguration) error {
	content, err := toMap(desired)
	if err != nil {
		return err
	}
	obj := &unstructured.Unstructured{Object: content}
	if err := o.client.Create(ctx, obj, client.FieldOwner(objectManager)); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create %s %q: %w", obj.GetKind(), obj.GetName(), err)
	}
	return nil
}

// applySecret is apply for a Secret of a type of our own. That the API server keeps a Secret's type tells a Secret that
// somebody else has made meanwhile, and that the cache did not show, from ours.
func (o objects) applySecret(ctx context.Context, desired *acorev1.SecretApplyConfiguration, current *corev1.Secret, mine func(metav1.Object) bool) (applied, error) {
	var standing client.Object
	if current != nil {
		standing = current
	}
	result, err := o.apply(ctx, desired, standing, mine)
	if !apierrors.IsInvalid(err) {
		return result, err
	}
	found := &corev1.Secret{}
	key := client.ObjectKey{Namespace: *desired.Namespace, Name: *desired.Name}
	if getErr := o.live.Get(ctx, key, found); getErr == nil && !mine(found) {
		return applied{}, &notOwnedError{"Secret", key.Namespace, key.Name}
	}
	return applied{}, err
}

// remove deletes exactly what was seen. An object that has changed since is left alone, because it may have a new owner
// now; if it has not, its change starts another reconcile.
func (o objects) remove(ctx context.Context, obj client.Object) error {
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	err := o.client.Delete(ctx, obj, client.Preconditions{UID: &uid, ResourceVersion: &version})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete %T %q: %w", obj, obj.GetName(), err)
	}
	return nil
}

// ownedBy returns a test for objects that carry the operator's label and name owner in their annotation.
func ownedBy(owner string) func(metav1.Object) bool {
	return func(obj metav1.Object) bool {
		return resources.Managed(obj) && obj.GetAnnotations()[resources.AnnotationOwner] == owner
	}
}

func asNotOwned(err error) (*notOwnedError, bool) {
	var target *notOwnedError
	ok := errors.As(err, &target)
	return target, ok
}

// refused returns a verdict for an error by which the API server has refused a write for good, so far as it is concerned, or
// nil. Somebody must act (raise a quota, change a policy), and no event tells when: the write is tried again.
func refused(err error) *verdict {
	if endsWithNamespace(err) {
		return nil
	}
	if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsNotFound(err) && !apierrors.IsRequestEntityTooLargeError(err) {
		return nil
	}
	v := stall(v1alpha1.ReasonWriteRefused, "the API server refuses what has to be written: "+err.Error())
	return &v
}

func withDigest(desired runtime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	content, err := toMap(desired)
	if err != nil {
		return nil, err
	}
	want := &unstructured.Unstructured{Object: content}
	shape, err := json.Marshal(withoutVersion(withoutSecretValues(content)))
	if err != nil {
		return nil, fmt.Errorf("digest %s %q: %w", want.GetKind(), want.GetName(), err)
	}
	annotations := want.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[annotationApplied] = digestOfShape(shape)
	want.SetAnnotations(annotations)
	return want, nil
}

func digestOfShape(shape []byte) string {
	sum := sha256.Sum256(shape)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// withoutSecretValues returns content with the keys of a Secret's data and not the values: a digest must tell nothing of them.
func withoutSecretValues(content map[string]any) map[string]any {
	data, ok := content["data"].(map[string]any)
	if !ok {
		return content
	}
	shape := map[string]any{}
	for k, v := range content {
		shape[k] = v
	}
	keys := map[string]any{}
	for k := range data {
		keys[k] = true
	}
	shape["data"] = keys
	return shape
}

// withoutVersion returns content without the resource version that a write is conditional on, which each write changes.
func withoutVersion(content map[string]any) map[string]any {
	metadata, ok := content["metadata"].(map[string]any)
	if _, conditional := metadata["resourceVersion"]; !ok || !conditional {
		return content
	}
	metadata = maps.Clone(metadata)
	delete(metadata, "resourceVersion")
	shape := maps.Clone(content)
	shape["metadata"] = metadata
	return shape
}

// toMap returns obj as JSON would read it.
func toMap(obj any) (map[string]any, error) {
	data, err := json.Marshal(obj)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	content := map[string]any{}
	if err := json.Unmarshal(data, &content); err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	return content, nil
}

// holds tells whether have holds everything that want holds. Defaults that the API server has filled in, and fields of
// other managers, may stand beside it. Lists must have the same length, except owner references, to which others may add.
func holds(have, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok {
			return len(want) == 0
		}
		for k, w := range want {
			h := have[k]
			if k == "ownerReferences" {
				if !holdsEach(h, w) {
					return false
				}
			} else if !holds(h, w) {
				return false
			}
		}
		return true
	case []any:
		have, _ := have.([]any)
		if len(have) != len(want) {
			return false
		}
		for i := range want {
			if !holds(have[i], want[i]) {
				return false
			}
		}
		return true
	default:
		return have == want
	}
}

func holdsEach(have, want any) bool {
	haves, _ := have.([]any)
	wants, _ := want.([]any)
	for _, w := range wants {
		found := false
		for _, h := range haves {
			found = found || holds(h, w)
		}
		if !found {
			return false
		}
	}
	return true
}
