package controllers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

const (
	// outrunDelay is when a plan is made again that a cache was too old for.
	outrunDelay = 100 * time.Millisecond
	// restartRetry is when a restart is tried again that was not possible: nothing tells when it is.
	restartRetry = 5 * time.Minute
)

// untilNext returns after what time there is something to do although nothing has changed, or zero.
func untilNext(plan clientPlan, result clientResult, now time.Time) time.Duration {
	var next time.Duration
	at := func(d time.Duration) {
		if d > 0 && (next == 0 || d < next) {
			next = d
		}
	}
	for _, t := range []time.Time{plan.secrets.nextRotation, plan.secrets.wake} {
		if !t.IsZero() {
			at(t.Sub(now))
		}
	}
	if len(result.unrestarted) > 0 {
		at(restartRetry)
	}
	if r := result.registered; r != nil && plan.secrets.waits {
		at(r.since.Add(patience).Sub(now)) // to tell of which replicas are still to be waited for
	}
	return next
}

// announceSecrets records an event for each step of a rotation. before and after are the OIDCClient with its status before and after
// the step, which is recorded only when the status was written.
func (r *clientReconciler) announceSecrets(before, after *v1alpha1.OIDCClient, plan clientPlan, result clientResult) {
	event := func(reason, note string) {
		r.reporter.events.Eventf(after, nil, corev1.EventTypeNormal, reason, "Rotate", "%s", note)
	}
	if plan.secrets.announces && result.registered != nil && result.registered.written {
		event(v1alpha1.ReasonRotationStarted, "a new client secret was made; it is put into the Secret when every provider replica accepts it")
	}
	if result.registered != nil && result.registered.written {
		for _, id := range plan.secrets.revokes {
			r.reporter.events.Eventf(after, nil, corev1.EventTypeWarning, v1alpha1.ReasonClientSecretRevoked, "Revoke", "client secret %s is revoked and works no longer", id)
		}
	}
	if len(result.restarted) > 0 {
		var names []string
		for _, w := range result.restarted {
			names = append(names, fmt.Sprintf("%s %q", w.Kind, w.Name))
		}
		event(v1alpha1.ReasonRolloutRestarted, "restarted for the new client secret: "+strings.Join(names, ", "))
	}
	was, is := before.Status.Credentials, after.Status.Credentials
	if was == nil || is == nil || was.CurrentSecretID == "" || is.CurrentSecretID == "" {
		return
	}
	if was.CurrentSecretID != is.CurrentSecretID {
		event(v1alpha1.ReasonSecretRotated, fmt.Sprintf("Secret %q holds client secret %s; %s, which it held before, works for another %s",
			is.SecretName, is.CurrentSecretID, was.CurrentSecretID, after.Retention()))
	}
	for _, p := range was.Replaced() {
		if !slices.ContainsFunc(plan.secrets.registered, func(s registration.ClientSecret) bool { return s.ID == p.SecretID }) {
			event(v1alpha1.ReasonPreviousSecretRetired, fmt.Sprintf("client secret %s works no longer", p.SecretID))
		}
	}
}
