package controllers

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// rollout is what a decision about ConditionRolledOut depends on.
type rollout struct {
	// deployment is nil when there is none yet.
	deployment *appsv1.Deployment
	// written tells that the Deployment was changed just now, so that its status is about what was before.
	written bool
	pods    []corev1.Pod
	// absent are the Secrets, ConfigMaps and volumes that pods need and that cannot be mounted, with what is wrong.
	absent []string
	// behind are the ready replicas that have not applied the current settings.
	behind []string
	// unmanaged tells that nobody runs Deployments, as with the control plane of `make demo`: the replicas' reports are all there is.
	unmanaged bool
}

// judgeRollout decides ConditionRolledOut, and returns when to look again although nothing has happened, or zero.
func judgeRollout(p *v1alpha1.OIDCProvider, r rollout, now time.Time) (v verdict, deadline time.Time) {
	want := p.DesiredReplicas()
	switch d := r.deployment; {
	case want == 0:
		return accept(v1alpha1.ReasonRolledOut, "spec.replicas is 0"), time.Time{}
	case r.unmanaged && (d == nil || d.Status.ObservedGeneration == 0):
	case d == nil:
		return wait(v1alpha1.ReasonRollingOut, fmt.Sprintf("Deployment %q does not exist yet", p.Name)), time.Time{}
	case r.written || d.Status.ObservedGeneration < d.Generation:
		return wait(v1alpha1.ReasonRollingOut, fmt.Sprintf("Deployment %q was changed just now", p.Name)), time.Time{}
	case d.Status.UpdatedReplicas < want || d.Status.Replicas > want || d.Status.AvailableReplicas < want:
		return judgeUnfinished(p, r, now)
	}
	if len(r.behind) > 0 {
		return wait(v1alpha1.ReasonAwaitingReplicas, "not applied the current settings yet: provider replica "+strings.Join(r.behind, ", ")), time.Time{}
	}
	return accept(v1alpha1.ReasonRolledOut, "every replica runs the current spec"), time.Time{}
}

// judgeUnfinished decides about a rollout that is not finished. It is stalled when nothing has moved for resources.ProgressDeadline: also in
// cases in which the Deployment does not say so, since it gives no deadline to replicas that are added or lost.
func judgeUnfinished(p *v1alpha1.OIDCProvider, r rollout, now time.Time) (verdict, time.Time) {
	status := r.deployment.Status
	unready := unreadyPods(r.pods)
	message := fmt.Sprintf("Deployment %q: %d of %d replicas are updated, %d available", p.Name, status.UpdatedReplicas, p.DesiredReplicas(), status.AvailableReplicas)
	since := unreadySince(unready)
	why := explainPods(unready, r.absent)
	for _, c := range status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			why = brief(c.Message)
		}
		if c.Type == appsv1.DeploymentProgressing && len(unready) == 0 {
			since = c.LastUpdateTime.Time
		}
	}
	if why != "" {
		message += "; " + why
	}
	deadline := laterOf(since, r.deployment.CreationTimestamp.Time).Add(resources.ProgressDeadline)
	if !now.Before(deadline) {
		return stall(v1alpha1.ReasonProgressDeadlineExceeded, message), time.Time{}
	}
	return wait(v1alpha1.ReasonRollingOut, message), deadline
}
