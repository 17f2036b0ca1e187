package measured_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/measured"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
	"github.com/oidc-operator/oidc-operator/provider/store/storetest"
)

func open(t *testing.T, registry *prometheus.Registry, spans *tracetest.SpanRecorder) *measured.Store {
	t.Helper()
	var s *measured.Store
	var err error
	if spans == nil {
		s, err = measured.New(memory.New(), "memory", registry, nil)
	} else {
		s, err = measured.New(memory.New(), "memory", registry, sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, prometheus.NewRegistry(), nil) })
}

// callAll calls every method but Close once, with zero values.
func callAll(ctx context.Context, s store.Store) (methods int) {
	contract := reflect.TypeFor[store.Store]()
	for i := range contract.NumMethod() {
		if contract.Method(i).Name == "Close" {
			continue
		}
		method := reflect.ValueOf(s).MethodByName(contract.Method(i).Name)
		args := []reflect.Value{reflect.ValueOf(ctx)}
		for j := 1; j < method.Type().NumIn(); j++ {
			args = append(args, reflect.Zero(method.Type().In(j)))
		}
		method.Call(args)
		methods++
	}
	return methods
}

func TestEveryMethodIsMeasuredUnderItsOwnName(t *testing.T) {
	registry := prometheus.NewRegistry()
	methods := callAll(t.Context(), open(t, registry, nil))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range families {
		if f.GetName() != "oidc_provider_store_duration_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			if count := m.GetHistogram().GetSampleCount(); count != 1 {
				t.Errorf("%v was measured %d times; want 1", m.GetLabel(), count)
			}
			seen++
		}
	}
	if seen != methods {
		t.Errorf("%d operations were measured; want %d", seen, methods)
	}
}

func TestOnlyUnavailableStorageIsAnError(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := open(t, registry, nil)
	_, _ = s.Grant(t.Context(), "unknown") // not found
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = s.Grant(ended, "unknown") // the caller has gone
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, _ = s.Grant(t.Context(), "unknown") // closed
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "oidc_provider_store_errors_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			want := 0.
			if m.GetLabel()[0].GetValue() == "grant" {
				want = 3
			}
			if got := m.GetCounter().GetValue(); got != want {
				t.Errorf("%v errors of %s; want %v", got, m.GetLabel()[0].GetValue(), want)
			}
		}
	}
}

// Calls go to the storage that came last, and of those that fail somebody is told.
func TestReplace(t *testing.T) {
	s := open(t, prometheus.NewRegistry(), nil)
	s.Replace(memory.Closed("it is not open yet"))
	failures := 0
	s.OnFailure(func() { failures++ })
	if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "it is not open yet") {
		t.Errorf("Ping() = %v before it is open", err)
	}
	s.Replace(memory.New())
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping() = %v afterwards", err)
	}
	if _, err := s.Session(t.Context(), store.Handle{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Session() = %v", err)
	}
	if failures != 1 {
		t.Errorf("%d failures are told; want 1", failures)
	}
}

func TestSpans(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	s := open(t, prometheus.NewRegistry(), spans)
	if err := s.Ping(t.Context()); err != nil { // in no trace
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider()
	ctx, parent := provider.Tracer("test").Start(t.Context(), "request")
	_, _ = s.Session(ctx, store.HandleOf("secret"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Session(ctx, store.HandleOf("secret"))
	ended := spans.Ended()
	if len(ended) != 2 {
		t.Fatalf("%d spans; want 2", len(ended))
	}
	for i, want := range []string{"Unset", "Error"} {
		if ended[i].Name() != "store session" || ended[i].Status().Code.String() != want || ended[i].Parent().SpanID() != parent.SpanContext().SpanID() {
			t.Errorf("span %d is %s with status %v below %v", i, ended[i].Name(), ended[i].Status(), ended[i].Parent().SpanID())
		}
	}
}
