package applications_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/network"

	"github.com/oidc-operator/oidc-operator/test/program"
)

const matrixServer = "example.com"

// synapse is a Matrix homeserver.
type synapse struct {
	t *testing.T
	// url is its public_baseurl. The host is another site than the provider's.
	url string
	// config is its own configuration file; oidc is the one out of the Secret.
	config, oidc string
	// client is the page of a Matrix client in the browser.
	client  *httptest.Server
	process *process
}

// newSynapse writes the configuration of a homeserver that is not started yet.
func newSynapse(t *testing.T) *synapse {
	t.Helper()
	addresses, err := program.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	s := &synapse{t: t, url: "http://localhost:" + port + "/", client: newMatrixClient(t)}
	dir := t.TempDir()
	s.config = filepath.Join(dir, "homeserver.yaml")
	signingKey := make([]byte, 32)
	_, _ = rand.Read(signingKey) // never fails
	limits := map[string]any{"per_second": 1000, "burst_count": 1000}
	config := map[string]any{
		"server_name": matrixServer, "public_baseurl": s.url, "report_stats": false,
		"listeners": []any{map[string]any{
			"type": "http", "port": json.Number(port), "bind_addresses": []string{"127.0.0.1"}, "resources": []any{map[string]any{"names": []string{"client"}}},
		}},
		"database":         map[string]any{"name": "sqlite3", "args": map[string]any{"database": filepath.Join(dir, "homeserver.db")}},
		"media_store_path": filepath.Join(dir, "media"), "log_config": filepath.Join(dir, "log.yaml"),
		"signing_key":         "ed25519 a_test " + base64.RawStdEncoding.EncodeToString(signingKey),
		"macaroon_secret_key": rand.Text(), "form_secret": rand.Text(), "trusted_key_servers": []any{},
		// Tests log in more often than people.
		"rc_login": map[string]any{"address": limits, "account": limits, "failed_attempts": limits},
	}
	logging := map[string]any{
		"version": 1, "disable_existing_loggers": false, "root": map[string]any{"level": "INFO", "handlers": []string{"console"}},
		"formatters": map[string]any{"plain": map[string]any{"format": "%(levelname)s %(name)s %(message)s"}},
		"handlers":   map[string]any{"console": map[string]any{"class": "logging.StreamHandler", "formatter": "plain"}},
	}
	// What is JSON is YAML, too.
	for file, content := range map[string]any{s.config: config, filepath.Join(dir, "log.yaml"): logging} {
		data, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// newMatrixClient is the page that a Matrix client in the browser comes back to.
func newMatrixClient(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><title>Matrix client</title><link rel=icon href="data:,"><h1>Matrix client</h1>`)
	}))
	t.Cleanup(server.Close)
	return server
}

// start starts Synapse with one more -c, and waits until it answers.
func (s *synapse) start(oidc string) {
	s.t.Helper()
	python := pythonOf(s.t, "synapse")
	environment := []string{
		"SSL_CERT_FILE=" + shared.authority.file, "http_proxy=", "https_proxy=", "HTTP_PROXY=", "HTTPS_PROXY=", "PYTHONDONTWRITEBYTECODE=",
	}
	s.oidc = oidc
	var err error
	if s.process, err = startProcess(environment, python, "-m", "synapse.app.homeserver", "-c", s.config, "-c", oidc); err != nil {
		s.t.Fatal(err)
	}
	p := s.process
	s.t.Cleanup(func() {
		if said := p.stop(); s.t.Failed() {
			s.t.Log("Synapse: " + said)
		}
	})
	eventually(s.t, func() error {
		if !p.runs() {
			s.t.Fatal("Synapse has ended")
		}
		status, _ := s.call(http.MethodGet, "health", "", nil, nil)
		if status != http.StatusOK {
			return fmt.Errorf("Synapse answers %d", status)
		}
		return nil
	})
}

// restart lets Synapse read its configuration again.
func (s *synapse) restart() {
	s.t.Helper()
	s.process.stop()
	s.start(s.oidc)
}

// matrixError is an error of Matrix' client-server API.
type matrixError struct {
	Code    string `json:"errcode"`
	Message string `json:"error"`
}

// call asks Synapse's API and returns the status, which is 0 when there was no answer.
func (s *synapse) call(method, path, accessToken string, in, out any) (int, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		return 0, err
	}
	if accessToken != "" {
		request.Header.Set("Authorization", "Bearer "+accessToken)
	}
	response, err := shared.authority.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		var fault matrixError
		_ = json.Unmarshal(data, &fault) // the status says enough without it
		return response.StatusCode, errors.New(fault.Code)
	}
	if out == nil {
		return response.StatusCode, nil
	}
	return response.StatusCode, json.Unmarshal(data, out)
}

// mustCall fails the test unless Synapse answers 200.
func (s *synapse) mustCall(method, path, accessToken string, in, out any) {
	s.t.Helper()
	if status, err := s.call(method, path, accessToken, in, out); status != http.StatusOK || err != nil {
		s.t.Fatalf("%s %s: %d %v", method, path, status, err)
	}
}

// session is what a Matrix client has after a login.
type session struct {
	AccessToken string `json:"access_token"`
	UserID      string `json:"user_id"`
	DeviceID    string `json:"device_id"`
}

// toProvider goes to where the button of the Matrix client leads.
func (b *tab) toProvider(s *synapse, idpID string) *network.Response {
	b.t.Helper()
	return b.open(s.url + "_matrix/client/v3/login/sso/redirect/oidc-" + idpID + "?" + url.Values{"redirectUrl": {s.client.URL + "/"}}.Encode())
}

// backToClient agrees to Synapse's question whether the Matrix client is the right one, and trades the login token that the
// Matrix client gets for a session.
func (b *tab) backToClient(s *synapse) session {
	b.t.Helper()
	b.at(s.url + "_synapse/client/oidc/callback")
	b.reads("h1", "Continue to your account")
	b.click("a.primary-button")
	b.at(s.client.URL)
	token := b.location().Query().Get("loginToken")
	if token == "" {
		b.fatalf("Synapse has given no login token")
	}
	var got session
	s.mustCall(http.MethodPost, "_matrix/client/v3/login", "", map[string]string{"type": "m.login.token", "token": token}, &got)
	return got
}

// isLoggedIn says why a Matrix session is not that of a user.
func (s *synapse) isLoggedIn(got session, localpart string) error {
	var who struct {
		UserID   string `json:"user_id"`
		DeviceID string `json:"device_id"`
	}
	status, err := s.call(http.MethodGet, "_matrix/client/v3/account/whoami", got.AccessToken, nil, &who)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("whoami answers %d: %w", status, err)
	}
	if want := "@" + localpart + ":" + matrixServer; who.UserID != want || got.UserID != want || who.DeviceID != got.DeviceID {
		return fmt.Errorf("the session is that of %s on %s", who.UserID, who.DeviceID)
	}
	return nil
}

// isLoggedOut says why Synapse does not refuse the access token of a session.
func (s *synapse) isLoggedOut(got session) error {
	status, err := s.call(http.MethodGet, "_matrix/client/v3/account/whoami", got.AccessToken, nil, nil)
	if status != http.StatusUnauthorized || err == nil || err.Error() != "M_UNKNOWN_TOKEN" {
		return fmt.Errorf("whoami answers %d: %w", status, err)
	}
	return nil
}
