package controllers

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// referent is what a resource refers to by the name and a key of a Secret or ConfigMap that somebody else keeps.
type referent struct {
	// found tells whether the object exists.
	found bool
	// value is what stands under the key; empty when nothing does.
	value []byte
	// secretType is the type of a Secret.
	secretType corev1.SecretType
	// allowed are the OIDCClients that the object allows to use it.
	allowed []string
}

// referents reads one referent of each resource and remembers it with its version. The operator is told only that an object
// of somebody else has changed, and a reconcile that something else has started must not read all of it again.
type referents struct {
	// foreign has the metadata of the objects, live the objects.
	foreign, live client.Reader

	mu   sync.Mutex
	read map[types.NamespacedName]reading
}

// reading is a referent as it was read. source names the object, key and version.
type reading struct {
	source string
	referent
}

func newReferents(foreign, live client.Reader) *referents {
	return &referents{foreign: foreign, live: live, read: map[types.NamespacedName]reading{}}
}

// of returns what resource refers to. obj is an empty *corev1.Secret or *corev1.ConfigMap.
func (r *referents) of(ctx context.Context, resource types.NamespacedName, name, key string, obj client.Object) (referent, error) {
	at := client.ObjectKey{Namespace: resource.Namespace, Name: name}
	metadata := &metav1.PartialObjectMetadata{}
	kind := "Secret"
	if _, is := obj.(*corev1.ConfigMap); is {
		kind = "ConfigMap"
	}
	metadata.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	if err := r.foreign.Get(ctx, at, metadata); err == nil {
		if known, is := r.recall(resource, keyVersion(metadata, key)); is {
			return known, nil
		}
	}
	if err := r.live.Get(ctx, at, obj); apierrors.IsNotFound(err) {
		r.forget(resource)
		return referent{}, nil
	} else if err != nil {
		return referent{}, fmt.Errorf("get %s %s: %w", kind, at, err)
	}
	fresh := referent{found: true, value: valueIn(obj, key), allowed: allowedClients(obj)}
	if secret, is := obj.(*corev1.Secret); is {
		fresh.secretType = secret.Type
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read[resource] = reading{keyVersion(obj, key), fresh}
	return fresh, nil
}

func (r *referents) recall(resource types.NamespacedName, source string) (referent, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, ok := r.read[resource]
	return last.referent, ok && last.source == source
}

// forget drops what is remembered of a resource that is gone or refers to nothing any more.
func (r *referents) forget(resource types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.read, resource)
}

func valueIn(obj client.Object, key string) []byte {
	switch obj := obj.(type) {
	case *corev1.Secret:
		return obj.Data[key]
	case *corev1.ConfigMap:
		if binary, ok := obj.BinaryData[key]; ok {
			return binary
		}
		return []byte(obj.Data[key])
	default:
		return nil
	}
}
