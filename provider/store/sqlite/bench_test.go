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

func benchCode(i int64) store.Code {
	name := fmt.Sprint(i)
	return store.Code{
		Handle: store.HandleOf("code " + name), GrantID: "grant-of-22-characters-" + name, ClientID: "matrix.synapse",
		Subject: "7b0a6a6e-3a7e-5b0a-8a5e-3a7e5b0a8a5e", SessionID: "sid-of-22-characters-0",
		RedirectURI: "https://matrix.example.com/_synapse/client/oidc/callback", Scopes: []string{"openid", "profile", "email"},
		Nonce: "nonce-of-32-characters-012345678", CodeChallenge: "challenge-of-43-characters-0123456789012345",
		AuthTime: benchNow, AuthMethods: []string{"pwd"}, ExpiresAt: benchNow.Add(time.Minute),
	}
}

func benchToken(i int64) store.AccessToken {
	c := benchCode(i)
	return store.AccessToken{
		Handle: store.HandleOf("token " + fmt.Sprint(i)), GrantID: c.GrantID, ClientID: c.ClientID, Subject: c.Subject,
		SessionID: c.SessionID, Scopes: c.Scopes, IssuedAt: benchNow, ExpiresAt: benchNow.Add(15 * time.Minute),
	}
}

// openCodes returns a store in which n codes wait to be redeemed.
func openCodes(b *testing.B, n int64) *sqlite.Store {
	b.Helper()
	s := open(b, filepath.Join(b.TempDir(), "provider.db"))
	b.Cleanup(func() { _ = s.Close() })
	var next atomic.Int64
	inParallel(b, 128, func() bool {
		i := next.Add(1)
		if i > n {
			return false
		}
		if err := s.CreateCode(context.Background(), benchCode(i)); err != nil {
			b.Error(err)
			return false
		}
		return true
	})
	return s
}

// inParallel has callers call f until it returns false.
func inParallel(b *testing.B, callers int, f func() bool) {
	b.Helper()
	done := make(chan struct{})
	for range callers {
		go func() {
			for f() {
			}
			done <- struct{}{}
		}()
	}
	for range callers {
		<-done
	}
}

// BenchmarkRedeemCode measures durable redeems, each with an access token, by as many concurrent callers as the name says.
// Every benchmark iteration is one redeem.
func BenchmarkRedeemCode(b *testing.B) {
	for _, callers := range []int{1, 8, 32, 128} {
		b.Run(fmt.Sprintf("callers-%d", callers), func(b *testing.B) {
			s := openCodes(b, int64(b.N))
			runtime.GC()
			var next atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			inParallel(b, callers, func() bool {
				i := next.Add(1)
				if i > int64(b.N) {
					return false
				}
				if err := s.RedeemCode(context.Background(), benchCode(i).Handle, benchToken(i), benchNow.Add(time.Hour)); err != nil {
					b.Error(err)
					return false
				}
				return true
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "redeems/s")
		})
	}
}

func BenchmarkCode(b *testing.B) {
	const codes = 1000
	s := openCodes(b, codes)
	b.ReportAllocs()
	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := s.Code(context.Background(), benchCode(next.Add(1)%codes+1).Handle); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkSession(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "provider.db"))
	b.Cleanup(func() { _ = s.Close() })
	session := store.Session{
		Handle: store.HandleOf("session"), ID: "sid", Subject: "7b0a6a6e-3a7e-5b0a-8a5e-3a7e5b0a8a5e", AuthTime: benchNow,
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
