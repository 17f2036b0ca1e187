package controllers

import (
	"context"
	"errors"

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
// yet would be of no use. What is outdated goes last, because until then it is where the client secret is kept.
func (r *clientReconciler) apply(ctx context.Context, c *v1alpha1.OIDCClient, state clientState, plan clientPlan) (clientResult, error) {
	result := clientResult{secretTaken: plan.secretTaken}
	key := client.ObjectKeyFromObject(c)
	if err := r.objects.removeAll(ctx, plan.withdraw); err != nil {
		return result, err
	}
	if plan.registration == nil {
		r.registrar.forget(c.ProviderKey(), key)
		return result, nil
	}
	issueErr := r.issue(ctx, c, state, plan, &result)
	if issueErr != nil && refused(issueErr) == nil {
		return result, issueErr
	}
	desired := plan.registration
	if result.secretTaken || issueErr != nil {
		desired = plan.update
	}
	if desired == nil {
		r.registrar.forget(c.ProviderKey(), key)
		return result, issueErr
	}
	var err error
	result.registered, err = r.registrar.register(ctx, c.ProviderKey(), key, registration.KindClient, desired, state.registration)
	if taken, is := asNotOwned(err); is {
		result.registrationTaken, err = taken, nil
	}
	if err != nil || issueErr != nil || result.secretTaken || result.registrationTaken != nil {
		return result, errors.Join(issueErr, err)
	}
	return result, r.objects.removeAll(ctx, plan.outdated)
}

// issue writes the credentials Secret, unless its name is taken.
func (r *clientReconciler) issue(ctx context.Context, c *v1alpha1.OIDCClient, state clientState, plan clientPlan, result *clientResult) error {
	if plan.secretTaken {
		return nil
	}
	_, err := r.objects.applySecret(ctx, plan.credentials, state.credentials, ownedBy(resources.Owner(kindClient, client.ObjectKeyFromObject(c))))
	if _, taken := asNotOwned(err); taken {
		result.secretTaken = true
		return nil
	}
	return err
}
