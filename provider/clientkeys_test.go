package provider_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
)

// keyServer is where a client publishes its keys.
type keyServer struct {
	*httptest.Server
	requests atomic.Int64

	mu     sync.Mutex
	status int
	body   []byte
	header http.Header
}

func newKeyServer(t testing.TB) *keyServer {
	t.Helper()
	s := &keyServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.requests.Add(1)
		s.mu.Lock()
		defer s.mu.Unlock()
		for name, values := range s.header {
			w.Header()[name] = values
		}
		w.WriteHeader(s.status)
		_, _ = w.Write(s.body)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) set(status int, body []byte, header ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.body, s.header = status, body, http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		s.header.Set(header[i], header[i+1])
	}
}

func newKeyIssuer(t testing.TB, jwksURI string, opts ...providertest.Option) *providertest.Issuer {
	t.Helper()
	issuer, _ := newIssuer(t, opts...)
	client := signingClient(t)
	client.JWKSURI = jwksURI
	addSigner(t, issuer, client)
	return issuer
}

// OpenID Connect Core 10.1.1: a client rotates its keys by publishing new ones, and the provider follows by the kid.
func TestKeysAtAURI(t *testing.T) {
	server := newKeyServer(t)
	issuer := newKeyIssuer(t, server.URL)
	first, second := newSigningKey(t, "k1"), newSigningKey(t, "k2")
	server.set(http.StatusOK, jwks(t, first))
	try := func(k signingKey) answer { return asserted(t, issuer, k.sign(t, assertionClaims(issuer), nil)) }
	for range 3 {
		if got := try(first); got.status != http.StatusOK {
			t.Fatalf("answers %d %s", got.status, got.raw)
		}
	}
	if n := server.requests.Load(); n != 1 {
		t.Errorf("the keys are fetched %d times", n)
	}
	server.set(http.StatusOK, jwks(t, second))
	for range 3 { // the keys were fetched just now
		if got := try(second); got.status != http.StatusUnauthorized {
			t.Fatalf("answers %d %s", got.status, got.raw)
		}
	}
	if n := server.requests.Load(); n != 1 {
		t.Errorf("anybody makes the provider fetch keys: %d times", n)
	}
	issuer.Clock.Advance(11 * time.Second)
	if got := try(second); got.status != http.StatusOK {
		t.Errorf("the new key answers %d %s", got.status, got.raw)
	}
	if got := try(first); got.status != http.StatusUnauthorized {
		t.Errorf("the key that is gone answers %d %s", got.status, got.raw)
	}
	server.set(http.StatusOK, jwks(t, first))
	issuer.Clock.Advance(6 * time.Minute)
	if got := try(second); got.status != http.StatusUnauthorized {
		t.Errorf("a key that is gone for minutes answers %d %s", got.status, got.raw)
	}
}

// A client's website that is down for a moment costs nobody a login; one that is down for long does, and is not asked
// for every request.
func TestKeysThatCannotBeFetched(t *testing.T) {
	server := newKeyServer(t)
	var log bytes.Buffer
	issuer := newKeyIssuer(t, server.URL, providertest.WithOptions(func(o *provider.Options) { o.Logger = slog.New(slog.NewJSONHandler(&log, nil)) }))
	key := newSigningKey(t, "k1")
	try := func() answer { return asserted(t, issuer, key.sign(t, assertionClaims(issuer), nil)) }
	server.set(http.StatusInternalServerError, []byte("inner detail"))
	for range 3 {
		got := try()
		if got.status != http.StatusServiceUnavailable || got.text("error") != "temporarily_unavailable" || got.header.Get("Retry-After") == "" ||
			strings.Contains(got.raw, "500") || strings.Contains(got.raw, server.URL) {
			t.Fatalf("answers %d %s", got.status, got.raw)
		}
	}
	if n := server.requests.Load(); n != 1 || !strings.Contains(log.String(), "status 500") || strings.Count(log.String(), "cannot be had") != 1 {
		t.Errorf("after %d requests the log is %s", n, log.String())
	}
	server.set(http.StatusOK, jwks(t, key))
	issuer.Clock.Advance(11 * time.Second)
	if got := try(); got.status != http.StatusOK {
		t.Fatalf("once it is there: %d %s", got.status, got.raw)
	}
	server.set(http.StatusInternalServerError, nil)
	issuer.Clock.Advance(10 * time.Minute)
	if got := try(); got.status != http.StatusOK {
		t.Errorf("the keys of before are forgotten: %d %s", got.status, got.raw)
	}
	issuer.Clock.Advance(time.Hour)
	if got := try(); got.status != http.StatusServiceUnavailable {
		t.Errorf("the keys of long ago are still good: %d %s", got.status, got.raw)
	}
}

// What is at a jwks_uri was written by whoever has that website.
func TestKeysThatCannotBeUsed(t *testing.T) {
	key := newSigningKey(t, "k1")
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.private, KeyID: "k1"}}})
	if err != nil {
		t.Fatal(err)
	}
	symmetric, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: []byte("shared secret"), KeyID: "k1"}}})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := newKeyServer(t)
	elsewhere.set(http.StatusOK, jwks(t, key))
	many := make([]signingKey, 17)
	for i := range many {
		many[i] = newSigningKey(t, "")
	}
	for name, set := range map[string]func(s *keyServer){
		"a redirect":       func(s *keyServer) { s.set(http.StatusFound, nil, "Location", elsewhere.URL) },
		"no JSON":          func(s *keyServer) { s.set(http.StatusOK, []byte("<html>")) },
		"no keys":          func(s *keyServer) { s.set(http.StatusOK, []byte(`{"keys":[]}`)) },
		"private keys":     func(s *keyServer) { s.set(http.StatusOK, private) },
		"symmetric keys":   func(s *keyServer) { s.set(http.StatusOK, symmetric) },
		"very many keys":   func(s *keyServer) { s.set(http.StatusOK, jwks(t, many...)) },
		"a huge document":  func(s *keyServer) { s.set(http.StatusOK, append(jwks(t, key), bytes.Repeat([]byte(" "), 200<<10)...)) },
		"nothing is there": func(s *keyServer) { s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			server := newKeyServer(t)
			set(server)
			issuer := newKeyIssuer(t, server.URL)
			got := asserted(t, issuer, key.sign(t, assertionClaims(issuer), nil))
			if got.status != http.StatusServiceUnavailable || got.text("error") != "temporarily_unavailable" {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
	if n := elsewhere.requests.Load(); n != 0 {
		t.Error("a redirect was followed")
	}
}

// Many assertions at once fetch the keys once.
func TestKeysAreFetchedOnce(t *testing.T) {
	server := newKeyServer(t)
	key := newSigningKey(t, "k1")
	server.set(http.StatusOK, jwks(t, key))
	issuer := newKeyIssuer(t, server.URL)
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			if got := asserted(t, issuer, key.sign(t, assertionClaims(issuer), nil)); got.status != http.StatusOK {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
	wait.Wait()
	if n := server.requests.Load(); n != 1 {
		t.Errorf("the keys are fetched %d times", n)
	}
}
