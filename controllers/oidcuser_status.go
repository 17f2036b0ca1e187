package controllers

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// setUserStatus writes into u's status what follows from what was planned and done.
func setUserStatus(u *v1alpha1.OIDCUser, plan userPlan, result userResult, now metav1.Time) {
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
	setConditions(&u.Status.Conditions, u.Generation, now,
		named{v1alpha1.ConditionAccepted, plan.accepted},
		named{v1alpha1.ConditionCredentialsReady, password},
		named{v1alpha1.ConditionServed, judgeRegistration(u.Status.Conditions, u.Generation, result.registered, result.registrationTaken)})
}
