package controllers

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// mirror keeps what it has been written through it, as the API server has answered. Nobody else writes into the namespaces of a rig, so
// that it can be read in place of the API server, which would take most of the time of a test.
type mirror struct {
	client.WithWatch
	direct  client.Client
	indexes fakeIndexes

	mu      sync.Mutex
	objects map[mirrorKey]client.Object
	// written is called with what stood before and what stands after each write; nil: nothing.
	written func(before, after client.Object)
}

type mirrorKey struct {
	schema.GroupKind
	client.ObjectKey
}

// fakeIndexes answers by the functions of the real indexes.
type fakeIndexes map[reflect.Type]map[string]client.IndexerFunc

func (f fakeIndexes) IndexField(_ context.Context, obj client.Object, field string, extract client.IndexerFunc) error {
	kind := reflect.TypeOf(obj)
	if f[kind] == nil {
		f[kind] = map[string]client.IndexerFunc{}
	}
	f[kind][field] = extract
	return nil
}

// newMirror returns a mirror of what is written to an API server through it.
func newMirror(ctx context.Context, direct client.WithWatch) (*mirror, error) {
	m := &mirror{direct: direct, indexes: fakeIndexes{}, objects: map[mirrorKey]client.Object{}}
	if err := addIndexes(ctx, m.indexes); err != nil {
		return nil, err
	}
	m.WithWatch = interceptor.NewClient(direct, interceptor.Funcs{
		Get: func(_ context.Context, _ client.WithWatch, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
			return m.get(key, obj)
		},
		List: func(_ context.Context, _ client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			return m.list(list, opts)
		},
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return m.keep(obj, c.Create(ctx, obj, opts...))
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			return m.keep(obj, c.Update(ctx, obj, opts...))
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return m.keep(obj, c.Patch(ctx, obj, patch, opts...))
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return m.keepApplied(obj, c.Apply(ctx, obj, opts...))
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			return m.keepApplied(obj, c.SubResource(sub).Apply(ctx, obj, opts...))
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			if err := c.Delete(ctx, obj, opts...); err != nil {
				return err
			}
			return m.drop(ctx, obj)
		},
	})
	return m, nil
}

func (m *mirror) keyOf(obj client.Object) (mirrorKey, error) {
	gvk, err := apiutil.GVKForObject(obj, m.Scheme())
	return mirrorKey{gvk.GroupKind(), client.ObjectKeyFromObject(obj)}, err
}

// keep keeps what a write has returned.
func (m *mirror) keep(obj client.Object, err error) error {
	if err != nil || obj.GetUID() == "" { // a review is not kept by the API server either
		return err
	}
	gvk, err := apiutil.GVKForObject(obj, m.Scheme())
	if err != nil {
		return err
	}
	content, err := toMap(obj)
	if err != nil {
		return err
	}
	typed, err := m.Scheme().New(gvk)
	if err != nil {
		return err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, typed); err != nil {
		return err
	}
	kept := typed.(client.Object) // every kind of the scheme that has a UID is one
	kept.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	kept.SetManagedFields(nil)
	m.mu.Lock()
	key := mirrorKey{gvk.GroupKind(), client.ObjectKeyFromObject(obj)}
	before := m.objects[key]
	m.objects[key] = kept
	m.mu.Unlock()
	if m.written != nil {
		m.written(before, kept)
	}
	return nil
}

func (m *mirror) keepApplied(obj runtime.ApplyConfiguration, err error) error {
	if err != nil {
		return err
	}
	content, err := toMap(obj)
	if err != nil {
		return err
	}
	return m.keep(&unstructured.Unstructured{Object: content}, nil)
}

// drop forgets what was deleted, unless somebody's finalizer holds it.
func (m *mirror) drop(ctx context.Context, obj client.Object) error {
	key, err := m.keyOf(obj)
	if err != nil {
		return err
	}
	if len(obj.GetFinalizers()) > 0 {
		held, _ := obj.DeepCopyObject().(client.Object)
		if err := m.direct.Get(ctx, client.ObjectKeyFromObject(obj), held); !apierrors.IsNotFound(err) {
			return m.keep(held, err)
		}
	}
	m.mu.Lock()
	before := m.objects[key]
	delete(m.objects, key)
	m.mu.Unlock()
	if m.written != nil && before != nil {
		m.written(before, nil)
	}
	return nil
}

func (m *mirror) get(key client.ObjectKey, obj client.Object) error {
	at, err := m.keyOf(obj)
	if err != nil {
		return err
	}
	at.ObjectKey = key
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.objects[at]
	if found == nil {
		return apierrors.NewNotFound(schema.GroupResource{Group: at.Group, Resource: strings.ToLower(at.Kind) + "s"}, key.Name)
	}
	return m.copyInto(found, obj)
}

// copyInto copies what is kept into an object of its type, or its metadata into one that holds nothing else.
func (m *mirror) copyInto(found, obj client.Object) error {
	found, _ = found.DeepCopyObject().(client.Object)
	if metadata, is := obj.(*metav1.PartialObjectMetadata); is {
		content, err := toMap(found)
		if err != nil {
			return err
		}
		partial := &metav1.PartialObjectMetadata{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"metadata": content["metadata"]}, partial); err != nil {
			return err
		}
		metadata.ObjectMeta = partial.ObjectMeta
		return nil
	}
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(found).Elem())
	return nil
}

func (m *mirror) list(list client.ObjectList, opts []client.ListOption) error {
	o := client.ListOptions{}
	o.ApplyOptions(opts)
	gvk, err := apiutil.GVKForObject(list, m.Scheme())
	if err != nil {
		return err
	}
	var items []runtime.Object
	for _, obj := range m.all() {
		key, err := m.keyOf(obj)
		if err != nil {
			return err
		}
		if key.GroupKind == (schema.GroupKind{Group: gvk.Group, Kind: strings.TrimSuffix(gvk.Kind, "List")}) && m.matches(obj, o) {
			items = append(items, obj)
		}
	}
	return meta.SetList(list, items)
}

func (m *mirror) matches(obj client.Object, o client.ListOptions) bool {
	if o.Namespace != "" && o.Namespace != obj.GetNamespace() {
		return false
	}
	if o.LabelSelector != nil && !o.LabelSelector.Matches(labels.Set(obj.GetLabels())) {
		return false
	}
	if o.FieldSelector == nil {
		return true
	}
	for _, wanted := range o.FieldSelector.Requirements() {
		if !slices.Contains(m.indexes[reflect.TypeOf(obj)][wanted.Field](obj), wanted.Value) {
			return false
		}
	}
	return true
}

// all returns copies of everything, by kind, namespace and name.
func (m *mirror) all() []client.Object {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := make([]mirrorKey, 0, len(m.objects))
	for key := range m.objects {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b mirrorKey) int {
		return strings.Compare(a.GroupKind.String()+" "+a.ObjectKey.String(), b.GroupKind.String()+" "+b.ObjectKey.String())
	})
	all := make([]client.Object, 0, len(keys))
	for _, key := range keys {
		obj, _ := m.objects[key].DeepCopyObject().(client.Object)
		all = append(all, obj)
	}
	return all
}
