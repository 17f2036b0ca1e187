package controllers

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// setUserStatus writes into u's status what follows from what was planned and done.
func setUserStatus(u *v1alpha1.OIDCUser, state userState, plan userPlan, result userResult, now metav1.Time) {
	password := plan.password
	switch {
	case result.secretTaken:
		password = secretOfOthers(u.GeneratedPasswordSecretName())
	case result.refused != nil:
		password = *result.refused
	}
	if plan.document != nil && result.refused == nil {
		u.Status.Username = plan.document.Username
		u.Status.Subject = plan.document.Subject
		u.Status.PasswordSecretName = u.PasswordSecretName()
	}
	served := judgeRegistration(u.Status.Conditions, u.Generation, result.registered, result.registrationTaken)
	// One that was served does not follow an outage: there may be a hundred thousand, and it says that the provider knows the user.
	served = judgeSignIn(served, u.Status.Conditions, result.registered.servedBefore(u.Status.Conditions, u.Generation), false, state.provider, now.Time)
	setConditions(&u.Status.Conditions, u.Generation, now,
		named{v1alpha1.ConditionAccepted, plan.accepted},
		named{v1alpha1.ConditionCredentialsReady, password},
		named{v1alpha1.ConditionServed, served})
}
