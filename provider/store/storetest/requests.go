package storetest

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func requestCases() cases {
	return cases{
		"a pushed request comes back as it was stored, until it is used up": func(t *testing.T, s store.Store) {
			strange := pushed("strange")
			strange.Parameters = odd
			for _, want := range []store.PushedRequest{pushed("a"), strange} {
				must(t, "CreatePushedRequest", s.CreatePushedRequest(t.Context(), want))
				for range 2 {
					got, err := s.PushedRequest(t.Context(), want.Handle)
					must(t, "PushedRequest", err)
					mustEqual(t, "PushedRequest", got, want)
				}
			}
			must(t, "DeletePushedRequest", s.DeletePushedRequest(t.Context(), pushed("a").Handle))
			must(t, "DeletePushedRequest again", s.DeletePushedRequest(t.Context(), pushed("a").Handle))
			mustBe(t, "PushedRequest", pushedError(t, s, "a"), store.ErrNotFound)
			must(t, "another one", pushedError(t, s, "strange"))
		},
		"a second pushed request with one handle is refused and the first stays": func(t *testing.T, s store.Store) {
			must(t, "CreatePushedRequest", s.CreatePushedRequest(t.Context(), pushed("a")))
			other := pushed("b")
			other.Handle = pushed("a").Handle
			mustBe(t, "CreatePushedRequest", s.CreatePushedRequest(t.Context(), other), store.ErrUnavailable)
			got, err := s.PushedRequest(t.Context(), other.Handle)
			must(t, "PushedRequest", err)
			mustEqual(t, "PushedRequest", got, pushed("a"))
		},
		"a value is used once while it is remembered": func(t *testing.T, s store.Store) {
			value, until := store.HandleOf("value"), now.Add(time.Minute)
			must(t, "UseOnce", s.UseOnce(t.Context(), value, now, until))
			must(t, "UseOnce of another", s.UseOnce(t.Context(), store.HandleOf("another"), now, until))
			mustBe(t, "UseOnce again", s.UseOnce(t.Context(), value, now, keepUntil), store.ErrReplayed)
			mustBe(t, "UseOnce just before the end", s.UseOnce(t.Context(), value, until.Add(-time.Microsecond), keepUntil), store.ErrReplayed)
			must(t, "UseOnce at the end", s.UseOnce(t.Context(), value, until, until.Add(time.Minute)))
			mustBe(t, "UseOnce after it was used anew", s.UseOnce(t.Context(), value, until, keepUntil), store.ErrReplayed)
		},
	}
}
