package provider_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

func admin(t *testing.T, issuer *providertest.Issuer, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	issuer.Provider.AdminHandler(issuer.Metrics).ServeHTTP(recorder, newRequest(t, http.MethodGet, "http://admin"+path, nil))
	return recorder
}

// silentStore does not answer.
type silentStore struct{ store.Store }

func (silentStore) Ping(context.Context) error { return errors.New("no answer") }

func TestReadiness(t *testing.T) {
	for name, c := range map[string]struct {
		opts  []providertest.Option
		drain bool
		ready bool
		says  string
	}{
		"ready":                           {nil, false, true, "ok"},
		"registrations are not read":      {[]providertest.Option{providertest.WithOptions(func(o *provider.Options) { o.Synced = func() bool { return false } })}, false, false, "registrations"},
		"no key":                          {[]providertest.Option{providertest.WithAlgorithms()}, false, false, "signing key"},
		"storage does not answer":         {[]providertest.Option{providertest.WithStore(silentStore{memory.New()})}, false, false, "storage"},
		"shutting down, but still serves": {nil, true, false, "shutting down"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t, c.opts...)
			if c.drain {
				issuer.Provider.Drain()
				if got := get(t, issuer, "/"); got.status != http.StatusOK {
					t.Errorf("a page answers %d", got.status)
				}
			}
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
