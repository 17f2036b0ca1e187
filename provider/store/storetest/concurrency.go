package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

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

func concurrencyCases() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"of many who redeem one code one wins and its token alone is stored": raceForOneCode,
		"changes of many callers are all made":                               manyCallers,
		"a fault of one caller is not felt by others":                        oneFaultyCaller,
		"every caller reads what it wrote":                                   readYourWrites,
		"a call that is cancelled on its way is made in full or not at all":  cancelledOnTheWay,
	}
}

func raceForOneCode(t *testing.T, s store.Store) {
	for round := range 8 {
		name := "raced " + number(round)
		create(t, s, name)
		errs := make([]error, racers)
		together(racers, func(i int) {
			errs[i] = s.RedeemCode(t.Context(), code(name).Handle, token(name+number(i)), keepUntil)
		})
		winners := 0
		for i, err := range errs {
			stored := found(t, "AccessToken", tokenError(t, s, name+number(i)))
			if err == nil {
				winners++
				mustEqual(t, "the winner's token is stored", stored, true)
				continue
			}
			mustBe(t, "a loser", err, store.ErrCodeRedeemed)
			mustEqual(t, "a loser's token is stored", stored, false)
		}
		mustEqual(t, "winners", winners, 1)
	}
}

func manyCallers(t *testing.T, s store.Store) {
	const each = 5
	together(racers, func(i int) {
		for j := range each {
			name := number(i) + "-" + number(j)
			if err := errors.Join(
				s.CreateSession(t.Context(), session(name)),
				s.CreateCode(t.Context(), code(name)),
				s.RedeemCode(t.Context(), code(name).Handle, token(name), keepUntil),
				s.PutConsent(t.Context(), consent(name)),
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
		}
	}
}

func oneFaultyCaller(t *testing.T, s store.Store) {
	create(t, s, "taken")
	redeem(t, s, "taken")
	for i := range racers {
		create(t, s, number(i))
	}
	together(racers, func(i int) {
		switch i % 4 {
		case 0: // its token exists already: the call fails after the code was found
			if s.RedeemCode(t.Context(), code(number(i)).Handle, token("taken"), keepUntil) == nil {
				t.Errorf("caller %d stored a token that exists", i)
			}
		case 1:
			if s.CreateCode(t.Context(), code("taken")) == nil {
				t.Errorf("caller %d stored a code that exists", i)
			}
		default:
			if err := s.RedeemCode(t.Context(), code(number(i)).Handle, token(number(i)), keepUntil); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		}
	})
	for i := range racers {
		_, redeemed, err := s.Code(t.Context(), code(number(i)).Handle)
		must(t, "Code", err)
		mustEqual(t, "code "+number(i)+" is redeemed", redeemed, i%4 > 1)
	}
}

func readYourWrites(t *testing.T, s store.Store) {
	together(racers/4, func(i int) {
		for j := range 10 {
			name := number(i) + "-" + number(j)
			if err := s.CreateCode(t.Context(), code(name)); err != nil {
				t.Error(err)
				return
			}
			if _, redeemed, err := s.Code(t.Context(), code(name).Handle); err != nil || redeemed {
				t.Errorf("a code right after it was made: redeemed %t, %v", redeemed, err)
			}
			if err := s.RedeemCode(t.Context(), code(name).Handle, token(name), keepUntil); err != nil {
				t.Error(err)
				return
			}
			if _, redeemed, err := s.Code(t.Context(), code(name).Handle); err != nil || !redeemed {
				t.Errorf("a code right after it was redeemed: redeemed %t, %v", redeemed, err)
			}
			if _, err := s.AccessToken(t.Context(), token(name).Handle); err != nil {
				t.Errorf("a token right after it was made: %v", err)
			}
		}
	})
}

func cancelledOnTheWay(t *testing.T, s store.Store) {
	for i := range racers {
		create(t, s, number(i))
	}
	errs := make([]error, racers)
	var cancels sync.WaitGroup
	together(racers, func(i int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cancels.Go(cancel)
		errs[i] = s.RedeemCode(ctx, code(number(i)).Handle, token(number(i)), keepUntil)
	})
	cancels.Wait()
	for i, err := range errs {
		if err != nil {
			mustBe(t, "a cancelled call", err, context.Canceled)
		}
		_, redeemed, codeErr := s.Code(t.Context(), code(number(i)).Handle)
		must(t, "Code", codeErr)
		mustEqual(t, "code "+number(i)+" is redeemed", redeemed, err == nil)
		mustEqual(t, "token "+number(i)+" is stored", found(t, "AccessToken", tokenError(t, s, number(i))), err == nil)
	}
}
