package controllers

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// setSigningKeyStatus writes into k's status what follows from the plan.
func setSigningKeyStatus(k *v1alpha1.SigningKey, plan signingKeyPlan, now metav1.Time) {
	k.Status.ActiveKeyID, k.Status.Keys = "", nil
	if plan.document != nil {
		k.Status.ActiveKeyID = activeKey(plan.document).KeyID
		for _, key := range plan.document.Keys {
			status := v1alpha1.KeyStatus{KeyID: key.KeyID, Phase: string(key.Phase), CreatedAt: metav1.NewTime(key.CreatedAt)}
			if !key.ActivatedAt.IsZero() {
				status.ActivatedAt = new(metav1.NewTime(key.ActivatedAt))
			}
			k.Status.Keys = append(k.Status.Keys, status)
		}
	}
	setConditions(&k.Status.Conditions, k.Generation, now, named{v1alpha1.ConditionReady, plan.ready})
}
