package storetest

import (
	"hash/fnv"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// numberOf is a number of a name's own.
func numberOf(name string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return int64(h.Sum32())
}

func mustNumber(t *testing.T, s store.Store, subject string, want int64, candidates ...int64) {
	t.Helper()
	got, err := s.UserNumber(t.Context(), subject, candidates)
	must(t, "UserNumber", err)
	mustEqual(t, "UserNumber of "+subject, got, want)
}

func userNumberCases() cases {
	const largest = 1<<31 - 1
	return cases{
		"a subject keeps its number, whatever is asked for later": func(t *testing.T, s store.Store) {
			mustNumber(t, s, "subject-a", largest, largest, 2000)
			mustNumber(t, s, "subject-a", largest, 3000)
			mustNumber(t, s, "subject-a", largest)
			purge(t, s, keepUntil.AddDate(100, 0, 0), keepUntil, 100)
			mustNumber(t, s, "subject-a", largest, 3000)
		},
		"no two subjects have the same number": func(t *testing.T, s store.Store) {
			mustNumber(t, s, "subject-a", 1024, 1024, 2000)
			mustNumber(t, s, "subject-b", 2000, 1024, 2000, 3000)
			mustNumber(t, s, "Subject-b", 3000, 1024, 2000, 3000)
			_, err := s.UserNumber(t.Context(), "subject-c", []int64{1024, 2000, 3000})
			mustBe(t, "UserNumber when others have every candidate", err, store.ErrReplayed)
			_, err = s.UserNumber(t.Context(), "subject-c", nil)
			mustBe(t, "UserNumber without candidates", err, store.ErrReplayed)
			mustNumber(t, s, "subject-c", 4000, 4000)
		},
	}
}

// raceForNumbers has half of the callers ask for one subject, with candidates of their own, and each of the others for another
// subject, all with the same candidates.
func raceForNumbers(t *testing.T, s store.Store) {
	candidates := make([]int64, racers)
	for i := range candidates {
		candidates[i] = int64(5000 + i)
	}
	got := make([]int64, racers)
	together(racers, func(i int) {
		var err error
		if i%2 == 0 {
			got[i], err = s.UserNumber(t.Context(), "shared", []int64{int64(1000 + i)})
		} else {
			got[i], err = s.UserNumber(t.Context(), "subject-"+number(i), candidates)
		}
		if err != nil {
			t.Errorf("UserNumber: %v", err)
		}
	})
	others := map[int64]bool{}
	for i := range racers {
		if i%2 == 0 {
			mustEqual(t, "the number of one subject", got[i], got[0])
			continue
		}
		mustEqual(t, "a number that is given twice", others[got[i]], false)
		others[got[i]] = true
		mustNumber(t, s, "subject-"+number(i), got[i], 1)
	}
}
