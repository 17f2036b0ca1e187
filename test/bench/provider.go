package main

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
	"github.com/oidc-operator/oidc-operator/provider/store/postgres"
	"github.com/oidc-operator/oidc-operator/provider/store/sqlite"
	"github.com/oidc-operator/oidc-operator/test/pgtest"
)

// rounds is how often each figure is measured beside its base; the median counts. Many short rounds rather than few long ones:
// on a shared machine the processors are faster in one second than in the next, and base and subject must both feel it.
const rounds = 9

// What storage is filled with to see whether the figures stay.
const (
	manySessions = 10_000
	manyGrants   = 100_000
)

// providerPart is what is to be measured of the provider. The zero value is all of it.
type providerPart struct {
	// only is in the names of the flows and documents.
	only string
	// engine is the only one to be measured on, or "".
	engine string
	// quick leaves out what is measured with much in storage.
	quick bool
}

func (p providerPart) whole() bool { return p == providerPart{} }

func benchProvider(ctx context.Context, programs *programs, d time.Duration, part providerPart) error {
	dir, err := os.MkdirTemp("", "oidc-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // scratch
	if err := benchDocuments(ctx, d, part); err != nil {
		return err
	}
	if part.engine != "PostgreSQL" {
		db, err := sqlite.Open(ctx, filepath.Join(dir, "provider.db"), sqlite.Options{})
		if err != nil {
			return err
		}
		if err := benchEngine(ctx, db, "SQLite", d, part); err != nil {
			return err
		}
	}
	if part.engine != "SQLite" {
		if err := benchPostgres(ctx, d, part); err != nil {
			return err
		}
	}
	if !part.whole() {
		return nil
	}
	return benchStart(ctx, programs, dir)
}

// benchPostgres measures with a PostgreSQL of its own, which takes its share of the same processors.
func benchPostgres(ctx context.Context, d time.Duration, part providerPart) (err error) {
	server, err := pgtest.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	dsn, err := server.NewDatabase()
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, dsn, postgres.Options{})
	if err != nil {
		return err
	}
	return benchEngine(ctx, db, "PostgreSQL", d, part)
}

// benchDocuments compares discovery and JWKS with an empty handler.
func benchDocuments(ctx context.Context, d time.Duration, part providerPart) (err error) {
	r, err := newRig(ctx, memory.New())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, document := range []struct{ name, path string }{{"discovery", oidc.PathDiscovery}, {"JWKS", oidc.PathJWKS}} {
		if part.engine != "" || !strings.Contains(document.name, part.only) {
			continue
		}
		got, err := compare(rounds,
			func() (measured, error) { return measure(ctx, r.empty, readers, d, asking(get("/", ""))) },
			func() (measured, error) { return measure(ctx, r.subject, readers, d, asking(get(document.path, ""))) })
		if err != nil {
			return fmt.Errorf("%s: %w", document.name, err)
		}
		reportRatio(document.name+" / empty net/http handler", got)
	}
	return nil
}

// benchEngine measures the flows that need storage, before and after there is much in it.
func benchEngine(ctx context.Context, db store.Store, engine string, d time.Duration, part providerPart) (err error) {
	r, err := newRig(ctx, db)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer func() { err = errors.Join(err, r.close()) }()
	sign, err := r.signer()
	if err != nil {
		return err
	}
	login := func() error {
		if !registration.CheckPassword(r.passwordHash, benchPassword) {
			return errors.New("the password does not match")
		}
		return sign()
	}
	type measuredFlow struct {
		name, limit string
		base        func() error
		measure     func() (measured, error)
	}
	flows := []measuredFlow{
		{"token endpoint (code)", "RS256", sign, func() (measured, error) {
			codes, err := r.codes(ctx, int((d+3*ramp).Seconds()*2000*float64(runtime.GOMAXPROCS(0))))
			if err != nil {
				return measured{}, err
			}
			return measure(ctx, r.subject, writers, d, codes)
		}},
		{"refresh", "RS256", sign, func() (measured, error) { return measure(ctx, r.subject, writers, d, r.refreshes(ctx)) }},
		{"code flow, logged in", "RS256", sign, func() (measured, error) { return measure(ctx, r.subject, writers, d, r.authorizations) }},
		{"client_credentials, opaque", "RS256", sign, func() (measured, error) {
			return measure(ctx, r.subject, writers, d, asking(tokenRequest("grant_type", "client_credentials")))
		}},
		{"login", "argon2id and RS256", login, func() (measured, error) { return measure(ctx, r.subject, writers, d, r.logins) }},
	}
	flows = slices.DeleteFunc(flows, func(f measuredFlow) bool { return !strings.Contains(f.name, part.only) })
	if len(flows) == 0 {
		return nil
	}
	empty := make([]ratio, len(flows))
	for i, f := range flows {
		empty[i], err = compare(rounds, func() (measured, error) { return measureLoop(d, runtime.GOMAXPROCS(0), f.base) }, f.measure)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		reportRatio(fmt.Sprintf("%s, %s / %s", f.name, engine, f.limit), empty[i])
	}
	if part.quick {
		return nil
	}
	if err := r.fill(ctx, manySessions, manyGrants); err != nil {
		return fmt.Errorf("fill storage: %w", err)
	}
	for i, f := range flows {
		full, err := compare(rounds, func() (measured, error) { return measureLoop(d, runtime.GOMAXPROCS(0), f.base) }, f.measure)
		if err != nil {
			return fmt.Errorf("%s with much in storage: %w", f.name, err)
		}
		report(fmt.Sprintf("  %s, storage full / empty", f.name), "%.0f %%, by CPU %.0f %%   (%.0f/s; %d sessions, %d refresh tokens)",
			100*full.rate()/empty[i].rate(), 100*full.cpu()/empty[i].cpu(), full.got.perSecond, manySessions, manyGrants)
	}
	return nil
}

func reportRatio(name string, r ratio) {
	report(name, "%.0f %%, by CPU %.0f %%   (%.0f/s of %.0f/s; p50 %s, p99 %s)", 100*r.rate(), 100*r.cpu(), r.got.perSecond, r.base.perSecond,
		r.got.p50.Round(10*time.Microsecond), r.got.p99.Round(10*time.Microsecond))
}

// signer returns what makes one bare RS256 signature with go-jose.
func (r *rig) signer() (func() error, error) {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(r.privateJWK, &jwk); err != nil {
		return nil, err
	}
	private, ok := jwk.Key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an RSA key")
	}
	private.Precompute() // a key read from a JWK is slower without
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private}, nil)
	payload := []byte(strings.Repeat("x", 400)) // about the size of an ID token
	return func() error {
		jws, err := signer.Sign(payload)
		if err == nil {
			_, err = jws.CompactSerialize()
		}
		return err
	}, err
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
