package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// now is the time of everything in the suite: a round number of microseconds, which every engine keeps.
var now = time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)

// Run checks an engine. open returns an empty store, which Run closes.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	cases := map[string]func(*testing.T, store.Store){}
	for _, group := range []map[string]func(*testing.T, store.Store){
		sessionCases(), consentCases(), codeCases(), revocationCases(), purgeCases(), callCases(), concurrencyCases(),
	} {
		for name, run := range group {
			if cases[name] != nil {
				t.Fatalf("two cases are named %q", name)
			}
			cases[name] = run
		}
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close() = %v", err)
				}
			})
			run(t, s)
		})
	}
}

func session(name string) store.Session {
	return store.Session{
		Handle: store.HandleOf("session " + name), ID: "sid-" + name, Subject: "subject-" + name,
		AuthTime: now, AuthMethods: []string{"pwd", "otp"}, Credential: "credential-" + name, LastSeenAt: now.Add(time.Minute), ExpiresAt: now.Add(time.Hour),
	}
}

func code(name string) store.Code {
	return store.Code{
		Handle: store.HandleOf("code " + name), GrantID: "grant-" + name, ClientID: "client-" + name, Subject: "subject-" + name,
		SessionID: "sid-" + name, RedirectURI: "https://app.example.com/cb?for=" + name, Scopes: []string{"openid", "profile"},
		Nonce: "nonce 'ü' " + name, CodeChallenge: "challenge-" + name, AuthTime: now, AuthMethods: []string{"pwd"},
		ExpiresAt: now.Add(time.Minute),
	}
}

func token(name string) store.AccessToken {
	return store.AccessToken{
		Handle: store.HandleOf("token " + name), GrantID: "grant-" + name, ClientID: "client-" + name, Subject: "subject-" + name,
		SessionID: "sid-" + name, Scopes: []string{"openid", "profile"}, IssuedAt: now, ExpiresAt: now.Add(15 * time.Minute),
	}
}

func consent(name string) store.Consent {
	return store.Consent{Subject: "subject-" + name, ClientID: "client-" + name, Scopes: []string{"openid", "email"}, GrantedAt: now}
}

// keepUntil is long after every expiry in the suite.
var keepUntil = now.Add(24 * time.Hour)

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func mustBe(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: got %v; want %v", what, err, want)
	}
}

func mustEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func create(t *testing.T, s store.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, "CreateCode "+name, s.CreateCode(t.Context(), code(name)))
	}
}

func redeem(t *testing.T, s store.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, "RedeemCode "+name, s.RedeemCode(t.Context(), code(name).Handle, token(name), keepUntil))
	}
}

// callCases are about calls as such: contexts, pinging and closing.
func callCases() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"a ping of a healthy store succeeds": func(t *testing.T, s store.Store) {
			must(t, "Ping", s.Ping(t.Context()))
		},
		"a call whose context has ended changes nothing": func(t *testing.T, s store.Store) {
			create(t, s, "a", "b")
			redeem(t, s, "b")
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			for range 20 { // a race between the end and the call would be won now and then
				for name, call := range allCalls(ended, s) {
					mustBe(t, name, call(), context.Canceled)
				}
			}
			expectBefore(t, s)
		},
		"a closed store refuses every call and may be closed again": func(t *testing.T, s store.Store) {
			create(t, s, "a")
			must(t, "Close", s.Close())
			for name, call := range allCalls(t.Context(), s) {
				if err := call(); err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCodeRedeemed) {
					t.Errorf("%s on a closed store: got %v; want an error that says so", name, err)
				}
			}
			must(t, "Close again", s.Close())
		},
	}
}

// allCalls are calls of every method that would each succeed where the codes a and b, the token b and the session a exist.
func allCalls(ctx context.Context, s store.Store) map[string]func() error {
	return map[string]func() error{
		"CreateSession": func() error { return s.CreateSession(ctx, session("new")) },
		"Session":       func() error { _, err := s.Session(ctx, session("a").Handle); return err },
		"TouchSession":  func() error { return s.TouchSession(ctx, session("a").Handle, now.Add(time.Hour)) },
		"DeleteSession": func() error { return s.DeleteSession(ctx, session("a").Handle) },
		"PutConsent":    func() error { return s.PutConsent(ctx, consent("new")) },
		"Consent":       func() error { _, err := s.Consent(ctx, "subject-a", "client-a"); return err },
		"CreateCode":    func() error { return s.CreateCode(ctx, code("new")) },
		"Code":          func() error { _, _, err := s.Code(ctx, code("a").Handle); return err },
		"RedeemCode":    func() error { return s.RedeemCode(ctx, code("a").Handle, token("a"), keepUntil) },
		"AccessToken":   func() error { _, err := s.AccessToken(ctx, token("b").Handle); return err },
		"RevokeGrant":   func() error { return s.RevokeGrant(ctx, "grant-b") },
		"Purge":         func() error { _, err := s.Purge(ctx, keepUntil, keepUntil, 100); return err },
		"Ping":          func() error { return s.Ping(ctx) },
	}
}

// expectBefore checks that none of allCalls has left a trace.
func expectBefore(t *testing.T, s store.Store) {
	t.Helper()
	got, err := s.Session(t.Context(), session("a").Handle)
	must(t, "Session a", err)
	mustEqual(t, "Session a", got, session("a"))
	_, err = s.Session(t.Context(), session("new").Handle)
	mustBe(t, "Session new", err, store.ErrNotFound)
	_, err = s.Consent(t.Context(), "subject-new", "client-new")
	mustBe(t, "Consent new", err, store.ErrNotFound)
	_, _, err = s.Code(t.Context(), code("new").Handle)
	mustBe(t, "Code new", err, store.ErrNotFound)
	_, redeemed, err := s.Code(t.Context(), code("a").Handle)
	must(t, "Code a", err)
	mustEqual(t, "Code a is redeemed", redeemed, false)
	_, err = s.AccessToken(t.Context(), token("a").Handle)
	mustBe(t, "AccessToken a", err, store.ErrNotFound)
	_, err = s.AccessToken(t.Context(), token("b").Handle)
	must(t, "AccessToken b", err)
}

func number(i int) string {
	return fmt.Sprintf("%04d", i)
}
