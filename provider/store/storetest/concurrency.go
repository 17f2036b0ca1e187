package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// racers is how many callers race for one thing.
const racers = 64

// together runs f in many goroutines at the same moment and waits for them.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func concurrencyCases() cases {
	return cases{
		"of many who redeem one code one wins and its token alone is stored":           raceForOneCode,
		"of many who rotate one refresh token one wins and its token alone is stored":  raceForOneRefresh,
		"of many who redeem one device code one wins and its token alone is stored":    raceForOneDevice,
		"of many who decide on one device one wins":                                    raceForOneDecision,
		"of many who use a value once one wins":                                        raceForOneValue,
		"of many who want one user code one wins":                                      raceForOneUserCode,
		"of many who take notices each gets others":                                    raceForNotices,
		"failures that come together are all counted":                                  countTogether,
		"of many who end a session one tells its clients":                              raceForOneEnd,
		"whoever got a code in a session is told of its end, and no code outlives it":  issueWhileEnding,
		"a code that is redeemed while its grant is deleted leaves nothing to be used": redeemWhileDeleted,
		"changes of many callers are all made":                                         manyCallers,
		"a fault of one caller is not felt by others":                                  oneFaultyCaller,
		"of many who want one number one gets it and everybody gets one":               raceForNumbers,
		"every caller reads what it wrote":                                             readYourWrites,
		"a call that is cancelled on its way is made in full or not at all":            cancelledOnTheWay,
	}
}

const rounds = 8

// race has many callers call f and checks that one of them succeeds and the others get lost. stored, unless it is nil, tells whether
// a caller's token is there: just the winner's must be.
func race(t *testing.T, lost error, stored func(i int) error, f func(i int) error) {
	t.Helper()
	errs := make([]error, racers)
	together(racers, func(i int) { errs[i] = f(i) })
	winners := 0
	for i, err := range errs {
		if err == nil {
			winners++
		} else {
			mustBe(t, "a loser", err, lost)
		}
		if stored != nil {
			mustEqual(t, "the token of a caller is stored just when it won", found(t, "AccessToken", stored(i)), err == nil)
		}
	}
	mustEqual(t, "winners", winners, 1)
}

func raceForOneCode(t *testing.T, s store.Store) {
	for round := range rounds {
		name := "raced " + number(round)
		createGrants(t, s, name)
		race(t, store.ErrRedeemed, func(i int) error { return tokenError(t, s, name+number(i)) }, func(i int) error {
			return s.RedeemCode(t.Context(), "grant-"+name, refresh(number(i), 0), tokenOf(name, name+number(i)), keepUntil)
		})
	}
}

func raceForOneRefresh(t *testing.T, s store.Store) {
	for round := range rounds {
		name := "raced " + number(round)
		createGrants(t, s, name)
		redeem(t, s, name)
		race(t, store.ErrRedeemed, func(i int) error { return tokenError(t, s, name+number(i)) }, func(i int) error {
			r := refresh(number(i), 1)
			return s.RotateRefresh(t.Context(), "grant-"+name, refreshHandle(name, 0), r, tokenOf(name, name+number(i)), keepUntil)
		})
	}
}

func raceForOneDevice(t *testing.T, s store.Store) {
	for round := range rounds {
		name := "raced " + number(round)
		createDecided(t, s, name)
		race(t, store.ErrNotFound, func(i int) error { return tokenError(t, s, name+number(i)) }, func(i int) error {
			return redeemDevice(t, s, name, name+number(i))
		})
	}
}

func raceForOneDecision(t *testing.T, s store.Store) {
	for round := range rounds {
		name := "raced " + number(round)
		must(t, "CreateDeviceRequest", s.CreateDeviceRequest(t.Context(), device(name)))
		race(t, store.ErrRedeemed, nil, func(i int) error {
			if i%2 == 0 {
				return s.DecideDeviceRequest(t.Context(), device(name).Handle, nil)
			}
			g := bareGrant(name + number(i))
			return s.DecideDeviceRequest(t.Context(), device(name).Handle, &g)
		})
		got, err := s.DeviceRequestByUserCode(t.Context(), device(name).UserCode)
		must(t, "DeviceRequestByUserCode", err)
		for i := range racers {
			g := name + number(i)
			mustEqual(t, "a grant is stored just when it decided", found(t, "Grant", grantError(t, s, g)), got.GrantID == "grant-"+g)
		}
	}
}

func raceForOneValue(t *testing.T, s store.Store) {
	for round := range rounds {
		value, at := store.HandleOf(number(round/2)), now.Add(time.Duration(round%2)*time.Hour) // every second time it is used anew
		race(t, store.ErrReplayed, nil, func(int) error {
			return s.UseOnce(t.Context(), value, at, at.Add(time.Hour))
		})
	}
}

func raceForOneUserCode(t *testing.T, s store.Store) {
	race(t, store.ErrReplayed, nil, func(i int) error {
		d := device(number(i))
		d.UserCode = "WANTED"
		return s.CreateDeviceRequest(t.Context(), d)
	})
}

func raceForNotices(t *testing.T, s store.Store) {
	const count, limit = 100, 7
	var all []store.Notice
	for i := range count {
		all = append(all, notice(number(i)))
	}
	createNotices(t, s, all...)
	got := make([][]store.Notice, racers)
	together(racers, func(i int) {
		var err error
		if got[i], err = s.TakeNotices(t.Context(), now, now.Add(time.Minute), limit); err != nil {
			t.Errorf("TakeNotices: %v", err)
		}
	})
	seen := map[string]bool{}
	for _, notices := range got {
		if len(notices) > limit {
			t.Errorf("TakeNotices returned %d; want at most %d", len(notices), limit)
		}
		for _, n := range notices {
			if seen[n.ID] {
				t.Errorf("%s was taken twice", n.ID)
			}
			seen[n.ID] = true
			mustEqual(t, "attempts", n.Attempts, 1)
		}
	}
	// A caller may find less than it asked for while others take notices, but what was not taken is there still.
	for {
		rest := take(t, s, now, now.Add(time.Minute), limit)
		if len(rest) == 0 {
			break
		}
		for _, n := range rest {
			mustEqual(t, n.ID+" was taken before", seen[n.ID], false)
			seen[n.ID] = true
		}
	}
	mustEqual(t, "taken", len(seen), count)
}

func countTogether(t *testing.T, s store.Store) {
	counts := make([]int, racers)
	together(racers, func(i int) {
		f, err := s.AddFailure(t.Context(), store.HandleOf("key"), now, keepUntil)
		if err != nil {
			t.Errorf("AddFailure: %v", err)
		}
		counts[i] = f.Count
	})
	seen := map[int]bool{}
	for _, c := range counts {
		seen[c] = true
	}
	mustEqual(t, "different counts", len(seen), racers)
	mustCountFailures(t, s, now, store.Failures{Count: racers, LastAt: now, ExpiresAt: keepUntil})
}

func redeemWhileDeleted(t *testing.T, s store.Store) {
	for round := range rounds {
		name := "raced " + number(round)
		createGrants(t, s, name)
		together(2, func(i int) {
			if i == 0 {
				if err := s.DeleteGrant(t.Context(), "grant-"+name); err != nil {
					t.Errorf("DeleteGrant: %v", err)
				}
				return
			}
			err := s.RedeemCode(t.Context(), "grant-"+name, refresh(name, 0), tokenOf(name, name), keepUntil)
			if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrRedeemed) {
				t.Errorf("RedeemCode: %v", err)
			}
		})
		mustBe(t, "AccessToken", tokenError(t, s, name), store.ErrNotFound)
		mustBe(t, "Grant", grantError(t, s, name), store.ErrNotFound)
	}
}

func manyCallers(t *testing.T, s store.Store) {
	const each = 5
	together(racers, func(i int) {
		for j := range each {
			name := number(i) + "-" + number(j)
			tok := token(name)
			if err := errors.Join(
				s.CreateSession(t.Context(), session(name)),
				s.CreateGrant(t.Context(), grant(name)), // in the session above
				s.RedeemCode(t.Context(), "grant-"+name, refresh(name, 0), &tok, keepUntil),
				s.PutConsent(t.Context(), consent(name)),
				s.CreateDeviceRequest(t.Context(), device(name)),
			); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		}
	})
	for i := range racers {
		for j := range each {
			name := number(i) + "-" + number(j)
			must(t, "session", sessionError(t, s, name))
			must(t, "token", tokenError(t, s, name))
			must(t, "device", deviceError(t, s, name))
		}
	}
}

func oneFaultyCaller(t *testing.T, s store.Store) {
	createGrants(t, s, "taken")
	redeem(t, s, "taken")
	for i := range racers {
		createGrants(t, s, number(i))
	}
	together(racers, func(i int) {
		switch i % 4 {
		case 0: // its token exists already: the call fails after the code was found
			if s.RedeemCode(t.Context(), "grant-"+number(i), store.Refresh{}, tokenOf("taken", "taken"), keepUntil) == nil {
				t.Errorf("caller %d stored a token that exists", i)
			}
		case 1:
			if s.CreateGrant(t.Context(), grant("taken")) == nil {
				t.Errorf("caller %d stored a grant that exists", i)
			}
		default:
			if err := s.RedeemCode(t.Context(), "grant-"+number(i), store.Refresh{}, tokenOf(number(i), number(i)), keepUntil); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		}
	})
	for i := range racers {
		g, err := s.Grant(t.Context(), "grant-"+number(i))
		must(t, "Grant", err)
		mustEqual(t, "code "+number(i)+" is redeemed", g.Code.Redeemed, i%4 > 1)
	}
}

func readYourWrites(t *testing.T, s store.Store) {
	together(racers/4, func(i int) {
		for j := range 10 {
			name := number(i) + "-" + number(j)
			if err := errors.Join(s.CreateSession(t.Context(), session(name)), s.CreateGrant(t.Context(), grant(name))); err != nil {
				t.Error(err)
				return
			}
			if g, err := s.Grant(t.Context(), "grant-"+name); err != nil || g.Code.Redeemed {
				t.Errorf("a grant right after it was made: redeemed %t, %v", g.Code.Redeemed, err)
			}
			if err := s.RedeemCode(t.Context(), "grant-"+name, refresh(name, 0), tokenOf(name, name), keepUntil); err != nil {
				t.Error(err)
				return
			}
			if g, err := s.Grant(t.Context(), "grant-"+name); err != nil || !g.Code.Redeemed {
				t.Errorf("a grant right after its code was redeemed: redeemed %t, %v", g.Code.Redeemed, err)
			}
			if err := tokenError(t, s, name); err != nil {
				t.Errorf("a token right after it was made: %v", err)
			}
		}
	})
}

func cancelledOnTheWay(t *testing.T, s store.Store) {
	for i := range racers {
		createGrants(t, s, number(i))
	}
	errs := make([]error, racers)
	var cancels sync.WaitGroup
	together(racers, func(i int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cancels.Go(cancel)
		errs[i] = s.RedeemCode(ctx, "grant-"+number(i), refresh(number(i), 0), tokenOf(number(i), number(i)), keepUntil)
	})
	cancels.Wait()
	for i, err := range errs {
		if err != nil {
			mustBe(t, "a cancelled call", err, context.Canceled)
		}
		g, grantErr := s.Grant(t.Context(), "grant-"+number(i))
		must(t, "Grant", grantErr)
		mustEqual(t, "code "+number(i)+" is redeemed", g.Code.Redeemed, err == nil)
		mustEqual(t, "token "+number(i)+" is stored", found(t, "AccessToken", tokenError(t, s, number(i))), err == nil)
	}
}
