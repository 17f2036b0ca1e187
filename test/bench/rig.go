package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

const (
	benchIssuer   = "http://localhost:8080"
	benchClient   = "bench"
	benchSecret   = "0123456789abcdefghijklmnopqrstuv"
	benchRedirect = "https://bench.example.com/callback"
	benchUser     = "ada"
)

// rig is a provider with one engine of storage, and an empty handler beside it, each behind net/http on loopback.
type rig struct {
	store          store.Store
	privateJWK     json.RawMessage
	subject, empty string
	servers        []*http.Server
	passwordHash   string
	// session is a browser that is logged in, and cookie its secret.
	session            store.Session
	cookieName, cookie string
}

func newRig(ctx context.Context, db store.Store) (*rig, error) {
	r := &rig{store: db, passwordHash: registration.HashPassword(benchPassword)}
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
	if r.empty, err = r.listen(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})); err != nil {
		return nil, err
	}
	return r, r.logIn(ctx)
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
			ClientID: benchClient, RedirectURIs: []string{benchRedirect}, Scope: "openid profile email", Consent: registration.ConsentNever,
			GrantTypes: []string{registration.GrantCode, registration.GrantRefreshToken, registration.GrantClientCredentials},
			Secrets:    []registration.ClientSecret{{ID: registration.SecretID(hash), Hash: hash}},
		},
		registration.KindUser: registration.User{
			Subject: benchUser, Username: benchUser, Name: "Ada Lovelace", Email: "ada@example.com", PasswordHash: r.passwordHash,
		},
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

// logIn makes the session of a browser, as one login does.
func (r *rig) logIn(ctx context.Context) error {
	c, err := dial(ctx, r.subject)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // nothing is lost with it
	page, err := c.ask(get("/login", ""), 200)
	if err != nil {
		return err
	}
	body := "username=" + benchUser + "&password=" + strings.ReplaceAll(benchPassword, " ", "+") + "&csrf_token=" + attribute(page.body, `name="csrf_token" value="`)
	entered, err := c.ask(post("/login", "Cookie: "+page.cookie+"\r\n", body), 303)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	for cookie := range strings.SplitSeq(entered.cookie, "; ") {
		name, value, _ := strings.Cut(cookie, "=")
		if strings.Contains(name, "session") {
			r.cookieName, r.cookie = name, value
		}
	}
	r.session, err = r.store.Session(ctx, store.HandleOf(r.cookie))
	return err
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

func (r *rig) close() error {
	var errs []error
	for _, s := range r.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, r.store.Close())...)
}

// fill puts sessions and refresh tokens of other people into storage.
func (r *rig) fill(ctx context.Context, sessions, grants int) error {
	now := time.Now()
	err := together(sessions, func(i int) error {
		return r.store.CreateSession(ctx, store.Session{
			Handle: store.HandleOf(store.NewValue(now)), ID: store.NewID(now), Subject: fmt.Sprintf("person-%d", i), AuthTime: now,
			AuthMethods: []string{"pwd"}, Credential: "abcdefghijklmnop", LastSeenAt: now, ExpiresAt: now.Add(time.Hour),
		})
	})
	if err != nil {
		return err
	}
	return together(grants, func(i int) error {
		id := store.NewID(now)
		return r.store.CreateGrant(ctx, store.Grant{
			ID: id, Client: store.Client{ID: benchClient}, Subject: fmt.Sprintf("person-%d", i%sessions), SessionID: r.session.ID, Credential: r.session.Credential, Scopes: []string{"openid", "offline_access"},
			AuthTime: now, AuthMethods: []string{"pwd"}, CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour),
			Code:    store.Code{Handle: store.HandleOf(id), RedirectURI: benchRedirect, Redeemed: true, ExpiresAt: now},
			Refresh: store.Refresh{Handle: store.HandleOf(id + "refresh"), RotatedAt: now, IdleUntil: now.Add(time.Hour), ExpiresAt: now.Add(24 * time.Hour)},
		})
	})
}
