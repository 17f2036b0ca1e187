//go:build e2e

package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// statusLimit is how long a status may lag behind what users see.
const statusLimit = 30 * time.Second

// While PostgreSQL is away nobody can log in, and every status says so. What needs no database is served throughout, and all comes back
// by itself.
func TestDatabaseAway(t *testing.T) {
	s := begin(t)
	database := s.database()
	s.apply(s.provider(onPostgres+"\nreplicas: 2"), machine("app"), web("site"))
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcclient/site")
	app, service := s.credentials("app"), s.service(false)
	static := s.startLoad(5,
		func() error { return service.expect(discovery, http.StatusOK) },
		func() error { return service.expect(jwks, http.StatusOK) })

	if err := database.Stop(); err != nil {
		t.Fatal(err)
	}
	s.within(statusLimit, func() error { return s.expectUnusable("database", "app", "site") })
	if got, err := service.token(app); err != nil {
		t.Error(err)
	} else if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("token: status %d, Retry-After %q, want 503 and a time", got.status, got.header.Get("Retry-After"))
	}

	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcclient/site")
	if err := service.expectToken(app); err != nil {
		t.Error(err)
	}
	s.expectNoFailure(static)
	if n := s.restarts(); n != 0 {
		t.Errorf("%d restarts, want none", n)
	}
}

// expectUnusable returns what is wrong about the provider's status, which is not ready for a reason, and those of its clients.
func (s *story) expectUnusable(reason string, oidcclients ...string) error {
	s.Helper()
	errs := []error{expectCondition(s.condition(&v1alpha1.OIDCProvider{}, "sso", v1alpha1.ConditionReady), metav1.ConditionFalse, reason)}
	for _, name := range oidcclients {
		if err := expectCondition(s.condition(&v1alpha1.OIDCClient{}, name, v1alpha1.ConditionReady), metav1.ConditionFalse, "sign in"); err != nil {
			errs = append(errs, fmt.Errorf("client %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// A database that is away for moments, as in a failover, costs no writes: ten thousand clients are not told of each.
func TestDatabaseFlaps(t *testing.T) {
	s := begin(t)
	database := s.database()
	s.apply(s.provider(onPostgres+"\nreplicas: 2"), machine("app"), web("site"))
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcclient/site")
	app, service := s.credentials("app"), s.service(false)
	versions := func() string {
		return s.kubectl("get", "oidcclients", "--output=jsonpath={range .items[*]}{.metadata.name} {.metadata.resourceVersion} {end}")
	}
	before := versions()
	for range 3 {
		if err := database.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := service.expectToken(app); err == nil {
			t.Error("there is a token without a database")
		}
		if err := database.Start(); err != nil {
			t.Fatal(err)
		}
		s.within(patience, func() error { return service.expectToken(app) })
		s.awaitReady("oidcprovider/sso")
	}
	if after := versions(); after != before {
		t.Errorf("clients were written: %s, then %s", before, after)
	}
}

// A provider that starts while its database is away waits for it and says so; it does not end, to be started ever more rarely.
func TestStartWithoutDatabase(t *testing.T) {
	s := begin(t)
	database := s.database()
	if err := database.Stop(); err != nil {
		t.Fatal(err)
	}
	s.apply(s.provider(onPostgres+"\nreplicas: 2"), machine("app"))
	s.within(patience, func() error {
		return expectCondition(s.condition(&v1alpha1.OIDCProvider{}, "sso", v1alpha1.ConditionReady), metav1.ConditionFalse, "database")
	})
	s.within(patience, func() error {
		if log := s.kubectl("logs", "--selector=app.kubernetes.io/instance=sso", "--tail=-1"); !strings.Contains(log, "database") {
			return fmt.Errorf("the log does not speak of the database: %s", log)
		}
		return nil
	})
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	if err := s.service(false).expectToken(s.credentials("app")); err != nil {
		t.Error(err)
	}
	if n := s.restarts(); n != 0 {
		t.Errorf("%d restarts, want none", n)
	}
	p := &v1alpha1.OIDCProvider{}
	s.get("sso", p)
	if meta.IsStatusConditionTrue(p.Status.Conditions, "Stalled") {
		t.Error("a provider that is Ready is Stalled")
	}
}
