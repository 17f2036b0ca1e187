package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The person who logs in everywhere.
const (
	username = "oidf"
	password = "correct horse battery staple"
)

// app is a registered client with its secret.
type app struct {
	registration.Client
	// secret is empty for a client without one.
	secret string
}

// foundationSite is where the redirect URIs of foundation/ are; the tests have a site of their own in its place.
const foundationSite = "https://www.certification.openid.net"

// register writes the registrations of foundation/, at home at site, and those of more_test.go, and returns the clients.
func register(dir, site string) (map[string]app, error) {
	files, err := filepath.Glob(filepath.Join("foundation", "*.client.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("there are no clients in foundation: %w", err)
	}
	clients := moreClients(site)
	for _, file := range files {
		var c registration.Client
		if err := readDocument(file, site, &c); err != nil {
			return nil, err
		}
		clients = append(clients, c)
	}
	apps := map[string]app{}
	for _, c := range clients {
		a := app{Client: c}
		if !a.Public() && a.TokenEndpointAuthMethod != registration.AuthMethodPrivateKeyJWT {
			a.secret = "a+secret/that needs&encoding=" + a.ClientID
			hash := registration.HashSecret(a.secret)
			a.Secrets = []registration.ClientSecret{{ID: registration.SecretID(hash), Hash: hash}}
		}
		if err := writeDocument(dir, a.ClientID+".client.json", a.Client, a.Validate()); err != nil {
			return nil, err
		}
		apps[a.ClientID] = a
	}
	var person registration.User
	if err := readDocument(filepath.Join("foundation", "oidf.user.json"), site, &person); err != nil {
		return nil, err
	}
	person.PasswordHash = quickHash(password)
	if err := writeDocument(dir, "oidf.user.json", person, person.Validate()); err != nil {
		return nil, err
	}
	other := registration.User{Subject: "sub-of-grace", Username: "grace", Name: "Grace Hopper", PasswordHash: person.PasswordHash}
	if err := writeDocument(dir, "grace.user.json", other, other.Validate()); err != nil {
		return nil, err
	}
	settings := registration.Settings{PairwiseSalt: strings.Repeat("salt", 8)}
	return apps, writeDocument(dir, "settings.json", settings, settings.Validate())
}

func readDocument(file, site string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(strings.ReplaceAll(string(data), foundationSite, site)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func writeDocument(dir, name string, document any, fault error) error {
	if fault != nil {
		return fmt.Errorf("%s: %w", name, fault)
	}
	data, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), data, 0o600)
}

// quickHash is argon2id at a cost that suits tests and nothing else.
func quickHash(password string) string {
	salt := []byte("conformance")
	key := argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// site is where the relying parties are: it takes down what the provider sends them.
type site struct {
	server *httptest.Server

	mu      sync.Mutex
	notices []notice
}

// notice is a request that the provider has sent to a relying party.
type notice struct {
	path        string
	contentType string
	form        url.Values
}

func newSite() *site {
	s := &site{}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil || r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			http.Error(w, "malformed", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.notices = append(s.notices, notice{path: r.URL.RequestURI(), contentType: r.Header.Get("Content-Type"), form: form})
		w.Header().Set("Cache-Control", "no-store")
	}))
	return s
}

// await returns the notice for which wanted is true as soon as it is there.
func (s *site) await(t *testing.T, wanted func(notice) bool) notice {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		for _, n := range s.notices {
			if wanted(n) {
				s.mu.Unlock()
				return n
			}
		}
		s.mu.Unlock()
	}
	t.Fatal("the provider has not told the relying party")
	return notice{}
}
