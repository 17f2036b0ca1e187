package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// asProgram makes the test binary behave as the program itself, so that the tests run what people run.
const asProgram = "OIDC_PROVIDER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(ctx context.Context, t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// output runs a command to its end.
func output(t *testing.T, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := program(t.Context(), t, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// created runs a create command and returns what it prints.
func created(t *testing.T, stdin string, args ...string) map[string]string {
	t.Helper()
	stdout, stderr, err := output(t, stdin, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	answer := map[string]string{}
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	return answer
}

// server is a running provider.
type server struct {
	t               *testing.T
	issuer, admin   string
	cmd             *exec.Cmd
	log, audit      *log // standard error and output
	client          *http.Client
	exited          chan struct{}
	exit            error
	registrationDir string
}

// log is what the provider has written so far.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(data)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

const callback = "https://app.example.com/callback"

// registrations makes a directory with a key, a client and a user, and returns the client's secret.
func registrations(t *testing.T) (dir, secret string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "registrations")
	created(t, "", "key", "create", "es256", "--registrations", dir, "--algorithm", "ES256")
	created(t, "correct horse\n", "user", "create", "ada", "--registrations", dir, "--name", "Ada Lovelace", "--password-stdin")
	app := created(t, "", "client", "create", "app", "--registrations", dir, "--redirect-uri", callback, "--consent", "Never")
	return dir, app["client_secret"]
}

func start(t *testing.T, scheme, address, registrationDir string, args ...string) *server {
	t.Helper()
	s := &server{
		t: t, issuer: scheme + "://" + address, admin: freeAddress(t), log: &log{}, audit: &log{}, exited: make(chan struct{}),
		client: &http.Client{Timeout: 10 * time.Second}, registrationDir: registrationDir,
	}
	args = append([]string{"serve", "--issuer", s.issuer, "--listen", address, "--admin-listen", s.admin, "--registrations", registrationDir}, args...)
	s.cmd = program(context.WithoutCancel(t.Context()), t, args...)
	s.cmd.Stdout, s.cmd.Stderr = s.audit, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.exit = s.cmd.Wait(); close(s.exited) }()
	t.Cleanup(func() { _ = s.stop() }) // how it ended is for the test to ask
	s.until("ready", func() bool { return s.status(http.DefaultClient, "http://"+s.admin+"/readyz") == http.StatusOK })
	return s
}

// stop ends the provider as Kubernetes does and returns how it ended.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-s.exited:
		return s.exit
	case <-time.After(time.Minute):
		_ = s.cmd.Process.Kill()
		s.t.Error("the provider does not stop")
		return nil
	}
}

func (s *server) until(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(2 * time.Millisecond) {
		select {
		case <-s.exited:
			s.t.Fatalf("the provider has ended: %v\n%s", s.exit, s.log)
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not %s after a minute", what)
		}
	}
}

// status returns the status of an answer, or 0 when there is none.
func (s *server) status(client *http.Client, target string) int {
	response, err := client.Get(target)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // only the status counts
	return response.StatusCode
}

// authorize opens an authorization request, logs in when asked to, and returns the callback.
func (s *server) authorize(client *http.Client) (callbackURL *url.URL, asked bool) {
	s.t.Helper()
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	response, err := client.Get(s.issuer + "/oauth2/authorize?client_id=app&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback))
	if err != nil {
		s.t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if response.StatusCode == http.StatusOK {
		asked = true
		token := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindSubmatch(body)
		if token == nil {
			s.t.Fatalf("there is no form:\n%s", body)
		}
		response, err = client.PostForm(response.Request.URL.String(), url.Values{
			"username": {"ada"}, "password": {"correct horse"}, "csrf_token": {string(token[1])},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	location, err := response.Location()
	if err != nil {
		s.t.Fatalf("status %d: %v", response.StatusCode, err)
	}
	return location, asked
}

// Registrations made by the commands serve a whole login, and a restart forgets neither the login nor the code.
func TestStandalone(t *testing.T) {
	dir, secret := registrations(t)
	data := t.TempDir()
	address := freeAddress(t)
	first := start(t, "http", address, dir, "--data-dir", data)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	location, asked := first.authorize(browser)
	if !asked || location.Query().Get("code") == "" {
		t.Fatalf("asked %v, redirected to %s", asked, location)
	}
	if err := first.stop(); err != nil {
		t.Fatalf("the provider ends with %v\n%s", err, first.log)
	}

	second := start(t, "http", address, dir, "--data-dir", data)
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")}, "redirect_uri": {callback},
		"client_id": {"app"}, "client_secret": {secret},
	}
	response, err := second.client.PostForm(second.issuer+"/oauth2/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the code of before the restart answers %d", response.StatusCode)
	}
	if location, asked = second.authorize(browser); asked || location.Query().Get("code") == "" {
		t.Errorf("after the restart: asked %v, redirected to %s", asked, location)
	}
	for _, log := range []string{first.log.String(), second.log.String()} {
		for _, word := range []string{secret, "correct horse", form.Get("code")} {
			if strings.Contains(log, word) {
				t.Error("the log has a secret in it")
			}
		}
	}
}

// Before it stops the provider is not ready any more, but serves.
func TestShutdownDrains(t *testing.T) {
	dir, _ := registrations(t)
	s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir(), "--shutdown-delay", "1s")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.until("draining", func() bool {
		return s.status(http.DefaultClient, "http://"+s.admin+"/readyz") == http.StatusServiceUnavailable
	})
	if status := s.status(s.client, s.issuer+"/.well-known/openid-configuration"); status != http.StatusOK {
		t.Errorf("while draining discovery answers %d", status)
	}
	if err := s.stop(); err != nil {
		t.Errorf("the provider ends with %v\n%s", err, s.log)
	}
}

// A certificate that is renewed on disk is served without a restart; a broken one is not.
func TestCertificateIsReloaded(t *testing.T) {
	dir, _ := registrations(t)
	files := t.TempDir()
	cert, key := filepath.Join(files, "tls.crt"), filepath.Join(files, "tls.key")
	writeCertificate(t, cert, key, 1)
	s := start(t, "https", freeAddress(t), dir, "--data-dir", t.TempDir(), "--tls-cert-file", cert, "--tls-key-file", key)
	serial := func() int64 {
		connection, err := tls.Dial("tcp", strings.TrimPrefix(s.issuer, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return 0
		}
		defer func() { _ = connection.Close() }() // it was only looked at
		return connection.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("the first certificate is number %d", got)
	}
	writeCertificate(t, cert, key, 2)
	s.until("serving the second certificate", func() bool { return serial() == 2 })
	if err := os.WriteFile(cert, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.until("telling of the broken certificate", func() bool { return strings.Contains(s.log.String(), "stays in use") })
	if got := serial(); got != 2 {
		t.Errorf("with a broken certificate on disk number %d is served", got)
	}
	writeCertificate(t, cert, key, 3)
	s.until("serving the third certificate", func() bool { return serial() == 3 })
}

func writeCertificate(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "provider"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefusedFlags(t *testing.T) {
	dir, _ := registrations(t)
	data := t.TempDir()
	valid := []string{"serve", "--issuer", "http://localhost:1", "--data-dir", data, "--registrations", dir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no issuer":                   {[]string{"serve", "--data-dir", data, "--registrations", dir}, "--issuer"},
		"issuer over http":            {append(valid, "--issuer", "http://id.example.com"), "https"},
		"no storage":                  {[]string{"serve", "--issuer", "http://localhost:1", "--registrations", dir}, "--data-dir or --postgres-dsn-file"},
		"two storages":                {append(valid, "--postgres-dsn-file", "x"), "--data-dir and --postgres-dsn-file exclude each other"},
		"a database of less than 0":   {append(valid, "--data-size", "-1"), "--data-size must be a number of bytes"},
		"a size of another database":  {[]string{"serve", "--issuer", "http://localhost:1", "--registrations", dir, "--postgres-dsn-file", "x", "--data-size", "1"}, "needs --data-dir"},
		"no source":                   {[]string{"serve", "--issuer", "http://localhost:1", "--data-dir", data}, "--registrations or --provider-name"},
		"two sources":                 {append(valid, "--provider-name", "sso", "--namespace", "sso"), "exclude each other"},
		"no namespace":                {[]string{"serve", "--issuer", "http://localhost:1", "--data-dir", data, "--provider-name", "sso"}, "--namespace"},
		"half a certificate":          {append(valid, "--tls-cert-file", "x"), "--tls-key-file"},
		"a missing certificate":       {append(valid, "--tls-cert-file", "/nowhere", "--tls-key-file", "/nowhere"), "load TLS certificate /nowhere"},
		"a missing directory":         {append(valid, "--registrations", "/nowhere"), "/nowhere"},
		"an unknown log level":        {append(valid, "--log-level", "loud"), "--log-level"},
		"an audit log nowhere":        {append(valid, "--audit-log", "/nowhere/audit.log"), "open audit log"},
		"no audit log at all":         {append(valid, "--audit-log", ""), "--audit-log"},
		"fewer connections than none": {append(valid, "--max-connections-per-address", "-1"), "--max-connections-per-address"},
		"proxies that are none":       {append(valid, "--trusted-proxies", "everybody"), "--trusted-proxies"},
		"an unknown flag":             {append(valid, "--loud"), "unknown flag"},
		"an address in use":           {append(valid, "--listen", addressInUse(t)), "in use"},

		"a redirect URI that is none":  {[]string{"client", "create", "a", "--registrations", dir, "--redirect-uri", "http://a.example/cb"}, "redirect_uris[0]"},
		"a client without any":         {[]string{"client", "create", "a", "--registrations", dir}, "redirect_uris"},
		"a client that is there":       {[]string{"client", "create", "app", "--registrations", dir, "--redirect-uri", callback}, "is there already"},
		"a client ID with a slash":     {[]string{"client", "create", "../a", "--registrations", dir, "--redirect-uri", callback}, "client_id"},
		"an unknown grant type":        {[]string{"client", "create", "a", "--registrations", dir, "--redirect-uri", callback, "--grant-type", "password"}, "grant_types[0]"},
		"keys that are not there":      {[]string{"client", "create", "a", "--registrations", dir, "--redirect-uri", callback, "--auth-method", "private_key_jwt"}, "jwks"},
		"keys that are no keys":        {[]string{"client", "create", "a", "--registrations", dir, "--redirect-uri", callback, "--auth-method", "private_key_jwt", "--jwks-file", os.Args[0]}, "does not hold JSON"},
		"signed requests without keys": {[]string{"client", "create", "a", "--registrations", dir, "--redirect-uri", callback, "--require-signed-request-object"}, "jwks: must be set"},
		"public with another method":   {[]string{"client", "create", "a", "--registrations", dir, "--redirect-uri", callback, "--public", "--auth-method", "client_secret_post"}, "exclude each other"},
		"a public client for itself":   {[]string{"client", "create", "a", "--registrations", dir, "--public", "--grant-type", "client_credentials"}, "client_credentials"},
		"settings twice":               {[]string{"settings", "create", "--registrations", settingsDir(t)}, "is there already"},
		"a color that is none":         {[]string{"settings", "create", "--registrations", dir, "--accent-color", "green"}, "branding.accent_color"},
		"a username with a slash":      {[]string{"user", "create", "../ada", "--registrations", dir}, "cannot be a file's"},
		"a key of an unknown sort":     {[]string{"key", "create", "k", "--registrations", dir, "--algorithm", "HS256"}, "HS256"},
		"an empty password":            {[]string{"user", "create", "eve", "--registrations", dir, "--password-stdin"}, "empty"},
		"a user without a name at all": {[]string{"user", "create", "--registrations", dir}, "accepts 1 arg"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := program(ctx, t, c.args...)
			said, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(said), c.says) || strings.Contains(string(said), "goroutine") {
				t.Errorf("%v: %s", err, said)
			}
			if c.args[0] == "serve" && c.says != "unknown flag" {
				mustBeOneRecord(t, string(said))
			}
		})
	}
}

// mustBeOneRecord checks that a log of a start that failed is JSON, and says why in one record and once.
func mustBeOneRecord(t *testing.T, log string) {
	t.Helper()
	lines, told := strings.Split(strings.TrimSpace(log), "\n"), 0
	for _, line := range lines {
		var record struct{ Level, Msg, Error string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
		if record.Level != "ERROR" {
			continue
		}
		if told++; strings.Contains(record.Error, "\n") {
			t.Errorf("the error has several lines: %s", line)
		}
	}
	if told != 1 {
		t.Errorf("the log tells %d errors; want one:\n%s", told, log)
	}
}

func addressInUse(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func TestCreatedFilesAreForNobodyElse(t *testing.T) {
	dir, _ := registrations(t)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("there are %v (%v)", files, err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", file.Name(), info.Mode(), err)
		}
	}
}

func TestNewSecret(t *testing.T) {
	seen, characters := map[string]bool{}, map[rune]int{}
	for range 2000 {
		secret := newSecret()
		if !regexp.MustCompile(`^[A-Za-z0-9]{32}$`).MatchString(secret) || seen[secret] {
			t.Fatal("a secret is not 32 letters and digits, or came twice")
		}
		seen[secret] = true
		for _, c := range secret {
			characters[c]++
		}
	}
	// 64,000 characters of 62 kinds: 1,032 of each, give or take 32. Six times that is out of the question.
	for c, n := range characters {
		if n < 840 || n > 1224 {
			t.Errorf("%c comes %d times", c, n)
		}
	}
}

func TestVersion(t *testing.T) {
	if stdout, stderr, err := output(t, "", "version"); err != nil || stdout != version+"\n" {
		t.Errorf("%v: %s%s", err, stdout, stderr)
	}
}

// With an http issuer on one machine nothing is served to others unless that is asked for.
func TestDefaultAddress(t *testing.T) {
	for name, c := range map[string]struct {
		options serveOptions
		want    string
	}{
		"a directory and http":  {serveOptions{registrations: "dir", issuer: "http://localhost:8080"}, "localhost:8080"},
		"a directory and https": {serveOptions{registrations: "dir", issuer: "https://id.example.com"}, ":8080"},
		"in a cluster":          {serveOptions{issuer: "http://localhost:8080"}, ":8080"},
		"with TLS":              {serveOptions{registrations: "dir", issuer: "https://id.example.com", tlsCert: "tls.crt"}, ":8443"},
	} {
		if got := defaultAddress(&c.options); got != c.want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// Whoever sends a request byte by byte does not turn an orderly stop into a failure.
func TestStopCutsOffWhatDoesNotEnd(t *testing.T) {
	entered := make(chan struct{})
	public := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(entered); <-r.Context().Done() })
	l, err := listenPublic(&serveOptions{listen: "127.0.0.1:0"}, proxies{}, public, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	group.Go(l.serve)
	go func() { _, _ = http.Get("http://" + l.Addr().String()) }() // cut off
	<-entered
	over, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if err := l.stop(over); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := group.Wait(); err != nil {
		t.Errorf("serve: %v", err)
	}
}
