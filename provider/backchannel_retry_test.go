package provider_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// noticesWaiting returns the gauge of notices, looked up anew.
func noticesWaiting(t testing.TB, issuer *providertest.Issuer) float64 {
	t.Helper()
	issuer.Provider.WakeLogoutNotices()
	return metric(t, issuer, "oidc_provider_logout_notices_waiting")[0].GetGauge().GetValue()
}

func metric(t testing.TB, issuer *providertest.Issuer, name string) []*dto.Metric {
	t.Helper()
	families, err := issuer.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return nil
}

// noticeResults returns the counter of logout notices by result.
func noticeResults(t testing.TB, issuer *providertest.Issuer) map[string]float64 {
	t.Helper()
	results := map[string]float64{}
	for _, m := range metric(t, issuer, "oidc_provider_logout_notices_total") {
		results[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
	}
	return results
}

// passTime sets the clock forward in steps, with a look at what is due after each, until something holds.
func passTime(t testing.TB, issuer *providertest.Issuer, step time.Duration, holds func() bool) {
	t.Helper()
	eventually(t, func() bool {
		if holds() {
			return true
		}
		issuer.Clock.Advance(step)
		// Waiting for it keeps a slow machine from letting a notice's whole life pass between two attempts.
		issuer.Provider.TellOfLogouts(t.Context())
		return false
	})
}

// OpenID Connect Back-Channel Logout 2.8: what is not answered with 200 or 204 is told again, each time with another token.
func TestLogoutIsToldAgain(t *testing.T) {
	elsewhere := answering(t, 200)
	for name, refuse := range map[string]func(w http.ResponseWriter, r *http.Request){
		"after an error":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"after a refusal": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) },
		"after a page":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) },
		"after a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"after a broken line": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"after a flood of words": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(503)
			for range 100 {
				_, _ = w.Write(bytes.Repeat([]byte("x"), 64<<10))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			rec := newReceiver(t, func(n int, w http.ResponseWriter, r *http.Request) {
				if n < 3 {
					refuse(w, r)
				}
			})
			rp := addReceiver(t, issuer, "chat", rec)
			browser := issuer.NewBrowser(t)
			rp.loginIn(browser)
			logOut(issuer, browser)
			passTime(t, issuer, 10*time.Second, func() bool { return waiting(t, issuer) == 0 })
			ids := map[any]bool{}
			issuer.Clock.Advance(-time.Until(issuer.Clock.Now())) // the tokens have expired meanwhile
			for _, claims := range rec.tokens(issuer, "chat", 4) {
				ids[claims["jti"]] = true
			}
			if results := noticeResults(t, issuer); len(ids) != 4 || results["delivered"] != 1 || results["retried"] != 3 {
				t.Errorf("%d tokens, results %v", len(ids), results)
			}
		})
	}
	if len(elsewhere.received()) != 0 {
		t.Error("a redirect was followed")
	}
}

// loggedOutInVain returns an issuer with a logout of which a client does not want to hear.
func loggedOutInVain(t *testing.T) (*providertest.Issuer, *receiver, *lockedBuffer) {
	t.Helper()
	audit := &lockedBuffer{}
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Audit = provider.NewAuditLogger(audit) }))
	rec := answering(t, 500)
	rp := addReceiver(t, issuer, "chat", rec)
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	logOut(issuer, browser)
	return issuer, rec, audit
}

// A client that never answers is told ever more seldom, and not for ever. The audit log says so.
func TestLogoutIsGivenUp(t *testing.T) {
	issuer, rec, audit := loggedOutInVain(t)
	eventually(t, func() bool { return noticesWaiting(t, issuer) == 1 })
	passTime(t, issuer, 5*time.Minute, func() bool { return waiting(t, issuer) == 0 })
	if n := len(rec.received()); n < 10 || n > 40 {
		t.Errorf("it was told %d times", n)
	}
	if results := noticeResults(t, issuer); results["given_up"] != 1 || results["delivered"] != 0 {
		t.Errorf("results %v", results)
	}
	if log := audit.String(); strings.Count(log, `"logout.failed"`) != 1 || !strings.Contains(log, `"client_id":"chat"`) {
		t.Errorf("the audit log is %s", log)
	}
	eventually(t, func() bool { return noticesWaiting(t, issuer) == 0 })
}

// Nobody sends a notice after its time, but somebody is told that its client does not know.
func TestLogoutWhoseTimePassesWhileNobodyRuns(t *testing.T) {
	issuer, rec, audit := loggedOutInVain(t)
	eventually(t, func() bool { return noticeResults(t, issuer)["retried"] == 1 })
	issuer.Clock.Advance(25 * time.Hour)
	eventually(t, func() bool { return noticesWaiting(t, issuer) == 0 })
	if results := noticeResults(t, issuer); results["given_up"] != 1 || len(rec.received()) != 1 {
		t.Errorf("results %v, %d requests", results, len(rec.received()))
	}
	if log := audit.String(); strings.Count(log, `"logout.failed"`) != 1 {
		t.Errorf("the audit log is %s", log)
	}
}

// lockedBuffer is a log that is written and read at a time.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestLogoutIsNotToldToThoseWhoAreGone(t *testing.T) {
	for name, change := range map[string]func(*providertest.Issuer, registration.Client){
		"removed": func(issuer *providertest.Issuer, c registration.Client) { issuer.RemoveClient(c.ClientID) },
		"disabled": func(issuer *providertest.Issuer, c registration.Client) {
			c.Disabled = true
			issuer.AddClient(c)
		},
		"without a URI": func(issuer *providertest.Issuer, c registration.Client) {
			c.BackchannelLogoutURI = ""
			issuer.AddClient(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			rec := answering(t, 500)
			var client registration.Client
			rp := addReceiver(t, issuer, "chat", rec, func(c *registration.Client) { client = *c })
			browser := issuer.NewBrowser(t)
			rp.loginIn(browser)
			logOut(issuer, browser)
			eventually(t, func() bool { return noticeResults(t, issuer)["retried"] == 1 })
			change(issuer, client)
			passTime(t, issuer, 10*time.Second, func() bool { return waiting(t, issuer) == 0 })
			if results := noticeResults(t, issuer); results["dropped"] != 1 || len(rec.received()) != 1 {
				t.Errorf("results %v, %d requests", results, len(rec.received()))
			}
		})
	}
}

// A person who is gone, too, is told of by the session alone.
func TestLogoutOfSomebodyWhoIsGone(t *testing.T) {
	issuer, _ := newIssuer(t)
	rec := answering(t, 500, 200)
	rp := addReceiver(t, issuer, "chat", rec)
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	logOut(issuer, browser)
	eventually(t, func() bool { return noticeResults(t, issuer)["retried"] == 1 })
	issuer.RemoveUser("ada")
	passTime(t, issuer, 6*time.Second, func() bool { return waiting(t, issuer) == 0 })
	form := rec.received()[1]
	payload, err := issuer.Registry.Keys().VerifyAs("logout+jwt", strings.TrimPrefix(form, "logout_token="))
	if err != nil || strings.Contains(string(payload), `"sub"`) || !strings.Contains(string(payload), `"sid"`) {
		t.Errorf("%s %v", payload, err)
	}
}

// A client that hangs holds up nobody else, however much there is to tell it.
func TestDeadClientHoldsUpNobody(t *testing.T) {
	issuer, _ := newIssuer(t)
	release := make(chan struct{})
	var hanging, most atomic.Int64
	dead := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		now := hanging.Add(1)
		defer hanging.Add(-1)
		for seen := most.Load(); now > seen; seen = most.Load() {
			most.CompareAndSwap(seen, now)
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	alive := answering(t, 200)
	addReceiver(t, issuer, "dead", dead)
	rp := addReceiver(t, issuer, "alive", alive)
	now := issuer.Clock.Now()
	var notices []store.Notice
	for range 300 {
		notices = append(notices, store.Notice{
			ID: store.NewID(now), Client: store.Client{ID: "dead"}, Subject: "sub-ada", SessionID: "s", NextAt: now, ExpiresAt: now.Add(24 * time.Hour),
		})
	}
	endSession(t, issuer.Store, now, notices)
	issuer.Provider.WakeLogoutNotices()
	eventually(t, func() bool { return len(dead.received()) > 0 })
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	logOut(issuer, browser)
	eventually(t, func() bool { return len(alive.received()) == 1 }) // all to the dead one would take minutes, at 8 s for each
	if n := most.Load(); n > 8 {
		t.Errorf("%d requests hang at one host", n)
	}
}

// endSession puts notices into a store.
func endSession(t testing.TB, s store.Store, now time.Time, notices []store.Notice) {
	t.Helper()
	id := store.NewID(now)
	session := store.Session{Handle: store.HandleOf(id), ID: id, Subject: "sub-ada", AuthTime: now, LastSeenAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := s.CreateSession(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	tell := func(store.Session, []store.Client) []store.Notice { return notices }
	if err := s.EndSession(t.Context(), id, tell); err != nil {
		t.Fatal(err)
	}
}

// gate is a store whose notices can be kept from a provider, as if it had stopped.
type gate struct {
	store.Store
	shut atomic.Bool
}

// TakeNotices implements store.Store.
func (g *gate) TakeNotices(ctx context.Context, now, until time.Time, limit int) ([]store.Notice, error) {
	if g.shut.Load() {
		return nil, nil
	}
	return g.Store.TakeNotices(ctx, now, until, limit)
}

// replica is another provider of the same issuer on the same storage. It runs until it is stopped.
func replica(t testing.TB, issuer *providertest.Issuer, s store.Store) (p *provider.Provider, stop func(), stopped <-chan struct{}) {
	t.Helper()
	p, err := provider.New(provider.Options{
		Issuer: issuer.URL, Registry: issuer.Registry, Store: s, Now: issuer.Clock.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		p.RunLogoutNotices(ctx)
		close(done)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return p, cancel, done
}

// What a provider could not tell before it stopped, the next one tells.
func TestLogoutSurvivesARestart(t *testing.T) {
	shared := &gate{Store: memory.New()}
	issuer, _ := newIssuer(t, providertest.WithStore(shared))
	rec := answering(t, 500, 200)
	rp := addReceiver(t, issuer, "chat", rec)
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	logOut(issuer, browser)
	eventually(t, func() bool { return noticeResults(t, issuer)["retried"] == 1 })
	shared.shut.Store(true)
	issuer.Clock.Advance(10 * time.Second)
	replica(t, issuer, shared.Store)
	if got := rec.tokens(issuer, "chat", 2); got[0]["sid"] != got[1]["sid"] {
		t.Errorf("got %v", got)
	}
	eventually(t, func() bool { return waiting(t, issuer) == 0 })
}

// Of what is being sent when a provider stops nothing is lost, and nothing waits for a lease to end.
func TestStopWhileLogoutsAreTold(t *testing.T) {
	shared := &gate{Store: memory.New()}
	shared.shut.Store(true) // the issuer's own provider tells nobody
	issuer, _ := newIssuer(t, providertest.WithStore(shared))
	began, release := make(chan struct{}, 100), make(chan struct{})
	rec := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {
		began <- struct{}{}
		<-release
	})
	addReceiver(t, issuer, "chat", rec)
	now := issuer.Clock.Now()
	var notices []store.Notice
	for i := range 20 {
		notices = append(notices, store.Notice{
			ID: store.NewID(now), Client: store.Client{ID: "chat"}, Subject: "sub-ada", SessionID: fmt.Sprint("s", i), NextAt: now, ExpiresAt: now.Add(24 * time.Hour),
		})
	}
	endSession(t, shared.Store, now, notices)
	_, stop, stopped := replica(t, issuer, shared.Store)
	<-began
	stop()
	close(release)
	<-stopped
	before := len(rec.received())
	if left := waiting(t, issuer); left+before != 20 || before > 8 {
		t.Errorf("%d were sent and %d are left", before, left)
	}
	replica(t, issuer, shared.Store)
	eventually(t, func() bool { return waiting(t, issuer) == 0 })
	if n := len(rec.received()); n != 20 {
		t.Errorf("%d were sent", n)
	}
}

// Two providers that share storage tell each client once.
func TestTwoProvidersTellOnce(t *testing.T) {
	shared := memory.New()
	issuer, _ := newIssuer(t, providertest.WithStore(shared))
	second, _, _ := replica(t, issuer, shared)
	rec := newReceiver(t, func(int, http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) })
	addReceiver(t, issuer, "chat", rec)
	now := issuer.Clock.Now()
	for i := range 40 {
		endSession(t, shared, now, []store.Notice{{
			ID: store.NewID(now), Client: store.Client{ID: "chat"}, Subject: "sub-ada", SessionID: fmt.Sprint("s", i), NextAt: now, ExpiresAt: now.Add(24 * time.Hour),
		}})
		issuer.Provider.WakeLogoutNotices()
		second.WakeLogoutNotices()
	}
	eventually(t, func() bool { return waiting(t, issuer) == 0 })
	sessions := map[any]int{}
	for _, claims := range rec.tokens(issuer, "chat", 40) {
		sessions[claims["sid"]]++
	}
	if len(sessions) != 40 || len(rec.received()) != 40 {
		t.Errorf("%d requests about %d sessions", len(rec.received()), len(sessions))
	}
}

// An issuer that others can reach sends nothing to its own machine: what listens there is not the application's, and trusts
// whoever reaches it.
func TestLogoutIsNotSentToThisMachine(t *testing.T) {
	issuer, _ := newIssuer(t)
	rec := answering(t, 200)
	addReceiver(t, issuer, "chat", rec)
	s, now := memory.New(), issuer.Clock.Now()
	var logged lockedBuffer
	p, err := provider.New(provider.Options{
		Issuer: "https://id.example.com", Registry: issuer.Registry, Store: s, Now: issuer.Clock.Now, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	endSession(t, s, now, []store.Notice{{ID: store.NewID(now), Client: store.Client{ID: "chat"}, Subject: "sub-ada", SessionID: "s", NextAt: now, ExpiresAt: now.Add(24 * time.Hour)}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.RunLogoutNotices(ctx); close(done) }()
	eventually(t, func() bool { return strings.Contains(logged.String(), "must be https") })
	cancel()
	<-done
	if n := len(rec.received()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
