package controllers

import (
	"bytes"
	"encoding/json"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	ametav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// secretStands tells, of a Secret, whether apply need not write it, without turning it into JSON and back: an operator that starts
// compares two for each client. It knows the fields that the operator sets; of a Secret with any other it says no, and that is then
// compared as everything else.
func secretStands(current client.Object, desired runtime.ApplyConfiguration) bool {
	have, is := current.(*corev1.Secret)
	want, wanted := desired.(*acorev1.SecretApplyConfiguration)
	if !is || !wanted || !holdsSecret(have, want) {
		return false
	}
	shape, err := json.Marshal(shapeOf(want))
	return err == nil && have.Annotations[annotationApplied] == digestOfShape(shape)
}

// secretShape is a Secret without values, of which withDigest takes the digest. Fields stand in the order of their names, as in the JSON of
// a map.
type secretShape struct {
	APIVersion *string         `json:"apiVersion,omitempty"`
	Data       map[string]bool `json:"data,omitempty"`
	Kind       *string         `json:"kind,omitempty"`
	Metadata   metadataShape   `json:"metadata"`
	Type       *string         `json:"type,omitempty"`
}

type metadataShape struct {
	Annotations     map[string]string `json:"annotations,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	Name            *string           `json:"name,omitempty"`
	Namespace       *string           `json:"namespace,omitempty"`
	OwnerReferences []referenceShape  `json:"ownerReferences,omitempty"`
}

type referenceShape struct {
	APIVersion         *string `json:"apiVersion,omitempty"`
	BlockOwnerDeletion *bool   `json:"blockOwnerDeletion,omitempty"`
	Controller         *bool   `json:"controller,omitempty"`
	Kind               *string `json:"kind,omitempty"`
	Name               *string `json:"name,omitempty"`
	UID                *string `json:"uid,omitempty"`
}

// shapeOf returns the shape of a Secret that has no other fields than holdsSecret knows.
func shapeOf(want *acorev1.SecretApplyConfiguration) secretShape {
	shape := secretShape{
		APIVersion: want.APIVersion, Kind: want.Kind, Type: (*string)(want.Type),
		Metadata: metadataShape{Annotations: want.Annotations, Labels: want.Labels, Name: want.Name, Namespace: want.Namespace},
	}
	if len(want.Data) > 0 {
		shape.Data = make(map[string]bool, len(want.Data))
		for key := range want.Data {
			shape.Data[key] = true
		}
	}
	for _, r := range want.OwnerReferences {
		shape.Metadata.OwnerReferences = append(shape.Metadata.OwnerReferences,
			referenceShape{r.APIVersion, r.BlockOwnerDeletion, r.Controller, r.Kind, r.Name, (*string)(r.UID)})
	}
	return shape
}

// holdsSecret is holds for Secrets that have no other fields than the operator sets.
func holdsSecret(have *corev1.Secret, want *acorev1.SecretApplyConfiguration) bool {
	if !plain(want) || *want.Name != have.Name || *want.Namespace != have.Namespace || want.Type != nil && *want.Type != have.Type {
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

// plain tells whether want has no other fields than the operator sets.
func plain(want *acorev1.SecretApplyConfiguration) bool {
	if want.ObjectMetaApplyConfiguration == nil || want.Name == nil || want.Namespace == nil {
		return false
	}
	known := acorev1.Secret(*want.Name, *want.Namespace)
	known.Data, known.Type = want.Data, want.Type
	known.Labels, known.Annotations, known.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences
	return reflect.DeepEqual(want, known)
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
