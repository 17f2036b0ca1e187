package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// never is before everything in the suite, for purges that are not about idle sessions.
var never = now.Add(-time.Hour)

func purge(t *testing.T, s store.Store, at, idleSince time.Time, limit int) int {
	t.Helper()
	deleted, err := s.Purge(t.Context(), at, idleSince, limit)
	must(t, "Purge", err)
	return deleted
}

func purgeCases() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"a purge deletes what has expired and nothing else": func(t *testing.T, s store.Store) {
			fresh := session("fresh")
			fresh.ExpiresAt = now.Add(48 * time.Hour)
			must(t, "CreateSession", s.CreateSession(t.Context(), session("old")))
			must(t, "CreateSession", s.CreateSession(t.Context(), fresh))
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			create(t, s, "old", "redeemed")
			redeem(t, s, "redeemed")

			mustEqual(t, "deleted before anything expired", purge(t, s, now, never, 100), 0)
			mustEqual(t, "deleted", purge(t, s, now.Add(2*time.Hour), never, 100), 3)
			for what, err := range map[string]error{
				"expired session": sessionError(t, s, "old"), "expired code": codeError(t, s, "old"), "expired token": tokenError(t, s, "redeemed"),
			} {
				mustBe(t, what, err, store.ErrNotFound)
			}
			must(t, "fresh session", sessionError(t, s, "fresh"))
			_, err := s.Consent(t.Context(), "subject-a", "client-a")
			must(t, "consents do not expire", err)
		},
		"what expires at this very moment stays": func(t *testing.T, s store.Store) {
			create(t, s, "a")
			mustEqual(t, "deleted", purge(t, s, code("a").ExpiresAt, never, 100), 0)
			mustEqual(t, "deleted a microsecond later", purge(t, s, code("a").ExpiresAt.Add(time.Microsecond), never, 100), 1)
		},
		"a redeemed code is kept until a replay need not be recognized": func(t *testing.T, s store.Store) {
			create(t, s, "a")
			redeem(t, s, "a")
			mustEqual(t, "deleted", purge(t, s, keepUntil, never, 100), 1) // the token
			mustBe(t, "a replay", s.RedeemCode(t.Context(), code("a").Handle, token("b"), keepUntil), store.ErrCodeRedeemed)
			mustEqual(t, "deleted later", purge(t, s, keepUntil.Add(time.Second), never, 100), 1)
			mustBe(t, "a later replay", s.RedeemCode(t.Context(), code("a").Handle, token("b"), keepUntil), store.ErrNotFound)
		},
		"an idle session is purged and a used one is not": func(t *testing.T, s store.Store) {
			must(t, "CreateSession", s.CreateSession(t.Context(), session("idle")))
			must(t, "CreateSession", s.CreateSession(t.Context(), session("used")))
			must(t, "TouchSession", s.TouchSession(t.Context(), session("used").Handle, now.Add(30*time.Minute)))
			mustEqual(t, "deleted", purge(t, s, now, now.Add(20*time.Minute), 100), 1)
			mustBe(t, "idle session", sessionError(t, s, "idle"), store.ErrNotFound)
			must(t, "used session", sessionError(t, s, "used"))
		},
		"a purge deletes at most as many as it may": func(t *testing.T, s store.Store) {
			const each, limit = 7, 5
			for i := range each {
				must(t, "CreateSession", s.CreateSession(t.Context(), session(number(i))))
				create(t, s, "open "+number(i), number(i))
				redeem(t, s, number(i))
			}
			late := keepUntil.Add(time.Second)
			total := 0
			for {
				deleted := purge(t, s, late, late, limit)
				if deleted > limit {
					t.Fatalf("Purge deleted %d; want at most %d", deleted, limit)
				}
				if total += deleted; deleted == 0 {
					break
				}
			}
			mustEqual(t, "deleted in all", total, 4*each) // sessions, open codes, redeemed codes, tokens
		},
	}
}

func sessionError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, err := s.Session(t.Context(), session(name).Handle)
	return err
}

func codeError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, _, err := s.Code(t.Context(), code(name).Handle)
	return err
}

func tokenError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, err := s.AccessToken(t.Context(), token(name).Handle)
	return err
}

// found tells whether something is there, and fails the test when that cannot be told.
func found(t *testing.T, what string, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s: %v", what, err)
	}
	return err == nil
}
