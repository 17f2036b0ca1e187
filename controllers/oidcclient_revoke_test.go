package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// secretsWorld plays the two Secrets and the provider to planSecrets.
type secretsWorld struct {
	t          *testing.T
	now        time.Time
	c          *v1alpha1.OIDCClient
	value      string
	issued     issuance
	registered []registration.ClientSecret
	existing   *broughtSecret
	reached    bool
	made       *madeSecret
	next       []string
	plan       secretsPlan
}

func newSecretsWorld(t *testing.T) *secretsWorld {
	t.Helper()
	return &secretsWorld{
		t: t, now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), c: rotating(nil), made: &madeSecret{}, reached: true,
		next: []string{strings.Repeat("a", 32), strings.Repeat("b", 32), strings.Repeat("c", 32)},
	}
}

// step makes one plan and does what it says, as clientReconciler.apply does.
func (w *secretsWorld) step() {
	w.t.Helper()
	state := secretsState{now: w.now, value: w.value, issued: w.issued, brought: w.existing, reached: wait("", "")}
	if w.reached {
		state.reached = accept("", "")
	}
	state.registered, state.revoked = revoke(w.registered, w.c.RevokedSecretIDs())
	w.plan = planSecrets(w.c, state, w.made, func() string {
		fresh := w.next[0]
		w.next = w.next[1:]
		return fresh
	})
	w.registered = w.plan.registered
	if w.plan.value != "" {
		w.value, w.issued = w.plan.value, w.plan.issued
	}
}

func (w *secretsWorld) settle() {
	w.t.Helper()
	for range 5 {
		w.step()
	}
	before := slices.Clone(w.registered)
	if w.step(); len(w.plan.revokes) > 0 || w.plan.retires || !slices.Equal(before, w.registered) {
		w.t.Fatalf("does not come to rest: %+v", w.plan)
	}
}

func (w *secretsWorld) revoke(ids ...string) {
	w.c.Annotations = map[string]string{v1alpha1.AnnotationRevoke: strings.Join(ids, ", ")}
}

// works tells whether the provider takes a client secret.
func (w *secretsWorld) works(value string) bool {
	return (&madeSecret{}).find(value, unexpired(w.registered, w.now)) >= 0
}

func TestRevokedClientSecret(t *testing.T) {
	a, b := strings.Repeat("a", 32), strings.Repeat("b", 32)
	idOf := func(value string) string { return registration.SecretID(registration.HashSecret(value)) }
	t.Run("the current one ends before another is there", func(t *testing.T) {
		w := newSecretsWorld(t)
		w.settle()
		w.revoke(idOf(a))
		w.reached = false
		w.step()
		if w.works(a) || !slices.Equal(w.plan.revokes, []string{idOf(a)}) || !w.plan.retires || w.value != a {
			t.Fatalf("after the first step: works %t, %+v", w.works(a), w.plan)
		}
		w.step()
		if w.value != a || len(w.plan.revokes) != 0 {
			t.Fatal("another one is given out before replicas know it, or it is revoked twice")
		}
		w.reached = true
		w.settle()
		if w.value != b || !w.works(b) || w.works(a) || len(w.plan.notes) != 0 || len(w.plan.replacements) != 0 {
			t.Fatalf("the Secret holds %q; %+v", w.value, w.plan)
		}
		w.c.Annotations = nil
		w.value = a // somebody puts it back
		w.step()
		if w.works(a) {
			t.Error("works again when the annotation is gone")
		}
	})
	t.Run("a replaced one ends alone", func(t *testing.T) {
		w := newSecretsWorld(t)
		w.settle()
		w.c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "1"}
		w.settle()
		if w.value != b || !w.works(a) || !w.works(b) {
			t.Fatal("was not rotated")
		}
		w.c.Annotations[v1alpha1.AnnotationRevoke] = idOf(a)
		w.step()
		if w.works(a) || !w.works(b) || w.value != b || len(w.plan.replacements) != 0 {
			t.Fatalf("got %+v", w.plan)
		}
		w.settle()
	})
	t.Run("one that is about to be given out is not", func(t *testing.T) {
		w := newSecretsWorld(t)
		w.settle()
		w.reached = false
		w.c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "1"}
		w.step()
		w.c.Annotations[v1alpha1.AnnotationRevoke] = idOf(b)
		w.reached = true
		w.settle()
		if w.works(b) || w.value == b || !w.works(w.value) {
			t.Errorf("the Secret holds %q", w.value)
		}
	})
	t.Run("an existing one ends, and is refused until its Secret changes", func(t *testing.T) {
		w := newSecretsWorld(t)
		w.c.Spec.Credentials.ExistingSecretRef = &v1alpha1.ClientSecretReference{Name: "mine"}
		w.existing = &broughtSecret{value: "Kx7!pQ2#vN9$zR4%wT6&", verdict: accept("", "")}
		w.settle()
		leaked, id := w.value, w.registered[0].ID
		if leaked != w.existing.value {
			t.Fatalf("the Secret holds %q", leaked)
		}
		w.revoke(id)
		w.step()
		if w.works(leaked) || w.plan.pending == nil || w.plan.pending.reason != v1alpha1.ReasonClientSecretRevoked || strings.Contains(w.plan.pending.message, leaked) {
			t.Fatalf("works %t, %+v", w.works(leaked), w.plan.pending)
		}
		w.settle()
		w.c.Annotations = nil
		w.settle()
		if w.works(leaked) {
			t.Fatal("works again when the annotation is gone")
		}
		w.existing.value = "Another-0ne-that-is-l0ng-enough!"
		w.settle()
		if w.value != w.existing.value || !w.works(w.value) || w.works(leaked) {
			t.Errorf("the next one is not taken: %+v", w.plan)
		}
	})
	t.Run("a slip is told", func(t *testing.T) {
		w := newSecretsWorld(t)
		w.settle()
		w.revoke("slip")
		w.step()
		if len(w.plan.notes) != 1 || !strings.Contains(w.plan.notes[0], `"slip"`) || !w.works(a) || w.value != a {
			t.Errorf("got %+v", w.plan)
		}
	})
	t.Run("what is remembered is bounded", func(t *testing.T) {
		w := newSecretsWorld(t)
		for _, letter := range "defghijk" {
			w.next = append(w.next, strings.Repeat(string(letter), 32))
		}
		w.settle()
		var ids []string
		for range 8 {
			ids = append(ids, w.registered[0].ID)
			w.revoke(ids...)
			w.settle()
		}
		if len(w.registered) != 1+maxRevoked || !w.works(w.value) {
			t.Errorf("%d are registered", len(w.registered))
		}
	})
}
