package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
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

// hashedWorker registers a client whose secret, "chosen", a person has chosen, and returns how to ask for a token.
func hashedWorker(t *testing.T, issuer *providertest.Issuer) (ask func(address, secret string) *httptest.ResponseRecorder) {
	t.Helper()
	client := workerClient()
	hash, err := bcrypt.GenerateFromPassword([]byte("chosen"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	client.Secrets = []registration.ClientSecret{{ID: "chosen", Hash: string(hash)}}
	issuer.AddClient(client)
	return func(address, secret string) *httptest.ResponseRecorder {
		return postedFrom(issuer, address, oidc.PathToken, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"worker"}, "client_secret": {secret},
		})
	}
}

// However many wrong secrets have come from a network, the right one gets in: a replica that has not seen it before compares it, too.
func TestWrongClientSecretsLockNobodyOut(t *testing.T) {
	issuer, _ := newIssuer(t)
	ask := hashedWorker(t, issuer)
	for n := range 38 {
		if answer := ask("203.0.113.1:1000", fmt.Sprint("guess ", n)); answer.Code != http.StatusUnauthorized {
			t.Fatalf("guess %d is answered %d %s", n, answer.Code, answer.Body)
		}
	}
	if answer := ask("203.0.113.1:1000", "chosen"); answer.Code != http.StatusOK {
		t.Errorf("the right secret is answered %d %s", answer.Code, answer.Body)
	}
}

// A flood of wrong secrets must not take all of the provider's time: more than a few of a network do not even wait.
func TestGuessingClientSecrets(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Hashers, o.HashQueue = 1, 1000 }))
	ask := hashedWorker(t, issuer)
	release, running := make(chan struct{}), make(chan struct{})
	go func() {
		_ = issuer.Provider.HashPool().Do(t.Context(), 1, func() { close(running); <-release })
	}()
	<-running
	var wait sync.WaitGroup
	answers := make(chan *httptest.ResponseRecorder, 100)
	for n := range 100 {
		wait.Go(func() { answers <- ask("203.0.113.1:1000", fmt.Sprint("guess ", n)) })
	}
	// 30 wait to be compared, one for its turn in the lane, and 7 behind it.
	for range 100 - 30 - 8 {
		if answer := <-answers; answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
			t.Errorf("one too many is answered %d %s", answer.Code, answer.Body)
		}
	}
	close(release)
	wait.Wait()
	close(answers)
	for answer := range answers {
		if answer.Code != http.StatusUnauthorized {
			t.Errorf("a guess is answered %d %s", answer.Code, answer.Body)
		}
	}
	if answer := ask("203.0.113.2:1000", "guess"); answer.Code != http.StatusUnauthorized {
		t.Errorf("another network is answered %d %s", answer.Code, answer.Body)
	}
}

// A secret that was right once needs no hash any more, so that nothing that others do is in its way.
func TestProvenClientSecretsNeedNoHash(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Hashers, o.HashQueue = 1, -1 }))
	ask := hashedWorker(t, issuer)
	if answer := ask("203.0.113.1:1000", "chosen"); answer.Code != http.StatusOK {
		t.Fatalf("the right secret is answered %d %s", answer.Code, answer.Body)
	}
	release, running, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = issuer.Provider.HashPool().Do(t.Context(), 1, func() { close(running); <-release })
	}()
	<-running
	for secret, want := range map[string]int{"chosen": http.StatusOK, "chosen ": http.StatusServiceUnavailable, "": http.StatusUnauthorized} {
		if answer := ask("203.0.113.1:1000", secret); answer.Code != want {
			t.Errorf("%q is answered %d %s", secret, answer.Code, answer.Body)
		}
	}
	close(release)
	<-done
	// The secret of before is not recognized as that of today.
	client := workerClient()
	client.Secrets = []registration.ClientSecret{{ID: "other", Hash: registration.HashSecret("another")}}
	issuer.AddClient(client)
	if answer := ask("203.0.113.1:1000", "chosen"); answer.Code != http.StatusUnauthorized {
		t.Errorf("the secret of before is answered %d %s", answer.Code, answer.Body)
	}
}

// limitReached is what the metric says of a limit.
func limitReached(t *testing.T, issuer *providertest.Issuer, limit string) float64 {
	t.Helper()
	for _, m := range metric(t, issuer, "oidc_provider_storage_limits_reached_total") {
		if m.GetLabel()[0].GetValue() == limit {
			return m.GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no limit %q", limit)
	return 0
}

// storedBytes is how much is stored of what waits for somebody to sign in.
func storedBytes(t *testing.T, issuer *providertest.Issuer) (all int64) {
	t.Helper()
	shares, _, err := issuer.Store.WaitingShares(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range shares {
		all += share.Bytes
	}
	return all
}

// longForm is an authorization request of more than ten kilobytes, all of which has a meaning.
func longForm(clientID string) url.Values {
	return url.Values{
		"client_id": {clientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"},
		"state": {strings.Repeat("s", 2048)}, "nonce": {strings.Repeat("n", 2048)},
		"claims": {`{"userinfo":{"` + strings.Repeat("c", 8000) + `":null}}`}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
}

// There is a total, whoever asks: a confidential client that pushes as fast as it can, or strangers from everywhere.
func TestWhatWaitsForSomebodyHasATotal(t *testing.T) {
	const total = 1 << 20
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.WaitingBytes = total }))
	other := appClient()
	other.ClientID = "other"
	issuer.AddClient(other)
	first := push(t, issuer, "client_id", "other", "client_secret", "secret-of-other").text("request_uri")
	pushes := longForm("app")
	pushes.Set("client_secret", "secret-of-app")
	for range 200 {
		if answer := postedFrom(issuer, "203.0.113.1:1000", oidc.PathPushedRequest, pushes); answer.Code != http.StatusCreated {
			t.Fatalf("a client that proves itself is answered %d %s", answer.Code, answer.Body)
		}
	}
	for i := range 400 {
		form := longForm([]string{"app", "other"}[i%2])
		postedFrom(issuer, fmt.Sprintf("198.51.100.%d:1000", i%250), oidc.PathAuthorization, form)
	}
	if stored := storedBytes(t, issuer); stored > total || stored < total/8 {
		t.Errorf("%d bytes are stored of %d", stored, total)
	}
	target := pushedURL(issuer, first) + "&client_id=other"
	if page := issuer.NewBrowser(t).Get(strings.Replace(target, "client_id=app&", "", 1)); !page.Asks("password") {
		t.Errorf("the request of another client gave way: %d", page.Status)
	}
	if got := push(t, issuer); got.status != http.StatusCreated {
		t.Errorf("there is no room for another one: %d %s", got.status, got.raw)
	}
	if reached := limitReached(t, issuer, "waiting"); reached == 0 {
		t.Error("no metric tells of it")
	}
}

// Behind a proxy that nobody has named everybody comes from one address. One stranger must not use up what all clients share there.
func TestAStrangerBehindAnUnnamedProxy(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) {
		o.ProxyNetworks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	}))
	for _, id := range []string{"public", "flooded"} {
		client := appClient()
		client.ClientID, client.TokenEndpointAuthMethod = id, registration.AuthMethodNone
		issuer.AddClient(client)
	}
	through := func(clientID string) int {
		r := httptest.NewRequest(http.MethodPost, oidc.PathPushedRequest, strings.NewReader(longForm(clientID).Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.RemoteAddr = "10.1.2.3:1000"
		answer := httptest.NewRecorder()
		issuer.Provider.Handler().ServeHTTP(answer, r)
		return answer.Code
	}
	pushed := 0
	for pushed < 2000 && through("flooded") == http.StatusCreated {
		pushed++
	}
	if pushed < 100 || pushed == 2000 {
		t.Errorf("%d requests of one client are stored", pushed)
	}
	if status := through("public"); status != http.StatusCreated {
		t.Errorf("another client is answered %d", status)
	}
}

// A person whose network has stored too much still gets to the login page: the request travels in the URL then.
func TestALongFormThatIsNotStored(t *testing.T) {
	issuer, _ := newIssuer(t)
	where := func(form url.Values) string {
		answer := postedFrom(issuer, "203.0.113.1:1000", oidc.PathAuthorization, form)
		location, err := url.Parse(answer.Header().Get("Location"))
		if err != nil || answer.Code != http.StatusSeeOther {
			t.Fatalf("answers %d, %v", answer.Code, err)
		}
		if location.Path == oidc.PathAuthorization && location.Query().Has("request_uri") {
			return "stored"
		}
		return location.Path + " " + location.Query().Get("error")
	}
	stored := 0
	for stored < 2000 && where(longForm("app")) == "stored" {
		stored++
	}
	if stored < 100 || stored == 2000 {
		t.Errorf("%d requests of one network are stored", stored)
	}
	if got := where(longForm("app")); got != oidc.PathAuthorization+" " {
		t.Errorf("then a long form leads to %s", got)
	}
	longest := longForm("app")
	longest.Set("unknown", strings.Repeat("x", 10<<10))
	answer := postedFrom(issuer, "203.0.113.1:1000", oidc.PathAuthorization, longest)
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" || !strings.Contains(answer.Body.String(), "error=temporarily_unavailable") {
		t.Errorf("one that fits no URL answers %d\n%s", answer.Code, answer.Body)
	}
}

// fullStore has no room left for strangers.
type fullStore struct{ store.Store }

func (fullStore) CreatePushedRequest(context.Context, store.PushedRequest) error {
	return store.ErrFull
}

// The same where storage keeps its last room for people: the login that needs none goes on.
func TestALongFormWhenStorageIsNearlyFull(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Store = fullStore{o.Store} }))
	answer := postedFrom(issuer, "203.0.113.1:1000", oidc.PathAuthorization, longForm("app"))
	location, err := url.Parse(answer.Header().Get("Location"))
	if err != nil || answer.Code != http.StatusSeeOther || location.Path != oidc.PathAuthorization || location.Query().Get("nonce") == "" {
		t.Errorf("answers %d, %s\n%s", answer.Code, answer.Header().Get("Location"), answer.Body)
	}
}

// A client secret is compared in turns whatever the spelling of its hash: those of Django and LDAP begin with other signs than crypt's.
func TestHashedClientSecretsOfEverySpellingTakeTurns(t *testing.T) {
	for _, hash := range []string{
		"pbkdf2_sha256$10000$seasalt$53CE3l8nPE6EQNayo6kuyb4jUdwlaruTrbSh+20bVic=",
		"{CRYPT}$5$saltsalt$yrhPKxCqiWcCE9h0g86j6Ugz7SDFdFm.BjU.d8RaQnC",
		"scrypt:16384:8:1$saltsalt$" + strings.Repeat("ab", 32),
	} {
		issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Hashers, o.HashQueue = 1, -1 }))
		ask := hashedWorker(t, issuer)
		client := workerClient()
		client.Secrets = []registration.ClientSecret{{ID: "chosen", Hash: hash}}
		issuer.AddClient(client)
		release, running, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			_ = issuer.Provider.HashPool().Do(t.Context(), 1, func() { close(running); <-release })
		}()
		<-running
		if answer := ask("203.0.113.1:1000", "guess"); answer.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: a guess is answered %d without its turn", hash, answer.Code)
		}
		close(release)
		<-done
	}
}

// What has no meaning is not stored.
func TestWhatIsStoredOfALongForm(t *testing.T) {
	issuer, _ := newIssuer(t)
	postedFrom(issuer, "203.0.113.1:1000", oidc.PathAuthorization, url.Values{
		"client_id": {"app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"},
		"unknown": {strings.Repeat("x", 10<<10)}, "login_hint": {strings.Repeat("x", 10<<10)},
	})
	if stored := storedBytes(t, issuer); stored == 0 || stored > 1<<10 {
		t.Errorf("%d bytes are stored", stored)
	}
}
