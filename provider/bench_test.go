package provider_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/sqlite"
)

// BenchmarkToken compares the token endpoint over HTTP, with durable SQLite storage, with what go-jose can sign at all.
func BenchmarkToken(b *testing.B) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "provider.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	issuer := providertest.New(b, providertest.WithStore(db))
	issuer.AddUser(ada(), "")
	issuer.AddClient(appClient())

	b.Run("go-jose RS256 alone", func(b *testing.B) {
		reportCPU(b)
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
		if err != nil {
			b.Fatal(err)
		}
		payload := []byte(strings.Repeat("x", 400))
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				jws, err := signer.Sign(payload)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := jws.CompactSerialize(); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("endpoint", func(b *testing.B) {
		codes := storeCodes(b, issuer, b.N)
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		var next atomic.Int64
		b.SetParallelism(16)
		b.ResetTimer()
		reportCPU(b)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				form := "grant_type=authorization_code&client_id=app&client_secret=secret-of-app&redirect_uri=" + url.QueryEscape(callback) +
					"&code=" + codes[next.Add(1)-1]
				response, err := client.Post(issuer.Endpoint(oidc.PathToken), "application/x-www-form-urlencoded", strings.NewReader(form))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if response.StatusCode != http.StatusOK {
					b.Errorf("answers %d", response.StatusCode)
				}
			}
		})
	})
}

// BenchmarkLogin compares complete logins (authorization, password, code, token, userinfo) over HTTP, with durable SQLite
// storage, with what argon2id and go-jose take for one of them.
func BenchmarkLogin(b *testing.B) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "provider.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	issuer := providertest.New(b, providertest.WithStore(db))
	user := ada()
	user.PasswordHash = registration.HashPassword(password)
	issuer.AddUser(user, "")
	issuer.AddClient(appClient())

	b.Run("argon2id and go-jose RS256 alone", func(b *testing.B) {
		signer, _ := issuer.Registry.Keys().Signer("RS256")
		payload := []byte(strings.Repeat("x", 400))
		reportCPU(b)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := signer.Sign(payload); err != nil || !registration.CheckPassword(user.PasswordHash, password) {
					b.Error("the password does not match", err)
				}
			}
		})
	})
	b.Run("login", func(b *testing.B) {
		reportCPU(b)
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				token := exchange(b, issuer, newCode(b, issuer, "scope", "openid profile email"))
				if got := userinfo(b, issuer, token.text("access_token")); got.text("sub") != "sub-ada" {
					b.Errorf("userinfo answers %d", got.status)
				}
			}
		})
	})
}

// storeCodes puts codes into storage as the authorization endpoint does.
func storeCodes(b *testing.B, issuer *providertest.Issuer, n int) []string {
	b.Helper()
	codes := make([]string, n)
	done := make(chan error, 64)
	for worker := range cap(done) {
		go func() {
			for i := worker; i < n; i += cap(done) {
				codes[i] = "code-" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.Itoa(i)
				err := issuer.Store.CreateCode(context.Background(), store.Code{
					Handle: store.HandleOf(codes[i]), GrantID: strconv.Itoa(i), ClientID: "app", Subject: "sub-ada", SessionID: "session",
					RedirectURI: callback, Scopes: []string{"openid", "profile", "email"}, Nonce: "nonce-1", AuthTime: time.Now(),
					AuthMethods: []string{"pwd"}, ExpiresAt: time.Now().Add(time.Hour),
				})
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	return codes
}

// BenchmarkDocuments compares discovery and JWKS with an empty handler of net/http, over HTTP.
func BenchmarkDocuments(b *testing.B) {
	issuer := providertest.New(b)
	empty := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b.Cleanup(empty.Close)
	for _, c := range []struct{ name, target string }{
		{"empty handler", empty.URL + "/"}, {"discovery", issuer.Endpoint(oidc.PathDiscovery)}, {"JWKS", issuer.Endpoint(oidc.PathJWKS)},
	} {
		b.Run(c.name, func(b *testing.B) {
			reportCPU(b)
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				client := dial(b, c.target)
				for pb.Next() {
					client.get(b)
				}
			})
		})
	}
}

// lightClient is an HTTP client that takes hardly any of the machine from the server it measures.
type lightClient struct {
	connection net.Conn
	answers    *bufio.Reader
	request    []byte
}

func dial(b *testing.B, target string) *lightClient {
	u, err := url.Parse(target)
	if err != nil {
		b.Fatal(err)
	}
	connection, err := net.Dial("tcp", u.Host)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = connection.Close() })
	return &lightClient{connection, bufio.NewReader(connection), []byte("GET " + u.Path + " HTTP/1.1\r\nHost: " + u.Host + "\r\n\r\n")}
}

func (c *lightClient) get(b *testing.B) {
	if _, err := c.connection.Write(c.request); err != nil {
		b.Fatal(err)
	}
	length := 0
	for first := true; ; first = false {
		line, err := c.answers.ReadSlice('\n')
		if err != nil || first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			b.Fatalf("%v in %q", err, line)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				b.Fatal(err)
			}
		}
		if len(line) == 2 {
			break
		}
	}
	if _, err := c.answers.Discard(length); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkHandlers are the handlers without a network.
func BenchmarkHandlers(b *testing.B) {
	issuer := providertest.New(b, providertest.WithAlgorithms("ES256"))
	issuer.AddUser(ada(), password)
	issuer.AddClient(registration.Client{ClientID: "app", RedirectURIs: []string{callback}})
	for _, path := range []string{oidc.PathDiscovery, oidc.PathJWKS, "/login"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(http.MethodGet, path, bytes.NewReader(nil))
			for b.Loop() {
				issuer.Provider.Handler().ServeHTTP(&discard{header: http.Header{}}, r)
			}
		})
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header            { return d.header }
func (d *discard) Write(data []byte) (int, error) { return len(data), nil }
func (d *discard) WriteHeader(int)                {}

// reportCPU reports the processor time of this process, client included, which is steadier than elapsed time on a machine
// that is doing other things as well.
func reportCPU(b *testing.B) {
	before := cpuTime(b)
	b.Cleanup(func() { b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op") })
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
