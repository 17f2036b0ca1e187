package provider_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// postedFrom posts a form from an address and returns the status and where the answer leads.
func postedFrom(issuer *providertest.Issuer, address, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = address
	answer := httptest.NewRecorder()
	issuer.Provider.Handler().ServeHTTP(answer, r)
	return answer
}

// Strangers must not fill the storage: neither by posting long authorization requests, nor by pushing those of public
// clients, nor as their devices.
func TestStrangersDoNotFillStorage(t *testing.T) {
	issuer, _ := newIssuer(t)
	public := appClient()
	public.ClientID, public.TokenEndpointAuthMethod = "public", registration.AuthMethodNone
	public.GrantTypes = []string{registration.GrantCode, registration.GrantDeviceCode}
	issuer.AddClient(public)
	form := func(clientID string) url.Values {
		return url.Values{
			"client_id": {clientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "unknown": {strings.Repeat("x", 31<<10)},
			"code_challenge": {challenge}, "code_challenge_method": {"S256"},
		}
	}
	refused := func(answer *httptest.ResponseRecorder) bool {
		return answer.Code == http.StatusServiceUnavailable && answer.Header().Get("Retry-After") != "" ||
			strings.Contains(answer.Header().Get("Location"), "error=temporarily_unavailable")
	}
	for block, path := range []string{oidc.PathAuthorization, oidc.PathPushedRequest, oidc.PathDeviceAuthorization} {
		t.Run(path, func(t *testing.T) {
			clientID := map[bool]string{true: "app", false: "public"}[path == oidc.PathAuthorization]
			kept := 0
			for kept < 1000 && !refused(postedFrom(issuer, fmt.Sprintf("203.0.113.%d:%d", block, 1000+kept), path, form(clientID))) {
				kept++
			}
			if kept < 50 || kept > 200 {
				t.Errorf("%d requests of 31 KiB are kept", kept)
			}
			if refused(postedFrom(issuer, fmt.Sprintf("198.51.100.%d:1000", block), path, form(clientID))) {
				t.Error("another network is refused")
			}
			issuer.Clock.Advance(time.Second)
			if refused(postedFrom(issuer, fmt.Sprintf("203.0.113.%d:1000", block), path, form(clientID))) {
				t.Error("it is refused for ever")
			}
		})
	}
	// A client that proves itself is not limited.
	proven := form("app")
	proven.Set("client_secret", "secret-of-app")
	for range 300 {
		if answer := postedFrom(issuer, "203.0.113.2:1000", oidc.PathPushedRequest, proven); answer.Code != http.StatusCreated {
			t.Fatalf("a client that proves itself is answered %d %s", answer.Code, answer.Body)
		}
	}
}

// A secret that a person has chosen must not be found out by trying, nor may trying take all of the provider's time.
func TestGuessingClientSecrets(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := workerClient()
	hash, err := bcrypt.GenerateFromPassword([]byte("chosen"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	client.Secrets = []registration.ClientSecret{{ID: "chosen", Hash: string(hash)}}
	issuer.AddClient(client)
	ask := func(address, secret string) *httptest.ResponseRecorder {
		return postedFrom(issuer, address, oidc.PathToken, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"worker"}, "client_secret": {secret},
		})
	}
	for range 100 { // whoever knows it is not limited
		if answer := ask("203.0.113.1:1000", "chosen"); answer.Code != http.StatusOK {
			t.Fatalf("the right secret is answered %d %s", answer.Code, answer.Body)
		}
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for n := range 100 {
		wait.Go(func() {
			answer := ask("203.0.113.1:1000", fmt.Sprint("guess ", n))
			mu.Lock()
			defer mu.Unlock()
			statuses[answer.Code]++
		})
	}
	wait.Wait()
	if statuses[http.StatusUnauthorized] > 40 || statuses[http.StatusServiceUnavailable] < 50 {
		t.Errorf("100 guesses are answered %v", statuses)
	}
	if answer := ask("203.0.113.1:1000", "guess"); answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
		t.Errorf("the next one is answered %d %s", answer.Code, answer.Body)
	}
	if answer := ask("203.0.113.2:1000", "guess"); answer.Code != http.StatusUnauthorized {
		t.Errorf("another network is answered %d %s", answer.Code, answer.Body)
	}
	issuer.Clock.Advance(11 * time.Second)
	if answer := ask("203.0.113.1:1000", "guess"); answer.Code != http.StatusUnauthorized {
		t.Errorf("later it is answered %d %s", answer.Code, answer.Body)
	}
}
