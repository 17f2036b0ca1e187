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
	must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
	must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
	create(t, s, "open", "redeemed")
	redeem(t, s, "redeemed")
	must(t, "Close", s.Close())

	s = engine.open(t, location)
	defer func() { must(t, "Close", s.Close()) }()
	gotSession, err := s.Session(t.Context(), session("a").Handle)
	must(t, "Session", err)
	mustEqual(t, "Session", gotSession, session("a"))
	gotConsent, err := s.Consent(t.Context(), "subject-a", "client-a")
	must(t, "Consent", err)
	mustEqual(t, "Consent", gotConsent, consent("a"))
	gotCode, redeemed, err := s.Code(t.Context(), code("open").Handle)
	must(t, "Code", err)
	mustEqual(t, "Code", gotCode, code("open"))
	mustEqual(t, "redeemed", redeemed, false)
	gotToken, err := s.AccessToken(t.Context(), token("redeemed").Handle)
	must(t, "AccessToken", err)
	mustEqual(t, "AccessToken", gotToken, token("redeemed"))
	mustBe(t, "a replay", s.RedeemCode(t.Context(), code("redeemed").Handle, token("replay"), keepUntil), store.ErrCodeRedeemed)
}

// What the process that is killed says on its standard output: one line for each change that was acknowledged to it.
const (
	saidSession  = "session"
	saidCode     = "code"
	saidRedeemed = "redeemed"
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
			if err := s.CreateSession(t.Context(), session(name)); err != nil {
				t.Error(err)
				return
			}
			say(saidSession, name)
			if err := s.CreateCode(t.Context(), code(name)); err != nil {
				t.Error(err)
				return
			}
			say(saidCode, name)
			if err := s.RedeemCode(t.Context(), code(name).Handle, token(name), keepUntil); err != nil {
				t.Error(err)
				return
			}
			say(saidRedeemed, name)
		}
	})
}

func crash(t *testing.T, engine Durable) {
	location := engine.Location(t)
	said := runAndKill(t, location)
	s := engine.open(t, location)
	defer func() { must(t, "Close", s.Close()) }()
	for name := range said[saidSession] {
		must(t, "session "+name, sessionError(t, s, name))
	}
	unfinished := 0
	for name := range said[saidCode] {
		_, redeemed, err := s.Code(t.Context(), code(name).Handle)
		must(t, "code "+name, err)
		stored := found(t, "token "+name, tokenError(t, s, name))
		mustEqual(t, "code "+name+" is redeemed just when its token is stored", redeemed, stored)
		if said[saidRedeemed][name] {
			mustEqual(t, "code "+name+" is redeemed, as was acknowledged", redeemed, true)
		}
		want := error(nil)
		if redeemed {
			want = store.ErrCodeRedeemed
		} else {
			unfinished++
		}
		mustBe(t, "redeeming code "+name, s.RedeemCode(t.Context(), code(name).Handle, token("after "+name), keepUntil), want)
	}
	t.Logf("killed after %d codes and %d redeems were acknowledged; %d codes were in between",
		len(said[saidCode]), len(said[saidRedeemed]), unfinished)
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
	said := map[string]map[string]bool{saidSession: {}, saidCode: {}, saidRedeemed: {}}
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
