package controllers

import (
	"bytes"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	ametav1 "k8s.io/client-go/applyconfigurations/meta/v1"
)

// holdsSecret is holds for Secrets, without turning them into JSON and back: an operator that starts compares two for each client.
// It knows the fields that the operator sets; one with any other is never said to be held, and is then compared as everything else.
func holdsSecret(have *corev1.Secret, want *acorev1.SecretApplyConfiguration) bool {
	known := acorev1.Secret(have.Name, have.Namespace)
	known.Data, known.Type = want.Data, want.Type
	known.Labels, known.Annotations, known.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences
	if !reflect.DeepEqual(want, known) || want.Type != nil && *want.Type != have.Type {
		return false
	}
	for key, value := range want.Data {
		if standing, is := have.Data[key]; !is || !bytes.Equal(standing, value) {
			return false
		}
	}
	for i := range want.OwnerReferences {
		if !holdsReference(have.OwnerReferences, &want.OwnerReferences[i]) {
			return false
		}
	}
	return holdsTexts(have.Labels, want.Labels) && holdsTexts(have.Annotations, want.Annotations)
}

func holdsTexts(have, want map[string]string) bool {
	for key, value := range want {
		if standing, is := have[key]; !is || standing != value {
			return false
		}
	}
	return true
}

func holdsReference(have []metav1.OwnerReference, want *ametav1.OwnerReferenceApplyConfiguration) bool {
	for i := range have {
		h := &have[i]
		if equalWhere(want.APIVersion, &h.APIVersion) && equalWhere(want.Kind, &h.Kind) && equalWhere(want.Name, &h.Name) &&
			equalWhere(want.UID, &h.UID) && equalWhere(want.Controller, h.Controller) && equalWhere(want.BlockOwnerDeletion, h.BlockOwnerDeletion) {
			return true
		}
	}
	return false
}

// equalWhere compares where something is wanted.
func equalWhere[T comparable](want, have *T) bool {
	return want == nil || have != nil && *want == *have
}
