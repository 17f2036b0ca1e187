package kube

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// reported is one report, at a time since the start of the test.
type reported struct {
	at      time.Duration
	applied string
}

// recorder is an API server that takes down what is reported.
type recorder struct {
	start   time.Time
	reports []reported
	removed []string
	leases  []coordinationv1.Lease
	// away makes every report fail.
	away atomic.Bool
}

func (r *recorder) apply(_ context.Context, lease *coordinationv1.Lease) error {
	if r.away.Load() {
		return errors.New("the API server is away")
	}
	r.reports = append(r.reports, reported{time.Since(r.start), lease.Annotations[registration.AnnotationApplied]})
	return nil
}

func (r *recorder) remove(_ context.Context, name string) error {
	r.removed = append(r.removed, name)
	return nil
}

func (r *recorder) list(context.Context, string) ([]coordinationv1.Lease, error) {
	return r.leases, nil
}

// story is a reporter whose time only moves when everything waits.
type story struct {
	*recorder
	*reporter
	log   *bytes.Buffer
	ready atomic.Bool
	stop  func()
}

// tell runs a reporter for a story in a bubble of its own time.
func tell(t *testing.T, run func(t *testing.T, s *story)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &story{recorder: &recorder{start: time.Now()}, log: &bytes.Buffer{}}
		s.ready.Store(true)
		logger := slog.New(slog.NewTextHandler(s.log, nil))
		index, err := registry.NewIndex(logger)
		if err != nil {
			t.Fatal(err)
		}
		s.reporter = &reporter{
			leases: s.recorder, opts: Options{Index: index, Logger: logger, Replica: "0"}, name: "sso-0", feed: newFeed(index, func() {}), now: time.Now,
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		s.stop = func() { cancel(); <-done }
		go func() {
			defer close(done)
			s.run(ctx, func() bool { return s.ready.Load() && s.feed.applied.Load() != nil })
		}()
		run(t, s)
		s.stop()
	})
}

// at lets time pass until so long after the start and for everything to come to rest.
func (s *story) at(after time.Duration) {
	time.Sleep(time.Until(s.start.Add(after))) // time of the bubble
	synctest.Wait()
}

func (s *story) expect(t *testing.T, want ...reported) {
	t.Helper()
	if !slices.Equal(s.reports, want) {
		t.Errorf("reports:\n got %v\nwant %v", s.reports, want)
	}
}

const ms = time.Millisecond

func TestReportsAreMade(t *testing.T) {
	tests := map[string]func(t *testing.T, s *story){
		"at once for the first change, and for the last of a burst after a pause": func(t *testing.T, s *story) {
			s.at(1000 * ms)
			s.feed.UpdateResourceVersion("1")
			s.at(1010 * ms)
			for _, rv := range []string{"2", "3", "4"} {
				s.feed.UpdateResourceVersion(rv)
			}
			s.at(1500 * ms)
			s.expect(t, reported{1000 * ms, "1"}, reported{1100 * ms, "4"})
		},
		"at once for a change after a quiet time": func(t *testing.T, s *story) {
			s.feed.UpdateResourceVersion("1")
			s.at(5000 * ms)
			s.feed.UpdateResourceVersion("2")
			s.at(5001 * ms)
			s.expect(t, reported{0, "1"}, reported{5000 * ms, "2"})
		},
		"at most ten times a second": func(t *testing.T, s *story) {
			for i := range 1000 {
				s.at(time.Duration(i) * ms)
				s.feed.UpdateResourceVersion("busy")
			}
			s.feed.UpdateResourceVersion("last")
			s.at(2000 * ms)
			if n := len(s.reports); n < 10 || n > 12 || s.reports[n-1].applied != "last" {
				t.Errorf("%d reports of a second of changes, the last of %v; want about 10, the last of the last change", n, s.reports[n-1])
			}
		},
		"again every 20 s without a change": func(t *testing.T, s *story) {
			s.feed.UpdateResourceVersion("1")
			s.at(41 * time.Second)
			s.expect(t, reported{0, "1"}, reported{20*time.Second + reportInterval, "1"}, reported{40*time.Second + 2*reportInterval, "1"})
		},
		"not before the replica is ready": func(t *testing.T, s *story) {
			s.ready.Store(false)
			s.feed.UpdateResourceVersion("1")
			s.at(3000 * ms)
			s.expect(t)
			s.ready.Store(true)
			s.at(3000*ms + reportInterval)
			s.expect(t, reported{3000*ms + reportInterval, "1"})
		},
		"not before the registrations are synced": func(t *testing.T, s *story) {
			s.at(3000 * ms)
			s.expect(t)
		},
		"even when the replica is not ready any more": func(t *testing.T, s *story) {
			s.feed.UpdateResourceVersion("1")
			s.at(1000 * ms)
			s.ready.Store(false)
			s.feed.UpdateResourceVersion("2")
			s.at(2000 * ms)
			s.expect(t, reported{0, "1"}, reported{1000 * ms, "2"})
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) { tell(t, run) })
	}
}

func TestFailedReportsAreRepeatedAndLoggedOnce(t *testing.T) {
	tell(t, func(t *testing.T, s *story) {
		s.away.Store(true)
		s.feed.UpdateResourceVersion("1")
		s.at(60 * time.Second)
		s.feed.UpdateResourceVersion("2")
		s.at(61 * time.Second)
		s.away.Store(false)
		s.at(61*time.Second + lastRetry)
		s.expect(t, reported{s.reports[0].at, "2"})
		if n := strings.Count(s.log.String(), "report of applied registrations failed"); n != 1 {
			t.Errorf("the fault was logged %d times; want once:\n%s", n, s.log)
		}
		if n := strings.Count(s.log.String(), "succeeded again"); n != 1 {
			t.Errorf("the recovery was logged %d times; want once:\n%s", n, s.log)
		}
	})
}

func TestAReportIsWithdrawnAtTheEnd(t *testing.T) {
	tests := map[string]struct {
		synced bool
		want   []string
	}{
		"after a report":   {synced: true, want: []string{"sso-0"}},
		"without a report": {},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tell(t, func(t *testing.T, s *story) {
				if tt.synced {
					s.feed.UpdateResourceVersion("1")
				}
				s.at(time.Second)
				s.stop()
				if !slices.Equal(s.removed, tt.want) {
					t.Errorf("removed %v; want %v", s.removed, tt.want)
				}
			})
		})
	}
}

// What is told of the use of secrets comes with the next renewal, and never makes a report by itself.
func TestSecretUsesAreReported(t *testing.T) {
	tell(t, func(t *testing.T, s *story) {
		hash := registration.HashSecret("x")
		document := `{"client_id":"app","redirect_uris":["https://a.example.com/"],"scope":"openid","secrets":[{"id":"a","hash":"` + hash + `"},{"id":"b","hash":"` + hash + `"}]}`
		if err := s.opts.Index.Upsert(registration.KindClient, "app", []byte(document)); err != nil {
			t.Fatal(err)
		}
		client, _ := s.opts.Index.Client("app")
		s.feed.UpdateResourceVersion("1")
		s.at(1000 * ms)
		if _, told := s.lease().Annotations[registration.AnnotationSecretUses]; told {
			t.Error("there is nothing to tell yet")
		}
		s.opts.Index.NoteSecretUse(client, "a", time.Date(2026, 11, 22, 10, 30, 59, 0, time.UTC))
		s.at(2000 * ms)
		s.expect(t, reported{0, "1"})
		if got := s.lease().Annotations[registration.AnnotationSecretUses]; got != `{"app":{"a":"2026-11-22T10:30:00Z"}}` {
			t.Errorf("got %s", got)
		}
	})
}
