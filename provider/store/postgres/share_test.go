package postgres

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// together makes calls that find all connections busy, lets them go at once, and returns what each is answered.
func together(t *testing.T, s *Store, calls ...func() error) []error {
	t.Helper()
	var busy []interface{ Release() }
	for range 2 {
		c, err := s.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, c)
	}
	done := make([]chan error, len(calls))
	for i, call := range calls {
		done[i] = make(chan error, 1)
		go func() { done[i] <- call() }()
	}
	for begin := time.Now(); len(s.changes.Waiting()) < len(calls)-sharers && time.Since(begin) < time.Second; {
		runtime.Gosched() // until all of them wait, those whose call a sharer holds apart
	}
	for _, c := range busy {
		c.Release()
	}
	answers := make([]error, len(calls))
	for i := range done {
		answers[i] = <-done[i]
	}
	return answers
}

func TestNobodyFeelsTheFaultsOfThoseWhoShareATransaction(t *testing.T) {
	s := openStore(t)
	insert := func(i int) func() error {
		return func() error {
			return s.UseOnce(t.Context(), store.HandleOf(fmt.Sprint(i)), time.Now(), time.Now().Add(time.Hour))
		}
	}
	fault := func() error { return s.change(t.Context(), "divide", "UPDATE pings SET count = 1 / (id - id)") }
	unreadable := func() error {
		_, err := changeAndGet(t.Context(), s, "read", pgx.RowTo[time.Time], "UPDATE pings SET count = count RETURNING 'no time'")
		return err
	}
	nothing := func() error {
		return s.RenewSession(t.Context(), store.Session{ID: "none", LastSeenAt: time.Now(), ExpiresAt: time.Now()})
	}
	for name, odd := range map[string]struct {
		call func() error
		want error
	}{
		"a fault of the database":   {fault, store.ErrUnavailable},
		"a result that is not read": {unreadable, store.ErrUnavailable},
		"an answer":                 {nothing, store.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []func() error
			for i := range 20 {
				calls = append(calls, insert(i))
			}
			for i, err := range together(t, s, append(calls, odd.call)...) {
				switch {
				case i < len(calls) && err != nil:
					t.Errorf("insert %d: %v", i, err)
				case i == len(calls) && !errors.Is(err, odd.want):
					t.Errorf("the odd one: %v; want %v", err, odd.want)
				}
			}
			for i := range calls {
				if err := insert(i)(); !errors.Is(err, store.ErrReplayed) {
					t.Errorf("insert %d was not kept: %v", i, err)
				}
			}
			if _, err := s.pool.Exec(t.Context(), "DELETE FROM used_values"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestThoseWhoWaitTogetherShareATransaction(t *testing.T) {
	s := openStore(t)
	if _, err := s.pool.Exec(t.Context(), "CREATE TABLE transactions (id xid8)"); err != nil {
		t.Fatal(err)
	}
	const count = 40
	calls := make([]func() error, count)
	for i := range calls {
		calls[i] = func() error {
			return s.change(t.Context(), "note", "INSERT INTO transactions VALUES (pg_current_xact_id())")
		}
	}
	for _, err := range together(t, s, calls...) {
		if err != nil {
			t.Error(err)
		}
	}
	var all, distinct int
	if err := s.pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT id) FROM transactions").Scan(&all, &distinct); err != nil {
		t.Fatal(err)
	}
	if all != count || distinct > count/2 {
		t.Errorf("%d rows by %d transactions; want %d rows by a few", all, distinct, count)
	}
}
