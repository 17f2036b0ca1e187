package storetest

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func mustCountFailures(t *testing.T, s store.Store, at time.Time, want store.Failures) {
	t.Helper()
	got, err := s.Failures(t.Context(), store.HandleOf("key"), at)
	must(t, "Failures", err)
	mustEqual(t, "Failures", got, want)
}

func failureCases() cases {
	key := store.HandleOf("key")
	add := func(t *testing.T, s store.Store, at, until time.Time, count int) {
		t.Helper()
		got, err := s.AddFailure(t.Context(), key, at, until)
		must(t, "AddFailure", err)
		want := store.Failures{Count: count, LastAt: at, ExpiresAt: until}
		mustEqual(t, "AddFailure", got, want)
		mustCountFailures(t, s, at, want)
	}
	return cases{
		"failures are counted under their key": func(t *testing.T, s store.Store) {
			mustCountFailures(t, s, now, store.Failures{})
			add(t, s, now, now.Add(time.Minute), 1)
			add(t, s, now.Add(time.Second), now.Add(2*time.Minute), 2)
			add(t, s, now.Add(2*time.Second), now.Add(3*time.Minute), 3)
			other, err := s.Failures(t.Context(), store.HandleOf("other"), now)
			must(t, "Failures of another", err)
			mustEqual(t, "Failures of another", other, store.Failures{})
		},
		"failures that have expired count no more": func(t *testing.T, s store.Store) {
			end := now.Add(time.Minute)
			add(t, s, now, now.Add(time.Second), 1)
			add(t, s, now, end, 2)
			mustCountFailures(t, s, end.Add(-time.Microsecond), store.Failures{Count: 2, LastAt: now, ExpiresAt: end})
			mustCountFailures(t, s, end, store.Failures{})
			add(t, s, end, end.Add(time.Minute), 1)
		},
		"failures are forgotten on request": func(t *testing.T, s store.Store) {
			must(t, "ClearFailures of nothing", s.ClearFailures(t.Context(), key))
			add(t, s, now, now.Add(time.Minute), 1)
			must(t, "ClearFailures of another", s.ClearFailures(t.Context(), store.HandleOf("other")))
			add(t, s, now, now.Add(time.Minute), 2)
			must(t, "ClearFailures", s.ClearFailures(t.Context(), key))
			mustCountFailures(t, s, now, store.Failures{})
		},
	}
}

func passwordCases() cases {
	return cases{
		"a password comes back as it was stored": func(t *testing.T, s store.Store) {
			must(t, "PutPassword", s.PutPassword(t.Context(), password("a")))
			got, err := s.Password(t.Context(), "subject-a")
			must(t, "Password", err)
			mustEqual(t, "Password", got, password("a"))
			for _, subject := range []string{"", "subject-b", odd} {
				_, err := s.Password(t.Context(), subject)
				mustBe(t, "Password of another", err, store.ErrNotFound)
			}
		},
		"a new password takes the place of the old": func(t *testing.T, s store.Store) {
			want := password("b")
			want.Subject, want.ChangedAt = "subject-a", now.Add(time.Hour)
			must(t, "PutPassword", s.PutPassword(t.Context(), password("a")))
			must(t, "PutPassword", s.PutPassword(t.Context(), want))
			got, err := s.Password(t.Context(), "subject-a")
			must(t, "Password", err)
			mustEqual(t, "Password", got, want)
		},
	}
}
