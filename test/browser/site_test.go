package browser_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The person that every site knows.
const (
	username = "ada"
	fullName = "Ada Lovelace"
	email    = "ada@example.com"
	group    = "analysts"
)

const appName = "Demo application"

// site is a provider and an application, running.
type site struct {
	t             *testing.T
	registrations string
	// issuer is on 127.0.0.1 and app on localhost: for a browser these are two sites, as in real life.
	issuer, app string
	// password is ada's.
	password string
	// client runs over the site's certificate, if it has one.
	client *http.Client
	// environment of the programs, beside the test's own.
	environment []string
}

// newSite registers client, person and key with the provider's own commands and starts both programs. prepare is called
// before they start.
func newSite(t *testing.T, prepare ...func(*site)) *site {
	t.Helper()
	s := newUnstartedSite(t, "http")
	for _, f := range prepare {
		f(s)
	}
	s.start()
	return s
}

func newUnstartedSite(t *testing.T, scheme string) *site {
	t.Helper()
	providerPort, appPort := freePorts(t)
	s := &site{
		t: t, registrations: filepath.Join(t.TempDir(), "registrations"), client: &http.Client{Timeout: stepTimeout},
		issuer: fmt.Sprintf("%s://127.0.0.1:%d", scheme, providerPort), app: fmt.Sprintf("http://localhost:%d", appPort),
	}
	s.create("key", "create", "rs256")
	s.password = s.create("user", "create", username, "--name", fullName, "--given-name", "Ada", "--family-name", "Lovelace",
		"--email", email, "--email-verified", "--group", group)["password"]
	return s
}

// create runs one of the provider's commands and returns what it prints.
func (s *site) create(args ...string) map[string]string {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(shared.programs, "provider"), append(args, "--registrations", s.registrations)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("provider %v: %v\n%s", args, err, stderr.String())
	}
	var answer map[string]string
	if err := json.Unmarshal(out, &answer); err != nil {
		s.t.Fatalf("provider %v prints no JSON: %v", args, err)
	}
	return answer
}

func (s *site) start(flags ...string) {
	s.t.Helper()
	demo := s.create("client", "create", "demo", "--name", appName, "--require-pkce",
		"--redirect-uri", s.app+"/callback", "--post-logout-redirect-uri", s.app+"/")
	adminPort, _ := freePorts(s.t)
	admin := fmt.Sprintf("127.0.0.1:%d", adminPort)
	s.run("provider", append([]string{
		"serve", "--issuer", s.issuer, "--listen", hostOf(s.issuer), "--admin-listen", admin,
		"--data-dir", s.t.TempDir(), "--registrations", s.registrations,
	}, flags...)...)
	s.await("http://" + admin + "/readyz") // discovery is served before storage is open
	discovery := s.await(s.issuer + "/.well-known/openid-configuration")
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := json.Unmarshal(discovery, &metadata); err != nil {
		s.t.Fatalf("read discovery: %v", err)
	}
	secret := s.t.TempDir()
	for key, value := range map[string]string{
		"issuer": s.issuer, "client_id": demo["client_id"], "client_secret": demo["client_secret"],
		"scopes": "openid profile email groups", "end_session_endpoint": metadata.EndSession,
	} {
		if err := os.WriteFile(filepath.Join(secret, key), []byte(value), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.run("demo-app", "-listen", "127.0.0.1"+s.app[len("http://localhost"):], "-url", s.app, "-secret-dir", secret)
	s.await(s.app)
}

// run starts a program and stops it when the test ends. What it has said is shown when the test has failed.
func (s *site) run(program string, args ...string) {
	s.t.Helper()
	output := &safeBuffer{}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, filepath.Join(shared.programs, program), args...)
	cmd.Env = append(os.Environ(), s.environment...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stepTimeout
	if err := cmd.Start(); err != nil {
		cancel()
		s.t.Fatalf("start %s: %v", program, err)
	}
	s.t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // stopped by us
		if s.t.Failed() {
			s.t.Logf("%s said:\n%s", program, output.String())
		}
	})
}

// await returns what a GET of the URL answers as soon as the answer is 200.
func (s *site) await(url string) []byte {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if response, err := s.client.Get(url); err == nil {
			var body bytes.Buffer
			_, err = body.ReadFrom(response.Body)
			_ = response.Body.Close() // it was read
			if err == nil && response.StatusCode == http.StatusOK {
				return body.Bytes()
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("%s does not answer", url)
		}
	}
}

// safeBuffer is written to by a program while the test may read it.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// freePorts returns two ports of the loopback address that nobody listens on.
func freePorts(t *testing.T) (a, b int) {
	t.Helper()
	var ports [2]int
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1]
}
