package main

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/sqlite"
)

const (
	benchIssuer   = "http://localhost:8080"
	benchClient   = "bench"
	benchSecret   = "0123456789abcdefghijklmnopqrstuv"
	benchRedirect = "https://bench.example.com/callback"
	rounds        = 3
)

func benchProvider(ctx context.Context, programs *programs, d time.Duration) error {
	dir, err := os.MkdirTemp("", "oidc-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // scratch
	rig, err := newRig(ctx, dir)
	if err != nil {
		return err
	}
	defer rig.close()
	if err := benchDocuments(ctx, rig, d); err != nil {
		return err
	}
	if err := benchToken(ctx, rig, d); err != nil {
		return err
	}
	return benchStart(ctx, programs, dir)
}

// rig is a provider with SQLite storage, and an empty handler beside it, each behind net/http on loopback.
type rig struct {
	db             *sqlite.Store
	privateJWK     json.RawMessage
	subject, empty string
	servers        []*http.Server
}

func newRig(ctx context.Context, dir string) (*rig, error) {
	db, err := sqlite.Open(ctx, filepath.Join(dir, "provider.db"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	r := &rig{db: db}
	index, err := registry.NewIndex(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if err := r.register(index); err != nil {
		return nil, err
	}
	p, err := provider.New(provider.Options{Issuer: benchIssuer, Registry: index, Store: db, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if r.subject, err = r.listen(p.Handler()); err != nil {
		return nil, err
	}
	r.empty, err = r.listen(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return r, err
}

func (r *rig) register(index *registry.Index) error {
	keyID, jwk, err := keys.Generate("RS256", 2048)
	if err != nil {
		return err
	}
	r.privateJWK = jwk
	hash := registration.HashSecret(benchSecret)
	for kind, document := range map[registration.Kind]any{
		registration.KindSigningKey: registration.SigningKey{Name: "bench", Algorithm: "RS256", CreatedAt: time.Now(), Keys: []registration.Key{
			{KeyID: keyID, Phase: registration.PhaseActive, CreatedAt: time.Now(), PrivateJWK: jwk},
		}},
		registration.KindClient: registration.Client{
			ClientID: benchClient, RedirectURIs: []string{benchRedirect}, Scope: "openid profile email",
			Secrets: []registration.ClientSecret{{ID: registration.SecretID(hash), Hash: hash}},
		},
		registration.KindUser: registration.User{Subject: "ada", Username: "ada", Name: "Ada Lovelace", Email: "ada@example.com"},
	} {
		data, err := json.Marshal(document)
		if err != nil {
			return err
		}
		if err := index.Upsert(kind, "bench", data); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) listen(handler http.Handler) (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	r.servers = append(r.servers, server)
	go func() { _ = server.Serve(listener) }() // ends with close
	return listener.Addr().String(), nil
}

func (r *rig) close() {
	for _, s := range r.servers {
		_ = s.Close() // scratch
	}
	_ = r.db.Close() // scratch
}

func get(path string) func() []byte {
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: localhost:8080\r\n\r\n")
	return func() []byte { return request }
}

// benchDocuments compares discovery and JWKS with an empty handler.
func benchDocuments(ctx context.Context, r *rig, d time.Duration) error {
	for _, document := range []struct{ name, path string }{{"discovery", oidc.PathDiscovery}, {"JWKS", oidc.PathJWKS}} {
		empty, subject, err := compare(rounds,
			func() (float64, error) { return measureHTTP(ctx, r.empty, d, get("/")) },
			func() (float64, error) { return measureHTTP(ctx, r.subject, d, get(document.path)) })
		if err != nil {
			return fmt.Errorf("%s: %w", document.name, err)
		}
		report(document.name+" / empty net/http handler", "%.0f %%   (%.0f/s of %.0f/s)", 100*subject/empty, subject, empty)
	}
	return nil
}

// benchToken compares the token endpoint, redeeming codes durably, with bare go-jose RS256 signatures.
func benchToken(ctx context.Context, r *rig, d time.Duration) error {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(r.privateJWK, &jwk); err != nil {
		return err
	}
	private, ok := jwk.Key.(*rsa.PrivateKey)
	if !ok {
		return errors.New("not an RSA key")
	}
	private.Precompute() // a key read from a JWK is slower without
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private}, nil)
	if err != nil {
		return err
	}
	payload := []byte(strings.Repeat("x", 400)) // about the size of an ID token
	sign := func() error {
		jws, err := signer.Sign(payload)
		if err == nil {
			_, err = jws.CompactSerialize()
		}
		return err
	}
	cores := runtime.GOMAXPROCS(0)
	round := 0
	raw, subject, err := compare(rounds,
		func() (float64, error) { return measureLoop(d, cores, sign) },
		func() (float64, error) {
			round++
			next, err := r.mint(ctx, round, int(d.Seconds()*float64(cores)*2500))
			if err != nil {
				return 0, err
			}
			return measureHTTP(ctx, r.subject, d, next)
		})
	if err != nil {
		return fmt.Errorf("token endpoint: %w", err)
	}
	report("token endpoint (code, SQLite) / bare RS256", "%.0f %%   (%.0f/s of %.0f/s)", 100*subject/raw, subject, raw)
	return nil
}

// mint stores count authorization codes and returns the token requests that redeem them, one after the other.
func (r *rig) mint(ctx context.Context, round, count int) (func() []byte, error) {
	basic := base64.StdEncoding.EncodeToString([]byte(benchClient + ":" + benchSecret))
	requests := make([][]byte, count)
	errs := make(chan error, 64)
	for worker := range cap(errs) {
		go func() {
			for i := worker; i < count; i += cap(errs) {
				id := store.NewID(time.Now())
				code := id + "secret"
				err := r.db.CreateGrant(ctx, store.Grant{
					ID: id, ClientID: benchClient, Subject: "ada", Scopes: []string{"openid", "profile", "email"},
					AuthTime: time.Now(), AuthMethods: []string{"pwd"}, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
					Code: store.Code{Handle: store.HandleOf(code), RedirectURI: benchRedirect, Nonce: "nonce", ExpiresAt: time.Now().Add(time.Hour)},
				})
				if err != nil {
					errs <- err
					return
				}
				body := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {benchRedirect}}.Encode()
				requests[i] = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Basic %s\r\n"+
					"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", oidc.PathToken, basic, len(body), body)
			}
			errs <- nil
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			return nil, fmt.Errorf("store codes: %w", err)
		}
	}
	var at atomic.Int64
	return func() []byte {
		if i := int(at.Add(1)) - 1; i < count {
			return requests[i]
		}
		return nil
	}, nil
}

// benchStart measures how long the program takes to its first answer, and its memory a little later.
func benchStart(ctx context.Context, programs *programs, dir string) error {
	registrations := filepath.Join(dir, "registrations")
	if err := os.Mkdir(registrations, 0o700); err != nil {
		return err
	}
	if err := programs.run(ctx, programs.provider, "key", "create", "bench", "--registrations", registrations); err != nil {
		return err
	}
	var first []time.Duration
	var rss int64
	for i := range 5 {
		address, admin, err := freeAddresses()
		if err != nil {
			return err
		}
		start := time.Now()
		p, err := programs.start(programs.provider, "serve", "--issuer="+benchIssuer, "--registrations="+registrations,
			fmt.Sprintf("--data-dir=%s/data-%d", dir, min(i, 1)), "--listen="+address, "--admin-listen="+admin, "--log-level=error")
		if err != nil {
			return err
		}
		err = awaitAnswer(ctx, "http://"+address+oidc.PathDiscovery)
		first = append(first, time.Since(start))
		if err == nil {
			time.Sleep(2 * time.Second) // let what the start has used be given back
			rss, err = p.residentKiB()
		}
		p.stop()
		if err != nil {
			return err
		}
	}
	report("provider: start to first 200, SQLite", "%s median, %s with a new database", quantile(first[1:], 0.5).Round(time.Millisecond), first[0].Round(time.Millisecond))
	report("provider: resident memory when idle", "%.0f MiB", float64(rss)/1024)
	return nil
}
