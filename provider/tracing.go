package provider

import (
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// tracing makes one span of every request, as OpenTelemetry's conventions for HTTP servers have it. A span is named for its
// route and never holds path, query, headers or body: what stands there may be secret.
type tracing struct {
	tracer trace.Tracer
	// parent reads the header traceparent (W3C Trace Context). Baggage is not read: nobody here would use it.
	parent propagation.TraceContext
}

// newTracing returns nil when nobody wants to know.
func newTracing(provider trace.TracerProvider) *tracing {
	if provider == nil {
		return nil
	}
	return &tracing{tracer: provider.Tracer("github.com/oidc-operator/oidc-operator/provider")}
}

var tracedMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// start begins the span of a request, below that of whoever sent it where they tell. It does nothing on a nil tracing.
func (t *tracing) start(r *http.Request, pattern, requestID string) (*http.Request, trace.Span) {
	if t == nil {
		return r, nil
	}
	method, name := r.Method, r.Method
	if !slices.Contains(tracedMethods, method) {
		method, name = "_OTHER", "HTTP"
	}
	ctx := t.parent.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, name+" "+pattern, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", method), attribute.String("http.route", pattern), attribute.String("request_id", requestID),
	))
	return r.WithContext(ctx), span
}

// endSpan ends a span with the status of the answer. span may be nil.
func endSpan(span trace.Span, status int) {
	if span == nil {
		return
	}
	if status == 0 {
		status = http.StatusOK // nothing was written: net/http answers 200
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(status))
	}
	span.End()
}

// traceFault notes in a request's span what the log tells of it.
func traceFault(r *http.Request, err error) {
	if span := trace.SpanFromContext(r.Context()); span.IsRecording() {
		span.RecordError(err)
		span.SetStatus(codes.Error, "request failed")
	}
}
