package controllers

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// clientResult is what came of a plan.
type clientResult struct {
	// secretTaken tells that a Secret of somebody else has the name of the credentials Secret.
	secretTaken bool
	// refused is why something could not be written, or nil.
	refused *verdict
	// registered is nil when nothing was registered.
	registered *registered
	// registrationTaken names a Secret of somebody else that has the name of the registration Secret, or is nil.
	registrationTaken *notOwnedError
}

// apply issues the credentials first and then registers them: a registration that names a secret which nobody could read
// yet would be of no use.
func (r *clientReconciler) apply(ctx context.Context, c *v1alpha1.OIDCClient, state clientState, plan clientPlan) (clientResult, error) {
	result := clientResult{secretTaken: plan.secretTaken}
	for _, secret := range plan.remove {
		if err := r.objects.remove(ctx, secret); err != nil {
			return result, err
		}
	}
	key := client.ObjectKeyFromObject(c)
	if plan.registration == nil {
		r.registrar.forget(c.ProviderKey(), key)
		return result, nil
	}
	_, err := r.objects.applySecret(ctx, plan.credentials, state.credentials, ownedBy(resources.Owner(kindClient, key)))
	if _, taken := asNotOwned(err); taken {
		result.secretTaken = true
		return result, nil
	} else if err != nil {
		return result, err
	}
	result.registered, err = r.registrar.register(ctx, c.ProviderKey(), key, registration.KindClient, plan.registration, state.registration)
	if taken, is := asNotOwned(err); is {
		result.registrationTaken = taken
		return result, nil
	}
	return result, err
}
