package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// terminating reports whether a namespace is being deleted, and with it everything in it.
func terminating(ctx context.Context, reader client.Reader, name string) (bool, error) {
	ns := &corev1.Namespace{}
	if err := reader.Get(ctx, client.ObjectKey{Name: name}, ns); apierrors.IsNotFound(err) {
		return false, nil // what is in it is gone, too, and its delete events tell the rest
	} else if err != nil {
		return false, fmt.Errorf("get namespace %s: %w", name, err)
	}
	return !ns.DeletionTimestamp.IsZero(), nil
}

// endsWithNamespace reports whether err, and every error in it, is the API server's answer to a write into a namespace that is being deleted or
// is gone. That is an end and no failure: the delete events of what was in the namespace start what is to be done.
func endsWithNamespace(err error) bool {
	if err == nil {
		return false
	}
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		for _, each := range several.Unwrap() {
			if !endsWithNamespace(each) {
				return false
			}
		}
		return true
	}
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return true
	}
	var status apierrors.APIStatus
	return errors.As(err, &status) && apierrors.IsNotFound(err) && status.Status().Details != nil && status.Status().Details.Kind == "namespaces"
}

// untilNamespaceEnds is a reconciler for which a namespace that is being deleted is no failure.
type untilNamespaceEnds struct{ reconcile.Reconciler }

// Reconcile implements reconcile.Reconciler.
func (r untilNamespaceEnds) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	result, err := r.Reconciler.Reconcile(ctx, req)
	if endsWithNamespace(err) {
		log.FromContext(ctx).V(1).Info("nothing is written into a namespace that is being deleted", "answer", err.Error())
		return reconcile.Result{}, nil
	}
	return result, err //nolint:wrapcheck // this adds nothing to it
}
