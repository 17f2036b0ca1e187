package conformance_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bench is what all tests use: a provider that runs with TLS and SQLite, and the site of its relying parties.
type bench struct {
	issuer string
	// client trusts the provider's certificate and follows no redirect.
	client *http.Client
	site   *site
	// apps are the registered clients by client ID.
	apps map[string]app
	// metadata is the discovery document.
	metadata map[string]any
	// certificate is the file of the provider's certificate.
	certificate string
}

// shared is set before the first test.
var shared bench

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance tests:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "oidc-conformance-")
	if err != nil {
		return 0, fmt.Errorf("create directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left over is in the system's temporary directory
	program := filepath.Join(dir, "provider")
	build := exec.Command("go", "build", "-o", program, "./cmd/provider")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the provider: %w\n%s", err, out)
	}
	shared.site = newSite()
	defer shared.site.server.Close()
	if err := shared.certify(dir); err != nil {
		return 0, err
	}
	for _, key := range [][]string{{"rs256"}, {"es256", "--algorithm", "ES256"}} {
		args := append([]string{"key", "create", "--registrations", filepath.Join(dir, "registrations")}, key...)
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			return 0, fmt.Errorf("make a key: %w\n%s", err, out)
		}
	}
	if shared.apps, err = register(filepath.Join(dir, "registrations"), shared.site.server.URL); err != nil {
		return 0, err
	}
	stop, err := shared.start(program, dir)
	if err != nil {
		return 0, err
	}
	defer func() {
		if said := stop(); code != 0 {
			fmt.Fprintf(os.Stderr, "the provider said:\n%s\n", said)
		}
	}()
	// The tests mostly wait, for clocks and for the provider: more of them at once than there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "12"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// certify makes the certificate of a provider on this machine.
func (b *bench) certify(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	b.certificate = filepath.Join(dir, "tls.crt")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(b.certificate, certificate, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	b.client = &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// start runs the provider until stop, which returns what it has said.
func (b *bench) start(program, dir string) (stop func() string, err error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	b.issuer = "https://localhost:" + port
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve", "--issuer", b.issuer, "--listen", address, "--admin-listen", admin,
		"--data-dir", filepath.Join(dir, "data"), "--registrations", filepath.Join(dir, "registrations"),
		"--tls-cert-file", b.certificate, "--tls-key-file", filepath.Join(dir, "tls.key"), "--log-level", "error")
	var output bytes.Buffer // what it counts as an error; its audit log is not kept
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the provider: %w", err)
	}
	stop = func() string {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // stopped by us
		return output.String()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		// Discovery is served before storage is open, so that it does not tell whether somebody can sign in.
		if err = b.ready(ctx, admin); err == nil {
			if b.metadata, err = b.discover(ctx); err == nil {
				return stop, nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, fmt.Errorf("the provider does not answer: %w\n%s", err, stop())
}

func (b *bench) ready(ctx context.Context, admin string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", response.Status)
	}
	return nil
}

func (b *bench) discover(ctx context.Context) (map[string]any, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.issuer+"/.well-known/openid-configuration", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("discovery answers %s", response.Status)
	}
	var metadata map[string]any
	return metadata, json.NewDecoder(response.Body).Decode(&metadata)
}

// endpoint returns the URL that the discovery document gives for an endpoint.
func (b *bench) endpoint(t *testing.T, name string) string {
	t.Helper()
	url, _ := b.metadata[name].(string)
	if url == "" {
		t.Fatalf("the discovery document has no %s", name)
	}
	return url
}

// supports tells whether a list of the discovery document holds a value.
func (b *bench) supports(member, value string) bool {
	values, _ := b.metadata[member].([]any)
	for _, v := range values {
		if v == value {
			return true
		}
	}
	return false
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strings.Replace(l.Addr().String(), "[::1]", "127.0.0.1", 1), nil
}
