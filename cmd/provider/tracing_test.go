package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver takes traces over OTLP.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans map[string]bool
	about map[string]string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{spans: map[string]bool{}, about: map[string]string{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		traces := &collector.ExportTraceServiceRequest{}
		if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, traces) != nil {
			t.Errorf("%s is not understood: %v", request.URL, err)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, resource := range traces.ResourceSpans {
			for _, a := range resource.Resource.Attributes {
				r.about[a.Key] = a.Value.GetStringValue()
			}
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					r.spans[span.Name] = true
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

// What was traced shortly before the end arrives, too.
func TestTracesAreSent(t *testing.T) {
	receiver := newReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	dir, _ := registrations(t)
	s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir(), "--replica-name", "here")
	if status := s.status(s.client, s.issuer+"/oauth2/jwks?secret=x"); status != http.StatusOK {
		t.Fatalf("it answers %d", status)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	if !receiver.spans["GET /oauth2/jwks"] {
		t.Errorf("the spans are %v", receiver.spans)
	}
	for name, want := range map[string]string{"service.name": "oidc-provider", "service.instance.id": "here", "service.version": version, "deployment.environment.name": "test"} {
		if receiver.about[name] != want {
			t.Errorf("%s is %q, not %q", name, receiver.about[name], want)
		}
	}
}

// A receiver that is gone, or asked for in a way that is not there, keeps nobody from logging in and the end from coming.
func TestTracesThatCannotBeSent(t *testing.T) {
	for name, c := range map[string]struct{ variable, value, says string }{
		"nobody listens":          {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://" + freeAddress(t), "traces are lost"},
		"a protocol without code": {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
			t.Setenv(c.variable, c.value)
			dir, _ := registrations(t)
			s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir())
			if status := s.status(s.client, s.issuer+"/oauth2/jwks"); status != http.StatusOK {
				t.Errorf("it answers %d", status)
			}
			stopping := time.Now()
			if err := s.stop(); err != nil {
				t.Error(err)
			}
			if took := time.Since(stopping); took > flushTimeout+30*time.Second {
				t.Errorf("the end takes %s", took)
			}
			if !strings.Contains(s.log.String(), c.says) {
				t.Errorf("the log says %s", s.log)
			}
		})
	}
}

func TestTracesWanted(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"nothing is set":          {nil, false},
		"an endpoint":             {map[string]string{endpoint: "http://a:4318"}, true},
		"an endpoint for traces":  {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:4318/v1/traces"}, true},
		"an endpoint for metrics": {map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://a:4318/v1/metrics"}, false},
		"switched off":            {map[string]string{endpoint: "http://a:4318", "OTEL_SDK_DISABLED": "true"}, false},
		"not switched off":        {map[string]string{endpoint: "http://a:4318", "OTEL_SDK_DISABLED": "false"}, true},
		"traces are switched off": {map[string]string{endpoint: "http://a:4318", "OTEL_TRACES_EXPORTER": "none"}, false},
		"only the name is set":    {map[string]string{"OTEL_SERVICE_NAME": "sso"}, false},
	} {
		if got := tracesWanted(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
