package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// flushTimeout bounds how long the last spans may take at the end.
const flushTimeout = 3 * time.Second

// tracer sends spans to an OTLP receiver. Its zero value sends none and costs nothing.
type tracer struct {
	provider *sdktrace.TracerProvider
}

// newTracer reads OpenTelemetry's environment variables. Without an endpoint there are no traces. What is wrong with them
// is logged and no reason not to start: people must be able to log in while the traces are being repaired.
func newTracer(ctx context.Context, replica string, logger *slog.Logger) tracer {
	if !tracesWanted(os.Getenv) {
		return tracer{}
	}
	provider, err := openTracer(ctx, replica)
	if err != nil {
		logger.ErrorContext(ctx, "there are no traces", "error", err)
		return tracer{}
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.ErrorContext(ctx, "traces are lost", "error", err) }))
	return tracer{provider}
}

func tracesWanted(getenv func(string) string) bool {
	exporter := getenv("OTEL_TRACES_EXPORTER")
	return !strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") && exporter != "none" &&
		(getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "")
}

func openTracer(ctx context.Context, replica string) (*sdktrace.TracerProvider, error) {
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	if protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("OTLP over %s is not supported; set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL to http/protobuf and the endpoint to its port, usually 4318", protocol)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("make OTLP exporter: %w", err)
	}
	// What the environment says comes last and counts.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "oidc-provider"), attribute.String("service.version", version),
		attribute.String("service.instance.id", replica),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about)), nil
}

// tracerProvider returns nil when there are no traces.
func (t tracer) tracerProvider() trace.TracerProvider {
	if t.provider == nil {
		return nil
	}
	return t.provider
}

// close sends what has not been sent yet, for a bounded time.
func (t tracer) close(ctx context.Context, logger *slog.Logger) {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		logger.ErrorContext(ctx, "traces are lost", "error", err)
	}
}
