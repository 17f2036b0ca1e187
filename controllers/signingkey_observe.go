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
	providerExists bool
	// secret is the Secret under the registration's name, whoever made it, or nil.
	secret *corev1.Secret
}

func (r *signingKeyReconciler) observe(ctx context.Context, k *v1alpha1.SigningKey) (signingKeyState, error) {
	var state signingKeyState
	err := r.client.Get(ctx, k.ProviderKey(), &v1alpha1.OIDCProvider{})
	if client.IgnoreNotFound(err) != nil {
		return state, fmt.Errorf("get provider: %w", err)
	}
	state.providerExists = !apierrors.IsNotFound(err)
	secret := &corev1.Secret{}
	// Asked past the cache when it has none, so that a cache that lags behind our own write never leads to a second key.
	found, err := r.objects.get(ctx, client.ObjectKey{Namespace: k.Namespace, Name: signingKeySecretName(k)}, secret)
	if found {
		state.secret = secret
	}
	return state, err
}

func signingKeySecretName(k *v1alpha1.SigningKey) string {
	return resources.RegistrationName(k.ProviderKey().Name, registration.KindSigningKey, k.Name)
}
