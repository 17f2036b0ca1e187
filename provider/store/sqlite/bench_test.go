package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/sqlite"
)

var benchNow = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

const subject = "7b0a6a6e-3a7e-5b0a-8a5e-3a7e5b0a8a5e"

const benchSession = "sid-of-26-characters-00000"

func benchTime(i int64) time.Time {
	return benchNow.Add(time.Duration(i) * time.Millisecond)
}

func benchGrant(i int64) store.Grant {
	at := benchTime(i)
	return store.Grant{
		ID: store.NewID(at), Client: store.Client{ID: "matrix.synapse"}, Subject: fmt.Sprint(subject, i%1000), SessionID: benchSession,
		Credential: "credential-16-ch", Scopes: []string{"openid", "profile", "email", "offline_access"}, AuthTime: at, AuthMethods: []string{"pwd"}, CreatedAt: at,
		ExpiresAt: at.Add(time.Minute),
		Code: store.Code{
			Handle: store.HandleOf(store.NewValue(at)), RedirectURI: "https://matrix.example.com/_synapse/client/oidc/callback",
			Nonce: "nonce-of-32-characters-012345678", CodeChallenge: "challenge-of-43-characters-0123456789012345", ExpiresAt: at.Add(time.Minute),
		},
	}
}

func benchToken(i int64, grantID string) store.AccessToken {
	at := benchTime(i)
	return store.AccessToken{
		Handle: store.HandleOf(store.NewValue(at)), GrantID: grantID, Client: store.Client{ID: "matrix.synapse"},
		Scopes: []string{"openid", "profile", "email"}, IssuedAt: at, ExpiresAt: at.Add(15 * time.Minute),
	}
}

func benchRefresh(i int64, value string) store.Refresh {
	at := benchTime(i)
	return store.Refresh{
		Handle: store.HandleOf(value), Previous: store.HandleOf(value + "'"), Key: store.HandleOf("key" + value), RotatedAt: at,
		IdleUntil: at.Add(24 * time.Hour), ExpiresAt: at.Add(720 * time.Hour),
	}
}

// openGrants returns a store with n grants, and their IDs.
func openGrants(b *testing.B, n int) (*sqlite.Store, []string) {
	b.Helper()
	s := open(b, filepath.Join(b.TempDir(), "provider.db"))
	b.Cleanup(func() { _ = s.Close() })
	at := benchTime(0)
	session := store.Session{Handle: store.HandleOf("session"), ID: benchSession, Subject: subject, AuthTime: at, LastSeenAt: at, ExpiresAt: at.Add(time.Hour)}
	if err := s.CreateSession(context.Background(), session); err != nil {
		b.Fatal(err)
	}
	ids := make([]string, n)
	inParallel(b, 128, n, func(i int64) error {
		g := benchGrant(i)
		ids[i] = g.ID
		return s.CreateGrant(context.Background(), g)
	})
	runtime.GC()
	return s, ids
}

// inParallel has callers call f with each number below n once.
func inParallel(b *testing.B, callers, n int, f func(i int64) error) {
	b.Helper()
	var next atomic.Int64
	done := make(chan struct{})
	for range callers {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := f(i); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	for range callers {
		<-done
	}
}

// BenchmarkChanges measures durable changes by as many concurrent callers as the name says. Every iteration is one change.
func BenchmarkChanges(b *testing.B) {
	ctx := context.Background()
	changes := map[string]func(s *sqlite.Store, ids []string) func(i int64) error{
		"create-access-token": func(s *sqlite.Store, _ []string) func(int64) error {
			return func(i int64) error { return s.CreateAccessToken(ctx, benchToken(i, "")) }
		},
		"create-grant": func(s *sqlite.Store, _ []string) func(int64) error {
			return func(i int64) error { return s.CreateGrant(ctx, benchGrant(i+1_000_000)) }
		},
		"redeem-code": func(s *sqlite.Store, ids []string) func(int64) error {
			return func(i int64) error {
				token := benchToken(i, ids[i])
				return s.RedeemCode(ctx, ids[i], benchRefresh(i, ids[i]), &token, benchTime(i).Add(720*time.Hour))
			}
		},
		"redeem-without-tokens": func(s *sqlite.Store, ids []string) func(int64) error {
			return func(i int64) error {
				return s.RedeemCode(ctx, ids[i], store.Refresh{}, nil, benchTime(i).Add(720*time.Hour))
			}
		},
	}
	for name, prepare := range changes {
		for _, callers := range []int{1, 8, 32, 128} {
			b.Run(fmt.Sprintf("%s/callers-%d", name, callers), func(b *testing.B) {
				s, ids := openGrants(b, b.N)
				change := prepare(s, ids)
				b.ReportAllocs()
				b.ResetTimer()
				inParallel(b, callers, b.N, change)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
			})
		}
	}
}

// BenchmarkRotateRefresh rotates random families of many, as clients do long after each other.
func BenchmarkRotateRefresh(b *testing.B) {
	ctx := context.Background()
	const families = 20000
	s, ids := openGrants(b, families)
	inParallel(b, 128, families, func(i int64) error {
		return s.RedeemCode(ctx, ids[i], benchRefresh(i, ids[i]), nil, benchTime(i).Add(720*time.Hour))
	})
	b.ReportAllocs()
	b.ResetTimer()
	inParallel(b, 32, b.N, func(i int64) error {
		id, round := ids[i*7919%families], i/families
		from, to := id, fmt.Sprint(id, round+1)
		if round > 0 {
			from = fmt.Sprint(id, round)
		}
		token := benchToken(i, id)
		err := s.RotateRefresh(ctx, id, store.HandleOf(from), benchRefresh(i, to), &token, benchTime(i).Add(721*time.Hour))
		return err
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}

func BenchmarkGrant(b *testing.B) {
	const grants = 1000
	s, ids := openGrants(b, grants)
	b.ReportAllocs()
	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Grant(context.Background(), ids[next.Add(1)%grants]); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkAccessToken(b *testing.B) {
	s, ids := openGrants(b, 1)
	token := benchToken(0, ids[0])
	if err := s.CreateAccessToken(context.Background(), token); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := s.AccessToken(context.Background(), token.Handle); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkSession(b *testing.B) {
	s, _ := openGrants(b, 0)
	session := store.Session{
		Handle: store.HandleOf("session"), ID: "sid", Subject: subject, AuthTime: benchNow,
		AuthMethods: []string{"pwd"}, LastSeenAt: benchNow, ExpiresAt: benchNow.Add(time.Hour),
	}
	if err := s.CreateSession(context.Background(), session); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Session(context.Background(), session.Handle); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "provider.db")
	for b.Loop() {
		if err := open(b, path).Close(); err != nil {
			b.Fatal(err)
		}
	}
}
