package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

const (
	// restartManager owns the annotation on pod templates, which is all that the operator writes into anybody's spec.
	restartManager = "oidc-operator-restart"
	// annotationRestartedFor on a pod template names the OIDCClient and the client secret for which its pods were restarted.
	annotationRestartedFor = "oidc-operator.dev/restarted-for"
	// verbRestart is the right to restart a workload. It means nothing to the API server: the operator asks for it because it may
	// patch Deployments anyway, those of providers, and that shall not make it restart everybody's.
	verbRestart = "restart"
)

// restart restarts the workloads that read the client secret named id, apart from those that have been. It writes into result which it has
// restarted and why it could not restart the others: what else is to be done does not wait for it. The error is for what ends the reconcile.
func (r *clientReconciler) restart(ctx context.Context, c *v1alpha1.OIDCClient, id string, been []string, result *clientResult) error {
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{annotationRestartedFor: c.Name + "/" + id},
	}}}})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	for _, w := range c.Spec.Credentials.RolloutRestart {
		if slices.Contains(been, workloadID(w)) {
			continue // whoever else reads it may have had it restarted since, and would again
		}
		what := fmt.Sprintf("%s %q", w.Kind, w.Name)
		err := r.restartOne(ctx, c.Namespace, w, patch)
		answer := apierrors.APIStatus(nil)
		switch {
		case errors.Is(err, errNotGranted):
			result.unrestarted = append(result.unrestarted, what+` cannot be restarted, for which the operator needs the verbs "patch" and "restart" on it; see docs/credentials.md`)
		case apierrors.IsNotFound(err):
			result.unrestarted = append(result.unrestarted, what+" does not exist; correct spec.credentials.rolloutRestart")
		case errors.As(err, &answer):
			result.unrestarted = append(result.unrestarted, what+" cannot be restarted: "+err.Error())
			if refused(err) == nil {
				result.restartErr = fmt.Errorf("restart %s: %w", what, err) // it may be possible soon
			}
		case err != nil:
			return fmt.Errorf("restart %s: %w", what, err)
		default:
			result.restarted = append(result.restarted, w)
		}
	}
	return nil
}

var errNotGranted = errors.New("the operator may not restart it")

func (r *clientReconciler) restartOne(ctx context.Context, namespace string, w v1alpha1.Workload, patch []byte) error {
	obj, resource := workload(w.Kind)
	obj.SetNamespace(namespace)
	obj.SetName(w.Name)
	if may, err := r.mayRestart(ctx, obj, resource); err != nil {
		return err
	} else if !may {
		return errNotGranted
	}
	return r.client.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(restartManager))
}

// workloadID names a workload of a namespace.
func workloadID(w v1alpha1.Workload) string {
	return string(w.Kind) + "/" + w.Name
}

// mayRestart asks the API server whether the operator has been given the right to restart a workload.
func (r *clientReconciler) mayRestart(ctx context.Context, obj client.Object, resource string) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: appsv1.GroupName, Resource: resource, Verb: verbRestart, Namespace: obj.GetNamespace(), Name: obj.GetName(),
		},
	}}
	if err := r.client.Create(ctx, review); err != nil {
		return false, fmt.Errorf("ask for the right to restart %s %q: %w", resource, obj.GetName(), err)
	}
	return review.Status.Allowed, nil
}

// workload returns an empty object of a kind and the name of its resource.
func workload(kind v1alpha1.WorkloadKind) (obj client.Object, resource string) {
	switch kind {
	case v1alpha1.WorkloadStatefulSet:
		return &appsv1.StatefulSet{}, "statefulsets"
	case v1alpha1.WorkloadDaemonSet:
		return &appsv1.DaemonSet{}, "daemonsets"
	default:
		return &appsv1.Deployment{}, "deployments"
	}
}
