package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// withdraw ends the registrations of an OIDCClient that is gone, and releases the Secrets that it had adopted and was not to retain. Its other
// Secrets go with their owner reference. gone is an empty OIDCClient.
func (r *clientReconciler) withdraw(ctx context.Context, key types.NamespacedName, gone *v1alpha1.OIDCClient) error {
	secrets, err := r.objects.orphans(ctx, resources.Owner(kindClient, key), gone, key)
	if err != nil {
		return err
	}
	for i := range secrets {
		s := &secrets[i]
		switch {
		case isRegistration(s) && r.released.has(key):
			err = r.objects.remove(ctx, s)
		case isRegistration(s), isAdopted(s) && s.Namespace == key.Namespace && resources.Managed(s) && releasedAtDeletion(s):
			err = r.objects.discard(ctx, s)
		}
		if err != nil {
			return err
		}
	}
	r.released.forget(key)
	return nil
}

// discard ends what a Secret is for: it deletes one that the operator has made, or leaves a reservation of the client ID in its place, and
// releases one that the operator has not made.
func (o objects) discard(ctx context.Context, secret *corev1.Secret) error {
	switch {
	case isAdopted(secret):
		return o.release(ctx, secret)
	case needsReservation(secret):
		return o.reserve(ctx, secret)
	}
	if waits, err := o.anotherNamespaceWaits(ctx, secret); err != nil {
		return err
	} else if waits {
		return o.reserve(ctx, secret)
	}
	return o.remove(ctx, secret)
}

// anotherNamespaceWaits reports whether an OIDCClient of another namespace asks for the client ID of a registration that ends. Also a
// client ID that begins with the name of its namespace stays reserved then: when the namespace is deleted, nothing else keeps it.
func (o objects) anotherNamespaceWaits(ctx context.Context, secret *corev1.Secret) (bool, error) {
	owner := recordedOwnerOf(secret)
	if owner == nil || secret.Labels[registration.LabelKind] != string(registration.KindClient) || releases(secret) {
		return false, nil
	}
	same := &v1alpha1.OIDCClientList{}
	id := scoped(providerOfRegistration(secret), idsIn(secret).ClientID)
	if err := o.client.List(ctx, same, client.MatchingFields{indexClientID: id}, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list clients of the same client ID: %w", err)
	}
	return slices.ContainsFunc(same.Items, func(c v1alpha1.OIDCClient) bool { return c.Namespace != owner.client.Namespace }), nil
}

func (o objects) discardAll(ctx context.Context, secrets []*corev1.Secret) error {
	for _, secret := range secrets {
		if err := o.discard(ctx, secret); err != nil {
			return err
		}
	}
	return nil
}

// reserve makes a reservation of a registration: the provider drops it, and the Secret goes on to say whose the client ID is.
func (o objects) reserve(ctx context.Context, secret *corev1.Secret) error {
	annotations := map[string]string{
		resources.AnnotationOwner: secret.Annotations[resources.AnnotationOwner], annotationClientID: idsIn(secret).ClientID,
	}
	if appID := secret.Annotations[annotationAppID]; appID != "" {
		annotations[annotationAppID] = appID
	}
	want, err := withDigest(acorev1.Secret(secret.Name, secret.Namespace).
		WithUID(secret.UID).WithResourceVersion(secret.ResourceVersion). // exactly what was seen, see remove
		WithType(registration.SecretType).
		WithLabels(map[string]string{
			resources.LabelManagedBy:   resources.ManagedBy,
			registration.LabelProvider: secret.Labels[registration.LabelProvider],
			resources.LabelReservation: string(registration.KindClient),
		}).
		WithAnnotations(annotations))
	if err != nil {
		return err
	}
	err = o.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(want), client.FieldOwner(objectManager), client.ForceOwnership)
	if err != nil {
		return unlessChanged(err, secret)
	}
	if _, data := want.Object["data"]; !data && want.GetLabels()[registration.LabelKind] == "" && len(want.GetOwnerReferences()) == 0 {
		return nil
	}
	// A tool that has restored the Secret from a backup owns its fields, too.
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": want.GetResourceVersion(), "labels": map[string]any{registration.LabelKind: nil}, "ownerReferences": nil}, "data": nil,
	})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	target := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: secret.Namespace, Name: secret.Name}}
	return unlessChanged(o.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(objectManager)), secret)
}

// unlessChanged returns the error of a write over a Secret, but nil when that has changed or gone since: this starts another reconcile.
func unlessChanged(err error, secret *corev1.Secret) error {
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || isReplaced(err) {
		return nil
	}
	return fmt.Errorf("write secret %s: %w", client.ObjectKeyFromObject(secret), err)
}

// releasedClients remembers the OIDCClients that have given their client IDs up when they were deleted: the annotation may not be on their
// registration yet. Where the operator stops in between, the IDs stay reserved.
type releasedClients struct {
	mu   sync.Mutex
	keys map[types.NamespacedName]bool
}

// deleted is a predicate that sees every delete event, and passes nothing.
func (r *releasedClients) deleted() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		DeleteFunc: func(e event.DeleteEvent) bool {
			if releases(e.Object) {
				r.mu.Lock()
				defer r.mu.Unlock()
				if r.keys == nil {
					r.keys = map[types.NamespacedName]bool{}
				}
				r.keys[client.ObjectKeyFromObject(e.Object)] = true
			}
			return false // what else a delete event passes is for others to say
		},
	}
}

func (r *releasedClients) has(key types.NamespacedName) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys[key]
}

func (r *releasedClients) forget(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, key)
}

// freedIDs starts a reconcile of the OIDCClients that want the client ID or app_id of a registration or reservation that was deleted.
func (r *clientReconciler) freedIDs() handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		secret, is := e.Object.(*corev1.Secret)
		if !is || recordedOwnerOf(secret) == nil {
			return
		}
		provider := providerOfRegistration(secret)
		waiting := r.cached(ctx, client.MatchingFields{indexClientID: scoped(provider, idsIn(secret).ClientID)})
		if appID := secret.Annotations[annotationAppID]; appID != "" {
			waiting = append(waiting, r.cached(ctx, client.MatchingFields{indexAppID: scoped(provider, appID)})...)
		}
		for _, request := range requestsFor(waiting) {
			queue.Add(request)
		}
	}}
}
