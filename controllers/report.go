package controllers

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// resource is what the four kinds have in common.
type resource interface {
	client.Object
	Conditions() *[]metav1.Condition
	StatusValue() any
	SetObservedGeneration(generation int64)
}

// reporter reads the resources of one kind, and writes their status, and events when Ready changes.
type reporter struct {
	client client.Client
	events events.EventRecorder
	writes *statusWrites
}

// errLags is why a reconcile that has failed before is put off.
var errLags = errors.New("the cache does not show yet what status was written last")

// read reads a resource from the cache. It returns false when its namespace is being deleted, because the resource is about to be as well and its delete
// event starts what is to be done then, and when the cache does not show yet what status was written last: a reconcile is
// started when it does. After a reconcile that has failed it returns errLags instead, so that failures stay slowed down.
func (r reporter) read(ctx context.Context, key client.ObjectKey, obj resource) (bool, error) {
	for {
		written, _ := r.writes.last(key)
		err := r.client.Get(ctx, key, obj)
		if apierrors.IsNotFound(err) {
			r.writes.forget(key)
		}
		if err != nil {
			return false, err //nolint:wrapcheck // for the caller to look at
		}
		if written == "" || !older(obj.GetResourceVersion(), written) {
			r.writes.shows(obj)
			ends, err := terminating(ctx, r.client, key.Namespace)
			return !ends && err == nil, err
		}
		switch r.writes.await(key, written) {
		case delayAwaited:
			return false, nil
		case delayRetried:
			return false, errLags
		case delayTooLong:
			return true, nil
		case delayOver: // read again
		}
	}
}

// report writes the status of obj when it differs from that of before, the same object as it was read. failed tells that the reconcile is
// going to be tried again all the same. It is the only place where status is written.
func (r reporter) report(ctx context.Context, before, obj resource, failed bool) error {
	obj.SetObservedGeneration(obj.GetGeneration())
	key := client.ObjectKeyFromObject(obj)
	_, known := r.writes.last(key)
	if known && equality.Semantic.DeepEqual(before.StatusValue(), obj.StatusValue()) {
		return nil // most often, and far cheaper to see than by their JSON
	}
	was, err := toMap(before.StatusValue())
	if err != nil {
		return err
	}
	status, err := toMap(obj.StatusValue())
	if err != nil {
		return err
	}
	if known && reflect.DeepEqual(was, status) {
		return nil
	}
	gvk, err := apiutil.GVKForObject(obj, r.client.Scheme())
	if err != nil {
		return err
	}
	applied := &unstructured.Unstructured{Object: map[string]any{
		// The version keeps a status off another spec than it is about, and off a new object of the same name.
		"metadata": map[string]any{"name": obj.GetName(), "namespace": obj.GetNamespace(), "resourceVersion": before.GetResourceVersion()},
		"status":   status,
	}}
	applied.SetGroupVersionKind(gvk)
	err = r.client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner(statusManager), client.ForceOwnership)
	if apierrors.IsNotFound(err) {
		return nil // deleted meanwhile; its delete event starts what is to be done
	}
	if err != nil {
		r.writes.wrote(key, "", true) // it may have come about all the same
		return fmt.Errorf("write status: %w", err)
	}
	r.writes.wrote(key, applied.GetResourceVersion(), failed)
	r.announce(before, obj)
	return nil
}

// maxNoteBytes is what the API server takes of an event's note.
const maxNoteBytes = 1024

// announce records an event when Ready has changed its status or reason.
func (r reporter) announce(before, obj resource) {
	ready := meta.FindStatusCondition(*obj.Conditions(), v1alpha1.ConditionReady)
	was := meta.FindStatusCondition(*before.Conditions(), v1alpha1.ConditionReady)
	if ready == nil || (was != nil && was.Status == ready.Status && was.Reason == ready.Reason) {
		return
	}
	// Of an outage the provider's event tells. One of each client would be as many writes again.
	if ready.Reason == v1alpha1.ReasonProviderUnavailable || was != nil && was.Reason == v1alpha1.ReasonProviderUnavailable {
		return
	}
	kind := corev1.EventTypeNormal
	if meta.IsStatusConditionTrue(*obj.Conditions(), v1alpha1.ConditionStalled) {
		kind = corev1.EventTypeWarning
	}
	note := ready.Message
	if len(note) > maxNoteBytes {
		note = strings.ToValidUTF8(note[:maxNoteBytes-len("…")], "") + "…"
	}
	r.events.Eventf(obj, nil, kind, ready.Reason, "Reconcile", "%s", note)
}

// tell records an event for each transition. To be called when what brought them about was written.
func (r reporter) tell(obj resource, transitions []transition) {
	for _, t := range transitions {
		kind := corev1.EventTypeNormal
		if t.warning {
			kind = corev1.EventTypeWarning
		}
		r.events.Eventf(obj, nil, kind, t.reason, "Reconcile", "%s", t.note)
	}
}
