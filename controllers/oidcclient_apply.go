package controllers

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// clientResult is what came of a plan.
type clientResult struct {
	// outrun tells that the plan was made from a cache that lagged behind, and that nothing was done.
	outrun bool
	// issued tells that the credentials Secret stands as planned.
	issued bool
	// secretTaken tells that a Secret of somebody else has the name of the credentials Secret.
	secretTaken bool
	// refused is why something could not be written, or nil.
	refused *verdict
	// restarted are the workloads that were restarted, unrestarted says why others could not be, and restartErr that it is to be tried soon.
	restarted   []v1alpha1.Workload
	unrestarted []string
	restartErr  error
	// registered is nil when nothing was registered.
	registered *registered
	// registrationTaken names a Secret of somebody else that has the name of the registration Secret, or is nil.
	registrationTaken *notOwnedError
}

// apply issues the credentials first and then registers them: the first client secret is nobody's before it can be read, and any other
// is issued only when it has been registered before, see secretsPlan. What is outdated goes last, because until then it is where
// the client secret is kept.
func (r *clientReconciler) apply(ctx context.Context, c *v1alpha1.OIDCClient, state clientState, plan clientPlan) (clientResult, error) {
	var result clientResult
	key := client.ObjectKeyFromObject(c)
	if err := r.objects.discardAll(ctx, plan.withdraw); err != nil {
		return result, err
	}
	if plan.registration == nil && plan.update == nil {
		r.registrar.forget(c.ProviderKey(), key)
		return result, nil
	}
	if still, err := r.standsStill(ctx, c, state, plan); err != nil || !still {
		result.outrun = !still
		return result, err
	}
	issueErr := r.issue(ctx, c, state, plan, &result)
	if issueErr != nil && refused(issueErr) == nil {
		return result, issueErr
	}
	desired := plan.registration
	if !result.issued {
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
	if err != nil || !result.issued || result.registrationTaken != nil {
		return result, errors.Join(issueErr, err)
	}
	return result, r.objects.discardAll(ctx, plan.outdated)
}

// issue writes the credentials Secret, unless there is nothing to write or its name is taken. That workloads were restarted is noted in it
// afterwards: what is not noted is done again, and restarts nothing a second time.
func (r *clientReconciler) issue(ctx context.Context, c *v1alpha1.OIDCClient, state clientState, plan clientPlan, result *clientResult) error {
	if plan.credentials == nil {
		return nil
	}
	if plan.secrets.restart {
		issued := plan.secrets.issued
		if err := r.restart(ctx, c, plan.secrets.currentID, issued.been(), result); err != nil {
			return err
		}
		if issued.partly = issued.partlyRestarted(result.restarted); len(result.unrestarted) == 0 {
			issued.restarted = plan.secrets.currentID
		}
		plan.credentials = plan.credentials.WithAnnotations(issued.annotations())
		if len(result.unrestarted) == 0 {
			delete(plan.credentials.Annotations, annotationPartlyRestarted)
		}
	}
	mine := ownCredentials(c)
	adopted := state.credentials
	applied, err := r.objects.applySecret(ctx, plan.credentials, state.credentials, func(obj metav1.Object) bool {
		return mine(obj) || adopted != nil && obj.GetUID() == adopted.UID
	})
	if _, taken := asNotOwned(err); taken {
		result.secretTaken = true
		return nil
	}
	if result.issued = err == nil; result.issued && plan.credentialsUID == "" {
		plan.registration.WithAnnotations(map[string]string{annotationCredentialsUID: string(applied.uid)})
	}
	return err
}
