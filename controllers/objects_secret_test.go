package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	ametav1 "k8s.io/client-go/applyconfigurations/meta/v1"
)

// Where holdsSecret says yes, holds must, too; where it says no, holds decides.
func TestHoldsSecret(t *testing.T) {
	owner := func(uid string) *ametav1.OwnerReferenceApplyConfiguration {
		return ametav1.OwnerReference().WithAPIVersion("v1").WithKind("K").WithName("n").WithUID("1").WithController(uid == "1")
	}
	have := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: "name", ResourceVersion: "7",
			Labels: map[string]string{"ours": "1", "theirs": "2"}, Annotations: map[string]string{"a": "b"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Other"}, {APIVersion: "v1", Kind: "K", Name: "n", UID: "1", Controller: new(true)}},
		},
		Type: "t", Data: map[string][]byte{"key": []byte("value"), "empty": {}, "more": []byte("x")},
	}
	base := func() *acorev1.SecretApplyConfiguration {
		return acorev1.Secret("name", "ns").WithType("t").WithLabels(map[string]string{"ours": "1"}).WithAnnotations(map[string]string{"a": "b"}).
			WithOwnerReferences(owner("1")).WithData(map[string][]byte{"key": []byte("value")})
	}
	tests := map[string]struct {
		want        *acorev1.SecretApplyConfiguration
		fast, whole bool
	}{
		"all of it":              {base(), true, true},
		"nothing":                {acorev1.Secret("name", "ns"), true, true},
		"another value":          {base().WithData(map[string][]byte{"key": []byte("other")}), false, false},
		"another key":            {base().WithData(map[string][]byte{"other": []byte("value")}), false, false},
		"another label":          {base().WithLabels(map[string]string{"ours": "2"}), false, false},
		"one more label":         {base().WithLabels(map[string]string{"new": ""}), false, false},
		"one more annotation":    {base().WithAnnotations(map[string]string{"c": ""}), false, false},
		"another type":           {base().WithType("u"), false, false},
		"another owner":          {base().WithOwnerReferences(owner("2")), false, false},
		"another name":           {acorev1.Secret("other", "ns"), false, false},
		"immutable":              {base().WithImmutable(true), false, false},
		"the version that it is": {base().WithResourceVersion("7"), false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			applied, err := withDigest(tt.want)
			if err != nil {
				t.Fatal(err)
			}
			have.Annotations[annotationApplied] = applied.GetAnnotations()[annotationApplied]
			if got := secretStands(have, tt.want); got != tt.fast {
				t.Errorf("secretStands() = %t, want %t", got, tt.fast)
			}
			if got := holdsSecret(have, tt.want); got != tt.fast {
				t.Errorf("holdsSecret() = %t, want %t", got, tt.fast)
			}
			standing, err := toMap(have)
			if err != nil {
				t.Fatal(err)
			}
			wanted, err := toMap(tt.want)
			if err != nil {
				t.Fatal(err)
			}
			if got := holds(standing, wanted); got != tt.whole {
				t.Errorf("holds() = %t, want %t", got, tt.whole)
			}
		})
	}
}

// What was applied last and is no longer wanted must go, although everything that is wanted stands.
func TestSecretStandsNotWithMoreThanWanted(t *testing.T) {
	want := acorev1.Secret("name", "ns").WithData(map[string][]byte{"key": []byte("value")})
	before, err := withDigest(acorev1.Secret("name", "ns").WithData(map[string][]byte{"key": []byte("value"), "more": []byte("x")}))
	if err != nil {
		t.Fatal(err)
	}
	have := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "name", Annotations: before.GetAnnotations()},
		Data:       map[string][]byte{"key": []byte("value"), "more": []byte("x")},
	}
	if secretStands(have, want) {
		t.Error("a key that is not wanted any more would stay")
	}
}
