package provider

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// metrics are counters whose label sets are resolved once, because looking them up costs more than counting.
type metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	logins    map[loginResult]prometheus.Counter
	tokens    tokenCounters
	// exchanges are those of Synology SSO Server's protocol.
	exchanges *prometheus.CounterVec
	// events counts what the audit log tells of, also what it leaves out in a flood.
	events map[auditEvent]prometheus.Counter
	// auditErrors counts audit records that are lost.
	auditErrors prometheus.Counter
	purged      prometheus.Counter
	purgeErrors prometheus.Counter
	// limits counts how often what may be stored was reached.
	limits map[limit]prometheus.Counter
	// unknownProxies counts requests through proxies that nobody has named.
	unknownProxies prometheus.Counter
}

// limit is the limit label of the counter of reached limits, see docs/storage.md.
type limit string

const (
	limitWaiting    limit = "waiting"
	limitNetwork    limit = "network"
	limitVolume     limit = "volume"
	limitGrants     limit = "grants"
	limitSessions   limit = "sessions"
	limitTokens     limit = "client_tokens"
	limitAssertions limit = "assertions"
	limitFailures   limit = "failures"
	limitNotices    limit = "notices"
)

func limits() []limit {
	return []limit{limitWaiting, limitNetwork, limitVolume, limitGrants, limitSessions, limitTokens, limitAssertions, limitFailures, limitNotices}
}

// loginResult is the result label of the logins counter.
type loginResult string

const (
	loginSucceeded loginResult = "success"
	loginRejected  loginResult = "rejected"
	loginBlocked   loginResult = "blocked"
	loginBusy      loginResult = "busy"
	loginFailed    loginResult = "error"
)

func newMetrics(registerer prometheus.Registerer, p *Provider) (*metrics, error) {
	if registerer == nil {
		registerer = prometheus.NewRegistry()
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oidc_provider_http_requests_total", Help: "Requests by route and class of status; gone: whoever has sent it did not wait for the answer.",
		}, []string{"route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "oidc_provider_http_request_duration_seconds", Help: "Time to answer a request, by route; without discovery and JWKS, which are served from memory.",
			Buckets: []float64{.0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		logins: map[loginResult]prometheus.Counter{},
		tokens: newTokenCounters(), exchanges: newExchangeCounter(),
		events: map[auditEvent]prometheus.Counter{}, limits: map[limit]prometheus.Counter{},
		auditErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "oidc_provider_audit_errors_total", Help: "Audit records that could not be written.",
		}),
		purged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "oidc_provider_purged_rows_total", Help: "Rows of storage that were deleted because they had expired.",
		}),
		purgeErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "oidc_provider_purge_errors_total", Help: "Attempts to delete what has expired that failed.",
		}),
		unknownProxies: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "oidc_provider_unknown_proxy_requests_total", Help: "Requests through reverse proxies that are not trusted, see --trusted-proxies.",
		}),
	}
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oidc_provider_logins_total", Help: "Attempts to log in, by result.",
	}, []string{"result"})
	for _, result := range []loginResult{loginSucceeded, loginRejected, loginBlocked, loginBusy, loginFailed} {
		m.logins[result] = logins.WithLabelValues(string(result))
	}
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oidc_provider_security_events_total", Help: "What the audit log tells of, by event, whether it is written or not.",
	}, []string{"event"})
	for _, event := range auditEvents() {
		m.events[event] = events.WithLabelValues(string(event))
	}
	reached := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oidc_provider_storage_limits_reached_total", Help: "Times that what may be stored was reached, by limit: the oldest gave way, or a request was refused.",
	}, []string{"limit"})
	for _, l := range limits() {
		m.limits[l] = reached.WithLabelValues(string(l))
	}
	waits := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "oidc_provider_password_hash_wait_seconds", Help: "How long logins have waited for their password to be hashed.",
		Buckets: []float64{.001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
	p.pool.OnTurn(func(waited time.Duration) { waits.Observe(waited.Seconds()) })
	collectors := append([]prometheus.Collector{m.requests, m.durations, logins, m.tokens.all, m.exchanges, events, m.auditErrors, waits, m.purged, m.purgeErrors, m.unknownProxies, reached}, gauges(p)...)
	collectors = append(collectors, p.notices.collectors()...)
	collectors = append(collectors, p.expressions.counter)
	for _, c := range collectors {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func gauges(p *Provider) []prometheus.Collector {
	gauge := func(name, help string, labels prometheus.Labels, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(value()) })
	}
	const registrations, registrationsHelp = "oidc_provider_registrations", "Registrations in force, by kind."
	const signingKeys, signingKeysHelp = "oidc_provider_signing_keys", "Signing keys, by phase."
	all := []prometheus.Collector{
		gauge(registrations, registrationsHelp, prometheus.Labels{"kind": "client"}, func() int { return p.registry.Counts().Clients }),
		gauge(registrations, registrationsHelp, prometheus.Labels{"kind": "user"}, func() int { return p.registry.Counts().Users }),
		gauge("oidc_provider_registrations_refused", "Registrations whose newest version is not in force, see the log.", nil,
			func() int { return p.registry.Counts().Refused }),
		gauge("oidc_provider_password_hashes_waiting", "Logins that wait for their password to be hashed.", nil, p.pool.Waiting),
		gauge("oidc_provider_password_hashes_running", "Passwords that are being hashed.", nil, p.pool.Running),
	}
	for _, phase := range []registration.Phase{registration.PhasePublished, registration.PhaseActive, registration.PhaseRetiring} {
		all = append(all, gauge(signingKeys, signingKeysHelp, prometheus.Labels{"phase": string(phase)},
			func() int { return p.registry.Keys().Count(phase) }))
	}
	return all
}

// classGone is the class of answers that nobody has waited for: not the client's mistake, and perhaps a slow provider.
const classGone = 0

// measuredRoute counts the requests of one route.
type measuredRoute struct {
	// classes are the counters of the classes of status, the first digit being the index.
	classes  [6]prometheus.Counter
	duration prometheus.Observer
}

func (m *metrics) route(name string) *measuredRoute {
	measured := &measuredRoute{duration: m.durations.WithLabelValues(name)}
	measured.classes[classGone] = m.requests.WithLabelValues(name, "gone")
	for class := 2; class <= 5; class++ {
		measured.classes[class] = m.requests.WithLabelValues(name, fmt.Sprintf("%dxx", class))
	}
	return measured
}

func (m *measuredRoute) observe(status int, took time.Duration) {
	m.count(status)
	m.duration.Observe(took.Seconds())
}

func (m *measuredRoute) count(status int) {
	class := status / 100
	switch {
	case status == statusClientGone:
		class = classGone
	case class < 2 || class > 5:
		class = 2 // nothing was written: net/http answers 200
	}
	m.classes[class].Inc()
}
