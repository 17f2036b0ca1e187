package health_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/health"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// engine is storage that fails when the test wants it to.
type engine struct {
	store.Store
	pings   atomic.Int64
	failure atomic.Pointer[error]
}

func (e *engine) fail(err error) { e.failure.Store(&err) }

func (e *engine) Ping(ctx context.Context) error {
	e.pings.Add(1)
	err := *e.failure.Load()
	if errors.Is(err, context.DeadlineExceeded) { // it hangs
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// story is a monitor whose time only moves when everything waits.
type story struct {
	*testing.T
	*health.Monitor
	engine  *engine
	opening atomic.Pointer[error]
	opened  store.Store
	log     *bytes.Buffer
	metrics *prometheus.Registry
	ended   chan error
	stop    context.CancelFunc
}

var errAway = errors.New("it is away")

func tell(t *testing.T, opening error, run func(s *story)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &story{T: t, engine: &engine{Store: memory.New()}, log: &bytes.Buffer{}, metrics: prometheus.NewRegistry(), ended: make(chan error, 1)}
		s.engine.fail(nil)
		s.opening.Store(&opening)
		var err error
		s.Monitor, err = health.New(health.Options{
			Open: func(ctx context.Context) (store.Store, error) {
				err := *s.opening.Load()
				if errors.Is(err, context.DeadlineExceeded) { // it hangs
					<-ctx.Done()
				}
				if err != nil {
					return nil, err
				}
				return s.engine, nil
			},
			Opened: func(opened store.Store) { s.opened = opened },
			Describe: func(err error) store.Fault {
				return store.Fault{Kind: store.FaultFull, Message: "told: " + err.Error()}
			},
			Logger: slog.New(slog.NewTextHandler(s.log, nil)), Metrics: s.metrics,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s.stop = cancel
		go func() { s.ended <- s.Monitor.Run(ctx) }()
		synctest.Wait()
		run(s)
		cancel()
		synctest.Wait()
	})
}

// after lets so much time pass and demands what is then known.
func (s *story) after(pass time.Duration, works bool) {
	s.Helper()
	time.Sleep(pass) // time of the bubble
	synctest.Wait()
	if got := s.Fault() == nil; got != works {
		s.Errorf("works is %t; want %t", got, works)
	}
	up := 0.
	if works {
		up = 1
	}
	if err := testutil.GatherAndCompare(s.metrics, strings.NewReader(fmt.Sprintf(
		"# HELP oidc_provider_storage_up Whether the storage can be read and written: 1 or 0.\n# TYPE oidc_provider_storage_up gauge\noidc_provider_storage_up %v\n", up))); err != nil {
		s.Error(err)
	}
}

func (s *story) changed() bool {
	select {
	case <-s.Changed():
		return true
	default:
		return false
	}
}

func TestAFaultIsFoundWithoutUse(t *testing.T) {
	for name, err := range map[string]error{"it refuses": errAway, "it hangs": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			tell(t, nil, func(s *story) {
				s.after(time.Minute, true)
				s.engine.fail(err)
				s.after(12*time.Second, false)
				if !s.changed() {
					s.Error("nobody is told")
				}
				s.after(time.Minute, false)
				if s.changed() {
					s.Error("the same fault is told twice")
				}
				s.engine.fail(nil)
				s.after(10*time.Second, true)
				if !s.changed() {
					s.Error("nobody is told that it works again")
				}
			})
		})
	}
}

// A call that has failed is a reason to look, and nothing more: it may have failed for what was in it.
func TestAFailedCallIsLookedIntoAtOnce(t *testing.T) {
	tell(t, nil, func(s *story) {
		s.after(time.Second, true)
		s.engine.fail(errAway)
		s.Suspect()
		s.after(1500*time.Millisecond, false)
		s.engine.fail(nil)
		s.after(10*time.Second, true)
		s.changed()
		before := s.engine.pings.Load()
		for range 1000 {
			s.Suspect()
		}
		s.after(time.Second, true)
		if n := s.engine.pings.Load() - before; n == 0 || n > 3 || s.changed() {
			s.Errorf("a thousand failed calls are %d checks", n)
		}
	})
}

// One failed check is no outage, and one that succeeds is not the end of one.
func TestOneCheckDecidesNothing(t *testing.T) {
	tell(t, nil, func(s *story) {
		s.engine.fail(errAway)
		s.Suspect()
		s.after(500*time.Millisecond, true)
		s.engine.fail(nil)
		s.after(time.Minute, true)
		s.engine.fail(errAway)
		s.after(12*time.Second, false)
		s.changed()
		for range 20 {
			s.engine.fail(nil)
			before := s.engine.pings.Load()
			for s.engine.pings.Load() == before {
				s.after(100*time.Millisecond, false)
			}
			s.engine.fail(errAway)
			s.after(3*time.Second, false)
		}
		if s.changed() {
			s.Error("storage that flaps makes others write")
		}
	})
}

func TestOpeningIsTriedAgain(t *testing.T) {
	for name, opening := range map[string]error{"it refuses": errAway, "it hangs": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			tell(t, opening, func(s *story) {
				s.after(30*time.Second, false)
				select {
				case <-s.Known():
				default:
					s.Error("nobody knows of the fault")
				}
				if !s.changed() {
					s.Error("nobody is told")
				}
				s.after(time.Hour, false)
				if n := strings.Count(s.log.String(), "storage does not work"); n < 1 || n > 7 {
					s.Errorf("an hour of waiting is %d lines of the log", n)
				}
				if errors.Is(opening, context.DeadlineExceeded) {
					return
				}
				s.opening.Store(new(error))
				s.after(6*time.Second, true)
				if s.opened != s.engine || !s.changed() {
					s.Errorf("opened %v", s.opened)
				}
			})
		})
	}
}

func TestANewerSchemaEndsIt(t *testing.T) {
	tell(t, fmt.Errorf("%w: version 9", store.ErrNewerSchema), func(s *story) {
		if err := <-s.ended; !errors.Is(err, store.ErrNewerSchema) {
			s.Errorf("Run() = %v", err)
		}
	})
}

func TestItEndsInOrder(t *testing.T) {
	for name, opening := range map[string]error{"opened": nil, "not opened": errAway, "opening": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			tell(t, opening, func(s *story) {
				s.stop()
				if err := <-s.ended; err != nil {
					s.Errorf("Run() = %v", err)
				}
			})
		})
	}
}
