package providertest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/argon2"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// Issuer is a running provider.
type Issuer struct {
	// URL is the issuer identifier.
	URL string
	// Registry and Store are what the provider works with.
	Registry *registry.Index
	Store    store.Store
	Provider *provider.Provider
	// Metrics holds the provider's metrics.
	Metrics *prometheus.Registry
	// Clock is the provider's.
	Clock *Clock

	tb     reporter
	server *httptest.Server
	// stop ends what runs in the background.
	stop func()
}

// options are what an Option changes.
type options struct {
	path       string
	tls        bool
	algorithms []string
	provider   provider.Options
}

// Option changes what New starts.
type Option func(*options)

// WithPath gives the issuer a path, such as "/realm".
func WithPath(path string) Option { return func(o *options) { o.path = path } }

// WithTLS makes the issuer https, with a certificate that Issuer.Client trusts.
func WithTLS() Option { return func(o *options) { o.tls = true } }

// WithAlgorithms makes one active signing key of each algorithm, the first being the default; without it there is one of
// RS256. A key of ES256 takes less time to make.
func WithAlgorithms(algorithms ...string) Option {
	return func(o *options) { o.algorithms = algorithms }
}

// WithOptions changes the options that the provider is made with, all but Issuer, Registry, Store and Metrics.
func WithOptions(change func(*provider.Options)) Option {
	return func(o *options) { change(&o.provider) }
}

// WithStore makes the provider keep its state in s, which the caller closes.
func WithStore(s store.Store) Option { return func(o *options) { o.provider.Store = s } }

// New starts an issuer on a loopback port. It stops when the test ends.
func New(tb testing.TB, opts ...Option) *Issuer {
	tb.Helper()
	i := start(tb, opts)
	tb.Cleanup(i.Close)
	return i
}

// Start starts an issuer where there is no test, as in TestMain, in an example or in a program to try things out with. The
// caller closes it. What would fail a test panics.
func Start(opts ...Option) *Issuer { return start(panicking{}, opts) }

// Close stops the issuer. An issuer of New need not be closed.
func (i *Issuer) Close() {
	i.server.Close()
	i.stop()
}

func start(tb reporter, opts []Option) *Issuer {
	tb.Helper()
	clock := &Clock{}
	o := &options{algorithms: []string{"RS256"}, provider: provider.Options{
		Store: memory.New(), Logger: slog.New(slog.DiscardHandler), Now: clock.Now, HashPassword: quickHash,
	}}
	for _, opt := range opts {
		opt(o)
	}
	index, err := registry.NewIndex(slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	i := &Issuer{Registry: index, Store: o.provider.Store, Metrics: prometheus.NewRegistry(), Clock: clock, tb: tb}
	// The issuer's URL has the port in it, which is known only once the server is there.
	i.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.Provider.Handler().ServeHTTP(w, r)
	}))
	scheme := "http://"
	if o.tls {
		scheme = "https://"
	}
	i.URL = scheme + i.server.Listener.Addr().String() + o.path
	o.provider.Issuer, o.provider.Registry, o.provider.Metrics = i.URL, index, i.Metrics
	if i.Provider, err = provider.New(o.provider); err != nil {
		tb.Fatal(err)
	}
	for n, algorithm := range o.algorithms {
		i.AddKey(algorithm, clock.Now().Add(time.Duration(n)*time.Second))
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		i.Provider.RunLogoutNotices(ctx)
		close(stopped)
	}()
	i.stop = func() { stop(); <-stopped }
	if o.tls {
		i.server.StartTLS()
	} else {
		i.server.Start()
	}
	return i
}

// Client returns an HTTP client that trusts the issuer.
func (i *Issuer) Client() *http.Client { return i.server.Client() }

// Endpoint returns the URL of a path below the issuer.
func (i *Issuer) Endpoint(path string) string { return strings.TrimSuffix(i.URL, "/") + path }

// AddKey registers a signing key with one active key and returns its kid.
func (i *Issuer) AddKey(algorithm string, created time.Time) string {
	i.tb.Helper()
	kid, jwk, err := keys.Generate(algorithm, 0)
	if err != nil {
		i.tb.Fatal(err)
	}
	i.upsert(registration.KindSigningKey, kid, registration.SigningKey{
		Name: kid, Algorithm: algorithm, CreatedAt: created,
		Keys: []registration.Key{{KeyID: kid, Phase: registration.PhaseActive, CreatedAt: created, PrivateJWK: jwk}},
	})
	return kid
}

// Application is a registered client with its secret.
type Application struct {
	registration.Client
	// Secret is empty for a client that has none.
	Secret string
}

// AddClient registers a client, or replaces the one with this client ID. A client that authenticates with a secret and has
// none gets the one of "secret-of-" and its ID; without scopes it gets all.
func (i *Issuer) AddClient(c registration.Client) Application {
	i.tb.Helper()
	app := Application{Client: c}
	if app.Scope == "" {
		app.Scope = "openid profile email phone address groups"
		if app.MayUse(registration.GrantRefreshToken) {
			app.Scope += " offline_access"
		}
	}
	if !app.Public() && app.TokenEndpointAuthMethod != registration.AuthMethodPrivateKeyJWT && len(app.Secrets) == 0 {
		app.Secret = "secret-of-" + app.ClientID
		hash := registration.HashSecret(app.Secret)
		app.Secrets = []registration.ClientSecret{{ID: registration.SecretID(hash), Hash: hash}}
	}
	i.upsert(registration.KindClient, app.ClientID, app.Client)
	return app
}

// RemoveClient withdraws a client.
func (i *Issuer) RemoveClient(clientID string) { i.Registry.Remove(registration.KindClient, clientID) }

// AddUser registers a user with a password, or replaces the one with this username. The empty password means none; the
// empty subject means "sub-" and the username.
func (i *Issuer) AddUser(u registration.User, password string) registration.User {
	i.tb.Helper()
	if u.Subject == "" {
		u.Subject = "sub-" + u.Username
	}
	if password != "" {
		u.PasswordHash = quickHash(password)
	}
	i.upsert(registration.KindUser, u.Username, u)
	return u
}

// RemoveUser withdraws a user.
func (i *Issuer) RemoveUser(username string) { i.Registry.Remove(registration.KindUser, username) }

// SetSettings replaces the settings.
func (i *Issuer) SetSettings(s registration.Settings) {
	i.tb.Helper()
	i.upsert(registration.KindSettings, "settings", s)
}

func (i *Issuer) upsert(kind registration.Kind, name string, doc any) {
	i.tb.Helper()
	data, err := json.Marshal(doc)
	if err != nil {
		i.tb.Fatal(err)
	}
	if err := i.Registry.Upsert(kind, name, data); err != nil {
		i.tb.Fatalf("register %s %s: %v", kind, name, err)
	}
}

// quickHash is argon2id at a cost that suits tests and nothing else.
func quickHash(password string) string {
	salt := []byte("providertest")
	key := argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// Clock is the real time and what was added to it.
type Clock struct{ ahead atomic.Int64 }

// Now returns the clock's time.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Advance sets the clock forward.
func (c *Clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }
