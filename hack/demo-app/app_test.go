package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"golang.org/x/oauth2"
)

// An issuer that answers as a test tells it to, also wrongly.
type issuer struct {
	url       string
	key       *ecdsa.PrivateKey
	nonce     string // goes into the ID token
	challenge string // of the authorization request
	subject   string // of userinfo
	secret    string // that the token endpoint saw last
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key, subject: "ada"}
	keys := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: "ES256"}}}
	mux := http.NewServeMux()
	mux.Handle("GET /keys", keys)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, map[string]any{
			"issuer": i.url, "authorization_endpoint": i.url + "/auth", "token_endpoint": i.url + "/token",
			"userinfo_endpoint": i.url + "/userinfo", "jwks_uri": i.url + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_, i.secret, _ = r.BasicAuth()
		if oauth2.S256ChallengeFromVerifier(r.FormValue("code_verifier")) != i.challenge {
			http.Error(w, "the verifier does not match", http.StatusBadRequest)
			return
		}
		claims, _ := json.Marshal(map[string]any{"iss": i.url, "aud": "app", "sub": "ada", "nonce": i.nonce, "exp": time.Now().Add(time.Minute).Unix()})
		respond(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": oidctest.SignIDToken(key, "k", "ES256", string(claims))})
	})
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, map[string]any{"sub": i.subject, "name": "Ada <Lovelace>"})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.url = server.URL
	keys.SetIssuer(server.URL)
	return i
}

func respond(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// browser is at the application with a login in progress; answer is what the
// provider would append to the redirect URI.
type browser struct {
	http.Client
	app       string
	secretDir string
	answer    url.Values
}

func startLogin(t *testing.T, i *issuer) *browser {
	t.Helper()
	dir := t.TempDir()
	for key, value := range map[string]string{"issuer": i.url, "client_id": "app", "client_secret": "s1\n", "scopes": "openid profile"} {
		if err := os.WriteFile(filepath.Join(dir, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	app := &swap{}
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	app.Handler = newApp(server.URL, dir)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{app: server.URL, secretDir: dir}
	b.Jar = jar
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	response, err := b.Get(server.URL + "/login")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	location, err := response.Location()
	if err != nil {
		t.Fatal(err)
	}
	q := location.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("scope") != "openid profile" || q.Get("redirect_uri") != server.URL+"/callback" {
		t.Fatalf("the authorization request is %s", location)
	}
	i.nonce, i.challenge = q.Get("nonce"), q.Get("code_challenge")
	b.answer = url.Values{"state": {q.Get("state")}, "code": {"c"}}
	return b
}

// swap is a handler that is known only after the server has its URL.
type swap struct{ http.Handler }

func (b *browser) finish(t *testing.T) (status int, body string) {
	t.Helper()
	response, err := b.Get(b.app + "/callback?" + b.answer.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestCallback(t *testing.T) {
	for name, test := range map[string]struct {
		tamper func(*issuer, *browser)
		status int
		shows  string
	}{
		"a good answer shows the claims, escaped": {func(*issuer, *browser) {}, http.StatusOK, "Ada &lt;Lovelace&gt;"},
		"another state":                 {func(_ *issuer, b *browser) { b.answer.Set("state", "x") }, http.StatusBadRequest, "not started here"},
		"no state":                      {func(_ *issuer, b *browser) { b.answer.Del("state") }, http.StatusBadRequest, "not started here"},
		"another browser":               {func(_ *issuer, b *browser) { b.Jar, _ = cookiejar.New(nil) }, http.StatusBadRequest, "no login in progress"},
		"another nonce":                 {func(i *issuer, _ *browser) { i.nonce = "x" }, http.StatusBadGateway, "nonce differs"},
		"a code of another request":     {func(i *issuer, _ *browser) { i.challenge = "x" }, http.StatusBadGateway, "exchange the code"},
		"userinfo about another person": {func(i *issuer, _ *browser) { i.subject = "eve" }, http.StatusBadGateway, "another subject"},
		"another issuer":                {func(_ *issuer, b *browser) { b.answer.Set("iss", "https://evil.example") }, http.StatusBadRequest, "somebody else"},
		"the provider's error": {func(_ *issuer, b *browser) {
			b.answer.Del("code")
			b.answer.Set("error", "access_denied")
			b.answer.Set("error_description", "<b>no</b>")
		}, http.StatusForbidden, "access_denied: &lt;b&gt;no&lt;/b&gt;"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			b := startLogin(t, i)
			test.tamper(i, b)
			status, body := b.finish(t)
			if status != test.status || !strings.Contains(body, test.shows) {
				t.Errorf("status %d, want %d; the page, which should show %q, is\n%s", status, test.status, test.shows, body)
			}
		})
	}
}

func TestAnAnswerCountsOnce(t *testing.T) {
	b := startLogin(t, newIssuer(t))
	if status, body := b.finish(t); status != http.StatusOK {
		t.Fatalf("status %d\n%s", status, body)
	}
	if status, body := b.finish(t); status != http.StatusBadRequest || !strings.Contains(body, "no login in progress") {
		t.Errorf("the second time: status %d\n%s", status, body)
	}
}

func TestARotatedSecretNeedsNoRestart(t *testing.T) {
	i := newIssuer(t)
	b := startLogin(t, i)
	if err := os.WriteFile(filepath.Join(b.secretDir, "client_secret"), []byte("s2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := b.finish(t); status != http.StatusOK {
		t.Fatalf("status %d\n%s", status, body)
	}
	if i.secret != "s2" {
		t.Error("the application sent the old secret")
	}
}

func TestAMissingKeyIsNamed(t *testing.T) {
	_, err := readCredentials(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "issuer") {
		t.Errorf("error is %v, want one that names the file", err)
	}
}
