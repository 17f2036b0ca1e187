package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// Durable is an engine whose stores outlive their process.
type Durable struct {
	// Location returns the place of a new, empty store: a path, a connection string.
	Location func(t *testing.T) string
	// Open opens the store at a location, also after the process that had it open was killed.
	Open func(ctx context.Context, location string) (store.Store, error)
}

// locationVariable tells a process that it is the one to be killed, and where its store is.
const locationVariable = "STORETEST_CRASH_LOCATION"

// RunDurable checks that what a store has acknowledged is there after it was closed, and after its process was killed while
// many callers were writing. For the latter it starts the running test binary again, so it must be called by a top-level
// test, once.
func RunDurable(t *testing.T, engine Durable) {
	t.Helper()
	if location, ok := os.LookupEnv(locationVariable); ok {
		writeUntilKilled(t, engine, location)
		return
	}
	t.Run("a store that was closed and opened again holds everything", func(t *testing.T) { reopen(t, engine) })
	t.Run("what was acknowledged before the process was killed is there and no code is redeemed twice", func(t *testing.T) {
		crash(t, engine)
	})
}

func (d Durable) open(t *testing.T, location string) store.Store {
	t.Helper()
	s, err := d.Open(context.Background(), location)
	must(t, "open the store", err)
	return s
}

func reopen(t *testing.T, engine Durable) {
	location := engine.Location(t)
	s := engine.open(t, location)
	prepareCalls(t, s, "")
	must(t, "UseOnce", s.UseOnce(t.Context(), store.HandleOf("used"), now, keepUntil))
	_, err := s.AddFailure(t.Context(), store.HandleOf("key"), now, keepUntil)
	must(t, "AddFailure", err)
	must(t, "Close", s.Close())

	s = engine.open(t, location)
	defer func() { must(t, "Close", s.Close()) }()
	mustBe(t, "UseOnce again", s.UseOnce(t.Context(), store.HandleOf("used"), now, keepUntil), store.ErrReplayed)
	mustCountFailures(t, s, now, store.Failures{Count: 1, LastAt: now, ExpiresAt: keepUntil})
	must(t, "ClearFailures", s.ClearFailures(t.Context(), store.HandleOf("key")))
	expectBefore(t, s)
	mustBe(t, "a replay", s.RedeemCode(t.Context(), "grant-b", refresh("replay", 0), tokenOf("b", "replay"), keepUntil), store.ErrRedeemed)
}

// What the process that is killed says on its standard output: one line for each change that was acknowledged to it.
const (
	saidSession  = "session"
	saidGrant    = "grant"
	saidRedeemed = "redeemed"
	saidRotated  = "rotated"
)

const (
	crashWriters = 16
	// crashAfter is how many acknowledged changes are waited for before the process is killed.
	crashAfter = 600
)

// writeUntilKilled has many callers change the store and tells each change as soon as it is acknowledged, and not before.
func writeUntilKilled(t *testing.T, engine Durable, location string) {
	s := engine.open(t, location)
	say := func(what, name string) {
		// One write per line, so that a line is there in full or not at all.
		if _, err := fmt.Fprintf(os.Stdout, "%s %s\n", what, name); err != nil {
			t.Error(err)
		}
	}
	together(crashWriters, func(i int) {
		for j := 0; ; j++ {
			name := number(i) + "-" + number(j)
			for _, step := range []struct {
				said string
				run  func() error
			}{
				{saidSession, func() error { return s.CreateSession(t.Context(), session(name)) }},
				{saidGrant, func() error { return s.CreateGrant(t.Context(), grant(name)) }},
				{saidRedeemed, func() error {
					return s.RedeemCode(t.Context(), "grant-"+name, refresh(name, 0), tokenOf(name, name), keepUntil)
				}},
				{saidRotated, func() error { return rotateOnce(t, s, name) }},
			} {
				if err := step.run(); err != nil {
					t.Error(err)
					return
				}
				say(step.said, name)
			}
		}
	})
}

// rotateOnce rotates the first refresh token of a grant.
func rotateOnce(t *testing.T, s store.Store, name string) error {
	return s.RotateRefresh(t.Context(), "grant-"+name, refreshHandle(name, 0), refresh(name, 1), tokenOf(name, "second "+name), keepUntil)
}

func crash(t *testing.T, engine Durable) {
	location := engine.Location(t)
	said := runAndKill(t, location)
	s := engine.open(t, location)
	defer func() { must(t, "Close", s.Close()) }()
	for name := range said[saidSession] {
		must(t, "session "+name, sessionError(t, s, name))
	}
	for name := range said[saidGrant] {
		checkAfterCrash(t, s, name, said)
	}
	t.Logf("killed after %d grants, %d redeems and %d rotations were acknowledged",
		len(said[saidGrant]), len(said[saidRedeemed]), len(said[saidRotated]))
}

// checkAfterCrash checks that a grant is where it was acknowledged to be or one step further, and stands there whole.
func checkAfterCrash(t *testing.T, s store.Store, name string, said map[string]map[string]bool) {
	t.Helper()
	g, err := s.Grant(t.Context(), "grant-"+name)
	must(t, "grant "+name, err)
	rotated := g.Refresh.Handle == refreshHandle(name, 1)
	mustEqual(t, name+" is redeemed just when its token is stored", g.Code.Redeemed, found(t, "token "+name, tokenError(t, s, name)))
	mustEqual(t, name+" is rotated just when its second token is stored", rotated, found(t, "second token", tokenError(t, s, "second "+name)))
	if said[saidRedeemed][name] {
		mustEqual(t, name+" is redeemed, as was acknowledged", g.Code.Redeemed, true)
	}
	if said[saidRotated][name] {
		mustEqual(t, name+" is rotated, as was acknowledged", rotated, true)
	}
	again := func(done bool) error {
		if done {
			return store.ErrRedeemed
		}
		return nil
	}
	mustBe(t, "redeeming "+name, s.RedeemCode(t.Context(), g.ID, refresh(name, 0), tokenOf(name, "after "+name), keepUntil), again(g.Code.Redeemed))
	mustBe(t, "rotating "+name, rotateOnce(t, s, name), again(rotated))
}

// runAndKill runs this test in a process of its own, kills it in the midst of its work and returns what it said.
func runAndKill(t *testing.T, location string) map[string]map[string]bool {
	t.Helper()
	self, err := os.Executable()
	must(t, "find the test binary", err)
	top, _, _ := strings.Cut(t.Name(), "/")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, self, "-test.run=^"+top+"$", "-test.timeout=1m") //nolint:gosec // it is the running program
	child.Env = append(os.Environ(), locationVariable+"="+location)
	out, err := child.StdoutPipe()
	must(t, "make a pipe", err)
	must(t, "start the process to be killed", child.Start())
	said := map[string]map[string]bool{saidSession: {}, saidGrant: {}, saidRedeemed: {}, saidRotated: {}}
	lines := bufio.NewReader(out)
	for count := 0; ; count++ {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // a last line without its end is dropped with it
		}
		must(t, "read what the process says", err)
		what, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !ok || said[what] == nil {
			t.Fatalf("the process said: %s", line)
		}
		said[what][name] = true
		if count == crashAfter {
			must(t, "kill the process", child.Process.Kill())
		}
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the process ended with %v before it was killed", err)
	}
	return said
}
