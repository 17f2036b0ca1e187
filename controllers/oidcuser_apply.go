package controllers

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// userResult is what came of a plan.
type userResult struct {
	// secretTaken tells that a Secret of somebody else has the name of the password Secret.
	secretTaken bool
	// refused is why something could not be written, or nil.
	refused *verdict
	// registered is nil when nothing was registered.
	registered *registered
	// registrationTaken names a Secret of somebody else that has the name of the registration Secret, or is nil.
	registrationTaken *notOwnedError
}

func (r *userReconciler) apply(ctx context.Context, u *v1alpha1.OIDCUser, state userState, plan userPlan) (userResult, error) {
	var result userResult
	key := client.ObjectKeyFromObject(u)
	owner := resources.Owner(kindUser, key)
	if plan.generated != nil {
		password, err := r.objects.applySecret(ctx, plan.generated, state.password, ownedBy(owner))
		if _, taken := asNotOwned(err); taken {
			result.secretTaken = true
			return result, nil
		} else if err != nil {
			return result, err
		}
		plan.source = u.GeneratedPasswordSecretName() + "/" + keyPassword + "/" + password.version
	}
	if plan.document == nil {
		r.registrar.forget(u.ProviderKey(), key)
		return result, r.objects.discardAll(ctx, plan.outdated)
	}
	plan.document.PasswordHash = plan.hashFor(plan.source)
	plan.document.UpdatedAt = updatedAt(plan.document, state.registered, r.now())
	secret, err := buildRegistration(u.ProviderKey(), registration.KindUser, userRegistrationName(u), owner, plan.document)
	if err != nil {
		return result, err
	}
	source := plan.source
	if source == "" {
		source = plan.hashSource
	}
	// So that nothing with somebody's e-mail address stays when the kinds are deleted together with the operator.
	secret.WithOwnerReferences(resources.SharedOwnerReference(kindUser, u)).
		WithAnnotations(map[string]string{annotationPasswordSource: source})
	result.registered, err = r.registrar.register(ctx, u.ProviderKey(), key, registration.KindUser, secret, state.registration)
	if taken, is := asNotOwned(err); is {
		result.registrationTaken = taken
		return result, nil
	} else if err != nil {
		return result, fmt.Errorf("register: %w", err)
	}
	// Last, because until now a registration under an earlier username held the password hash.
	return result, r.objects.discardAll(ctx, plan.outdated)
}
