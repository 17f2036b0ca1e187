package controllers

import (
	"context"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// What the API server answers to a write into a namespace that is being deleted is an end for every kind and write path; what stands beside it is not.
func TestNamespaceThatEndsIsNoFailure(t *testing.T) {
	secrets := schema.GroupResource{Resource: "secrets"}
	forbidden := apierrors.NewForbidden(secrets, "app", errors.New("unable to create new content in namespace web because it is being terminated"))
	forbidden.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	quota := apierrors.NewForbidden(secrets, "app", errors.New("exceeded quota"))
	noNamespace := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "web")
	noSecret := apierrors.NewNotFound(secrets, "app")
	for name, test := range map[string]struct {
		err  error
		ends bool
	}{
		"nothing":               {nil, false},
		"terminating":           {forbidden, true},
		"terminating, wrapped":  {fmt.Errorf("apply Secret %q: %w", "app", forbidden), true},
		"namespace gone":        {fmt.Errorf("create: %w", noNamespace), true},
		"object gone":           {noSecret, false},
		"quota":                 {quota, false},
		"several that all end":  {fmt.Errorf("provider: %w", errors.Join(fmt.Errorf("a: %w", forbidden), noNamespace)), true},
		"terminating and quota": {errors.Join(forbidden, quota), false},
		"no answer":             {context.DeadlineExceeded, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := endsWithNamespace(test.err); got != test.ends {
				t.Errorf("ends: %t, want %t", got, test.ends)
			}
			if test.ends && refused(test.err) != nil {
				t.Error("is told in status as well")
			}
			inner := reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
				return reconcile.Result{RequeueAfter: 1}, test.err
			})
			result, err := untilNamespaceEnds{inner}.Reconcile(t.Context(), reconcile.Request{})
			if failed := err != nil; failed == test.ends && test.err != nil || test.ends && !result.IsZero() {
				t.Errorf("returns %+v, %v", result, err)
			}
		})
	}
}
