package storetest

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func mustHaveSession(t *testing.T, s store.Store, want store.Session) {
	t.Helper()
	got, err := s.Session(t.Context(), want.Handle)
	must(t, "Session "+want.ID, err)
	mustEqual(t, "Session "+want.ID, got, want)
}

func sessionCases() cases {
	return cases{
		"a session comes back as it was stored": func(t *testing.T, s store.Store) {
			bare := store.Session{Handle: store.HandleOf("bare"), ID: "sid", Subject: "subject", AuthTime: now, LastSeenAt: now, ExpiresAt: now}
			strange := session("strange")
			strange.UserAgent = odd
			for _, want := range []store.Session{session("a"), bare, strange} {
				must(t, "CreateSession", s.CreateSession(t.Context(), want))
			}
			for _, want := range []store.Session{session("a"), bare, strange} {
				mustHaveSession(t, s, want)
				byID, err := s.SessionByID(t.Context(), want.ID)
				must(t, "SessionByID", err)
				mustEqual(t, "SessionByID", byID, want)
			}
		},
		"times are kept to the microsecond in UTC": func(t *testing.T, s store.Store) {
			want := session("a")
			want.AuthTime = time.Date(2026, 7, 8, 9, 10, 11, 987654321, time.FixedZone("east", 3*3600))
			want.LastSeenAt = time.Time{}
			must(t, "CreateSession", s.CreateSession(t.Context(), want))
			want.AuthTime = time.Date(2026, 7, 8, 6, 10, 11, 987654000, time.UTC)
			mustHaveSession(t, s, want)
		},
		"an unknown session is not found": func(t *testing.T, s store.Store) {
			mustBe(t, "Session", sessionError(t, s, "a"), store.ErrNotFound)
			for _, id := range []string{"", "sid-a", odd} {
				_, err := s.SessionByID(t.Context(), id)
				mustBe(t, "SessionByID", err, store.ErrNotFound)
			}
			sessions, err := s.SessionsOf(t.Context(), odd)
			must(t, "SessionsOf", err)
			mustEqual(t, "sessions of nobody", len(sessions), 0)
		},
		"a second session with one handle or ID is refused and the first stays": func(t *testing.T, s store.Store) {
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			other := session("b")
			other.Handle = session("a").Handle
			mustBe(t, "CreateSession with a handle that exists", s.CreateSession(t.Context(), other), store.ErrUnavailable)
			other = session("b")
			other.ID = session("a").ID
			mustBe(t, "CreateSession with an ID that exists", s.CreateSession(t.Context(), other), store.ErrUnavailable)
			mustHaveSession(t, s, session("a"))
		},
		"the sessions of a subject come newest login first": func(t *testing.T, s store.Store) {
			var want []store.Session
			for i, minute := range []int{2, 9, 4} {
				one := session(number(i))
				one.Subject, one.AuthTime = "someone", now.Add(time.Duration(minute)*time.Minute)
				must(t, "CreateSession", s.CreateSession(t.Context(), one))
				want = append(want, one)
			}
			must(t, "CreateSession", s.CreateSession(t.Context(), session("other")))
			got, err := s.SessionsOf(t.Context(), "someone")
			must(t, "SessionsOf", err)
			mustEqual(t, "SessionsOf", got, []store.Session{want[1], want[2], want[0]})
		},
		"what callers do with their lists later does not matter": func(t *testing.T, s store.Store) {
			in := session("a")
			must(t, "CreateSession", s.CreateSession(t.Context(), in))
			in.AuthMethods[0] = "changed"
			mustHaveSession(t, s, session("a"))
			out, err := s.Session(t.Context(), in.Handle)
			must(t, "Session", err)
			out.AuthMethods[0] = "changed"
			mustHaveSession(t, s, session("a"))
		},
		"a session's last use moves forward and never back": func(t *testing.T, s store.Store) {
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			must(t, "TouchSession", s.TouchSession(t.Context(), session("a").Handle, now.Add(5*time.Minute)))
			must(t, "TouchSession", s.TouchSession(t.Context(), session("a").Handle, now.Add(3*time.Minute)))
			want := session("a")
			want.LastSeenAt = now.Add(5 * time.Minute)
			mustHaveSession(t, s, want)
		},
		"using a session that is gone does not bring it back": func(t *testing.T, s store.Store) {
			must(t, "TouchSession", s.TouchSession(t.Context(), session("a").Handle, now))
			mustBe(t, "Session", sessionError(t, s, "a"), store.ErrNotFound)
		},
	}
}
