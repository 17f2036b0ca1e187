package controllers

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// setSigningKeyStatus writes into k's status what follows from the plan.
func setSigningKeyStatus(k *v1alpha1.SigningKey, plan signingKeyPlan, now metav1.Time) {
	k.Status.ActiveKeyID, k.Status.Keys, k.Status.NextRotationTime = "", nil, nil
	if plan.progress != nil {
		if active := plan.progress.ring.in(registration.PhaseActive); active != nil {
			k.Status.ActiveKeyID = active.KeyID
		}
		for _, key := range plan.progress.ring.document.Keys {
			k.Status.Keys = append(k.Status.Keys, v1alpha1.KeyStatus{
				KeyID: key.KeyID, Phase: string(key.Phase), CreatedAt: metav1.NewTime(key.CreatedAt),
				ActivatedAt: timeOrNil(key.ActivatedAt), RetiresAt: timeOrNil(key.RetiresAt),
			})
		}
		k.Status.NextRotationTime = timeOrNil(plan.progress.rotates)
	}
	ready := named{v1alpha1.ConditionReady, plan.ready}
	setConditions(&k.Status.Conditions, k.Generation, now, ready)
	// Where a rotation stands is of interest while everything works, too.
	set(&k.Status.Conditions, k.Generation, now, ready)
}

func timeOrNil(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return new(metav1.NewTime(t))
}
