package measured

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// Store measures the calls of another.
type Store struct {
	inner     atomic.Pointer[store.Store]
	failed    func()
	system    string
	durations [operations]prometheus.Observer
	errors    [operations]prometheus.Counter
	tracer    trace.Tracer
}

var _ store.Store = (*Store)(nil)

// New returns a store that passes every call on to inner. system names the engine in spans ("sqlite", "postgresql"). tracer may be nil:
// there are no spans then. The metrics are registered with registerer, which takes those of one store only.
func New(inner store.Store, system string, registerer prometheus.Registerer, tracer trace.TracerProvider) (*Store, error) {
	s := &Store{system: system, failed: func() {}}
	s.inner.Store(&inner)
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "oidc_provider_store_duration_seconds", Help: "Time that a call of the storage took, by operation.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"operation"})
	failed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oidc_provider_store_errors_total", Help: "Calls of the storage that failed because it was unavailable, by operation.",
	}, []string{"operation"})
	for _, c := range []prometheus.Collector{durations, failed} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register storage metrics: %w", err)
		}
	}
	// Labels are looked up here, once: that costs more than a measurement.
	for op, name := range names {
		s.durations[op], s.errors[op] = durations.WithLabelValues(name), failed.WithLabelValues(name)
	}
	if tracer != nil {
		s.tracer = tracer.Tracer("github.com/oidc-operator/oidc-operator/provider/store")
	}
	return s, nil
}

// Replace passes every later call on to inner.
func (s *Store) Replace(inner store.Store) { s.inner.Store(&inner) }

// OnFailure has failed called after every call that failed because storage was unavailable. It must return at once. OnFailure is called
// before any call.
func (s *Store) OnFailure(failed func()) { s.failed = failed }

// Close implements store.Store.
func (s *Store) Close() error {
	return (*s.inner.Load()).Close()
}

// call is one that has begun.
type call struct {
	store *Store
	inner store.Store
	op    operation
	ctx   context.Context
	start time.Time
	span  trace.Span
}

func (s *Store) begin(ctx context.Context, op operation) call {
	c := call{store: s, inner: *s.inner.Load(), op: op, ctx: ctx, start: time.Now()}
	// A call outside of a trace, such as a purge, would make a trace of its own that nobody looks for.
	if s.tracer != nil && trace.SpanContextFromContext(ctx).IsValid() {
		c.ctx, c.span = s.tracer.Start(ctx, "store "+names[op], trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("db.system.name", s.system), attribute.String("db.operation.name", names[op])))
	}
	return c
}

// end measures the call and returns err. An answer such as store.ErrNotFound, and a caller who gave up, are no errors of storage.
func (c *call) end(err error) error {
	c.store.durations[c.op].Observe(time.Since(c.start).Seconds())
	unavailable := errors.Is(err, store.ErrUnavailable)
	if unavailable {
		c.store.errors[c.op].Inc()
		c.store.failed()
	}
	if c.span != nil {
		if unavailable {
			c.span.SetStatus(codes.Error, "storage is unavailable")
		}
		c.span.End()
	}
	return err
}
