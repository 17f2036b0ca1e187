package storetest

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func mustHaveDevice(t *testing.T, s store.Store, want store.DeviceRequest) {
	t.Helper()
	got, err := s.DeviceRequestByUserCode(t.Context(), want.UserCode)
	must(t, "DeviceRequestByUserCode", err)
	mustEqual(t, "DeviceRequestByUserCode", got, want)
}

func deviceCases() cases {
	return cases{
		"a device request comes back as it was stored": func(t *testing.T, s store.Store) {
			full := device("full")
			full.PolledAt, full.Denied, full.GrantID = now, true, "grant"
			bare := store.DeviceRequest{Handle: store.HandleOf("bare"), UserCode: "BARE", Client: store.Client{ID: "client"}, ExpiresAt: now}
			for _, want := range []store.DeviceRequest{device("a"), full, bare} {
				must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), want))
				mustHaveDevice(t, s, want)
			}
		},
		"a user code belongs to one request": func(t *testing.T, s store.Store) {
			must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device("a")))
			other := device("b")
			other.UserCode = device("a").UserCode
			mustBe(t, "CreateDeviceRequest with its user code", s.CreateDeviceRequest(t.Context(), other), store.ErrReplayed)
			mustHaveDevice(t, s, device("a"))
			mustBe(t, "polling the other", pollError(t, s, "b"), store.ErrNotFound)
		},
		"an unknown device request is not found": func(t *testing.T, s store.Store) {
			for _, code := range []string{"", "CODEa", odd} {
				_, err := s.DeviceRequestByUserCode(t.Context(), code)
				mustBe(t, "DeviceRequestByUserCode", err, store.ErrNotFound)
			}
			g := bareGrant("a")
			mustBe(t, "PollDeviceRequest", pollError(t, s, "a"), store.ErrNotFound)
			mustBe(t, "saying yes", s.DecideDeviceRequest(t.Context(), device("a").Handle, &g), store.ErrNotFound)
			mustBe(t, "saying no", s.DecideDeviceRequest(t.Context(), device("a").Handle, nil), store.ErrNotFound)
			mustBe(t, "RedeemDeviceRequest", redeemDevice(t, s, "a", "a"), store.ErrNotFound)
			mustBe(t, "the grant", grantError(t, s, "a"), store.ErrNotFound)
		},
		"a poll sets what the next one sees": func(t *testing.T, s store.Store) {
			must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device("a")))
			got, err := s.PollDeviceRequest(t.Context(), device("a").Handle, now.Add(time.Minute), 10*time.Second)
			must(t, "PollDeviceRequest", err)
			mustEqual(t, "the request before the first poll", got, device("a"))
			want := device("a")
			want.PolledAt, want.Interval = now.Add(time.Minute), 10*time.Second
			mustHaveDevice(t, s, want)
			got, err = s.PollDeviceRequest(t.Context(), device("a").Handle, now.Add(2*time.Minute), 15*time.Second)
			must(t, "PollDeviceRequest", err)
			mustEqual(t, "the request before the second poll", got, want)
		},
		"yes stores the grant": func(t *testing.T, s store.Store) {
			createDecided(t, s, "a")
			want := device("a")
			want.GrantID = "grant-a"
			mustHaveDevice(t, s, want)
			mustHaveGrant(t, s, bareGrant("a"))
		},
		"no is kept": func(t *testing.T, s store.Store) {
			must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device("a")))
			must(t, "DecideDeviceRequest", s.DecideDeviceRequest(t.Context(), device("a").Handle, nil))
			want := device("a")
			want.Denied = true
			mustHaveDevice(t, s, want)
			mustBe(t, "RedeemDeviceRequest", redeemDevice(t, s, "a", "a"), store.ErrNotFound)
			mustHaveDevice(t, s, want)
		},
		"a decision is final":                        decideTwice,
		"a device request is redeemed for its grant": redeemOneDevice,
		"a device request without a decision is not redeemed": func(t *testing.T, s store.Store) {
			must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device("a")))
			mustBe(t, "RedeemDeviceRequest", redeemDevice(t, s, "a", "a"), store.ErrNotFound)
			mustHaveDevice(t, s, device("a"))
		},
		"a device request whose grant was revoked is not redeemed": func(t *testing.T, s store.Store) {
			createDecided(t, s, "a")
			must(t, "DeleteGrant", s.DeleteGrant(t.Context(), "grant-a"))
			mustBe(t, "RedeemDeviceRequest", redeemDevice(t, s, "a", "a"), store.ErrNotFound)
			mustBe(t, "the grant", grantError(t, s, "a"), store.ErrNotFound)
		},
		"a device request whose token cannot be stored stays": func(t *testing.T, s store.Store) {
			createDecided(t, s, "a")
			must(t, "CreateAccessToken", s.CreateAccessToken(t.Context(), *tokenOf("a", "taken")))
			mustBe(t, "RedeemDeviceRequest", redeemDevice(t, s, "a", "taken"), store.ErrUnavailable)
			mustHaveGrant(t, s, bareGrant("a"))
			must(t, "RedeemDeviceRequest", redeemDevice(t, s, "a", "a"))
		},
		"a yes whose grant cannot be stored decides nothing": func(t *testing.T, s store.Store) {
			must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device("a")))
			createGrants(t, s, "a")
			g := bareGrant("a")
			mustBe(t, "DecideDeviceRequest", s.DecideDeviceRequest(t.Context(), device("a").Handle, &g), store.ErrUnavailable)
			mustHaveDevice(t, s, device("a"))
			mustHaveGrant(t, s, grant("a"))
		},
	}
}

func pollError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, err := s.PollDeviceRequest(t.Context(), device(name).Handle, now, time.Second)
	return err
}

// redeemDevice redeems a device request for tokens, the access token under a name of its own.
func redeemDevice(t *testing.T, s store.Store, name, tokenName string) error {
	t.Helper()
	return s.RedeemDeviceRequest(t.Context(), device(name).Handle, refresh(name, 0), tokenOf(name, tokenName), keepUntil)
}

func decideTwice(t *testing.T, s store.Store) {
	createDecided(t, s, "yes")
	must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device("no")))
	must(t, "DecideDeviceRequest", s.DecideDeviceRequest(t.Context(), device("no").Handle, nil))
	for _, name := range []string{"yes", "no"} {
		before, err := s.DeviceRequestByUserCode(t.Context(), device(name).UserCode)
		must(t, "DeviceRequestByUserCode", err)
		g := bareGrant("late")
		mustBe(t, "saying yes after "+name, s.DecideDeviceRequest(t.Context(), device(name).Handle, &g), store.ErrRedeemed)
		mustBe(t, "saying no after "+name, s.DecideDeviceRequest(t.Context(), device(name).Handle, nil), store.ErrRedeemed)
		mustHaveDevice(t, s, before)
	}
	mustBe(t, "the late grant", grantError(t, s, "late"), store.ErrNotFound)
}

func redeemOneDevice(t *testing.T, s store.Store) {
	createDecided(t, s, "a")
	createDecided(t, s, "other")
	must(t, "RedeemDeviceRequest", redeemDevice(t, s, "a", "a"))
	want := bareGrant("a")
	want.Refresh, want.ExpiresAt = refresh("a", 0), keepUntil
	mustHaveGrant(t, s, want)
	got, g, err := s.AccessToken(t.Context(), token("a").Handle)
	must(t, "AccessToken", err)
	mustEqual(t, "AccessToken", got, token("a"))
	mustEqual(t, "its grant", g, want)
	mustBe(t, "the request", deviceError(t, s, "a"), store.ErrNotFound)
	mustBe(t, "RedeemDeviceRequest again", redeemDevice(t, s, "a", "again"), store.ErrNotFound)
	mustBe(t, "the token of the second time", tokenError(t, s, "again"), store.ErrNotFound)
	must(t, "another request", deviceError(t, s, "other"))
	// A redeemed request leaves its user code to others.
	must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device("a")))
}
