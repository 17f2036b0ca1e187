package provider_test

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
)

// Strangers with many addresses make a person wait for a minute at most in a new browser, however long they go on.
func TestManyAddressesBlockBriefly(t *testing.T) {
	l := newLockout(t)
	next := 0
	stranger := func() *providertest.Page {
		next++
		return l.stranger("192.0.2."+strconv.Itoa(next%250), "ada", "wrong")
	}
	for range 50 {
		stranger()
		l.issuer.Clock.Advance(61 * time.Second)
	}
	l.status(stranger(), http.StatusForbidden)
	l.waits(l.stranger(home, "ada", password), 60, "60 seconds")
	l.issuer.Clock.Advance(60 * time.Second)
	l.status(l.stranger(home, "ada", password), http.StatusOK)
}

// unnamed is an issuer behind a proxy that nobody has named.
func unnamed(t *testing.T, log *stream) *lockout {
	t.Helper()
	return newLockout(t, providertest.WithOptions(func(o *provider.Options) {
		o.TrustedProxies, o.ProxyNetworks = nil, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		o.Logger = slog.New(slog.NewJSONHandler(log, nil))
	}))
}

// Behind a proxy that nobody has named all have one address. What is tried on other names makes nobody wait there, however much it
// is, and what is tried on a name a minute at most. What the proxy forwards is not believed: everybody in its network can write it.
func TestLockoutBehindAnUnknownProxy(t *testing.T) {
	log := &stream{}
	l := unnamed(t, log)
	for i := range 60 {
		l.status(l.stranger(attacker, "name"+strconv.Itoa(i), "Summer2026"), http.StatusForbidden)
	}
	l.status(l.stranger(home, "ada", password), http.StatusOK)

	for i := range 12 {
		l.stranger("198.51.100."+strconv.Itoa(i), "ada", "wrong") // each claims to be somebody else
		l.issuer.Clock.Advance(61 * time.Second)
	}
	l.status(l.stranger(attacker, "ada", "wrong"), http.StatusForbidden)
	l.waits(l.stranger(home, "ada", password), 60, "60 seconds")
	l.issuer.Clock.Advance(60 * time.Second)
	l.status(l.stranger(home, "ada", password), http.StatusOK)

	for _, record := range l.audit.records(t, "login.failed") {
		if record["address"] != "127.0.0.1" {
			t.Fatalf("a forged address is believed: %v", record)
		}
	}
	if text := admin(t, l.issuer, "/metrics").Body.String(); !strings.Contains(text, "oidc_provider_unknown_proxy_requests_total ") ||
		strings.Contains(text, "oidc_provider_unknown_proxy_requests_total 0\n") {
		t.Error("the requests are not counted")
	}
	if told := strings.Count(log.String(), "spec.trustedProxies"); told != 1 {
		t.Errorf("the log tells of it %d times", told)
	}
}
