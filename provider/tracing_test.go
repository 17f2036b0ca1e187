package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

func withTracer(spans *tracetest.SpanRecorder) providertest.Option {
	return providertest.WithOptions(func(o *provider.Options) {
		o.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	})
}

// attributesOf returns the attributes of a span, after having looked for what nobody should know.
func attributesOf(span sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range span.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func TestTraces(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	issuer, _ := newIssuer(t, withTracer(spans))
	const parent = "4bf92f3577b34da6a3ce929d0e0e4736"
	got := get(t, issuer, oidc.PathDiscovery, "Traceparent", "00-"+parent+"-00f067aa0ba902b7-01", "Baggage", "secret=baggage", "X-Request-Id", "from-elsewhere")
	ended := spans.Ended()
	if len(ended) != 1 {
		t.Fatalf("one request has %d spans", len(ended))
	}
	span := ended[0]
	if span.Name() != "GET "+oidc.PathDiscovery || span.SpanKind() != trace.SpanKindServer || span.SpanContext().TraceID().String() != parent ||
		!span.Parent().IsRemote() {
		t.Errorf("the span is %s of kind %s in trace %s", span.Name(), span.SpanKind(), span.SpanContext().TraceID())
	}
	attributes := attributesOf(span)
	for name, want := range map[string]string{
		"http.request.method": "GET", "http.route": oidc.PathDiscovery, "http.response.status_code": "200", "request_id": got.header.Get("X-Request-Id"),
	} {
		if attributes[name] != want {
			t.Errorf("%s is %q, not %q", name, attributes[name], want)
		}
	}
	if got.header.Get("X-Request-Id") == "from-elsewhere" {
		t.Error("the request ID is what a stranger wrote")
	}
}

// The spans of a whole login are named for their routes and hold nothing secret.
func TestTracesHoldNoSecret(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	issuer, _ := newIssuer(t, withTracer(spans))
	browser := issuer.NewBrowser(t)
	code := browser.Authorize(authorizeURL(issuer), "ada", password).Query().Get("code")
	token := exchange(t, issuer, code).text("access_token")
	userinfo(t, issuer, token)
	get(t, issuer, "/"+code+"?code="+code)
	send(t, issuer, newRequest(t, "STEAL", issuer.Endpoint(oidc.PathToken), url.Values{"code": {code}}))
	_ = issuer.Store.Close()
	userinfo(t, issuer, token)
	var names []string
	failed := 0
	for _, span := range spans.Ended() {
		names = append(names, span.Name())
		if span.Status().Code == codes.Error {
			failed++
		}
		text := span.Name() + span.Status().Description + fmt.Sprint(attributesOf(span))
		for _, event := range span.Events() {
			text += fmt.Sprint(event.Name, event.Attributes)
		}
		for _, secret := range []string{password, code, token, "secret-of-app", "client_id", "ada"} {
			if strings.Contains(text, secret) {
				t.Errorf("the span %s holds %s: %s", span.Name(), secret, text)
			}
		}
	}
	for _, want := range []string{"GET /oauth2/authorize", "GET /login", "POST /login", "POST /oauth2/token", "GET /oauth2/userinfo", "GET other", "HTTP /oauth2/token"} {
		if !slices.Contains(names, want) {
			t.Errorf("there is no span %s in %v", want, names)
		}
	}
	if failed != 1 {
		t.Errorf("%d spans have failed, not the one after the storage was closed", failed)
	}
	last := spans.Ended()[len(spans.Ended())-1]
	if len(last.Events()) != 1 || !slices.ContainsFunc(last.Events()[0].Attributes, func(a attribute.KeyValue) bool { return a.Key == "exception.message" }) {
		t.Errorf("the failed span says %v", last.Events())
	}
}

// panickingStore has a mistake in it.
type panickingStore struct{ store.Store }

func (panickingStore) AccessToken(context.Context, store.Handle) (store.AccessToken, store.Grant, error) {
	panic("a secret detail")
}

func TestTraceOfAPanic(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	issuer, _ := newIssuer(t, withTracer(spans), providertest.WithOptions(func(o *provider.Options) { o.Store = panickingStore{o.Store} }))
	if got := userinfo(t, issuer, "token"); got.status != http.StatusInternalServerError {
		t.Fatalf("it answers %d", got.status)
	}
	if ended := spans.Ended(); len(ended) != 1 || ended[0].Status().Code != codes.Error {
		t.Error("a panic leaves no failed span")
	}
}
