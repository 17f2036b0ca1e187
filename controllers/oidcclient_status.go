package controllers

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

// setClientStatus writes into c's status what follows from what was observed, planned and done.
func setClientStatus(c *v1alpha1.OIDCClient, state clientState, plan clientPlan, result clientResult, now metav1.Time) {
	credentials := judgeClientCredentials(c, plan, result)
	c.Status.Effective = presets.Status(c)
	if result.issued {
		c.Status.ClientID = c.ClientID()
		c.Status.Issuer = state.provider.Spec.Issuer
		c.Status.Credentials = &v1alpha1.CredentialsStatus{
			SecretName: c.SecretName(), CurrentSecretID: plan.secrets.currentID, Files: plan.preset.fileNames(),
			RotatedAt: timeOrNil(plan.secrets.issued.rotatedAt), NextRotationTime: timeOrNil(plan.secrets.nextRotation),
		}
		if replaced := plan.secrets.replacements; len(replaced) > 0 {
			c.Status.Credentials.Previous, c.Status.Credentials.Earlier = &replaced[0], replaced[1:]
		}
	}
	setConditions(&c.Status.Conditions, c.Generation, now,
		named{v1alpha1.ConditionAccepted, plan.accepted},
		named{v1alpha1.ConditionCredentialsReady, credentials},
		named{v1alpha1.ConditionServed, judgeClientServed(c, state, plan, result, now.Time)})
}

// judgeClientServed decides ConditionServed: a login needs keys of the client's algorithms and a provider that is available, as well
// as its registration.
func judgeClientServed(c *v1alpha1.OIDCClient, state clientState, plan clientPlan, result clientResult, now time.Time) verdict {
	if result.registered != nil && state.awaitedKey != "" {
		return wait(v1alpha1.ReasonAwaitingSigningKey, fmt.Sprintf(
			"SigningKey %q of OIDCProvider %q has no active %s key yet; see its conditions", state.awaitedKey, c.ProviderKey(), state.unsignable))
	}
	if result.registered != nil && state.unsignable != "" {
		field := "idTokenSignedResponseAlg"
		if c.Spec.IDTokenSignedResponseAlg != state.unsignable {
			field = "userinfoSignedResponseAlg"
		}
		return wait(v1alpha1.ReasonNoSigningKey, fmt.Sprintf(
			"OIDCProvider %q has no active %s key; create a SigningKey of that algorithm or change spec.%s",
			c.ProviderKey(), state.unsignable, field))
	}
	judged := result.registered
	if judged != nil {
		judged = new(effectively(*judged, plan.servedSince))
	}
	served := judgeRegistration(c.Status.Conditions, c.Generation, judged, result.registrationTaken)
	return judgeSignIn(served, c.Status.Conditions, judged.servedBefore(c.Status.Conditions, c.Generation), true, state.provider, now)
}

func judgeClientCredentials(c *v1alpha1.OIDCClient, plan clientPlan, result clientResult) verdict {
	switch {
	case plan.accepted.outcome != done:
		return wait(v1alpha1.ReasonNotAccepted, "nothing is issued until the OIDCClient is accepted")
	case plan.issuable.outcome != done:
		return plan.issuable
	case result.secretTaken:
		return stall(v1alpha1.ReasonSecretNotOwned, fmt.Sprintf(
			"Secret %q exists and is not owned by this OIDCClient; it was created meanwhile", c.SecretName()))
	case result.refused != nil:
		return *result.refused
	case plan.secrets.pending != nil:
		pending := *plan.secrets.pending
		pending.message += "; until then the application keeps the client secret that it has"
		return pending
	}
	issued := plan.preset.judgeSecret(accept(v1alpha1.ReasonCredentialsIssued, fmt.Sprintf("Secret %q holds the credentials", c.SecretName())))
	for _, note := range slices.Concat(plan.secrets.notes, result.unrestarted) {
		issued.message += "; " + note
	}
	return issued
}
