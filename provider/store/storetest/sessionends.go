package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// createGrantOf stores a grant of a client in a session.
func createGrantOf(t *testing.T, s store.Store, name, clientID, sessionName string) error {
	t.Helper()
	g := grant(name)
	g.Client, g.SessionID = store.Client{ID: clientID, UID: "uid-of-" + name}, session(sessionName).ID
	return s.CreateGrant(t.Context(), g)
}

// end ends a session and returns the clients of which the store told.
func end(t *testing.T, s store.Store, name string) (clients []store.Client) {
	t.Helper()
	must(t, "EndSession", s.EndSession(t.Context(), session(name).ID, func(_ store.Session, all []store.Client) []store.Notice {
		clients = slices.Clone(all)
		return nil
	}))
	return clients
}

func sessionEndCases() cases {
	return cases{
		"a session that ends is gone, its notices wait, and others stay": func(t *testing.T, s store.Store) {
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			must(t, "CreateSession", s.CreateSession(t.Context(), session("b")))
			var told store.Session
			must(t, "EndSession", s.EndSession(t.Context(), "sid-a", func(ended store.Session, _ []store.Client) []store.Notice {
				told = ended
				return []store.Notice{notice("1"), notice("2")}
			}))
			mustEqual(t, "the session of which is told", told, session("a"))
			mustBe(t, "Session", sessionError(t, s, "a"), store.ErrNotFound)
			mustHaveSession(t, s, session("b"))
			mustCountNotices(t, s, 2)
			must(t, "EndSession without notices", s.EndSession(t.Context(), "sid-b", nil))
			mustBe(t, "Session", sessionError(t, s, "b"), store.ErrNotFound)
			mustCountNotices(t, s, 2)
		},
		"a session that is gone ends without notices": func(t *testing.T, s store.Store) {
			must(t, "EndSession", s.EndSession(t.Context(), "sid-a", telling(notice("1"))))
			must(t, "EndSession", s.EndSession(t.Context(), odd, telling(notice("2"))))
			mustCountNotices(t, s, 0)
		},
		"a session stays when a notice cannot be stored": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			err := s.EndSession(t.Context(), "sid-a", telling(notice("1"), notice("2"), notice("1")))
			mustBe(t, "EndSession with one notice twice", err, store.ErrUnavailable)
			mustHaveSession(t, s, session("a"))
			mustCountNotices(t, s, 0)
			mustEqual(t, "the clients of the session", end(t, s, "a"), []store.Client{client("a")})
		},
		"a session renewed is the same one with another handle":                      renew,
		"the clients of a session are told, each once, as they were registered last": sessionClients,
		"a grant comes with the times of its session, as long as it is one":          sessionTimes,
		"no grant is made in a session that is over": func(t *testing.T, s store.Store) {
			mustBe(t, "CreateGrant", s.CreateGrant(t.Context(), grant("a")), store.ErrNotFound)
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			end(t, s, "a")
			mustBe(t, "CreateGrant", s.CreateGrant(t.Context(), grant("a")), store.ErrNotFound)
			mustBe(t, "the grant", grantError(t, s, "a"), store.ErrNotFound)
			must(t, "CreateGrant of no session", s.CreateGrant(t.Context(), bareGrant("a")))
		},
		"a code is worth nothing after its session, and what it was redeemed for stays": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a", "b")
			redeem(t, s, "b")
			end(t, s, "a")
			end(t, s, "b")
			err := s.RedeemCode(t.Context(), "grant-a", refresh("a", 0), tokenOf("a", "a"), keepUntil)
			mustBe(t, "RedeemCode", err, store.ErrNotFound)
			mustBe(t, "the token", tokenError(t, s, "a"), store.ErrNotFound)
			mustHaveGrant(t, s, grant("a"))
			err = s.RedeemCode(t.Context(), "grant-b", refresh("b", 0), tokenOf("b", "c"), keepUntil)
			mustBe(t, "RedeemCode again", err, store.ErrRedeemed)
			must(t, "RotateRefresh", s.RotateRefresh(t.Context(), "grant-b", refreshHandle("b", 0), refresh("b", 1), nil, keepUntil))
		},
		"a purge tells of the sessions that it ends, and stores what is to be told": purgeSessions,
	}
}

func renew(t *testing.T, s store.Store) {
	createGrants(t, s, "a")
	again := session("b")
	again.ID = session("a").ID
	must(t, "RenewSession", s.RenewSession(t.Context(), again))
	mustBe(t, "the earlier session", sessionError(t, s, "a"), store.ErrNotFound)
	mustHaveSession(t, s, again)
	sessions, err := s.SessionsOf(t.Context(), session("a").Subject)
	must(t, "SessionsOf", err)
	mustEqual(t, "sessions of the earlier subject", len(sessions), 0)
	redeem(t, s, "a")
	mustEqual(t, "clients", end(t, s, "a"), []store.Client{client("a")})
	mustBe(t, "RenewSession of one that is over", s.RenewSession(t.Context(), again), store.ErrNotFound)
	mustBe(t, "the session", sessionError(t, s, "b"), store.ErrNotFound)
}

func sessionClients(t *testing.T, s store.Store) {
	for _, name := range []string{"a", "b", "c"} {
		must(t, "CreateSession", s.CreateSession(t.Context(), session(name)))
	}
	for i, clientID := range []string{"zoo", "chat", "zoo", "wiki"} {
		must(t, "CreateGrant", createGrantOf(t, s, number(i), clientID, "a"))
	}
	must(t, "CreateGrant", createGrantOf(t, s, "other", "other", "b"))
	must(t, "DeleteGrant", s.DeleteGrant(t.Context(), "grant-"+number(1)))
	mustRevoke(t, s, grant(number(3)).Subject, "wiki", true)
	purge(t, s, grant("a").ExpiresAt.Add(time.Second), never, 100) // the grants
	mustEqual(t, "clients of the session", end(t, s, "a"), []store.Client{{ID: "chat", UID: "uid-of-" + number(1)}, {ID: "wiki", UID: "uid-of-" + number(3)}, {ID: "zoo", UID: "uid-of-" + number(2)}})
	must(t, "CreateSession again", s.CreateSession(t.Context(), session("a")))
	mustEqual(t, "clients of another session with that ID", len(end(t, s, "a")), 0)
	mustEqual(t, "clients of the other session", end(t, s, "b"), []store.Client{{ID: "other", UID: "uid-of-other"}})
	mustEqual(t, "clients of a session without any", len(end(t, s, "c")), 0)
}

func sessionTimes(t *testing.T, s store.Store) {
	read := func(want store.SessionTimes) {
		t.Helper()
		g, err := s.Grant(t.Context(), "grant-a")
		must(t, "Grant", err)
		mustEqual(t, "its session", g.Session, want)
		_, g, err = s.AccessToken(t.Context(), token("a").Handle)
		must(t, "AccessToken", err)
		mustEqual(t, "the session of a token's grant", g.Session, want)
	}
	createGrants(t, s, "a")
	redeem(t, s, "a")
	want := store.SessionTimes{LastSeenAt: session("a").LastSeenAt, ExpiresAt: session("a").ExpiresAt}
	read(want)
	want.LastSeenAt = now.Add(5 * time.Minute)
	must(t, "TouchSession", s.TouchSession(t.Context(), session("a").Handle, want.LastSeenAt))
	read(want)
	end(t, s, "a")
	read(store.SessionTimes{})
}

func purgeSessions(t *testing.T, s store.Store) {
	old, idle, used := session("old"), session("idle"), session("used")
	old.ExpiresAt, old.LastSeenAt = now.Add(-time.Second), now.Add(time.Hour)
	idle.LastSeenAt = now.Add(-time.Hour)
	for _, one := range []store.Session{old, idle, used} {
		must(t, "CreateSession", s.CreateSession(t.Context(), one))
	}
	must(t, "CreateGrant", createGrantOf(t, s, "1", "chat", "old"))
	must(t, "CreateGrant", createGrantOf(t, s, "2", "wiki", "used"))
	told := map[string][]store.Client{}
	tell := func(ended store.Session, clients []store.Client) []store.Notice {
		told[ended.ID] = slices.Clone(clients)
		return []store.Notice{notice(ended.ID)}
	}
	deleted, err := s.Purge(t.Context(), now, now.Add(-time.Minute), 1, tell)
	must(t, "Purge", err)
	mustEqual(t, "deleted, of at most one", deleted, 1)
	mustEqual(t, "told of", len(told), 1)
	deleted, err = s.Purge(t.Context(), now, now.Add(-time.Minute), 100, tell)
	must(t, "Purge", err)
	mustEqual(t, "deleted", deleted, 1)
	mustEqual(t, "clients of the session that was too old", told["sid-old"], []store.Client{{ID: "chat", UID: "uid-of-1"}})
	mustEqual(t, "clients of the session that was idle", len(told["sid-idle"]), 0)
	mustEqual(t, "sessions told of", len(told), 2)
	mustCountNotices(t, s, 2)
	mustHaveSession(t, s, used)
}

func raceForOneEnd(t *testing.T, s store.Store) {
	for round := range rounds {
		name := "raced " + number(round)
		createGrants(t, s, name)
		before, err := s.CountNotices(t.Context())
		must(t, "CountNotices", err)
		together(racers, func(i int) {
			n := notice(name + number(i))
			n.ExpiresAt = keepUntil // the purge leaves it
			tell := telling(n)
			err := s.EndSession(t.Context(), session(name).ID, tell)
			if i%2 == 0 {
				_, err = s.Purge(t.Context(), session(name).ExpiresAt.Add(time.Second), never, 100, tell)
			}
			if err != nil {
				t.Errorf("ending a session: %v", err)
			}
		})
		mustCountNotices(t, s, before+1)
	}
}

// issueWhileEnding has clients get codes in a session while it ends.
func issueWhileEnding(t *testing.T, s store.Store) {
	for round := range rounds {
		name := "raced " + number(round)
		must(t, "CreateSession", s.CreateSession(t.Context(), session(name)))
		client := func(i int) string { return name + " client " + number(i) }
		errs := make([]error, racers)
		var told []store.Client
		together(racers, func(i int) {
			if i == racers/2 {
				told = end(t, s, name)
				errs[i] = store.ErrNotFound
				return
			}
			errs[i] = createGrantOf(t, s, client(i), client(i), name)
		})
		for i, err := range errs {
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatalf("CreateGrant: %v", err)
			}
			if slices.ContainsFunc(told, func(c store.Client) bool { return c.ID == client(i) }) != (err == nil) {
				t.Fatalf("client %d got a code: %t (%v); told were %d", i, err == nil, err, len(told))
			}
			if err == nil {
				err = s.RedeemCode(t.Context(), "grant-"+client(i), store.Refresh{}, nil, keepUntil)
				mustBe(t, "RedeemCode after the end", err, store.ErrNotFound)
			}
		}
	}
}

func sumUp(t *testing.T, s store.Store) {
	for i, g := range []struct {
		client  string
		uid     string
		scopes  []string
		created int // minutes
		rotated int
	}{
		{"wiki", "1", []string{"openid"}, 5, 0},
		{"chat", "1", []string{"openid", "email"}, 7, 0},
		{"chat", "1", []string{"openid", "email"}, 2, 30},
		{"chat", "1", nil, 4, 0},
		{"chat", "2", []string{"openid", "email"}, 3, 0},
		{"over", "1", []string{"openid"}, 1, 0},
	} {
		one := bareGrant(number(i))
		one.Subject, one.Client, one.Scopes, one.CreatedAt = "someone", store.Client{ID: g.client, UID: g.uid}, g.scopes, now.Add(time.Duration(g.created)*time.Minute)
		one.ExpiresAt = now.Add(time.Hour)
		if g.client == "wiki" {
			one.Resources = []string{"https://api.example.com", "urn:b"}
		}
		if g.rotated > 0 {
			one.Refresh = refresh(number(i), g.rotated)
		}
		if g.client == "over" {
			one.ExpiresAt = now
		}
		must(t, "CreateGrant", s.CreateGrant(t.Context(), one))
	}
	createGrants(t, s, "of somebody else")
	at := func(minute int) time.Time { return now.Add(time.Duration(minute) * time.Minute) }
	want := []store.Authorization{
		{Client: store.Client{ID: "chat", UID: "1"}, Since: at(4), LastUsed: at(4)},
		{Client: store.Client{ID: "chat", UID: "1"}, Scopes: []string{"openid", "email"}, Since: at(2), LastUsed: at(30)},
		{Client: store.Client{ID: "chat", UID: "2"}, Scopes: []string{"openid", "email"}, Since: at(3), LastUsed: at(3)},
		{Client: store.Client{ID: "wiki", UID: "1"}, Scopes: []string{"openid"}, Resources: []string{"https://api.example.com", "urn:b"}, Since: at(5), LastUsed: at(5)},
	}
	for limit, want := range map[int][]store.Authorization{10: want, 2: want[:2]} {
		got, err := s.AuthorizationsOf(t.Context(), "someone", now, limit)
		must(t, "AuthorizationsOf", err)
		mustEqual(t, "AuthorizationsOf", got, want)
	}
	for _, subject := range []string{"nobody", odd} {
		got, err := s.AuthorizationsOf(t.Context(), subject, now, 10)
		must(t, "AuthorizationsOf nobody", err)
		mustEqual(t, "authorizations of nobody", len(got), 0)
	}
}
