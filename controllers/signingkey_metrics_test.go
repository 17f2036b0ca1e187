package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func TestSigningKeyMetrics(t *testing.T) {
	scheme, err := NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	at := func(seconds int64) *metav1.Time { return &metav1.Time{Time: time.Unix(seconds, 0)} }
	rotating := gen.SigningKey("sso", "rotating", "sso", func(k *v1alpha1.SigningKey) {
		k.Status.Keys = []v1alpha1.KeyStatus{
			{KeyID: "a", Phase: "Retiring", ActivatedAt: at(100)}, {KeyID: "b", Phase: "Active", ActivatedAt: at(200)}, {KeyID: "c", Phase: "Published"},
		}
		k.Status.NextRotationTime = at(300)
	})
	waiting := gen.SigningKey("sso", "waiting", "sso")
	metrics := newSigningKeyMetrics(fake.NewClientBuilder().WithScheme(scheme).WithObjects(rotating, waiting).Build())
	want := `
# HELP oidc_operator_signing_key_active_since_timestamp_seconds When the active key of a SigningKey began to sign.
# TYPE oidc_operator_signing_key_active_since_timestamp_seconds gauge
oidc_operator_signing_key_active_since_timestamp_seconds{algorithm="ES256",namespace="sso",signingkey="rotating"} 200
# HELP oidc_operator_signing_key_next_rotation_timestamp_seconds When another key of a SigningKey is to begin to sign, where that is known.
# TYPE oidc_operator_signing_key_next_rotation_timestamp_seconds gauge
oidc_operator_signing_key_next_rotation_timestamp_seconds{algorithm="ES256",namespace="sso",signingkey="rotating"} 300
`
	if err := testutil.CollectAndCompare(metrics, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.CollectAndLint(metrics); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
