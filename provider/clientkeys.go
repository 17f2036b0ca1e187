package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// How the keys of a client are fetched from its jwks_uri.
const (
	keysTimeout = 5 * time.Second
	keysMaxSize = 128 << 10
	// keysFresh is for how long keys are used without asking again; keysStale for how long where asking fails.
	keysFresh = 5 * time.Minute
	keysStale = time.Hour
	// keysPause is the shortest time between two attempts, however many assertions have an unknown kid: otherwise anybody could
	// make the provider send as many requests to a client as they like.
	keysPause = 10 * time.Second
	// keysKept bounds how many clients' keys are in memory.
	keysKept = 1000
)

// clientKeys fetches and keeps the public keys of clients that are registered with a jwks_uri.
type clientKeys struct {
	client *http.Client
	now    func() time.Time
	logger *slog.Logger
	// loopback allows http on this very machine, where nobody else can listen: only for an issuer that is there itself.
	loopback bool
	flights  singleflight.Group

	mu      sync.Mutex
	entries map[string]*fetchedKeys
}

// fetchedKeys is what is known of one jwks_uri. It never changes.
type fetchedKeys struct {
	set       *jose.JSONWebKeySet // nil until the first success
	fetchedAt time.Time
	triedAt   time.Time
}

func newClientKeys(now func() time.Time, logger *slog.Logger, loopback bool) *clientKeys {
	return &clientKeys{
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:                  http.ProxyFromEnvironment,
				ForceAttemptHTTP2:      true,
				MaxResponseHeaderBytes: 16 << 10,
				MaxIdleConns:           16,
				IdleConnTimeout:        30 * time.Second,
			},
			Timeout: keysTimeout,
			// A redirect could lead to where a registration may not: plain http, or this machine.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		now:      now,
		logger:   logger,
		loopback: loopback,
		entries:  map[string]*fetchedKeys{},
	}
}

// errKeys is what a client is told whose keys cannot be had; the log says why.
var errKeys = &oidc.Error{Code: oidc.CodeTemporarilyUnavailable, Description: "the client's jwks_uri cannot be read now; try again soon"}

// get returns the keys at a jwks_uri. renew asks for newer ones than those that were returned before, and gets them unless
// they were asked for just now.
func (c *clientKeys) get(ctx context.Context, uri string, renew bool) (*jose.JSONWebKeySet, error) {
	known := c.known(uri)
	now := c.now()
	fresh := known.set != nil && now.Sub(known.fetchedAt) < keysFresh
	if fresh && !renew || now.Sub(known.triedAt) < keysPause {
		return known.usable(now)
	}
	done := c.flights.DoChan(uri, func() (any, error) {
		if latest := c.known(uri); latest.triedAt.After(known.triedAt) {
			return latest, nil // another flight has landed meanwhile
		}
		// Not the request's context: others wait for the same answer.
		fetching, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
		defer cancel()
		return c.renew(fetching, uri, known), nil
	})
	select {
	case result := <-done:
		return result.Val.(*fetchedKeys).usable(now) //nolint:forcetypeassert // see above
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// renew tries to fetch keys and keeps what comes of it.
func (c *clientKeys) renew(ctx context.Context, uri string, known *fetchedKeys) *fetchedKeys {
	set, err := c.fetch(ctx, uri)
	latest := &fetchedKeys{set: known.set, fetchedAt: known.fetchedAt, triedAt: c.now()}
	if err != nil {
		c.logger.WarnContext(ctx, "keys of a client cannot be had", "jwks_uri", uri, "error", err)
	} else {
		latest.set, latest.fetchedAt = set, latest.triedAt
	}
	c.keep(uri, latest)
	return latest
}

// usable returns the keys as long as they may be used.
func (f *fetchedKeys) usable(now time.Time) (*jose.JSONWebKeySet, error) {
	if f.set == nil || now.Sub(f.fetchedAt) >= keysStale {
		return nil, errKeys
	}
	return f.set, nil
}

func (c *clientKeys) known(uri string) *fetchedKeys {
	c.mu.Lock()
	defer c.mu.Unlock()
	if entry := c.entries[uri]; entry != nil {
		return entry
	}
	return &fetchedKeys{}
}

func (c *clientKeys) keep(uri string, entry *fetchedKeys) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.entries[uri]; !known && len(c.entries) >= keysKept {
		oldest := ""
		for candidate, e := range c.entries {
			if oldest == "" || e.triedAt.Before(c.entries[oldest].triedAt) {
				oldest = candidate
			}
		}
		delete(c.entries, oldest)
	}
	c.entries[uri] = entry
}

func (c *clientKeys) fetch(ctx context.Context, uri string) (*jose.JSONWebKeySet, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, errors.New("is no URL")
	}
	plain := c.loopback && r.URL.Scheme == "http" && oidc.IsLoopback(r.URL.Hostname())
	if r.URL.Scheme != "https" && !plain {
		return nil, errors.New("must be https; http is only for a loopback host, where the issuer is on one, too")
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := c.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch keys: status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, keysMaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if len(body) > keysMaxSize {
		return nil, errors.New("read keys: more than 128 KiB")
	}
	set, err := registration.ParseClientKeys(body)
	if err != nil {
		return nil, fmt.Errorf("parse keys: %w", err)
	}
	return set, nil
}
