package storetest

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// waitingAt is a pushed request of a client from a network that was made so many milliseconds after now.
func waitingAt(clientID, network string, ms int) store.PushedRequest {
	return store.PushedRequest{
		Handle: store.HandleOf(store.NewValue(now.Add(time.Duration(ms) * time.Millisecond))), Client: store.Client{ID: clientID, UID: "uid"}, Network: network,
		Parameters: strings.Repeat("p", 1000), ExpiresAt: keepUntil,
	}
}

// deviceAt is the same of a device.
func deviceAt(clientID, network string, ms int) store.DeviceRequest {
	d := device(number(ms))
	d.Handle = store.HandleOf(store.NewValue(now.Add(time.Duration(ms) * time.Millisecond)))
	d.Client, d.Network = store.Client{ID: clientID, UID: "uid"}, network
	return d
}

func createPushed(t *testing.T, s store.Store, requests ...store.PushedRequest) {
	t.Helper()
	for _, r := range requests {
		must(t, "CreatePushedRequest", s.CreatePushedRequest(t.Context(), r))
	}
}

func shares(t *testing.T, s store.Store) []store.WaitingShare {
	t.Helper()
	all, _, err := s.WaitingShares(t.Context())
	must(t, "WaitingShares", err)
	slices.SortFunc(all, func(a, b store.WaitingShare) int {
		return cmp.Or(cmp.Compare(a.ClientID, b.ClientID), cmp.Compare(a.Network, b.Network))
	})
	return all
}

// grantAt is a grant of a person that was made so many milliseconds after now, with a refresh token or without.
func grantAt(t *testing.T, s store.Store, subject string, ms int, family bool) store.Grant {
	t.Helper()
	at := now.Add(time.Duration(ms) * time.Millisecond)
	g := grant(number(ms))
	g.ID, g.Subject, g.SessionID, g.CreatedAt = store.NewID(at), subject, "", at
	must(t, "CreateGrant", s.CreateGrant(t.Context(), g))
	if family {
		must(t, "RedeemCode", s.RedeemCode(t.Context(), g.ID, refresh(number(ms), 0), nil, keepUntil))
	}
	return g
}

// left returns which of grants are still there, by their place.
func left(t *testing.T, s store.Store, grants []store.Grant) (places []int) {
	t.Helper()
	for i := range grants {
		if _, err := s.Grant(t.Context(), grants[i].ID); found(t, "Grant", err) {
			places = append(places, i)
		}
	}
	return places
}

func boundCases() cases {
	all := cases{
		"waiting requests are summed up by client and network": func(t *testing.T, s store.Store) {
			mustEqual(t, "nothing", len(shares(t, s)), 0)
			a, d := waitingAt("a", "192.0.2.1", 0), deviceAt("a", "192.0.2.1", 1)
			createPushed(t, s, a, waitingAt("a", "192.0.2.1", 2), waitingAt("a", "", 3), waitingAt("b", "192.0.2.1", 4))
			must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), d))
			if a.Size() < 1512 || d.Size() <= 512 {
				t.Errorf("the sizes are %d and %d", a.Size(), d.Size())
			}
			other, without := waitingAt("b", "192.0.2.1", 0), waitingAt("a", "", 0)
			mustEqual(t, "shares", shares(t, s), []store.WaitingShare{
				{ClientID: "a", Bytes: without.Size()},
				{ClientID: "a", Network: "192.0.2.1", Bytes: 2*a.Size() + d.Size()},
				{ClientID: "b", Network: "192.0.2.1", Bytes: other.Size()},
			})
			must(t, "DeletePushedRequest", s.DeletePushedRequest(t.Context(), a.Handle))
			mustEqual(t, "after one is used", shares(t, s)[1].Bytes, a.Size()+d.Size())
		},
		"the oldest waiting requests of one client and network are dropped, as few as will do": func(t *testing.T, s store.Store) {
			old, device, young := waitingAt("a", "n", 0), deviceAt("a", "n", 1), waitingAt("a", "n", 2)
			others := []store.PushedRequest{waitingAt("a", "m", 0), waitingAt("b", "n", 0)}
			createPushed(t, s, append(others, young, old)...)
			must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device))
			there := func() (all []bool) {
				for _, h := range []store.Handle{old.Handle, young.Handle, others[0].Handle, others[1].Handle} {
					_, err := s.PushedRequest(t.Context(), h)
					all = append(all, found(t, "PushedRequest", err))
				}
				_, err := s.DeviceRequestByUserCode(t.Context(), device.UserCode)
				return append(all, found(t, "DeviceRequestByUserCode", err))
			}
			drop := func(bytes int64, limit int) int64 {
				dropped, err := s.DropWaiting(t.Context(), "a", "n", bytes, limit)
				must(t, "DropWaiting", err)
				return dropped
			}
			mustEqual(t, "dropped of none", drop(0, 10), int64(0))
			mustEqual(t, "dropped", drop(1, 10), old.Size())
			mustEqual(t, "there", there(), []bool{false, true, true, true, true})
			mustEqual(t, "dropped within the limit", drop(1<<20, 1), device.Size())
			mustEqual(t, "there", there(), []bool{false, true, true, true, false})
			mustEqual(t, "dropped at last", drop(1<<20, 10), young.Size())
			mustEqual(t, "there", there(), []bool{false, false, true, true, false})
			mustEqual(t, "dropped of none", drop(1<<20, 10), int64(0))
		},
		"as many of the oldest are dropped as make up the bytes": func(t *testing.T, s store.Store) {
			var all []store.PushedRequest
			for i := range 10 {
				all = append(all, waitingAt("a", "n", i))
			}
			createPushed(t, s, all...)
			size := all[0].Size()
			dropped, err := s.DropWaiting(t.Context(), "a", "n", 3*size+1, 100)
			must(t, "DropWaiting", err)
			mustEqual(t, "dropped", dropped, 4*size)
			for i, r := range all {
				_, err := s.PushedRequest(t.Context(), r.Handle)
				mustEqual(t, number(i), found(t, "PushedRequest", err), i >= 4)
			}
		},
	}
	for name, run := range trimCases() {
		all[name] = run
	}
	return all
}

func trimCases() cases { //nolint:gocognit // a list of cases, each of which is plain
	return cases{
		"a person keeps the newest codes and refresh tokens": func(t *testing.T, s store.Store) {
			var codes, families, others []store.Grant
			for i := range 6 {
				codes = append(codes, grantAt(t, s, "ada", 10*i, false))
				families = append(families, grantAt(t, s, "ada", 10*i+1, true))
				others = append(others, grantAt(t, s, "bob", 10*i+2, false))
			}
			trim := func(limit int) int {
				deleted, err := s.TrimGrantsOf(t.Context(), "ada", 2, 3, limit)
				must(t, "TrimGrantsOf", err)
				return deleted
			}
			mustEqual(t, "deleted within the limit", trim(1), 2)
			mustEqual(t, "codes", left(t, s, codes), []int{1, 2, 3, 4, 5})
			mustEqual(t, "families", left(t, s, families), []int{1, 2, 3, 4, 5})
			mustEqual(t, "deleted", trim(100), 5)
			mustEqual(t, "codes", left(t, s, codes), []int{4, 5})
			mustEqual(t, "families", left(t, s, families), []int{3, 4, 5})
			mustEqual(t, "deleted of as many as may stay", trim(100), 0)
			mustEqual(t, "another person's", len(left(t, s, others)), 6)
		},
		"a client loses the oldest tokens that it got for itself": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			var tokens []store.AccessToken
			for i := range 6 {
				tok := token("a")
				tok.Handle, tok.GrantID = store.HandleOf(store.NewValue(now.Add(time.Duration(i)*time.Millisecond))), ""
				switch i {
				case 1:
					tok.Client = client("other")
				case 2:
					tok.GrantID = "grant-a"
				}
				tokens = append(tokens, tok)
				must(t, "CreateAccessToken", s.CreateAccessToken(t.Context(), tok))
			}
			there := func() (places []int) {
				for i := range tokens {
					if _, _, err := s.AccessToken(t.Context(), tokens[i].Handle); found(t, "AccessToken", err) {
						places = append(places, i)
					}
				}
				return places
			}
			trim := func(limit int) int {
				deleted, err := s.TrimAccessTokens(t.Context(), client("a").ID, now.Add(5*time.Millisecond), limit)
				must(t, "TrimAccessTokens", err)
				return deleted
			}
			mustEqual(t, "deleted within the limit", trim(1), 1)
			mustEqual(t, "there", there(), []int{1, 2, 3, 4, 5})
			mustEqual(t, "deleted", trim(100), 2)
			mustEqual(t, "there", there(), []int{1, 2, 5})
		},
		"the counts of failed logins that end first go first": func(t *testing.T, s store.Store) {
			for i := range 6 {
				_, err := s.AddFailure(t.Context(), store.HandleOf(number(i)), now, now.Add(time.Duration(10-i)*time.Minute))
				must(t, "AddFailure", err)
			}
			for _, step := range []struct{ keep, limit, deleted, left int }{{4, 1, 1, 5}, {4, 10, 1, 4}, {4, 10, 0, 4}} {
				deleted, err := s.TrimFailures(t.Context(), step.keep, step.limit)
				must(t, "TrimFailures", err)
				mustEqual(t, "deleted", deleted, step.deleted)
				for i := range 6 {
					f, err := s.Failures(t.Context(), store.HandleOf(number(i)), now)
					must(t, "Failures", err)
					mustEqual(t, "count "+number(i), f.Count > 0, i < step.left)
				}
			}
		},
		"the oldest notices of the client with the most go first": func(t *testing.T, s store.Store) {
			var all []store.Notice
			for i := range 7 {
				n := notice(number(i))
				n.ID, n.Client = store.NewID(now.Add(time.Duration(i)*time.Millisecond)), client("many")
				if i < 2 {
					n.Client = client("few")
				}
				all = append(all, n)
			}
			createNotices(t, s, all...)
			for _, step := range []struct{ keep, limit, deleted int }{{5, 1, 1}, {5, 10, 1}, {5, 10, 0}} {
				deleted, err := s.TrimNotices(t.Context(), step.keep, step.limit)
				must(t, "TrimNotices", err)
				mustEqual(t, "deleted", deleted, step.deleted)
			}
			var places []int
			for _, n := range take(t, s, now, keepUntil, 100) {
				places = append(places, slices.IndexFunc(all, func(other store.Notice) bool { return other.ID == n.ID }))
			}
			mustEqual(t, "left", places, []int{0, 1, 4, 5, 6})
		},
	}
}
