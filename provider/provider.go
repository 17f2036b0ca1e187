package provider

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// Registry is what a provider asks of its registrations. What it returns is shared and must not be changed.
type Registry interface {
	Client(id string) (*registration.Client, bool)
	// ClientByAppID returns the client with this app_id of Synology SSO Server's protocol.
	ClientByAppID(appID string) (*registration.Client, bool)
	UserByName(username string) (*registration.User, bool)
	UserBySubject(subject string) (*registration.User, bool)
	// DisabledSubjects returns the "sub" of every user who is disabled.
	DisabledSubjects() []string
	// EmailIsUnique tells whether no two users have this e-mail address, in whatever case.
	EmailIsUnique(email string) bool
	// HashKinds returns the kinds of all registered password hashes, see registration.HashKind.
	HashKinds() []string
	// Keys returns an immutable set; a change of keys is a new one.
	Keys() *keys.Set
	// Settings returns the settings with every default filled in.
	Settings() registration.Settings
	Counts() registry.Counts
	// NoteSecretUse is told whenever a client has proved itself with one of its secrets.
	NoteSecretUse(client *registration.Client, secretID string, now time.Time)
}

// Options make a Provider.
type Options struct {
	// Issuer is the issuer identifier, used verbatim. It may have a path, below which every route then is.
	Issuer string
	// Registry and Store are required.
	Registry Registry
	Store    store.Store
	// Synced tells whether the registrations were read completely once. Until then every request is answered with 503,
	// because a client that is not known yet must not look like one that does not exist. Nil means that they were.
	Synced func() bool
	// Awaits returns what else readiness waits for; nil means nothing.
	Awaits func() error
	// Authenticator proves people; nil means their passwords in Registry.
	Authenticator identity.Authenticator
	// HashPassword makes the hashes of passwords that people choose; nil means registration.HashPassword.
	HashPassword func(password string) string
	// Hashers is how many passwords are hashed at a time, as in identity.NewPool.
	Hashers int
	// HashQueue is how many more logins may wait, as in identity.NewPool.
	HashQueue int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger is required. Audit, where security events go, and Metrics may be nil. NewAuditLogger makes an Audit.
	Logger  *slog.Logger
	Audit   *slog.Logger
	Metrics prometheus.Registerer
	// TrustedProxies are the networks from which X-Forwarded-For is believed: those of the reverse proxies before the
	// provider. Without any, who sends a request is whoever has opened the connection.
	TrustedProxies []netip.Prefix
	// ProxyNetworks are those in which reverse proxies may be that nobody has named. Their X-Forwarded-For is not believed, but
	// who sends one is taken for many people, so that nobody can lock all of them out. Leave it empty where TrustedProxies has
	// every proxy.
	ProxyNetworks []netip.Prefix
	// WaitingBytes is how much may be stored of requests for which nobody has signed in yet; zero means 64 MiB. Replicas that share
	// storage share the total.
	WaitingBytes int64
	// Tracer makes a span of every request; nil means none.
	Tracer trace.TracerProvider
}

// Provider serves one issuer.
type Provider struct {
	issuer   string
	origin   string // scheme and host of the issuer
	host     string
	base     string // path of the issuer, without a slash at its end
	registry Registry
	store    store.Store
	synced   func() bool
	awaits   func() error
	people   identity.Authenticator
	pool     *identity.Pool
	pages    *web.Pages
	cookies  cookies
	now      func() time.Time
	logger   *slog.Logger
	audit    *slog.Logger
	floods   floods
	// kept bounds what strangers have written down, guesses how often they try the secrets of clients.
	kept, guesses *quotas
	// waiting bounds what is stored of requests for which nobody has signed in yet.
	waiting *waiting
	// bounds trim what users and clients store.
	bounds *bounds
	// lane and proven are for secrets of clients that are costly to compare with.
	lane   *secretLane
	proven *provenSecrets
	// exchanges bounds how often tokens of Synology SSO Server's protocol are exchanged.
	exchanges *quotas
	notices   *notices
	// disabled are those of whom nothing is left.
	disabled disabledPeople
	// clientKeys are those of clients that sign.
	clientKeys  *clientKeys
	expressions *expressionFailures
	evaluations *evaluations
	metrics     *metrics

	trustedProxies, proxyNetworks []netip.Prefix
	// fullAt is when the log last told that storage is nearly full, in nanoseconds since the epoch.
	fullAt atomic.Int64
	// unknownProxyAt is when the log last told of a proxy that is not trusted, in nanoseconds since the epoch.
	unknownProxyAt atomic.Int64
	tracing        *tracing // nil without

	requests  requestIDs
	crossSite *http.CrossOriginProtection
	documents atomic.Pointer[documents]
	branded   atomic.Pointer[branded]
	draining  atomic.Bool
	handler   http.Handler
}

// New returns a provider for an issuer.
func New(o Options) (*Provider, error) {
	issuer, err := oidc.ParseIssuer(o.Issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer %w", err)
	}
	if o.Registry == nil || o.Store == nil || o.Logger == nil {
		return nil, errors.New("a provider needs a registry, a store and a logger")
	}
	pages, err := web.New()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		issuer:    o.Issuer,
		origin:    issuer.Scheme + "://" + issuer.Host,
		host:      issuer.Host,
		base:      strings.TrimSuffix(issuer.EscapedPath(), "/"),
		registry:  o.Registry,
		store:     o.Store,
		synced:    o.Synced,
		awaits:    o.Awaits,
		people:    o.Authenticator,
		pool:      identity.NewPool(o.Hashers, o.HashQueue),
		pages:     pages,
		cookies:   newCookies(issuer),
		now:       o.Now,
		logger:    o.Logger,
		audit:     o.Audit,
		floods:    newFloods(),
		kept:      newQuotas(keptRate, keptBurst),
		guesses:   newQuotas(guessRate, guessBurst),
		lane:      newSecretLane(),
		proven:    newProvenSecrets(),
		exchanges: newQuotas(exchangeRate, exchangeBurst),
		requests:  newRequestIDs(),
		crossSite: http.NewCrossOriginProtection(),

		trustedProxies: o.TrustedProxies,
		proxyNetworks:  o.ProxyNetworks,
		disabled:       disabledPeople{ended: map[string]bool{}},
		tracing:        newTracing(o.Tracer),
	}
	if err := p.fillDefaults(issuer, o); err != nil {
		return nil, err
	}
	p.bounds = newBounds()
	p.waiting = newWaiting(p.store, o.WaitingBytes, p.now, p.logger)
	p.notices = newNotices(p)
	p.expressions = newExpressionFailures(p.logger, p.now)
	p.evaluations = newEvaluations()
	p.clientKeys = newClientKeys(p.now, p.logger, oidc.IsLoopback(p.hostname()))
	if p.metrics, err = newMetrics(o.Metrics, p); err != nil {
		return nil, err
	}
	p.waiting.dropped = p.metrics.limits[limitWaiting].Inc
	p.handler = p.routes()
	return p, nil
}

func (p *Provider) fillDefaults(issuer *url.URL, o Options) error {
	if p.synced == nil {
		p.synced = func() bool { return true }
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.people == nil {
		p.people = identity.NewLocal(identity.LocalOptions{
			Directory: p.registry, Passwords: p.store, Pool: p.pool, Now: p.now, Hash: o.HashPassword,
		})
	}
	// Behind a proxy that ends TLS the request's Host may differ from the issuer's: the browser's own Origin decides.
	if err := p.crossSite.AddTrustedOrigin(issuer.Scheme + "://" + issuer.Host); err != nil {
		return fmt.Errorf("issuer %q: %w", issuer, err)
	}
	return nil
}

// hostname is the issuer's host without its port.
func (p *Provider) hostname() string {
	return (&url.URL{Host: p.host}).Hostname()
}

// Handler serves the issuer's routes, see the package documentation.
func (p *Provider) Handler() http.Handler { return p.handler }

// HashPool is where passwords are hashed. Other costly work of a login may share it.
func (p *Provider) HashPool() *identity.Pool { return p.pool }

// Drain ends each connection with its next answer from now on, so that whoever keeps one goes elsewhere, while everything is still served.
func (p *Provider) Drain() { p.draining.Store(true) }

// Ready returns nil when requests should be sent here: registrations are read and a key can sign. The error says what is missing.
// Storage is not part of it: without it discovery and the key set are still served, and if the readiness of every replica went with the
// one database that they share, nothing would be.
func (p *Provider) Ready() error {
	if !p.synced() {
		return errors.New("registrations are not read yet")
	}
	if _, ok := p.registry.Keys().Signer(""); !ok {
		return errors.New("no signing key is active")
	}
	if p.awaits != nil {
		return p.awaits()
	}
	return nil
}
