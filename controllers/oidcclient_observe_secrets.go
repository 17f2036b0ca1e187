package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// observeSecrets reads what matters to the client secret apart from the Secrets that hold it.
func (r *clientReconciler) observeSecrets(ctx context.Context, c *v1alpha1.OIDCClient, state *clientState) error {
	if err := r.observeBrought(ctx, c, state); err != nil {
		return err
	}
	registered := registeredSecrets(state.standing)
	if len(registered) < 2 && !slices.ContainsFunc(registered, func(s registration.ClientSecret) bool { return s.Pending }) {
		return nil // nothing depends on the replicas
	}
	leases, err := replicaLeases(ctx, r.client, c.ProviderKey())
	if err != nil {
		return err
	}
	ready := readyAmong(leases, r.now())
	state.reached, state.nobody = judgeServed(ready, state.registration.ResourceVersion, false), len(ready) == 0
	state.uses, state.unknown = secretUses(leases, c, registered, r.now())
	return nil
}

// secretUses merges what replicas say about the secrets of a client, by their ID: when each was used last, and until when each may have been used
// without anybody knowing. A replica knows nothing of the time before it started, and of clients that it had no room for; one that is gone has told
// the truth.
func secretUses(leases []coordinationv1.Lease, c *v1alpha1.OIDCClient, secrets []registration.ClientSecret, now time.Time) (uses, unknown map[string]time.Time) {
	uses, unknown = map[string]time.Time{}, map[string]time.Time{}
	for i := range leases {
		lease := &leases[i]
		known, err := registration.ParseSecretUses(lease.Annotations[registration.AnnotationSecretUses])
		forgotten, forgottenErr := registration.ParseUnknownUses(lease.Annotations[registration.AnnotationUnknownUses])
		for _, s := range secrets {
			if err != nil || forgottenErr != nil || lease.Spec.AcquireTime == nil { // a provider of another version
				unknown[s.ID] = now
				continue
			}
			unknown[s.ID] = laterOf(unknown[s.ID], lease.Spec.AcquireTime.Time)
			if at, has := known[c.ClientID()][s.ID]; has {
				uses[s.ID] = laterOf(uses[s.ID], at)
			} else {
				unknown[s.ID] = laterOf(unknown[s.ID], forgotten.Since(c.Namespace))
			}
		}
	}
	if len(leases) == 0 {
		for _, s := range secrets {
			unknown[s.ID] = now
		}
	}
	return uses, unknown
}

// observeBrought reads the client secret that existingSecretRef names, in the namespace of the OIDCClient and nowhere else.
func (r *clientReconciler) observeBrought(ctx context.Context, c *v1alpha1.OIDCClient, state *clientState) error {
	ref := c.Spec.Credentials.ExistingSecretRef
	if ref == nil || !c.HasSecret() {
		r.brought.forget(client.ObjectKeyFromObject(c))
		return nil
	}
	key := string(ref.Key)
	if key == "" {
		key = "client_secret"
	}
	found, err := r.brought.of(ctx, client.ObjectKeyFromObject(c), ref.Name, key, &corev1.Secret{})
	if err != nil {
		return err
	}
	purpose, err := r.purposeOf(ctx, client.ObjectKey{Namespace: c.Namespace, Name: ref.Name})
	if err != nil {
		return err
	}
	state.brought = judgeBrought(c, ref.Name, key, purpose, found)
	return nil
}

func judgeBrought(c *v1alpha1.OIDCClient, name, key, purpose string, found referent) *broughtSecret {
	brought := &broughtSecret{value: string(found.value)}
	fault := registration.ValidateForeignSecret(brought.value)
	switch {
	case name == c.SecretName():
		brought.verdict = stall(v1alpha1.ReasonClientSecretInvalid, fmt.Sprintf(
			"spec.credentials.existingSecretRef names Secret %q, which the operator writes; name another one, set spec.credentials.secretName, or set spec.credentials.adopt instead", name))
	case !found.found:
		brought.verdict = wait(v1alpha1.ReasonClientSecretNotFound, fmt.Sprintf(
			"Secret %q in namespace %q does not exist; create it with the client secret under %q, or remove spec.credentials.existingSecretRef", name, c.Namespace, key))
	case found.secretType != corev1.SecretTypeOpaque && found.secretType != corev1.SecretTypeBasicAuth:
		brought.verdict = stall(v1alpha1.ReasonClientSecretInvalid, fmt.Sprintf(
			"Secret %q is of type %s; spec.credentials.existingSecretRef takes the types Opaque and kubernetes.io/basic-auth only, since others are made for something else", name, found.secretType))
	case purpose != "":
		brought.verdict = stall(v1alpha1.ReasonClientSecretInvalid, fmt.Sprintf(
			"Secret %q is for %s; put the client secret into a Secret of its own and name that in spec.credentials.existingSecretRef", name, purpose))
	case !slices.Contains(found.allowed, c.Name):
		brought.verdict = stall(v1alpha1.ReasonSecretNotAllowed, fmt.Sprintf(
			"Secret %q does not allow this OIDCClient to use it; whoever may write the Secret can allow it: %s", name, allowCommand(c, name, found.allowed)))
	case brought.value == "":
		brought.verdict = wait(v1alpha1.ReasonClientSecretNotFound, fmt.Sprintf(
			"Secret %q has nothing under %q; put the client secret there, or correct spec.credentials.existingSecretRef.key", name, key))
	case fault != nil:
		brought.verdict = stall(v1alpha1.ReasonClientSecretInvalid, fmt.Sprintf("the client secret in Secret %q under %q %s", name, key, fault))
	}
	if brought.verdict.outcome != done {
		brought.value = ""
	}
	return brought
}

// secrets gathers what a decision about the client secret depends on.
func (s clientState) secrets(c *v1alpha1.OIDCClient, who clientIdentity, now time.Time, made *madeSecret) secretsState {
	state := secretsState{
		now: now, brought: s.brought, reached: s.reached, nobody: s.nobody, uses: s.uses, unknown: s.unknown,
	}
	if who.inherits {
		state.registered, state.revoked = revoke(registeredSecrets(s.standing), c.RevokedSecretIDs())
	}
	if status := c.Status.Credentials; status != nil {
		if status.NextRotationTime != nil {
			state.announced = status.NextRotationTime.Time
		}
	}
	if replaced := c.Status.Credentials.Replaced(); len(replaced) > 0 { // replicas forget their use when they restart
		state.uses = map[string]time.Time{}
		maps.Copy(state.uses, s.uses)
		for _, p := range replaced {
			if p.LastUsedAt != nil {
				state.uses[p.SecretID] = laterOf(state.uses[p.SecretID], p.LastUsedAt.Time)
			}
		}
	}
	state.heldIn = c.SecretName()
	if held := holder(c, s, state.registered, made); held != nil {
		state.heldIn = held.Name
		state.value, state.issued, state.created = clientSecretIn(c, held), issuanceOf(held), held.CreationTimestamp.Time
		state.adopting = !ownCredentials(c)(held)
	}
	return state
}

// standsStill makes sure, past the cache, of what must not be decided from a cache that lags behind: that the application's Secret
// still holds the client secret that was planned with, and, before it gets another one, that the provider knows that one.
func (r *clientReconciler) standsStill(ctx context.Context, c *v1alpha1.OIDCClient, state clientState, plan clientPlan) (bool, error) {
	if !plan.secrets.switches && !plan.secrets.retires {
		return true, nil
	}
	secret := &corev1.Secret{}
	err := r.objects.live.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: plan.heldIn}, secret)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("get secret %s: %w", plan.heldIn, err)
	}
	held := ""
	if err == nil && (ownCredentials(c)(secret) || state.adoptable(c, secret) == nil) {
		held = clientSecretIn(c, secret)
	}
	if held != plan.held {
		return false, nil
	}
	if !plan.secrets.switches {
		return true, nil
	}
	live := &corev1.Secret{}
	if err := r.objects.live.Get(ctx, client.ObjectKeyFromObject(state.registration), live); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	leases := &coordinationv1.LeaseList{}
	if err := r.objects.live.List(ctx, leases, client.InNamespace(c.ProviderKey().Namespace), client.MatchingLabels{
		registration.LabelReplica: "true", registration.LabelProvider: c.ProviderKey().Name,
	}); err != nil {
		return false, fmt.Errorf("list replica reports of %s: %w", c.ProviderKey(), err)
	}
	ready := readyAmong(leases.Items, r.now())
	reached := judgeServed(ready, live.ResourceVersion, false).outcome == done || len(ready) == 0 && state.nobody
	return live.ResourceVersion == state.registration.ResourceVersion && reached, nil
}
