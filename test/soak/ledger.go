package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// maxMessages is how many messages of each kind of failure are kept.
const maxMessages = 3

// ledger counts calls and disturbances. No message in it holds a secret: see caller.
type ledger struct {
	mu           sync.Mutex
	calls        map[string]*tally
	disturbances map[string]int
	order        []string
	// doing is what is being done to the site, since doingSince.
	doing      string
	doingSince time.Time
	// killed is when a replica was killed last, again how many calls were repeated because of that, and lost how many were not answered.
	killed      time.Time
	again, lost int
}

// tally is what came of the calls of one kind.
type tally struct {
	failed   int
	took     []time.Duration
	messages []string
}

func newLedger() *ledger {
	return &ledger{calls: map[string]*tally{}, disturbances: map[string]int{}}
}

// call records a call that began at start. Nil is a success.
func (l *ledger) call(kind string, start time.Time, err error) {
	took := time.Since(start)
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.calls[kind]
	if t == nil {
		t = &tally{}
		l.calls[kind] = t
	}
	t.took = append(t.took, took)
	if err == nil {
		return
	}
	t.failed++
	if len(t.messages) < maxMessages {
		t.messages = append(t.messages, fmt.Sprintf("after %s, %s into %q: %v",
			took.Round(time.Millisecond), time.Since(l.doingSince).Round(time.Millisecond), l.doing, err))
	}
}

// repeated counts a call that was sent again because its replica was killed.
func (l *ledger) repeated() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.again++
}

// unanswered counts a call that got no answer because its replica was killed.
func (l *ledger) unanswered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost++
}

// begin notes what is being done, for the messages of calls that fail meanwhile.
func (l *ledger) begin(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doing, l.doingSince = what, time.Now()
}

// disturbed counts what was done.
func (l *ledger) disturbed(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.disturbances[what] == 0 {
		l.order = append(l.order, what)
	}
	l.disturbances[what]++
}

// totals returns the number of all calls, and of those that failed.
func (l *ledger) totals() (calls, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.calls {
		calls += len(t.took)
		failed += t.failed
	}
	return calls, failed
}

func (l *ledger) print(out io.Writer, elapsed time.Duration, retried int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kinds []string
	for kind := range l.calls {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	say(out, "\n%-28s %9s %7s %9s %9s %9s\n", "call", "done", "failed", "p50", "p99", "longest")
	for _, kind := range kinds {
		t := l.calls[kind]
		slices.Sort(t.took)
		at := func(q float64) time.Duration {
			return t.took[min(len(t.took)-1, int(q*float64(len(t.took))))].Round(100 * time.Microsecond)
		}
		say(out, "%-28s %9d %7d %9s %9s %9s\n", kind, len(t.took), t.failed, at(0.5), at(0.99), at(1))
		for _, message := range t.messages {
			say(out, "    %s\n", message)
		}
	}
	say(out, "\nin %s there were:\n", elapsed.Round(time.Second))
	for _, what := range l.order {
		say(out, "%9d  %s\n", l.disturbances[what], what)
	}
	say(out, "%9d  refused connections that went to the other replica\n", retried)
	say(out, "%9d  calls that a killed replica had not answered and that were repeated\n", l.again)
	say(out, "%9d  calls that a killed replica had not answered and that nobody may repeat\n", l.lost)
}

// verdict is an error when a call has failed, or when there was nothing to fail.
func (l *ledger) verdict() error {
	calls, failed := l.totals()
	switch {
	case calls == 0:
		return fmt.Errorf("there were no calls")
	case failed > 0:
		return fmt.Errorf("%d of %d calls failed", failed, calls)
	case l.lost > workers*l.disturbances[killedProviders]:
		return fmt.Errorf("%d calls were not answered, which is more than can have been under way when a provider was killed %d times", l.lost, l.disturbances[killedProviders])
	}
	return nil
}

// say prints to people. That nobody reads it is no reason to stop.
func say(out io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }
