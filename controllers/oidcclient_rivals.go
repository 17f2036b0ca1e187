package controllers

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// reservingNamespace returns the name of the namespace, other than c's own, whose default client IDs c's client ID looks like, or "".
func reservingNamespace(c *v1alpha1.OIDCClient) string {
	prefix, _, dotted := strings.Cut(c.Spec.ClientID, ".")
	if !dotted || prefix == c.Namespace {
		return ""
	}
	return prefix
}

// reservedFor keeps the client IDs that a namespace's OIDCClients have by default from being taken by another namespace. One that
// was there before the namespace keeps what it has: that somebody creates a namespace must not end logins elsewhere.
func (r *clientReconciler) reservedFor(ctx context.Context, c *v1alpha1.OIDCClient) (string, error) {
	name := reservingNamespace(c)
	if name == "" {
		return "", nil
	}
	namespace := &corev1.Namespace{}
	err := r.client.Get(ctx, client.ObjectKey{Name: name}, namespace)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("get namespace %s: %w", name, err)
	}
	if namespace.CreationTimestamp.After(c.CreationTimestamp.Time) {
		return "", nil
	}
	return name, nil
}

// outsideNamespace starts a reconcile of OIDCClients to which another namespace than their own matters: when its labels change, of
// those that want what a client in it may no longer have, or may have again; when it comes or goes, of those that want a client ID
// which it reserves. One that was created just after it may have been looked at before the operator knew of it.
func (r *clientReconciler) outsideNamespace() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	reserving := func(ctx context.Context, namespace client.Object, q queue) {
		for _, request := range requestsFor(r.cached(ctx, client.MatchingFields{indexReserving: namespace.GetName()})) {
			q.Add(request)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { reserving(ctx, e.Object, q) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { reserving(ctx, e.Object, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			inside := r.cached(ctx, client.InNamespace(e.ObjectNew.GetName()))
			for i := range inside {
				for _, request := range r.rivals(ctx, &inside[i]) {
					q.Add(request)
				}
			}
		},
	}
}
