package controllers

import (
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func rotating(change func(*v1alpha1.ClientSecretRotation)) *v1alpha1.OIDCClient {
	c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"))
	c.UID = "uid"
	if change != nil {
		change(&c.Spec.Credentials.Rotation)
	}
	return c
}

// A thousand clients that were made in the same second do not rotate in the same second, and each knows its time.
func TestRotationsAreScattered(t *testing.T) {
	interval := 1000 * time.Hour
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	seen := map[time.Time]int{}
	for i := range 1000 {
		c := rotating(func(r *v1alpha1.ClientSecretRotation) { r.Interval = &metav1.Duration{Duration: interval} })
		c.UID = types.UID(strings.Repeat("x", i))
		state := secretsState{now: made.Add(time.Hour), issued: issuance{rotatedAt: made}}
		next := nextRotation(c, state)
		if next.Before(made.Add(interval-interval/10-time.Second)) || next.After(made.Add(interval)) {
			t.Fatalf("client %d rotates at %v", i, next)
		}
		state.now = made.Add(500 * time.Hour)
		if again := nextRotation(c, state); !again.Equal(next) {
			t.Fatalf("client %d changes its mind: %v, %v", i, next, again)
		}
		seen[next.Truncate(time.Hour)]++
	}
	if len(seen) < 95 {
		t.Errorf("they rotate within %d different hours only", len(seen))
	}
}

// An interval that is new to old clients does not make all of them rotate now; one that was announced is met when it is due.
func TestOverdueRotations(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	seen := map[time.Time]bool{}
	for i := range 100 {
		c := rotating(func(r *v1alpha1.ClientSecretRotation) { r.Interval = &metav1.Duration{Duration: 100 * time.Hour} })
		c.UID = types.UID(strings.Repeat("y", i))
		state := secretsState{now: now, issued: issuance{rotatedAt: now.Add(-5000 * time.Hour)}}
		next := nextRotation(c, state)
		if !next.After(now) || next.After(now.Add(maxSpread+time.Second)) {
			t.Fatalf("client %d rotates at %v", i, next)
		}
		seen[next] = true
		state.announced = next
		if state.now = now.Add(time.Minute); !nextRotation(c, state).Equal(next) {
			t.Fatal("what was announced is not kept")
		}
		if state.now = next.Add(time.Minute); nextRotation(c, state).After(state.now) {
			t.Fatal("what was announced does not come")
		}
		if state.announced, state.now = now.Add(90*24*time.Hour), now; nextRotation(c, state).After(now.Add(maxSpread + time.Second)) {
			t.Fatal("what was announced for a longer interval is kept")
		}
	}
	if len(seen) < 90 {
		t.Errorf("%d of 100 at different times", len(seen))
	}
	if !nextRotation(rotating(nil), secretsState{now: now, issued: issuance{rotatedAt: now}}).IsZero() {
		t.Error("without an interval nothing is due")
	}
}

// The secret that was replaced ends as its policy says.
func TestRetirement(t *testing.T) {
	rotated := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	const current, previous = "0123456789abcdefghijklmnopqrstuv", "vutsrqponmlkjihgfedcba9876543210"
	entry := func(value string) registration.ClientSecret { return clientSecret(registration.HashSecret(value)) }
	old := entry(previous)
	unused := func(r *v1alpha1.ClientSecretRotation) {
		r.Retire, r.Deadline = v1alpha1.RetireWhenUnused, &metav1.Duration{Duration: 100 * time.Hour}
	}
	for name, test := range map[string]struct {
		policy func(*v1alpha1.ClientSecretRotation)
		after  time.Duration
		used   time.Duration // since the rotation; negative: never
		end    time.Duration // since the rotation; zero: it is gone
		wake   time.Duration
	}{
		"after the overlap, not yet":       {nil, 23 * time.Hour, -1, 24 * time.Hour, 24 * time.Hour},
		"after the overlap, also in use":   {nil, 24 * time.Hour, 23 * time.Hour, 0, 0},
		"when unused, not yet":             {unused, 23 * time.Hour, -1, 100 * time.Hour, 24 * time.Hour},
		"when unused, never used":          {unused, 24 * time.Hour, -1, 0, 0},
		"when unused, used":                {unused, 24 * time.Hour, 10 * time.Hour, 100 * time.Hour, 34*time.Hour + time.Minute},
		"when unused, used no more":        {unused, 35 * time.Hour, 10 * time.Hour, 0, 0},
		"when unused, use unknown":         {unused, 24 * time.Hour, -10 * time.Hour, 100 * time.Hour, 34*time.Hour + time.Minute},
		"when unused, unknown no more":     {unused, 35 * time.Hour, -10 * time.Hour, 0, 0},
		"when unused, used until deadline": {unused, 100 * time.Hour, 99 * time.Hour, 0, 0},
		"shortened to nothing":             {func(r *v1alpha1.ClientSecretRotation) { r.Overlap = &metav1.Duration{} }, time.Hour, -1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			state := secretsState{
				now: rotated.Add(test.after), value: current, uses: map[string]time.Time{},
				issued:     issuance{secretID: entry(current).ID, rotatedAt: rotated},
				registered: []registration.ClientSecret{entry(current), old},
			}
			switch {
			case test.used >= 0:
				state.uses[old.ID] = rotated.Add(test.used)
			case test.used < -1: // that long after the rotation nobody knows any more
				state.unknown = map[string]time.Time{old.ID: rotated.Add(-test.used)}
			}
			plan := planSecrets(rotating(test.policy), state, &madeSecret{}, func() string { t.Fatal("a new secret is made"); return "" })
			if plan.value != current || plan.registered[0] != entry(current) {
				t.Fatalf("got %+v", plan)
			}
			if test.end == 0 {
				if len(plan.registered) != 1 || !plan.retires {
					t.Fatalf("still there: %+v, retires %v", plan.registered, plan.retires)
				}
				return
			}
			if len(plan.registered) != 2 || !plan.registered[1].NotAfter.Equal(rotated.Add(test.end)) {
				t.Fatalf("got %+v", plan.registered)
			}
			if !plan.wake.Equal(rotated.Add(test.wake)) {
				t.Fatalf("looks again at %v", plan.wake)
			}
		})
	}
}

// Whoever rotates or edits the Secret all the time makes the provider compare with no more than a few secrets.
func TestSecretsAreBounded(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	form := presets.FormOf(&v1alpha1.OIDCClient{})
	c := rotating(nil)
	state := secretsState{now: now, value: newClientSecret(form)}
	for i := range 3 * maxSecrets {
		made := &madeSecret{}
		plan := planSecrets(c, state, made, func() string { t.Fatal("a new secret is made"); return "" })
		if len(plan.registered) > maxSecrets || plan.registered[0].Pending || made.find(state.value, plan.registered[:1]) != 0 {
			t.Fatalf("edit %d: %+v", i, plan.registered)
		}
		state.registered, state.issued = plan.registered, plan.issued
		state.now, state.value = state.now.Add(time.Minute), newClientSecret(form)
		state.issued.secretID = registration.SecretID(registration.HashSecret(state.value)) // or it would be hashed at length
	}
	c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "now"}
	state.value = ""
	plan := planSecrets(c, state, &madeSecret{}, func() string { return newClientSecret(form) })
	if len(plan.registered) > maxSecrets || !plan.registered[0].Pending {
		t.Fatalf("got %+v", plan.registered)
	}
	state.registered[0].NotAfter, state.value = now.Add(24*time.Hour), newClientSecret(form)
	current := clientSecret(registration.HashSecret(state.value))
	state.registered[len(state.registered)-1] = current
	state.issued.secretID = current.ID
	plan = planSecrets(c, state, &madeSecret{}, func() string { return newClientSecret(form) })
	if plan.announces || len(plan.notes) != 1 || !strings.Contains(plan.notes[0], "a rotation waits") {
		t.Fatalf("rotates with %d secrets, %v", len(state.registered), plan.notes)
	}
}

// Which replicas a rotation waits for is looked at again when most have had the time, and not over and over.
func TestAWaitForReplicasIsToldAsItIs(t *testing.T) {
	now := time.Now()
	for waited, again := range map[time.Duration]time.Duration{0: patience, patience / 4: patience * 3 / 4, patience: 0, time.Hour: 0} {
		result := clientResult{registered: &registered{since: now.Add(-waited)}}
		if got := untilNext(clientPlan{secrets: secretsPlan{waits: true}}, result, now); got != again {
			t.Errorf("after %v: looks again in %v, want %v", waited, got, again)
		}
		if got := untilNext(clientPlan{}, result, now); got != 0 {
			t.Errorf("looks again in %v though nothing waits", got)
		}
	}
}

// What no replica can know counts as used until then.
func TestUnknownUseOfAClientSecret(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := &v1alpha1.OIDCClient{ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "app"}}
	lease := func(started time.Duration, annotations map[string]string) coordinationv1.Lease {
		l := coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Annotations: annotations}}
		if started != 0 {
			l.Spec.AcquireTime = new(metav1.NewMicroTime(now.Add(-started)))
		}
		return l
	}
	used := map[string]string{registration.AnnotationSecretUses: `{"web.app":{"old":"2026-11-22T10:00:00Z"}}`}
	full := map[string]string{registration.AnnotationUnknownUses: `{"owners":{"web":"2026-11-22T11:00:00Z"},"others":"2026-11-22T09:00:00Z"}`}
	others := map[string]string{registration.AnnotationUnknownUses: `{"owners":{"noisy":"2026-11-22T11:00:00Z"}}`}
	for name, test := range map[string]struct {
		leases        []coordinationv1.Lease
		used, unknown time.Duration // before now
	}{
		"used":                      {[]coordinationv1.Lease{lease(5*time.Hour, used)}, 2 * time.Hour, 5 * time.Hour},
		"not used since the start":  {[]coordinationv1.Lease{lease(5*time.Hour, nil)}, 0, 5 * time.Hour},
		"one replica is younger":    {[]coordinationv1.Lease{lease(5*time.Hour, used), lease(time.Minute, nil)}, 2 * time.Hour, time.Minute},
		"no room for its namespace": {[]coordinationv1.Lease{lease(5*time.Hour, full)}, 0, time.Hour},
		"no room for another's":     {[]coordinationv1.Lease{lease(5*time.Hour, others)}, 0, 5 * time.Hour},
		"an older provider":         {[]coordinationv1.Lease{lease(0, used)}, 0, -1},
		"not understood":            {[]coordinationv1.Lease{lease(5*time.Hour, map[string]string{registration.AnnotationSecretUses: "?"})}, 0, -1},
		"no replica":                {nil, 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			uses, unknown := secretUses(test.leases, c, []registration.ClientSecret{{ID: "old"}}, now)
			ago := func(d time.Duration) time.Time {
				switch d {
				case 0:
					return time.Time{}
				case -1:
					return now
				}
				return now.Add(-d)
			}
			if !uses["old"].Equal(ago(test.used)) || !unknown["old"].Equal(ago(test.unknown)) {
				t.Errorf("used %v, unknown until %v", uses["old"], unknown["old"])
			}
		})
	}
}
