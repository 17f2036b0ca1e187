package controllers

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// An operator whose cache lags behind its own write must not put another key in place of the one that it has written.
func TestAKeySecretIsReplacedOnlyAsItWasRead(t *testing.T) {
	k, provider, now := gen.SigningKey("sso", "key", "sso"), gen.OIDCProvider("sso", "sso"), time.Now()
	k.UID = "k"
	first, err := planSigningKey(k, signingKeyState{provider: provider}, now, keys.Generate)
	if err != nil {
		t.Fatal(err)
	}
	if first.secret.ResourceVersion != nil {
		t.Error("the first write depends on a version")
	}
	secret := &corev1.Secret{
		Type: registration.SecretType, Data: first.secret.Data,
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "sso", Name: *first.secret.Name, ResourceVersion: "7", Labels: first.secret.Labels, Annotations: first.secret.Annotations,
			OwnerReferences: []metav1.OwnerReference{{Kind: kindSigningKey, UID: "k"}},
		},
	}
	if !ownedBy(resources.Owner(kindSigningKey, client.ObjectKeyFromObject(k)))(secret) {
		t.Fatal("the Secret is not the SigningKey's")
	}
	ring, err := readKeyRing(secret)
	if err != nil {
		t.Fatal(err)
	}
	second, err := planSigningKey(k, signingKeyState{provider: provider, secret: secret, ring: ring}, now, keys.Generate)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := planWithdrawal(secret, provider, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, version := range map[string]*string{"plan": second.secret.ResourceVersion, "withdrawal": gone.desired.ResourceVersion} {
		if version == nil || *version != "7" {
			t.Errorf("the %s replaces whatever stands", name)
		}
	}
	if strings.Contains(string(gone.desired.Data[registration.KindSigningKey.File()]), `"d":`) {
		t.Error("the private key outlives its SigningKey")
	}
	// That the version changes with each write must not make another one necessary.
	before, err := withDigest(second.secret)
	if err != nil {
		t.Fatal(err)
	}
	after, err := withDigest(second.secret.WithResourceVersion("8"))
	if err != nil {
		t.Fatal(err)
	}
	if before.GetAnnotations()[annotationApplied] != after.GetAnnotations()[annotationApplied] {
		t.Error("the digest depends on the version")
	}
}

// Whoever can write the Secret cannot make a fault that hides: what is wrong is said, and nothing is written over it.
func TestASecretThatIsBrokenIsLeftAlone(t *testing.T) {
	k, provider := gen.SigningKey("sso", "key", "sso"), gen.OIDCProvider("sso", "sso")
	l := newLife(t, 0)
	l.step.rotate = "now"
	l.pass(0).expect("Active Published")
	for name, change := range map[string]func(*keyRing, map[string][]byte){
		"two active keys": func(r *keyRing, _ map[string][]byte) { r.document.Keys[1].Phase = registration.PhaseActive },
		"another kid":     func(r *keyRing, _ map[string][]byte) { r.document.Keys[0].KeyID = "x" },
		"memory":          func(_ *keyRing, data map[string][]byte) { data[memoryFile] = []byte("hunter2") },
		"document":        func(_ *keyRing, data map[string][]byte) { data[registration.KindSigningKey.File()] = []byte("hunter2") },
	} {
		t.Run(name, func(t *testing.T) {
			ring, replaced := l.ring.clone(), map[string][]byte{}
			change(ring, replaced)
			data, err := ring.data()
			if err != nil {
				t.Fatal(err)
			}
			for file, content := range replaced {
				data[file] = content
			}
			secret := &corev1.Secret{Data: data, ObjectMeta: metav1.ObjectMeta{
				Labels:      map[string]string{resources.LabelManagedBy: resources.ManagedBy},
				Annotations: map[string]string{resources.AnnotationOwner: resources.Owner(kindSigningKey, client.ObjectKeyFromObject(k))},
			}}
			state := signingKeyState{provider: provider, secret: secret}
			state.ring, state.ringFault = readKeyRing(secret)
			plan, err := planSigningKey(k, state, time.Now(), keys.Generate)
			if err != nil {
				t.Fatal(err)
			}
			if plan.secret != nil || plan.ready.outcome != stalled || strings.Contains(plan.ready.message, "hunter2") {
				t.Errorf("plans %v and says %q", plan.secret != nil, plan.ready.message)
			}
		})
	}
}

// Who revokes a key and has mistaken its ID learns that nothing was revoked, for as long as the annotation says so.
func TestARevocationOfNoKeyIsTold(t *testing.T) {
	k, provider := gen.SigningKey("sso", "key", "sso"), gen.OIDCProvider("sso", "sso")
	revoke := func(state signingKeyState, keyIDs string) signingKeyPlan {
		t.Helper()
		k.Annotations = map[string]string{v1alpha1.AnnotationRevoke: keyIDs}
		plan, err := planSigningKey(k, state, time.Now(), keys.Generate)
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	mistaken := revoke(signingKeyState{provider: provider}, "slip, "+strings.Repeat("x", 100))
	if message := mistaken.ready.message; !strings.Contains(message, `oidc-operator.dev/revoke names "slip"`) || mistaken.ready.outcome != done {
		t.Errorf("says %q", message)
	}
	active := mistaken.progress.ring.in(registration.PhaseActive).KeyID
	state := signingKeyState{provider: provider, ring: mistaken.progress.ring}
	for range 2 { // what was revoked before is no mistake
		plan := revoke(state, active)
		if strings.Contains(plan.ready.message, "revoke") || plan.progress.ring.find(active) != nil {
			t.Errorf("says %q", plan.ready.message)
		}
		state.ring = plan.progress.ring
	}
}
