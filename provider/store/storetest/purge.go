package storetest

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// never is before everything in the suite, for purges that are not about idle sessions.
var never = now.Add(-time.Hour)

func purge(t *testing.T, s store.Store, at, idleSince time.Time, limit int) int {
	t.Helper()
	deleted, err := s.Purge(t.Context(), at, idleSince, limit, nil)
	must(t, "Purge", err)
	return deleted
}

// expiring stores one thing of every kind that expires, each at the same time, and returns how many those are and how to find
// out whether each is there.
func expiring(t *testing.T, s store.Store, name string, at time.Time) map[string]func() error {
	t.Helper()
	ses, g, tok, dev, push := session(name), grant(name), token(name), device(name), pushed(name)
	g.ExpiresAt, ses.ExpiresAt, tok.ExpiresAt, dev.ExpiresAt, push.ExpiresAt = at, at, at, at, at
	tok.GrantID = ""
	n := notice(name)
	n.ExpiresAt = at
	createNotices(t, s, n)
	must(t, "CreateSession", s.CreateSession(t.Context(), ses))
	must(t, "CreateGrant", s.CreateGrant(t.Context(), g))
	must(t, "CreateAccessToken", s.CreateAccessToken(t.Context(), tok))
	must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), dev))
	must(t, "CreatePushedRequest", s.CreatePushedRequest(t.Context(), push))
	must(t, "UseOnce", s.UseOnce(t.Context(), store.HandleOf(name), now, at))
	_, err := s.AddFailure(t.Context(), store.HandleOf(name), now, at)
	must(t, "AddFailure", err)
	there := func(ok bool, err error) error {
		if err == nil && !ok {
			return store.ErrNotFound
		}
		return err
	}
	return map[string]func() error{
		"session":        func() error { return sessionError(t, s, name) },
		"grant":          func() error { return grantError(t, s, name) },
		"access token":   func() error { return tokenError(t, s, name) },
		"device request": func() error { return deviceError(t, s, name) },
		"pushed request": func() error { return pushedError(t, s, name) },
		"failures": func() error {
			f, err := s.Failures(t.Context(), store.HandleOf(name), now)
			return there(f.Count > 0, err)
		},
		"notice": func() error { // only one of them is there in these tests
			count, err := s.CountNotices(t.Context())
			return there(count > 0, err)
		},
		"used value": func() error { // asked last, by using it
			return nil
		},
	}
}

func purgeCases() cases {
	return cases{
		"a purge deletes what has expired, of every kind": func(t *testing.T, s store.Store) {
			end := now.Add(2 * time.Hour)
			old := expiring(t, s, "old", end)
			mustEqual(t, "deleted at the very moment", purge(t, s, end, never, 100), 0)
			for what, err := range old {
				must(t, what+" at the very moment of its end", err())
			}
			mustBe(t, "the used value", s.UseOnce(t.Context(), store.HandleOf("old"), now, end), store.ErrReplayed)
			mustEqual(t, "deleted a microsecond later", purge(t, s, end.Add(time.Microsecond), never, 100), len(old))
			delete(old, "used value")
			for what, err := range old {
				mustBe(t, what, err(), store.ErrNotFound)
			}
			must(t, "the forgotten value", s.UseOnce(t.Context(), store.HandleOf("old"), now, end))
		},
		"a purge leaves what has not expired, and what never does": func(t *testing.T, s store.Store) {
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			must(t, "PutPassword", s.PutPassword(t.Context(), password("a")))
			fresh := expiring(t, s, "fresh", now.Add(48*time.Hour))
			mustEqual(t, "deleted", purge(t, s, keepUntil, never, 100), 0)
			for what, err := range fresh {
				must(t, what, err())
			}
			purge(t, s, keepUntil.AddDate(100, 0, 0), never, 100)
			_, err := s.Consent(t.Context(), "subject-a", client("a"))
			must(t, "consents do not expire", err)
			_, err = s.Password(t.Context(), "subject-a")
			must(t, "passwords do not expire", err)
		},
		"a redeemed code is known as long as its grant": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			redeem(t, s, "a")
			mustEqual(t, "deleted", purge(t, s, keepUntil, never, 100), 2) // the access token and the session
			mustBe(t, "a replay", s.RedeemCode(t.Context(), "grant-a", refresh("b", 0), nil, keepUntil), store.ErrRedeemed)
			mustEqual(t, "deleted later", purge(t, s, keepUntil.Add(time.Second), never, 100), 1)
			mustBe(t, "a later replay", s.RedeemCode(t.Context(), "grant-a", refresh("b", 0), nil, keepUntil), store.ErrNotFound)
		},
		"a rotation keeps its grant from the purge": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			redeem(t, s, "a")
			later := keepUntil.Add(time.Hour)
			must(t, "RotateRefresh", s.RotateRefresh(t.Context(), "grant-a", refreshHandle("a", 0), refresh("a", 1), nil, later))
			purge(t, s, later, never, 100)
			must(t, "Grant", grantError(t, s, "a"))
			purge(t, s, later.Add(time.Microsecond), never, 100)
			mustBe(t, "Grant", grantError(t, s, "a"), store.ErrNotFound)
		},
		"an idle session is purged and a used one is not": func(t *testing.T, s store.Store) {
			must(t, "CreateSession", s.CreateSession(t.Context(), session("idle")))
			must(t, "CreateSession", s.CreateSession(t.Context(), session("used")))
			must(t, "TouchSession", s.TouchSession(t.Context(), session("used").Handle, now.Add(30*time.Minute)))
			mustEqual(t, "deleted", purge(t, s, now, now.Add(20*time.Minute), 100), 1)
			mustBe(t, "idle session", sessionError(t, s, "idle"), store.ErrNotFound)
			must(t, "used session", sessionError(t, s, "used"))
		},
		"a purge deletes at most as many as it may, and in the end all": func(t *testing.T, s store.Store) {
			const each, limit = 7, 5
			kinds := 0
			for i := range each {
				kinds = len(expiring(t, s, number(i), now.Add(time.Duration(i)*time.Minute)))
			}
			total := 0
			for {
				deleted := purge(t, s, keepUntil, keepUntil, limit)
				if deleted > limit {
					t.Fatalf("Purge deleted %d; want at most %d", deleted, limit)
				}
				if total += deleted; deleted == 0 {
					break
				}
			}
			mustEqual(t, "deleted in all", total, kinds*each)
		},
	}
}
