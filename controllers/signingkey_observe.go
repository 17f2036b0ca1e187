package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// signingKeyState is everything that a decision about a SigningKey depends on.
type signingKeyState struct {
	// provider is nil when it does not exist.
	provider *v1alpha1.OIDCProvider
	// secret is the Secret under the registration's name, whoever made it, or nil.
	secret *corev1.Secret
	// ring is what the Secret holds; nil when there is none, or when it cannot be read, for which ringFault says why.
	ring      *keyRing
	ringFault error
	// served tells whether there are provider replicas and all of them have applied the Secret as it stands. It is found out
	// only while a key is published.
	served bool
	// imported is what spec.import refers to.
	imported referent
	// others are what the provider's other SigningKeys hold, also those that are gone.
	others []*keyRing
}

func (r *signingKeyReconciler) observe(ctx context.Context, k *v1alpha1.SigningKey) (signingKeyState, error) {
	var state signingKeyState
	provider := &v1alpha1.OIDCProvider{}
	if err := r.client.Get(ctx, k.ProviderKey(), provider); err == nil {
		state.provider = provider
	} else if !apierrors.IsNotFound(err) {
		return state, fmt.Errorf("get provider: %w", err)
	}
	secret := &corev1.Secret{}
	// Asked past the cache when it has none, so that a cache that lags behind our own write never leads to a second key.
	found, err := r.objects.get(ctx, client.ObjectKey{Namespace: k.Namespace, Name: signingKeySecretName(k)}, secret)
	if err != nil {
		return state, err
	}
	if found {
		state.secret = secret
		state.ring, state.ringFault = readKeyRing(secret)
	}
	if err := r.observeImport(ctx, k, &state); err != nil {
		return state, err
	}
	state.served, err = r.served(ctx, k, state)
	return state, err
}

// observeImport reads the key that is to be imported, and who else has it or has had it.
func (r *signingKeyReconciler) observeImport(ctx context.Context, k *v1alpha1.SigningKey, state *signingKeyState) error {
	key := client.ObjectKeyFromObject(k)
	name := k.ImportSecretName()
	if name == "" {
		r.imports.forget(key)
		return nil
	}
	var err error
	if state.imported, err = r.imports.of(ctx, key, name, k.ImportSecretKey(), &corev1.Secret{}); err != nil {
		return err
	}
	state.others, err = otherRings(ctx, r.client, k)
	return err
}

// served tells whether every provider replica has applied the Secret, while a published key waits for that. The SigningKey
// waits for reports from before they are looked at, so that none is missed.
func (r *signingKeyReconciler) served(ctx context.Context, k *v1alpha1.SigningKey, state signingKeyState) (bool, error) {
	key := client.ObjectKeyFromObject(k)
	if state.ring == nil || state.ring.in(registration.PhasePublished) == nil {
		r.registrar.forget(k.ProviderKey(), key)
		return false, nil
	}
	version := state.secret.ResourceVersion
	r.registrar.waiters.add(k.ProviderKey(), key, version, r.now())
	ready, err := readyReplicas(ctx, r.client, k.ProviderKey(), r.now())
	if err != nil || judgeServed(ready, version, false).outcome != done {
		return false, err
	}
	r.registrar.forget(k.ProviderKey(), key)
	return true, nil
}

func signingKeySecretName(k *v1alpha1.SigningKey) string {
	return resources.RegistrationName(k.ProviderKey().Name, registration.KindSigningKey, k.Name)
}
