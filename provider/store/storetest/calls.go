package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// callCases are about calls as such: contexts, pinging and closing.
func callCases() cases {
	return cases{
		"a ping of a healthy store succeeds": func(t *testing.T, s store.Store) {
			must(t, "Ping", s.Ping(t.Context()))
		},
		"every call succeeds where it should": func(t *testing.T, s store.Store) {
			for name := range allCalls(t.Context(), s, "") {
				prepareCalls(t, s, name)
				must(t, name, allCalls(t.Context(), s, name)[name]())
			}
		},
		"a call whose context has ended changes nothing": func(t *testing.T, s store.Store) {
			prepareCalls(t, s, "")
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			for range 20 { // a race between the end and the call would be won now and then
				for name, call := range allCalls(ended, s, "") {
					err := call()
					mustBe(t, name, err, context.Canceled)
					if errors.Is(err, store.ErrUnavailable) {
						t.Fatalf("%s after the end of its context says that storage is unavailable: %v", name, err)
					}
				}
			}
			expectBefore(t, s)
		},
		"a closed store refuses every call and may be closed again": func(t *testing.T, s store.Store) {
			prepareCalls(t, s, "")
			must(t, "Close", s.Close())
			for name, call := range allCalls(t.Context(), s, "") {
				mustBe(t, name+" on a closed store", call(), store.ErrUnavailable)
			}
			must(t, "Close again", s.Close())
		},
	}
}

// prepareCalls stores what allCalls work on. prefix keeps what several rounds store apart.
func prepareCalls(t *testing.T, s store.Store, prefix string) {
	t.Helper()
	a, b, d := prefix+"a", prefix+"b", prefix+"d"
	createGrants(t, s, a, b)
	redeem(t, s, b)
	createDecided(t, s, d)
	must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device(a)))
	must(t, "CreatePushedRequest", s.CreatePushedRequest(t.Context(), pushed(a)))
	must(t, "PutConsent", s.PutConsent(t.Context(), consent(a)))
	must(t, "PutPassword", s.PutPassword(t.Context(), password(a)))
	createNotices(t, s, notice(a))
}

// allCalls are calls of every method but Close that would each succeed after prepareCalls, and change something if they can.
func allCalls(ctx context.Context, s store.Store, prefix string) map[string]func() error {
	a, b, d, n := prefix+"a", prefix+"b", prefix+"d", prefix+"new"
	g, another, renewed := bareGrant(n), grant(n), session(n)
	another.SessionID, renewed.ID = session(a).ID, session(b).ID
	return map[string]func() error{
		"CreateSession": func() error { return s.CreateSession(ctx, session(n)) },
		"RenewSession":  func() error { return s.RenewSession(ctx, renewed) },
		"Session":       func() error { _, err := s.Session(ctx, session(a).Handle); return err },
		"SessionByID":   func() error { _, err := s.SessionByID(ctx, session(a).ID); return err },
		"SessionsOf":    func() error { _, err := s.SessionsOf(ctx, session(a).Subject); return err },
		"TouchSession":  func() error { return s.TouchSession(ctx, session(a).Handle, now.Add(time.Hour)) },
		"EndSession":    func() error { return s.EndSession(ctx, session(a).ID, telling(notice(n))) },
		"PutConsent":    func() error { return s.PutConsent(ctx, consent(n)) },
		"Consent":       func() error { _, err := s.Consent(ctx, consent(a).Subject, consent(a).Client); return err },
		"ConsentsOf":    func() error { _, err := s.ConsentsOf(ctx, consent(a).Subject); return err },
		"Revoke":        func() error { _, err := s.Revoke(ctx, consent(a).Subject, consent(a).Client.ID); return err },
		"CreateGrant":   func() error { return s.CreateGrant(ctx, another) },
		"Grant":         func() error { _, err := s.Grant(ctx, grant(a).ID); return err },
		"AuthorizationsOf": func() error {
			_, err := s.AuthorizationsOf(ctx, grant(a).Subject, now, 10)
			return err
		},
		"RedeemCode": func() error { return s.RedeemCode(ctx, grant(a).ID, refresh(a, 0), tokenOf(a, n), keepUntil) },
		"RotateRefresh": func() error {
			return s.RotateRefresh(ctx, grant(b).ID, refreshHandle(b, 0), refresh(b, 1), tokenOf(b, n), keepUntil)
		},
		"DeleteGrant":             func() error { return s.DeleteGrant(ctx, grant(b).ID) },
		"DeleteGrantsOf":          func() error { _, err := s.DeleteGrantsOf(ctx, grant(b).Subject); return err },
		"CreateAccessToken":       func() error { return s.CreateAccessToken(ctx, *tokenOf(b, n)) },
		"AccessToken":             func() error { _, _, err := s.AccessToken(ctx, token(b).Handle); return err },
		"DeleteAccessToken":       func() error { return s.DeleteAccessToken(ctx, token(b).Handle) },
		"CreateDeviceRequest":     func() error { return s.CreateDeviceRequest(ctx, device(n)) },
		"DeviceRequestByUserCode": func() error { _, err := s.DeviceRequestByUserCode(ctx, device(a).UserCode); return err },
		"DecideDeviceRequest":     func() error { return s.DecideDeviceRequest(ctx, device(a).Handle, &g) },
		"PollDeviceRequest":       func() error { _, err := s.PollDeviceRequest(ctx, device(a).Handle, now, time.Hour); return err },
		"RedeemDeviceRequest": func() error {
			return s.RedeemDeviceRequest(ctx, device(d).Handle, refresh(d, 0), tokenOf(d, n), keepUntil)
		},
		"Failures":            func() error { _, err := s.Failures(ctx, store.HandleOf(n), now); return err },
		"AddFailure":          func() error { _, err := s.AddFailure(ctx, store.HandleOf(n), now, keepUntil); return err },
		"ClearFailures":       func() error { return s.ClearFailures(ctx, store.HandleOf(n)) },
		"UserNumber":          func() error { _, err := s.UserNumber(ctx, n, []int64{numberOf(n)}); return err },
		"PutPassword":         func() error { return s.PutPassword(ctx, password(n)) },
		"Password":            func() error { _, err := s.Password(ctx, password(a).Subject); return err },
		"TakeNotices":         func() error { _, err := s.TakeNotices(ctx, now, keepUntil, 100); return err },
		"PostponeNotice":      func() error { return s.PostponeNotice(ctx, notice(a).ID, keepUntil) },
		"DeleteNotice":        func() error { return s.DeleteNotice(ctx, notice(a).ID) },
		"CountNotices":        func() error { _, err := s.CountNotices(ctx); return err },
		"CreatePushedRequest": func() error { return s.CreatePushedRequest(ctx, pushed(n)) },
		"PushedRequest":       func() error { _, err := s.PushedRequest(ctx, pushed(a).Handle); return err },
		"DeletePushedRequest": func() error { return s.DeletePushedRequest(ctx, pushed(a).Handle) },
		"UseOnce":             func() error { return s.UseOnce(ctx, store.HandleOf(n), now, keepUntil) },
		"Purge":               func() error { _, err := s.Purge(ctx, keepUntil.AddDate(1, 0, 0), keepUntil, 100, nil); return err },
		"WaitingShares":       func() error { _, _, err := s.WaitingShares(ctx); return err },
		"DropWaiting": func() error {
			_, err := s.DropWaiting(ctx, pushed(a).Client.ID, pushed(a).Network, 1, 10)
			return err
		},
		"TrimGrantsOf":     func() error { _, err := s.TrimGrantsOf(ctx, grant(a).Subject, 0, 0, 10); return err },
		"TrimAccessTokens": func() error { _, err := s.TrimAccessTokens(ctx, token(b).Client.ID, keepUntil, 10); return err },
		"TrimFailures":     func() error { _, err := s.TrimFailures(ctx, 0, 10); return err },
		"TrimNotices":      func() error { _, err := s.TrimNotices(ctx, 0, 10); return err },
		"Ping":             func() error { return s.Ping(ctx) },
	}
}

// expectBefore checks that none of allCalls has left a trace.
func expectBefore(t *testing.T, s store.Store) {
	t.Helper()
	mustHaveSession(t, s, session("a"))
	mustHaveGrant(t, s, grant("a"))
	mustHaveGrant(t, s, redeemed("b"))
	mustHaveDevice(t, s, device("a"))
	decided := device("d")
	decided.GrantID = "grant-d"
	mustHaveDevice(t, s, decided)
	mustCountFailures(t, s, now, store.Failures{})
	must(t, "AccessToken b", tokenError(t, s, "b"))
	must(t, "PushedRequest a", pushedError(t, s, "a"))
	_, err := s.Consent(t.Context(), "subject-a", client("a"))
	must(t, "Consent a", err)
	_, err = s.Consent(t.Context(), "subject-new", client("new"))
	mustBe(t, "Consent new", err, store.ErrNotFound)
	_, err = s.Password(t.Context(), "subject-new")
	mustBe(t, "Password new", err, store.ErrNotFound)
	_, err = s.UserNumber(t.Context(), "new", nil)
	mustBe(t, "UserNumber new", err, store.ErrReplayed)
	for what, err := range map[string]error{
		"session": sessionError(t, s, "new"), "grant": grantError(t, s, "new"), "access token": tokenError(t, s, "new"),
		"device request": deviceError(t, s, "new"), "pushed request": pushedError(t, s, "new"),
	} {
		mustBe(t, "new "+what, err, store.ErrNotFound)
	}
	must(t, "UseOnce", s.UseOnce(t.Context(), store.HandleOf("new"), now, keepUntil))
	mustEqual(t, "TakeNotices", take(t, s, now, keepUntil, 10), []store.Notice{taken(notice("a"), 1, keepUntil)})
}
