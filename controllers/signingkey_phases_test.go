package controllers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// life drives one SigningKey's keys by a clock of its own.
type life struct {
	t    *testing.T
	ring *keyRing
	step keyStep
	last *keyProgress
	told []string
}

const day = 24 * time.Hour

func newLife(t *testing.T, interval time.Duration) *life {
	t.Helper()
	l := &life{t: t, ring: &keyRing{document: registration.SigningKey{Name: "key", Algorithm: "ES256"}}}
	l.step = keyStep{
		now:      time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		interval: interval, publishBefore: day, retainAfter: day, served: true,
		generate: func() (registration.Key, error) { return makeKey(t), nil },
	}
	l.pass(0)
	return l
}

func makeKey(t *testing.T) registration.Key {
	t.Helper()
	keyID, jwk, err := keys.Generate("ES256", 0)
	if err != nil {
		t.Fatal(err)
	}
	return registration.Key{KeyID: keyID, PrivateJWK: jwk}
}

// pass lets time pass and then reconciles once. The ring goes through what the Secret would hold.
func (l *life) pass(d time.Duration) *life {
	l.t.Helper()
	l.step.now = l.step.now.Add(d)
	p, err := advanceKeys(l.ring, l.step)
	if err != nil {
		l.t.Fatal(err)
	}
	l.last, l.ring = p, p.ring
	if err := l.ring.document.Validate(); err != nil {
		l.t.Fatal(err)
	}
	for _, happened := range p.transitions {
		l.told = append(l.told, happened.reason)
	}
	// Nothing more is to be done now: else a restart would write.
	again, err := advanceKeys(l.ring, l.step)
	if err != nil {
		l.t.Fatal(err)
	}
	one, _ := l.ring.data()
	two, _ := again.ring.data()
	if len(again.transitions) > 0 || fmt.Sprint(one) != fmt.Sprint(two) {
		if l.step.served && l.ring.memory.ServedAt.IsZero() && !again.ring.memory.ServedAt.IsZero() {
			return l // the replicas' report on what was just written
		}
		l.t.Fatalf("a second pass changes %s to %s", l.phases(), phasesOf(again.ring))
	}
	return l
}

// until goes from one scheduled moment to the next and reports how often it had to.
func (l *life) until(end time.Duration) int {
	l.t.Helper()
	stop, steps := l.step.now.Add(end), 0
	for {
		l.pass(0) // the replicas' report on what was written last
		if l.last.next.IsZero() || l.last.next.After(stop) {
			l.step.now = stop
			return steps
		}
		if !l.last.next.After(l.step.now) {
			l.t.Fatalf("is scheduled for %s at %s", l.last.next, l.step.now)
		}
		l.pass(l.last.next.Sub(l.step.now))
		steps++
	}
}

func phasesOf(ring *keyRing) string {
	var phases []string
	for _, key := range ring.document.Keys {
		phases = append(phases, string(key.Phase))
	}
	return strings.Join(phases, " ")
}

func (l *life) phases() string { return phasesOf(l.ring) }

func (l *life) expect(phases string) *life {
	l.t.Helper()
	if got := l.phases(); got != phases {
		l.t.Fatalf("keys are %q at %s, want %q", got, l.step.now, phases)
	}
	return l
}

func (l *life) active() string {
	l.t.Helper()
	key := l.ring.in(registration.PhaseActive)
	if key == nil {
		l.t.Fatal("no key is active")
	}
	return key.KeyID
}

func (l *life) expectTold(reasons ...string) {
	l.t.Helper()
	if !slices.Equal(l.told, reasons) {
		l.t.Fatalf("told %v, want %v", l.told, reasons)
	}
	l.told = nil
}

func TestLifeOfAKey(t *testing.T) {
	l := newLife(t, 90*day).expect("Active")
	first, start := l.active(), l.step.now
	if l.last.rotates != start.Add(90*day) || l.last.next != start.Add(89*day) {
		t.Fatalf("rotates %s, next %s", l.last.rotates, l.last.next)
	}
	l.pass(89*day - time.Second).expect("Active")
	l.pass(time.Second).expect("Active Published")
	l.pass(time.Second).expect("Active Published") // the replicas report
	if l.last.rotates != start.Add(90*day+time.Second) || l.last.next != l.last.rotates {
		t.Fatalf("rotates %s, next %s", l.last.rotates, l.last.next)
	}
	l.pass(day - time.Second).expect("Active Published")
	l.pass(time.Second).expect("Retiring Active")
	retired := l.ring.find(first)
	if strings.Contains(string(retired.PrivateJWK), `"d":`) {
		t.Error("the private half of a key that signs no more is kept")
	}
	if want := l.step.now.Add(day + retireMargin); retired.RetiresAt != want || l.last.next != want {
		t.Fatalf("retires %s, next %s, want %s", retired.RetiresAt, l.last.next, want)
	}
	l.pass(day + retireMargin - time.Second).expect("Retiring Active")
	l.pass(time.Second).expect("Active")
	if !slices.Equal(l.ring.memory.Used, []string{first}) {
		t.Errorf("remembers %v", l.ring.memory.Used)
	}
	l.expectTold("KeyActivated", "KeyPublished", "KeyActivated", "KeyRetired")
	// Years by the schedule alone: three steps a rotation, never without an active key.
	if steps := l.until(10 * 365 * day); steps < 3*38 || steps > 3*42 {
		t.Errorf("ten years took %d steps", steps)
	}
	l.active()
}

func TestNothingRotatesUnasked(t *testing.T) {
	l := newLife(t, 0)
	first := l.active()
	l.pass(3650 * day).expect("Active")
	if l.active() != first || !l.last.next.IsZero() || !l.last.rotates.IsZero() {
		t.Fatal("a key without interval is scheduled")
	}
}

func TestRotationOnRequest(t *testing.T) {
	l := newLife(t, 0)
	l.step.rotate = "one"
	l.pass(time.Hour).expect("Active Published").pass(time.Minute)
	l.pass(day).expect("Retiring Active")
	l.pass(time.Hour).expect("Retiring Active") // once per value
	l.step.rotate = ""
	l.pass(0).step.rotate = "one" // taken back and put again
	l.pass(0).expect("Retiring Active")
	l.step.rotate = "two"
	l.pass(time.Hour).expect("Retiring Active Published")
	l.step.rotate = "three" // answered by the one that is under way
	l.pass(time.Minute).expect("Retiring Active Published")
	l.pass(day).expect("Retiring Active") // the first one is gone
	l.pass(2 * day).expect("Active")
	created := newLife(t, 0)
	created.ring = &keyRing{document: registration.SigningKey{Algorithm: "ES256"}}
	created.step.rotate = "from the manifest"
	created.pass(0).pass(day).expect("Active")
}

// Activating waits for the replicas, then for publishBefore, and for the replicas again.
func TestNothingSignsBeforeEveryReplicaServesIt(t *testing.T) {
	l := newLife(t, 0)
	l.step.rotate, l.step.served = "now", false
	l.pass(0).pass(100 * day).expect("Active Published")
	if !l.last.next.IsZero() || !l.last.rotates.IsZero() {
		t.Error("what waits for a report is scheduled")
	}
	l.step.served = true
	l.pass(0).pass(day - time.Second).expect("Active Published")
	l.step.served = false
	l.pass(time.Hour).expect("Active Published")
	l.step.served = true
	l.pass(time.Hour).expect("Retiring Active")
}

// A report on the Secret as it stood says nothing of a key that is put into it in the same pass.
func TestAReportOnTheSecretBeforeDoesNotCount(t *testing.T) {
	l := newLife(t, 0)
	l.step.rotate, l.step.publishBefore = "now", 0
	p, err := advanceKeys(l.ring, l.step)
	if err != nil {
		t.Fatal(err)
	}
	if got := phasesOf(p.ring); got != "Active Published" || !p.ring.memory.ServedAt.IsZero() {
		t.Fatalf("keys are %q, served since %s", got, p.ring.memory.ServedAt)
	}
}

func TestDowntimeAndClocks(t *testing.T) {
	t.Run("several intervals missed are one rotation", func(t *testing.T) {
		l := newLife(t, 30*day)
		l.pass(200 * day).expect("Active Published").pass(time.Minute).expect("Active Published")
		l.pass(day).expect("Retiring Active").pass(0).expect("Retiring Active")
	})
	t.Run("down while a key is published", func(t *testing.T) {
		l := newLife(t, 30*day)
		l.pass(29 * day).pass(time.Minute).expect("Active Published")
		l.pass(300 * day).expect("Retiring Active")
		if left := l.ring.document.Keys[0].RetiresAt.Sub(l.step.now); left < day {
			t.Errorf("the key that has signed until now is known for %s more", left)
		}
	})
	t.Run("a clock that was ahead", func(t *testing.T) {
		l := newLife(t, 30*day)
		l.step.now = l.step.now.Add(3650 * day)
		l.pass(0).pass(time.Minute).expect("Active Published")
		l.step.now = l.step.now.Add(-3650 * day)
		l.pass(0).expect("Active Published")
		l.pass(day).expect("Retiring Active")
		l.pass(2 * day).expect("Active")
		if next := l.last.next.Sub(l.step.now); next > 30*day {
			t.Errorf("the next rotation is %s away", next)
		}
	})
	t.Run("a clock that goes back", func(t *testing.T) {
		l := newLife(t, 30*day)
		l.pass(29 * day).pass(time.Minute)
		l.step.now = l.step.now.Add(-10 * day)
		l.pass(0).expect("Active Published").pass(day - time.Second).expect("Active Published").pass(time.Second).expect("Retiring Active")
		l.step.now = l.step.now.Add(-10 * day)
		l.pass(0).expect("Retiring Active")
		l.pass(day + retireMargin - time.Second).expect("Retiring Active").pass(time.Second).expect("Active")
	})
}

func TestRevocation(t *testing.T) {
	t.Run("of the active key makes another at once", func(t *testing.T) {
		l := newLife(t, 0)
		revoked := l.active()
		l.told = nil
		l.step.revoke = []string{revoked}
		l.pass(0).expect("Active")
		if l.active() == revoked || !slices.Equal(l.ring.memory.Used, []string{revoked}) {
			t.Fatal("the key is still used")
		}
		l.expectTold("KeyRevoked", "KeyActivated")
		kept := l.active()
		if l.pass(day); l.active() != kept {
			t.Error("an annotation that stays revokes again")
		}
	})
	t.Run("while a key is published makes that one sign", func(t *testing.T) {
		l := newLife(t, 0)
		l.step.rotate = "now"
		l.pass(0).expect("Active Published")
		published := l.ring.in(registration.PhasePublished).KeyID
		l.step.revoke = []string{l.active()}
		if l.pass(0).expect("Active"); l.active() != published {
			t.Error("it is another one")
		}
	})
	t.Run("of everything", func(t *testing.T) {
		l := newLife(t, 0)
		l.step.rotate = "one"
		l.pass(0).pass(time.Minute).pass(day).step.rotate = "two"
		l.pass(0).expect("Retiring Active Published")
		for _, key := range l.ring.document.Keys {
			l.step.revoke = append(l.step.revoke, key.KeyID)
		}
		l.pass(0).expect("Active")
		if slices.Contains(l.step.revoke, l.active()) {
			t.Error("a revoked key signs")
		}
	})
	t.Run("of a key that nobody knows does nothing", func(t *testing.T) {
		l := newLife(t, 0)
		l.told, l.step.revoke = nil, []string{"unknown"}
		l.pass(0).expect("Active").expectTold()
	})
}

func TestImportedKeys(t *testing.T) {
	start := func(t *testing.T) (*life, registration.Key) {
		t.Helper()
		l := newLife(t, 0)
		l.step.generate = func() (registration.Key, error) {
			t.Error("a key is made although one is imported")
			return registration.Key{}, nil
		}
		key := makeKey(t)
		l.step.imports, l.step.imported = true, &key
		l.ring = &keyRing{document: registration.SigningKey{Algorithm: "ES256"}}
		l.pass(0).expect("Active")
		return l, key
	}
	t.Run("another key in the Secret goes through the phases", func(t *testing.T) {
		l, first := start(t)
		second := makeKey(t)
		l.step.imported = &second
		l.pass(0).expect("Active Published").pass(time.Minute).pass(day).expect("Retiring Active")
		if l.active() != second.KeyID {
			t.Error("another key signs")
		}
		l.step.imported = &first
		if l.pass(0).expect("Retiring Active"); !strings.Contains(l.last.refused, "another has replaced") {
			t.Errorf("says %q of a retiring key", l.last.refused)
		}
		if l.pass(3 * day).expect("Active"); !strings.Contains(l.last.refused, "used before") {
			t.Errorf("says %q of a retired key", l.last.refused)
		}
	})
	t.Run("going back before the change is over drops the new key", func(t *testing.T) {
		l, first := start(t)
		second := makeKey(t)
		l.step.imported = &second
		l.pass(0).expect("Active Published")
		third := makeKey(t)
		l.step.imported = &third
		l.pass(time.Hour).expect("Active Published")
		if l.ring.in(registration.PhasePublished).KeyID != third.KeyID || !l.ring.memory.ServedAt.IsZero() {
			t.Error("the third key does not begin to wait")
		}
		l.step.imported = &first
		l.pass(time.Hour).expect("Active")
		l.step.imported = &second // it has never signed
		l.pass(time.Hour).expect("Active Published")
	})
	t.Run("the Secret vanishes", func(t *testing.T) {
		l, _ := start(t)
		l.step.imported = nil
		l.pass(100 * day).expect("Active")
	})
	t.Run("a revoked key is not taken again", func(t *testing.T) {
		l, first := start(t)
		l.step.revoke = []string{first.KeyID}
		if l.pass(0).expect(""); l.last.refused == "" {
			t.Error("nothing is said")
		}
		second := makeKey(t)
		l.step.imported = &second
		l.pass(0).expect("Active")
	})
	t.Run("asking for a rotation is answered with how", func(t *testing.T) {
		l, _ := start(t)
		l.told, l.step.rotate = nil, "now"
		l.pass(0).pass(0).expect("Active").expectTold(v1alpha1.ReasonRotationIgnored)
	})
	t.Run("a made key after an imported one", func(t *testing.T) {
		l, _ := start(t)
		l.step.imports, l.step.imported, l.step.rotate = false, nil, "now"
		l.step.generate = func() (registration.Key, error) { return makeKey(t), nil }
		l.pass(0).pass(time.Minute).pass(day).expect("Retiring Active")
		if len(l.ring.memory.Imported) != 1 {
			t.Errorf("imported are %v", l.ring.memory.Imported)
		}
		if l.pass(2 * day); len(l.ring.memory.Imported) != 0 {
			t.Errorf("imported are %v", l.ring.memory.Imported)
		}
	})
}

// However often somebody asks, the JWKS stays small, and each request is answered in the end.
func TestTheJWKSStaysSmall(t *testing.T) {
	l := newLife(t, 0)
	l.step.publishBefore = 10 * time.Minute
	held := false
	for i := range 40 {
		l.step.rotate = fmt.Sprint(i)
		l.pass(0).pass(time.Second).pass(10 * time.Minute)
		held = held || l.last.held
		if n := len(l.ring.document.Keys); n > maxKeys {
			t.Fatalf("there are %d keys", n)
		}
	}
	if !held || l.ring.memory.RotateHandled == "39" {
		t.Fatal("nothing was held back")
	}
	l.until(day)
	if l.ring.memory.RotateHandled != "39" {
		t.Error("a request that was held back is forgotten")
	}
}

func TestUsedKeyIDsAreBounded(t *testing.T) {
	ring := &keyRing{}
	for i := range 2 * maxUsedKeyIDs {
		ring.drop(fmt.Sprint(i), true)
	}
	if len(ring.memory.Used) != maxUsedKeyIDs || ring.memory.Used[0] != fmt.Sprint(maxUsedKeyIDs) {
		t.Errorf("%d remembered, the first is %s", len(ring.memory.Used), ring.memory.Used[0])
	}
}

// What a key has signed can be verified for as long as it can be valid, whatever the spec says.
func TestRetentionCoversEveryToken(t *testing.T) {
	l := newLife(t, 0)
	l.step.retainAfter, l.step.rotate = time.Second, "now"
	l.pass(0).pass(time.Minute).pass(day).expect("Retiring Active")
	if left := l.ring.document.Keys[0].RetiresAt.Sub(l.step.now); left < registration.MaxTokenLifetime {
		t.Errorf("is gone after %s", left)
	}
}

// A key's Secret is read by the provider strictly: nothing of what the operator remembers may be in the document.
func TestTheProviderReadsTheDocument(t *testing.T) {
	l := newLife(t, 0)
	l.step.rotate = "now"
	l.pass(0).pass(time.Minute).pass(day)
	data, err := l.ring.data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registration.Parse[registration.SigningKey](data[registration.KindSigningKey.File()]); err != nil {
		t.Error(err)
	}
	var memory keyMemory
	if err := json.Unmarshal(data[memoryFile], &memory); err != nil || memory.RotateHandled != "now" {
		t.Errorf("memory is %+v: %v", memory, err)
	}
}

func TestARotationWakesNoClient(t *testing.T) {
	with := func(keyID string) *v1alpha1.SigningKey {
		return &v1alpha1.SigningKey{Status: v1alpha1.SigningKeyStatus{ActiveKeyID: keyID}}
	}
	for name, test := range map[string]struct {
		before, after string
		wakes         bool
	}{
		"rotated": {"a", "b", false}, "published": {"a", "a", false}, "first": {"", "a", true}, "last": {"a", "", true},
	} {
		if got := activityPredicate().Update(event.UpdateEvent{ObjectOld: with(test.before), ObjectNew: with(test.after)}); got != test.wakes {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
