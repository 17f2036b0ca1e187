package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// now is the time of everything in the suite: a round number of microseconds, which every engine keeps.
var now = time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)

// keepUntil is long after every expiry in the suite.
var keepUntil = now.Add(24 * time.Hour)

// odd is text that not every database can keep as text.
const odd = "ü'\";--\x00\xff\xfe%_\\"

func number(i int) string {
	return fmt.Sprintf("%04d", i)
}

func session(name string) store.Session {
	return store.Session{
		Handle: store.HandleOf("session " + name), ID: "sid-" + name, Subject: "subject-" + name,
		AuthTime: now, AuthMethods: []string{"pwd", "otp"}, Credential: "credential-" + name, UserAgent: "Agent (of " + name + ")",
		Address: "2001:db8::1", LastSeenAt: now.Add(time.Minute), ExpiresAt: now.Add(time.Hour),
	}
}

// client is one that was registered with a UID.
func client(name string) store.Client {
	return store.Client{ID: "client-" + name, UID: "uid-" + name}
}

func consent(name string) store.Consent {
	return store.Consent{Subject: "subject-" + name, Client: client(name), Scopes: []string{"openid", "email"}, GrantedAt: now}
}

// grant is one with a code that was not redeemed.
func grant(name string) store.Grant {
	return store.Grant{
		ID: "grant-" + name, Client: client(name), Subject: "subject-" + name, SessionID: "sid-" + name, Credential: "credential-" + name,
		Scopes: []string{"openid", "profile"}, Resources: []string{"https://api.example.com", "urn:b"}, Claims: `{"userinfo":{"email":null}}`,
		AuthTime: now, AuthMethods: []string{"pwd"}, CreatedAt: now, ExpiresAt: now.Add(time.Minute),
		Code: store.Code{
			Handle: store.HandleOf("code " + name), RedirectURI: "https://app.example.com/cb?for=" + name, Nonce: "nonce 'ü' " + name,
			CodeChallenge: "challenge-" + name, KeyThumbprint: "thumbprint-" + name, ExpiresAt: now.Add(time.Minute),
		},
	}
}

// bareGrant is one of the device flow: it has no code, and of the rest only what every grant has.
func bareGrant(name string) store.Grant {
	return store.Grant{
		ID: "grant-" + name, Client: client(name), Subject: "subject-" + name, AuthTime: now, CreatedAt: now, ExpiresAt: now.Add(time.Minute),
	}
}

// refresh is the first token of a grant for generation 0, and so on.
func refresh(name string, generation int) store.Refresh {
	r := store.Refresh{
		Handle: refreshHandle(name, generation), Key: store.HandleOf("key of " + name + number(generation)), KeyThumbprint: "thumbprint-" + name,
		RotatedAt: now.Add(time.Duration(generation) * time.Minute), IdleUntil: now.Add(time.Duration(generation+1) * time.Hour),
		ExpiresAt: now.Add(20 * time.Hour),
	}
	if generation > 0 {
		r.Previous = refreshHandle(name, generation-1)
	}
	return r
}

func refreshHandle(name string, generation int) store.Handle {
	return store.HandleOf("refresh " + name + number(generation))
}

func token(name string) store.AccessToken {
	return store.AccessToken{
		Handle: store.HandleOf("token " + name), GrantID: "grant-" + name, Client: client(name), Scopes: []string{"openid", "profile"},
		Resources: []string{"https://api.example.com"}, KeyThumbprint: "thumbprint-" + name, IssuedAt: now, ExpiresAt: now.Add(15 * time.Minute),
	}
}

// tokenOf is a token of another name's grant.
func tokenOf(grantName, name string) *store.AccessToken {
	t := token(name)
	t.GrantID = "grant-" + grantName
	return &t
}

func device(name string) store.DeviceRequest {
	return store.DeviceRequest{
		Handle: store.HandleOf("device " + name), UserCode: "CODE" + name, Client: client(name), Network: "2001:db8::/48", Scopes: []string{"openid"},
		Resources: []string{"urn:b"}, Interval: 5 * time.Second, ExpiresAt: now.Add(10 * time.Minute),
	}
}

func pushed(name string) store.PushedRequest {
	return store.PushedRequest{
		Handle: store.HandleOf("pushed " + name), Client: client(name), Network: "192.0.2.1", Parameters: "a=b&c=" + name, ExpiresAt: now.Add(time.Minute),
	}
}

func notice(name string) store.Notice {
	return store.Notice{
		ID: "notice-" + name, Client: client(name), Subject: "subject-" + name, SessionID: "sid-" + name, NextAt: now,
		ExpiresAt: now.Add(time.Hour),
	}
}

func password(name string) store.Password {
	return store.Password{Subject: "subject-" + name, Hash: "$hash$of$" + name, Replaces: "credential-" + name, ChangedAt: now}
}

// createGrants stores grants with codes, each with its session.
func createGrants(t *testing.T, s store.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, "CreateSession "+name, s.CreateSession(t.Context(), session(name)))
		must(t, "CreateGrant "+name, s.CreateGrant(t.Context(), grant(name)))
	}
}

// stored is what was stored of a grant that was read: without its session.
func stored(g store.Grant) store.Grant {
	g.Session = store.SessionTimes{}
	return g
}

// telling tells of a session's end with the same notices whoever its clients are.
func telling(notices ...store.Notice) store.Tell {
	return func(store.Session, []store.Client) []store.Notice { return notices }
}

// redeem redeems codes for a refresh token and an access token each.
func redeem(t *testing.T, s store.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		tok := token(name)
		must(t, "RedeemCode "+name, s.RedeemCode(t.Context(), "grant-"+name, refresh(name, 0), &tok, keepUntil))
	}
}

// redeemed is grant after redeem.
func redeemed(name string) store.Grant {
	g := grant(name)
	g.Code.Redeemed, g.Refresh, g.ExpiresAt = true, refresh(name, 0), keepUntil
	return g
}

// createDecided stores a device request to which a person said yes.
func createDecided(t *testing.T, s store.Store, name string) {
	t.Helper()
	must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device(name)))
	g := bareGrant(name)
	must(t, "DecideDeviceRequest", s.DecideDeviceRequest(t.Context(), device(name).Handle, &g))
}

// createNotices stores notices, which sessions leave behind when they end.
func createNotices(t *testing.T, s store.Store, notices ...store.Notice) {
	t.Helper()
	must(t, "CreateSession", s.CreateSession(t.Context(), session("ends")))
	must(t, "EndSession", s.EndSession(t.Context(), "sid-ends", telling(notices...)))
}

func mustHaveGrant(t *testing.T, s store.Store, want store.Grant) {
	t.Helper()
	got, err := s.Grant(t.Context(), want.ID)
	must(t, "Grant "+want.ID, err)
	mustEqual(t, "Grant "+want.ID, stored(got), want)
}

func sessionError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, err := s.Session(t.Context(), session(name).Handle)
	return err
}

func grantError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, err := s.Grant(t.Context(), "grant-"+name)
	return err
}

func tokenError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, _, err := s.AccessToken(t.Context(), token(name).Handle)
	return err
}

func deviceError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, err := s.DeviceRequestByUserCode(t.Context(), device(name).UserCode)
	return err
}

func pushedError(t *testing.T, s store.Store, name string) error {
	t.Helper()
	_, err := s.PushedRequest(t.Context(), pushed(name).Handle)
	return err
}
