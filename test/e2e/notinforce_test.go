//go:build e2e

package e2e_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// A change that is not in force is no success: until every replica runs the current spec the provider is not Ready, and its status says
// what keeps the new pods. The old ones serve meanwhile.
func TestChangeNotInForce(t *testing.T) {
	besideOthers(t)
	for name, c := range map[string]struct {
		change  string   // of the spec
		words   []string // of the message
		stalled bool     // wait until it is; one case does, because it takes three minutes
	}{
		"NoNode":      {"template: {nodeSelector: {disk: none}}", []string{"Unschedulable", "node"}, true},
		"NoTLSSecret": {"tls: {secretName: missing}", []string{"missing"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t)
			s.database()
			spec := onPostgres + "\nreplicas: 2"
			s.apply(s.provider(spec), machine("app"))
			s.awaitReady("oidcprovider/sso", "oidcclient/app")
			l := s.startTokens()
			s.apply(s.provider(spec + "\n" + c.change))
			s.expectNotInForce(c.words...)
			if c.stalled {
				s.within(5*time.Minute, func() error {
					return expectCondition(s.condition(&v1alpha1.OIDCProvider{}, "sso", v1alpha1.ConditionStalled), metav1.ConditionTrue, c.words...)
				})
			}
			s.apply(s.provider(spec))
			s.awaitReady("oidcprovider/sso", "oidcclient/app")
			s.expectNoFailure(l)
		})
	}
}

// startTokens asks for tokens throughout: with connections that are kept, as applications do, and with new ones.
func (s *story) startTokens() *load {
	s.Helper()
	app, kept, anew := s.credentials("app"), s.service(true), s.service(false)
	return s.startLoad(5,
		func() error { return kept.expectToken(app) },
		func() error { return anew.expectToken(app) })
}

// expectNotInForce watches the status from a change of the spec to the moment that it says in these words what keeps the change. At no moment may
// it be Ready for the new spec.
func (s *story) expectNotInForce(words ...string) {
	s.Helper()
	s.within(patience, func() error {
		p := &v1alpha1.OIDCProvider{}
		ready := s.condition(p, "sso", v1alpha1.ConditionReady)
		if p.Status.ObservedGeneration < p.Generation {
			return errors.New("the operator has not seen the change")
		}
		if ready.Status == metav1.ConditionTrue {
			s.Fatalf("it is Ready, for generation %d, with a change that is not in force", ready.ObservedGeneration)
		}
		return errors.Join(
			expectCondition(ready, metav1.ConditionFalse, words...),
			expectCondition(s.condition(p, "sso", v1alpha1.ConditionReconciling), metav1.ConditionTrue))
	})
}

// A program that is older than its database refuses to start: the status has its last words.
func TestSchemaNewer(t *testing.T) {
	s := begin(t)
	database := s.database()
	spec := onPostgres + "\nreplicas: 2"
	s.apply(s.provider(spec), machine("app"))
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	l := s.startTokens()
	sql := func(statement string) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		conn, err := pgx.Connect(ctx, database.DSN("test1"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(ctx, statement)
		if err := errors.Join(err, conn.Close(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	s.apply(s.provider(spec + "\ntemplate: {labels: {changed: once}}"))
	s.expectNotInForce("99999")
	sql("DELETE FROM goose_db_version WHERE version_id = 99999")
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	s.expectNoFailure(l)
}

// An operator whose image cannot be pulled by the providers' pods: they run from the operator's own. It concerns all providers, and so
// no other story may run.
func TestImageThatCannotBePulled(t *testing.T) {
	s := beginAlone(t)
	s.database()
	s.apply(s.provider(onPostgres+"\nreplicas: 2"), machine("app"))
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	l := s.startTokens()
	image := func(name string) {
		s.kubectl("--namespace="+operatorNamespace, "set", "env", "deployment/oidc-operator", "IMAGE="+name)
		s.kubectl("--namespace="+operatorNamespace, "rollout", "status", "deployment/oidc-operator", "--timeout="+patience.String())
	}
	defer image(operatorImage)
	image("ghcr.io/oidc-operator/oidc-operator:missing")
	s.within(patience, func() error {
		return expectCondition(s.condition(&v1alpha1.OIDCProvider{}, "sso", v1alpha1.ConditionReady), metav1.ConditionFalse, "ImagePull", "missing")
	})
	image(operatorImage)
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	s.expectNoFailure(l)
}
