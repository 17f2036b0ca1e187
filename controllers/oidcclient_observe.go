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

// clientState is everything that a decision about an OIDCClient depends on.
type clientState struct {
	// provider is nil when it does not exist.
	provider *v1alpha1.OIDCProvider
	// namespaceAllowed tells whether the provider admits clients of the namespace.
	namespaceAllowed bool
	// holder is the older OIDCClient that has the client ID, or nil.
	holder *v1alpha1.OIDCClient
	// credentials is the Secret under the name in the spec, whoever made it, or nil.
	credentials *corev1.Secret
	// registration is the registration Secret under its name as the cache has it, whoever it is for, or nil.
	registration *corev1.Secret
	// signable tells whether the provider has an active key of the algorithm that the OIDCClient asks for, if it does.
	signable bool
	// owned are all Secrets that were made for the OIDCClient.
	owned []corev1.Secret
}

func (r *clientReconciler) observe(ctx context.Context, c *v1alpha1.OIDCClient) (clientState, error) {
	var state clientState
	var err error
	if state.owned, err = secretsOf(ctx, r.client, resources.Owner(kindClient, client.ObjectKeyFromObject(c))); err != nil {
		return state, err
	}
	// Asked past the cache when it has none, so that a cache that lags behind our own write never leads to a second secret.
	credentials := &corev1.Secret{}
	if found, err := r.objects.get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: c.SecretName()}, credentials); err != nil {
		return state, err
	} else if found {
		state.credentials = credentials
	}
	name := client.ObjectKey{
		Namespace: c.ProviderKey().Namespace,
		Name:      resources.RegistrationName(c.ProviderKey().Name, registration.KindClient, c.ClientID()),
	}
	if state.registration, err = cachedSecret(ctx, r.client, name); err != nil {
		return state, err
	}
	provider := &v1alpha1.OIDCProvider{}
	if err := r.client.Get(ctx, c.ProviderKey(), provider); apierrors.IsNotFound(err) {
		return state, nil
	} else if err != nil {
		return state, fmt.Errorf("get provider: %w", err)
	}
	state.provider = provider
	if state.namespaceAllowed, err = namespaceAllowed(ctx, r.client, provider, c.Namespace); err != nil {
		return state, err
	}
	if state.signable, err = r.signable(ctx, c); err != nil {
		return state, err
	}
	state.holder, err = r.holder(ctx, provider, c, incumbent(state.registration))
	return state, err
}

// signable tells whether the provider can sign ID tokens as c asks for. Any active key will do where it asks for none.
func (r *clientReconciler) signable(ctx context.Context, c *v1alpha1.OIDCClient) (bool, error) {
	if c.Spec.IDTokenSignedResponseAlg == "" {
		return true, nil
	}
	signingKeys := &v1alpha1.SigningKeyList{}
	if err := r.client.List(ctx, signingKeys, client.MatchingFields{indexProvider: c.ProviderKey().String()}); err != nil {
		return false, fmt.Errorf("list signing keys: %w", err)
	}
	for i := range signingKeys.Items {
		if k := &signingKeys.Items[i]; k.Algorithm() == c.Spec.IDTokenSignedResponseAlg && k.Status.ActiveKeyID != "" {
			return true, nil
		}
	}
	return false, nil
}

// holder returns the OIDCClient that precedes c, is allowed by the provider and has c's client ID, or nil. One that is not
// allowed cannot keep the ID from others.
func (r *clientReconciler) holder(ctx context.Context, provider *v1alpha1.OIDCProvider, c *v1alpha1.OIDCClient, incumbent string) (*v1alpha1.OIDCClient, error) {
	same := &v1alpha1.OIDCClientList{}
	if err := r.client.List(ctx, same, client.MatchingFields{indexClientID: scoped(provider.Key(), c.ClientID())}); err != nil {
		return nil, fmt.Errorf("list clients of the same client ID: %w", err)
	}
	var holder *v1alpha1.OIDCClient
	for i := range same.Items {
		other := &same.Items[i]
		if other.UID == c.UID || !precedes(kindClient, incumbent, other, c) || (holder != nil && !precedes(kindClient, incumbent, other, holder)) {
			continue
		}
		allowed, err := namespaceAllowed(ctx, r.client, provider, other.Namespace)
		if err != nil {
			return nil, err
		}
		if allowed {
			holder = other
		}
	}
	return holder, nil
}
