package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oidc-operator/oidc-operator/test/pgtest"
)

// dsnFile writes the connection string of a new database to a file.
func dsnFile(t *testing.T, database *pgtest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(path, []byte(database.Database(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// balanced returns a transport that sends each request to another of the addresses in turn, whatever host it is for.
func balanced(addresses ...string) http.RoundTripper {
	var next atomic.Int64
	return &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addresses[int(next.Add(1))%len(addresses)])
	}}
}

func newBrowser(t *testing.T, transport http.RoundTripper) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: transport}
}

// answer is what the token endpoint says.
type answer struct {
	status      int
	retryAfter  string
	Error       string `json:"error"`
	AccessToken string `json:"access_token"`
}

// exchange redeems a code.
func exchange(t *testing.T, client *http.Client, issuer, code, secret string) (a answer) {
	t.Helper()
	response, err := client.PostForm(issuer+"/oauth2/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "client_id": {"app"}, "client_secret": {secret},
	})
	if err != nil {
		t.Error(err)
		return a
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Error(err)
	}
	a.status, a.retryAfter = response.StatusCode, response.Header.Get("Retry-After")
	return a
}

func userinfo(t *testing.T, client *http.Client, issuer, accessToken string) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer+"/oauth2/userinfo", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// Two processes on one PostgreSQL are one provider to a browser whose every request goes to the other, and to clients that race.
func TestTwoReplicasAreOneProvider(t *testing.T) {
	database := pgtest.New(t)
	dsn := dsnFile(t, database)
	dir, secret := registrations(t)
	issuer := "http://" + freeAddress(t)
	addresses := []string{freeAddress(t), freeAddress(t)}
	replicas := make([]*server, len(addresses))
	for i, address := range addresses {
		replicas[i] = start(t, "http", address, dir, "--postgres-dsn-file", dsn, "--issuer", issuer)
		replicas[i].issuer = issuer
	}
	transport := balanced(addresses...)
	browser, client := newBrowser(t, transport), &http.Client{Transport: transport}
	if location, asked := replicas[0].authorize(browser); !asked || location.Query().Get("code") == "" {
		t.Fatalf("asked %v, redirected to %s", asked, location)
	}
	for range 3 {
		location, asked := replicas[0].authorize(browser)
		if asked {
			t.Fatal("a replica does not know the login at the other")
		}
		accessToken := raceForCode(t, client, issuer, location.Query().Get("code"), secret)
		// Whoever redeems a code that was redeemed may have stolen it: all that came from it is revoked, at every replica.
		for range addresses {
			if status := userinfo(t, client, issuer, accessToken); status != http.StatusUnauthorized {
				t.Errorf("userinfo with the token of a code that was redeemed twice answers %d; want 401", status)
			}
		}
	}
	location, _ := replicas[0].authorize(browser)
	a := exchange(t, client, issuer, location.Query().Get("code"), secret)
	for range addresses {
		if status := userinfo(t, client, issuer, a.AccessToken); status != http.StatusOK {
			t.Errorf("userinfo answers %d; want 200", status)
		}
	}
	for _, r := range replicas {
		if err := r.stop(); err != nil {
			t.Errorf("the provider ends with %v\n%s", err, r.log)
		}
		for _, word := range []string{secret, database.Password(), a.AccessToken} {
			if strings.Contains(r.log.String(), word) {
				t.Error("the log has a secret in it")
			}
		}
	}
}

// raceForCode has 64 requests redeem one code at the same time and returns the access token of the one that may.
func raceForCode(t *testing.T, client *http.Client, issuer, code, secret string) (accessToken string) {
	t.Helper()
	const racers = 64
	answers := make([]answer, racers)
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() { answers[i] = exchange(t, client, issuer, code, secret) })
	}
	all.Wait()
	won := 0
	for _, a := range answers {
		switch {
		case a.status == http.StatusOK:
			won++
			accessToken = a.AccessToken
		case a.status != http.StatusBadRequest || a.Error != "invalid_grant":
			t.Errorf("a request that lost the race got %d, %s; want 400, invalid_grant", a.status, a.Error)
		}
	}
	if won != 1 {
		t.Fatalf("%d of %d requests redeemed one code; want 1", won, racers)
	}
	return accessToken
}

// submitLogin posts a login form that was got before.
func submitLogin(t *testing.T, browser *http.Client, target string, form url.Values) (status int, retryAfter, body string, location *url.URL) {
	t.Helper()
	response, err := browser.PostForm(target, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	location, _ = response.Location() // there is none on a page
	return response.StatusCode, response.Header.Get("Retry-After"), string(page), location
}

// loginForm opens an authorization request as somebody who is not logged in.
func loginForm(t *testing.T, browser *http.Client, issuer string) (target string, form url.Values) {
	t.Helper()
	browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	response, err := browser.Get(issuer + "/oauth2/authorize?client_id=app&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	token := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindSubmatch(body)
	if token == nil {
		t.Fatalf("there is no form:\n%s", body)
	}
	return response.Request.URL.String(), url.Values{"username": {"ada"}, "password": {"correct horse"}, "csrf_token": {string(token[1])}}
}

// A database that goes down makes requests wait for its return, not fail for good: nobody's code or login is lost by it.
func TestDatabaseDown(t *testing.T) {
	database := pgtest.New(t)
	dir, secret := registrations(t)
	s := start(t, "http", freeAddress(t), dir, "--postgres-dsn-file", dsnFile(t, database))
	known, stranger := newBrowser(t, nil), newBrowser(t, nil)
	location, _ := s.authorize(known)
	code := location.Query().Get("code")
	target, form := loginForm(t, stranger, s.issuer)
	ready := func() int { return s.status(http.DefaultClient, "http://"+s.admin+"/readyz") }
	for name, stop := range map[string]func() error{"stopped": database.Stop, "crashed": database.Kill} {
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		s.until("knowing of it", func() bool { return storageUp(t, s) == "0" })
		if status := ready(); status != http.StatusOK {
			t.Errorf("%s: readiness answers %d; want 200, or nobody could get at discovery any more", name, status)
		}
		style := regexp.MustCompile(`/assets/style[^"]+`).FindString(body(t, s.issuer+"/"))
		for _, path := range []string{"/.well-known/openid-configuration", "/oauth2/jwks", style} {
			if status := s.status(s.client, s.issuer+path); status != http.StatusOK {
				t.Errorf("%s: %s answers %d; want 200", name, path, status)
			}
		}
		if status := s.status(http.DefaultClient, "http://"+s.admin+"/healthz"); status != http.StatusOK {
			t.Errorf("%s: liveness answers %d; want 200, because a restart would not help", name, status)
		}
		if a := exchange(t, s.client, s.issuer, code, secret); a.status != http.StatusServiceUnavailable || a.Error != "temporarily_unavailable" || a.retryAfter == "" {
			t.Errorf("%s: the token endpoint answers %+v; want 503, temporarily_unavailable and Retry-After", name, a)
		}
		if status, retryAfter, page, _ := submitLogin(t, stranger, target, form); status != http.StatusServiceUnavailable || retryAfter == "" || !strings.Contains(page, "<html") {
			t.Errorf("%s: a login answers %d, Retry-After %q; want 503, Retry-After and a page\n%s", name, status, retryAfter, page)
		}
		if status := userinfo(t, s.client, s.issuer, "some-token"); status != http.StatusServiceUnavailable {
			t.Errorf("%s: userinfo answers %d; want 503", name, status)
		}
		if err := database.Start(); err != nil {
			t.Fatal(err)
		}
		s.until("knowing that it is back", func() bool { return storageUp(t, s) == "1" })
	}
	if a := exchange(t, s.client, s.issuer, code, secret); a.status != http.StatusOK {
		t.Errorf("the code that could not be redeemed while the database was down answers %+v", a)
	}
	if status, _, page, location := submitLogin(t, stranger, target, form); location == nil || location.Query().Get("code") == "" {
		t.Errorf("the login that failed while the database was down answers %d\n%s", status, page)
	}
	if location, asked := s.authorize(known); asked || location.Query().Get("code") == "" {
		t.Errorf("the login of before: asked %v, redirected to %s", asked, location)
	}
	metrics := body(t, "http://"+s.admin+"/metrics")
	for _, want := range []string{`oidc_provider_store_duration_seconds_count{operation="redeem_code"} `, `oidc_provider_store_errors_total{operation="grant"} 2`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	if strings.Contains(s.log.String(), database.Password()) {
		t.Error("the log has the password of the database in it")
	}
}

// storageUp returns the metric of that name.
func storageUp(t *testing.T, s *server) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^oidc_provider_storage_up (\d)$`).FindStringSubmatch(body(t, "http://"+s.admin+"/metrics"))
	if found == nil {
		t.Fatal("the metrics do not tell whether storage works")
	}
	return found[1]
}

// A provider that is started while the database is away serves what needs none, says what it waits for, and begins when it comes.
func TestStartWhileTheDatabaseIsAway(t *testing.T) {
	database := pgtest.New(t)
	dir, secret := registrations(t)
	dsn := dsnFile(t, database)
	if err := database.Stop(); err != nil {
		t.Fatal(err)
	}
	s := start(t, "http", freeAddress(t), dir, "--postgres-dsn-file", dsn)
	if status := s.status(s.client, s.issuer+"/oauth2/jwks"); status != http.StatusOK {
		t.Errorf("the key set answers %d; want 200", status)
	}
	if status := userinfo(t, s.client, s.issuer, "some-token"); status != http.StatusServiceUnavailable {
		t.Errorf("userinfo answers %d; want 503", status)
	}
	if storageUp(t, s) != "0" {
		t.Error("the metric says that storage works")
	}
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	s.until("having its storage", func() bool { return storageUp(t, s) == "1" })
	if location, _ := s.authorize(newBrowser(t, nil)); location.Query().Get("code") == "" {
		t.Errorf("a login leads to %s", location)
	}
	log := s.log.String()
	if n := strings.Count(log, "storage does not work"); n < 1 || n > 3 || !strings.Contains(log, `"fault":"the database `) {
		t.Errorf("the log tells %d times that storage does not work; want once, or when it begins to be otherwise:\n%s", n, log)
	}
	for _, word := range []string{database.Password(), secret} {
		if strings.Contains(log, word) {
			t.Error("the log has a secret in it")
		}
	}
}

func body(t *testing.T, target string) string {
	t.Helper()
	response, err := http.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is wrong with a connection string is told without any part of its password, however it is written.
func TestRefusedConnectionStrings(t *testing.T) {
	dir, _ := registrations(t)
	parts := []string{"hunter", "90210", "zebra"}
	for name, c := range map[string]struct{ content, says string }{
		"nothing":                     {" \n", "is empty"},
		"no connection string":        {"hunter90210zebra", "cannot be parsed"},
		"a slash":                     {"postgres://provider:90210/zebra@db.example.com/sso", "cannot be parsed"},
		"a slash, a host and no port": {"postgres://provider:hunter@zebra/90210@db.example.com/sso", "cannot be parsed"},
		"a number sign":               {"postgres://provider:90210#zebra", "cannot be parsed"},
		"another scheme":              {"mysql://provider:hunter@zebra/sso?a=90210", "cannot be parsed"},
		"a blank among keywords":      {"host=127.0.0.1 port=1 password=hunter zebra dbname=sso", "cannot be parsed"},
		"a URL with a prefix":         {"jdbc:postgresql://127.0.0.1:1/sso?user=provider&password=hunter=zebra", "cannot be parsed"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "dsn")
			if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, said, err := output(t, "", "serve", "--issuer", "http://localhost:1", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--registrations", dir, "--postgres-dsn-file", file)
			if err == nil || !strings.Contains(said, c.says) || !strings.Contains(said, file) {
				t.Errorf("%v: %s; want %q and the name of the file", err, said, c.says)
			}
			mustBeOneRecord(t, said)
			for _, part := range parts {
				if strings.Contains(strings.ReplaceAll(said, file, ""), part) {
					t.Errorf("%q of the connection string is in what it says: %s", part, said)
				}
			}
		})
	}
	_, said, err := output(t, "", "serve", "--issuer", "http://localhost:1", "--admin-listen", "127.0.0.1:0", "--registrations", dir, "--postgres-dsn-file", "/nowhere/dsn")
	if err == nil || !strings.Contains(said, "/nowhere/dsn: no such file") {
		t.Errorf("a file that is not there: %v: %s", err, said)
	}
}
