package storetest

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func mustCountNotices(t *testing.T, s store.Store, want int) {
	t.Helper()
	got, err := s.CountNotices(t.Context())
	must(t, "CountNotices", err)
	mustEqual(t, "CountNotices", got, want)
}

func take(t *testing.T, s store.Store, at, until time.Time, limit int) []store.Notice {
	t.Helper()
	notices, err := s.TakeNotices(t.Context(), at, until, limit)
	must(t, "TakeNotices", err)
	return notices
}

// due is a notice that is due at a time.
func due(name string, at time.Time) store.Notice {
	n := notice(name)
	n.NextAt = at
	return n
}

// taken is a notice as TakeNotices returns it.
func taken(n store.Notice, attempts int, until time.Time) store.Notice {
	n.Attempts, n.NextAt = attempts, until
	return n
}

func noticeCases() cases {
	return cases{
		"notices are taken when they are due, the longest due first": func(t *testing.T, s store.Store) {
			late, early, future := due("a late", now), due("z early", now.Add(-time.Minute)), due("future", now.Add(time.Microsecond))
			createNotices(t, s, late, early, future)
			until := now.Add(time.Minute)
			mustEqual(t, "TakeNotices", take(t, s, now, until, 10), []store.Notice{taken(early, 1, until), taken(late, 1, until)})
			mustCountNotices(t, s, 3)
		},
		"a taken notice is due again later": func(t *testing.T, s store.Store) {
			createNotices(t, s, notice("a"))
			until := now.Add(time.Minute)
			mustEqual(t, "TakeNotices", take(t, s, now, until, 10), []store.Notice{taken(notice("a"), 1, until)})
			mustEqual(t, "TakeNotices before it is due again", len(take(t, s, until.Add(-time.Microsecond), keepUntil, 10)), 0)
			later := until.Add(time.Minute)
			mustEqual(t, "TakeNotices when it is due again", take(t, s, until, later, 10), []store.Notice{taken(notice("a"), 2, later)})
		},
		"no more notices are taken than asked for": func(t *testing.T, s store.Store) {
			createNotices(t, s, due("c", now.Add(-time.Minute)), due("b", now.Add(-2*time.Minute)), due("a", now.Add(-3*time.Minute)))
			until := now.Add(time.Minute)
			first := take(t, s, now, until, 2)
			mustEqual(t, "the first two", []string{first[0].ID, first[1].ID}, []string{"notice-a", "notice-b"})
			second := take(t, s, now, until, 2)
			mustEqual(t, "what is left", len(second), 1)
			mustEqual(t, "the third", second[0].ID, "notice-c")
		},
		"an expired notice is taken, too": func(t *testing.T, s store.Store) {
			createNotices(t, s, notice("a"))
			at := notice("a").ExpiresAt
			until := at.Add(time.Minute)
			mustEqual(t, "TakeNotices", take(t, s, at, until, 10), []store.Notice{taken(notice("a"), 1, until)})
		},
		"a notice can be put off": func(t *testing.T, s store.Store) {
			createNotices(t, s, notice("a"), notice("b"))
			later := now.Add(time.Minute)
			must(t, "PostponeNotice", s.PostponeNotice(t.Context(), "notice-a", later))
			must(t, "PostponeNotice of nothing", s.PostponeNotice(t.Context(), "nothing", later))
			mustEqual(t, "TakeNotices", take(t, s, now, later, 10), []store.Notice{taken(notice("b"), 1, later)})
			mustEqual(t, "TakeNotices later", len(take(t, s, later, later, 10)), 2)
		},
		"a deleted notice is gone and others stay": func(t *testing.T, s store.Store) {
			mustCountNotices(t, s, 0)
			createNotices(t, s, notice("a"), notice("b"))
			must(t, "DeleteNotice", s.DeleteNotice(t.Context(), "notice-a"))
			must(t, "DeleteNotice again", s.DeleteNotice(t.Context(), "notice-a"))
			mustCountNotices(t, s, 1)
			mustEqual(t, "TakeNotices", take(t, s, now, keepUntil, 10), []store.Notice{taken(notice("b"), 1, keepUntil)})
		},
	}
}
