package kube

import (
	"fmt"
	"strings"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// annotationOwner names the resource for which the operator has made a registration.
const annotationOwner = "oidc-operator.dev/owner"

// feed is what a reflector takes for the store of its Secrets. It hands each to the index and keeps none.
type feed struct {
	index *registry.Index
	// applied is the resource version up to which everything is in the index; nil before the first list.
	applied atomic.Pointer[string]
	// changed holds a token when applied has moved on, or something else is to be reported, since somebody looked.
	changed chan struct{}
	// arrived is called when something came from the API server.
	arrived func()
}

var (
	_ cache.TransformingStore      = (*feed)(nil)
	_ cache.ResourceVersionUpdater = (*feed)(nil)
)

func newFeed(index *registry.Index, arrived func()) *feed {
	return &feed{index: index, changed: make(chan struct{}, 1), arrived: arrived}
}

// Add implements cache.ReflectorStore.
func (f *feed) Add(obj any) error {
	return f.Update(obj)
}

// Update implements cache.ReflectorStore. A document that cannot be used is no error here: the index has dealt with it.
func (f *feed) Update(obj any) error {
	secret, ok := obj.(*corev1.Secret)
	if !ok {
		return fmt.Errorf("watch registrations: got a %T", obj)
	}
	kind := registration.Kind(secret.Labels[registration.LabelKind])
	for _, other := range registration.Kinds() {
		if other != kind {
			f.index.Remove(other, secret.Name) // the label may have changed
		}
	}
	_ = f.index.Put(document(kind, secret))
	return nil
}

// document is what a Secret holds.
func document(kind registration.Kind, secret *corev1.Secret) registry.Document {
	return registry.Document{Kind: kind, Name: secret.Name, Owner: ownerNamespace(secret), Data: secret.Data[kind.File()]}
}

// ownerNamespace returns the namespace of the resource that a Secret was made for: the annotation says "Kind/namespace/name".
func ownerNamespace(secret *corev1.Secret) string {
	_, rest, _ := strings.Cut(secret.Annotations[annotationOwner], "/")
	namespace, _, _ := strings.Cut(rest, "/")
	return namespace
}

// Delete implements cache.ReflectorStore. The Secret is as it was last seen here, also when it went by losing its labels.
func (f *feed) Delete(obj any) error {
	secret, ok := obj.(*corev1.Secret)
	if !ok {
		return fmt.Errorf("watch registrations: got a %T", obj)
	}
	f.index.Remove(registration.Kind(secret.Labels[registration.LabelKind]), secret.Name)
	return nil
}

// Replace implements cache.ReflectorStore.
func (f *feed) Replace(objs []any, resourceVersion string) error {
	docs := make([]registry.Document, 0, len(objs))
	for _, obj := range objs {
		secret, ok := obj.(*corev1.Secret)
		if !ok {
			return fmt.Errorf("list registrations: got a %T", obj)
		}
		kind := registration.Kind(secret.Labels[registration.LabelKind])
		docs = append(docs, document(kind, secret))
	}
	f.index.ReplaceAll(docs)
	f.UpdateResourceVersion(resourceVersion)
	return nil
}

// UpdateResourceVersion implements cache.ResourceVersionUpdater. The reflector calls it after each event, bookmarks included,
// once the event is applied.
func (f *feed) UpdateResourceVersion(resourceVersion string) {
	f.arrived()
	f.applied.Store(&resourceVersion)
	f.wake()
}

// wake has a report made.
func (f *feed) wake() {
	select {
	case f.changed <- struct{}{}:
	default: // there is a token already
	}
}

// Resync implements cache.ReflectorStore. There is nothing to do again: what was applied stays applied.
func (f *feed) Resync() error {
	return nil
}

// Transformer implements cache.TransformingStore: while a list streams in, the reflector holds all of it, so that what is
// of no use is dropped at once.
func (f *feed) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) {
		if secret, ok := obj.(*corev1.Secret); ok {
			owner := secret.Annotations[annotationOwner]
			secret.ManagedFields, secret.Annotations, secret.OwnerReferences = nil, map[string]string{annotationOwner: owner}, nil
		}
		return obj, nil
	}
}
