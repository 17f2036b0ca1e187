package provider_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

func admin(t *testing.T, issuer *providertest.Issuer, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	provider.AdminHandler(issuer.Metrics, issuer.Provider.Ready).ServeHTTP(recorder, newRequest(t, http.MethodGet, "http://admin"+path, nil))
	return recorder
}

func TestReadiness(t *testing.T) {
	withOptions := func(set func(*provider.Options)) []providertest.Option {
		return []providertest.Option{providertest.WithOptions(set)}
	}
	for name, c := range map[string]struct {
		opts  []providertest.Option
		ready bool
		says  string
	}{
		"ready":                      {nil, true, "ok"},
		"registrations are not read": {withOptions(func(o *provider.Options) { o.Synced = func() bool { return false } }), false, "registrations"},
		"no key":                     {[]providertest.Option{providertest.WithAlgorithms()}, false, "signing key"},
		"something else is awaited":  {withOptions(func(o *provider.Options) { o.Awaits = func() error { return errors.New("nobody knows") } }), false, "nobody knows"},
		"storage does not answer":    {[]providertest.Option{providertest.WithStore(memory.Closed("it is away"))}, true, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t, c.opts...)
			got := admin(t, issuer, "/readyz")
			if (got.Code == http.StatusOK) != c.ready || !strings.Contains(got.Body.String(), c.says) {
				t.Errorf("answers %d %s", got.Code, got.Body)
			}
			if health := admin(t, issuer, "/healthz"); health.Code != http.StatusOK {
				t.Errorf("healthz answers %d", health.Code)
			}
		})
	}
}

// A startup probe that comes too early waits, and learns at once when the provider is ready; it never fails for having to wait.
func TestStartupProbeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := errors.New("not yet")
		handler := provider.AdminHandler(prometheus.NewRegistry(), func() error { return ready })
		probe := func() (got *httptest.ResponseRecorder, took time.Duration) {
			begun := time.Now()
			got = httptest.NewRecorder()
			handler.ServeHTTP(got, newRequest(t, http.MethodGet, "http://admin/startupz", nil))
			return got, time.Since(begun)
		}
		if got, took := probe(); got.Code != http.StatusOK || took != 20*time.Second {
			t.Errorf("a provider that does not become ready answers %d after %s; want 200 after 20s", got.Code, took)
		}
		time.AfterFunc(3*time.Second, func() { ready = nil })
		if got, took := probe(); got.Code != http.StatusOK || took < 3*time.Second || took > 3100*time.Millisecond {
			t.Errorf("one that becomes ready after 3s answers %d after %s", got.Code, took)
		}
	})
}

// Without storage the documents that every application reads are served, and the pages' files; everything else says when to try again.
func TestStorageAway(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithStore(memory.Closed("it is away")))
	files := regexp.MustCompile(`/assets/[^"]+`).FindAllString(get(t, issuer, "/login").raw, -1)
	if len(files) < 2 {
		t.Fatalf("a page names the files %v", files)
	}
	for _, path := range append(files, oidc.PathDiscovery, oidc.PathServerMetadata, oidc.PathJWKS) {
		if got := get(t, issuer, path); got.status != http.StatusOK {
			t.Errorf("%s answers %d; want 200", path, got.status)
		}
	}
}

func TestMetrics(t *testing.T) {
	issuer, _ := newIssuer(t)
	code := newCode(t, issuer)
	exchange(t, issuer, code)
	exchange(t, issuer, code)
	exchange(t, issuer, code, "grant_type", "of-a-stranger")
	exchange(t, issuer, code, "grant_type", "")
	get(t, issuer, "/of-a-stranger-1")
	get(t, issuer, "/of-a-stranger-2?x=y")
	browser := issuer.NewBrowser(t)
	browser.Submit(browser.Get(authorizeURL(issuer)), url.Values{"username": {"ada"}, "password": {"not-this-one"}})
	get(t, issuer, oidc.PathJWKS)
	get(t, issuer, oidc.PathJWKS)
	text := admin(t, issuer, "/metrics").Body.String()
	for _, line := range []string{
		`oidc_provider_logins_total{result="success"} 1`,
		`oidc_provider_logins_total{result="rejected"} 1`,
		`oidc_provider_token_requests_total{grant_type="authorization_code",result="success"} 1`,
		`oidc_provider_token_requests_total{grant_type="authorization_code",result="invalid_grant"} 1`,
		`oidc_provider_token_requests_total{grant_type="other",result="unsupported_grant_type"} 1`,
		`oidc_provider_token_requests_total{grant_type="other",result="invalid_request"} 1`,
		`oidc_provider_token_requests_total{grant_type="refresh_token",result="success"} 0`,
		`oidc_provider_security_events_total{event="token.reused"} 1`,
		`oidc_provider_security_events_total{event="token.issued"} 1`,
		`oidc_provider_security_events_total{event="password.changed"} 0`,
		`oidc_provider_password_hash_wait_seconds_count 2`,
		`oidc_provider_http_requests_total{route="other",status="4xx"} 2`,
		`oidc_provider_http_requests_total{route="other",status="gone"} 0`,
		`oidc_provider_http_requests_total{route="/oauth2/token",status="2xx"} 1`,
		`oidc_provider_http_requests_total{route="/oauth2/token",status="4xx"} 3`,
		`oidc_provider_http_requests_total{route="/login",status="4xx"} 1`,
		`oidc_provider_http_requests_total{route="/oauth2/jwks",status="2xx"} 2`,
		`oidc_provider_registrations{kind="client"} 1`,
		`oidc_provider_registrations{kind="user"} 1`,
		`oidc_provider_signing_keys{phase="Active"} 1`,
		`oidc_provider_password_hashes_waiting 0`,
		`oidc_provider_http_request_duration_seconds_count{route="/oauth2/token"} 4`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
	for _, secret := range []string{code, password, "secret-of-app", "of-a-stranger"} {
		if strings.Contains(text, secret) {
			t.Error("the metrics hold a secret")
		}
	}
	if problems, err := testutil.GatherAndLint(issuer.Metrics); err != nil || len(problems) > 0 {
		t.Errorf("lint says %v %v", problems, err)
	}
}
