package controllers

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// providerSince returns a provider that is Available, or not, since a time.
func providerSince(available bool, since time.Time) *v1alpha1.OIDCProvider {
	p := gen.OIDCProvider("sso", "sso")
	v := accept(v1alpha1.ReasonAvailable, "")
	if !available {
		v = wait(v1alpha1.ReasonDatabaseUnavailable, "")
	}
	set(&p.Status.Conditions, 1, metav1.NewTime(since), named{v1alpha1.ConditionAvailable, v})
	return p
}

func TestJudgeSignIn(t *testing.T) {
	now := time.Now()
	served, none := accept(v1alpha1.ReasonServed, ""), wait(v1alpha1.ReasonNoReplicas, "")
	behind, taken := wait(v1alpha1.ReasonAwaitingReplicas, ""), stall(v1alpha1.ReasonRegistrationNotOwned, "")
	const was, never = v1alpha1.ReasonServed, ""
	up := func(ago time.Duration) *v1alpha1.OIDCProvider { return providerSince(true, now.Add(-ago)) }
	down := func(ago time.Duration) *v1alpha1.OIDCProvider { return providerSince(false, now.Add(-ago)) }
	for name, test := range map[string]struct {
		served   verdict
		before   string
		provider *v1alpha1.OIDCProvider
		want     string
	}{
		"available":                              {served, was, up(0), v1alpha1.ReasonServed},
		"available, new":                         {served, never, up(0), v1alpha1.ReasonServed},
		"no provider":                            {served, never, nil, v1alpha1.ReasonServed},
		"provider not judged yet":                {served, never, gen.OIDCProvider("sso", "sso"), v1alpha1.ReasonServed},
		"new during an outage":                   {served, never, down(0), v1alpha1.ReasonAwaitingProvider},
		"new during a long outage":               {served, never, down(time.Hour), v1alpha1.ReasonAwaitingProvider},
		"new, and the outage is over":            {served, v1alpha1.ReasonAwaitingProvider, up(0), v1alpha1.ReasonServed},
		"new, and the first replica comes":       {served, v1alpha1.ReasonNoReplicas, up(0), v1alpha1.ReasonServed},
		"new, no replica":                        {none, never, down(time.Hour), v1alpha1.ReasonNoReplicas},
		"served before, short outage":            {served, was, down(outageGrace - time.Millisecond), v1alpha1.ReasonServed},
		"served before, outage lasts":            {served, was, down(outageGrace), v1alpha1.ReasonProviderUnavailable},
		"still down":                             {served, v1alpha1.ReasonProviderUnavailable, down(0), v1alpha1.ReasonProviderUnavailable},
		"still down, and now without a replica":  {none, v1alpha1.ReasonProviderUnavailable, down(time.Hour), v1alpha1.ReasonProviderUnavailable},
		"back for a moment":                      {served, v1alpha1.ReasonProviderUnavailable, up(recoveryGrace - time.Millisecond), v1alpha1.ReasonProviderUnavailable},
		"back for good":                          {served, v1alpha1.ReasonProviderUnavailable, up(recoveryGrace), v1alpha1.ReasonServed},
		"a replica is behind":                    {behind, was, down(time.Hour), v1alpha1.ReasonAwaitingReplicas},
		"registration taken, which an edit ends": {taken, v1alpha1.ReasonProviderUnavailable, down(time.Hour), v1alpha1.ReasonRegistrationNotOwned},
	} {
		t.Run(name, func(t *testing.T) {
			var conditions []metav1.Condition
			if test.before != "" {
				v := wait(test.before, "")
				if test.before == was {
					v = accept(test.before, "")
				}
				set(&conditions, 1, metav1.Now(), named{v1alpha1.ConditionServed, v})
			}
			before := test.before == was
			if got := judgeSignIn(test.served, conditions, before, true, test.provider, now); got.reason != test.want {
				t.Errorf("got %s %q, want %s", got.reason, got.message, test.want)
			}
			want := test.want
			if before && want == v1alpha1.ReasonProviderUnavailable {
				want = v1alpha1.ReasonServed // what does not follow an outage
			}
			if got := judgeSignIn(test.served, conditions, before, false, test.provider, now); got.reason != want {
				t.Errorf("one that does not follow: got %s, want %s", got.reason, want)
			}
		})
	}
}

// outageWorld is a provider with clients, of which it counts reconciles and status writes.
type outageWorld struct {
	requestQueue

	outages            *outages
	provider           *v1alpha1.OIDCProvider
	conditions         map[types.NamespacedName]*[]metav1.Condition
	reconciles, writes int
	last               time.Time
}

// AddAfter reconciles a client later.
func (w *outageWorld) AddAfter(request reconcile.Request, d time.Duration) {
	w.last = time.Now().Add(d)
	time.AfterFunc(d, func() { w.reconcile(request.NamespacedName) })
}

func (w *outageWorld) reconcile(key types.NamespacedName) {
	w.outages.mu.Lock()
	w.reconciles++
	conditions := w.conditions[key]
	w.outages.mu.Unlock()
	r := &registered{version: "1", ready: []replicaReport{{applied: "1"}}}
	before := r.servedBefore(*conditions, 1)
	v := judgeSignIn(judgeServed(r.ready, r.version, before), *conditions, before, true, w.provider, time.Now())
	w.outages.mu.Lock()
	if len(*conditions) == 0 || (*conditions)[0].Reason != v.reason {
		w.writes++
	}
	set(conditions, 1, metav1.Now(), named{v1alpha1.ConditionServed, v})
	w.outages.mu.Unlock()
	w.outages.note(w.provider.Key(), key, *conditions)
}

// turn makes the provider Available or not.
func (w *outageWorld) turn(available bool) {
	old := w.provider
	w.provider = providerSince(available, time.Now())
	w.outages.handler(time.Now, func(context.Context, client.Object) []reconcile.Request {
		var requests []reconcile.Request
		for key := range w.conditions {
			requests = append(requests, reconcile.Request{NamespacedName: key})
		}
		return requests
	}).Update(context.Background(), event.UpdateEvent{ObjectOld: old, ObjectNew: w.provider}, w)
}

func (w *outageWorld) check(t *testing.T, reconciles, writes int) {
	t.Helper()
	synctest.Wait()
	if w.reconciles != reconciles || w.writes != writes {
		t.Errorf("%d reconciles and %d writes, want %d and %d", w.reconciles, w.writes, reconciles, writes)
	}
	w.reconciles, w.writes = 0, 0
}

func TestOutagesCostAtMostTwoWritesPerClient(t *testing.T) {
	const clients = 10_000
	synctest.Test(t, func(t *testing.T) {
		w := &outageWorld{outages: newOutages(), conditions: map[types.NamespacedName]*[]metav1.Condition{}, provider: providerSince(true, time.Now())}
		for i := range clients {
			key := types.NamespacedName{Namespace: "apps", Name: fmt.Sprint(i)}
			w.conditions[key] = &[]metav1.Condition{}
			w.reconcile(key)
		}
		w.check(t, clients, clients)

		for range 20 { // a provider that flaps
			w.turn(false)
			time.Sleep(outageGrace - time.Second)
			w.turn(true)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		w.check(t, 0, 0)

		w.turn(false) // an outage that lasts
		time.Sleep(outageGrace)
		w.check(t, 0, 0)
		time.Sleep(time.Second)
		if spread := time.Until(w.last); spread < 30*time.Second {
			t.Errorf("all clients are written within %s", spread)
		}
		time.Sleep(time.Hour)
		w.check(t, clients, clients)

		for range 20 { // it comes back, and not for good
			w.turn(true)
			time.Sleep(recoveryGrace - time.Second)
			w.turn(false)
			time.Sleep(time.Second)
		}
		w.turn(true)
		time.Sleep(recoveryGrace - time.Second)
		w.check(t, 0, 0)
		time.Sleep(time.Hour)
		w.check(t, clients, clients)
	})
}

func TestOutagesBringBackWhatWaitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &outageWorld{outages: newOutages(), conditions: map[types.NamespacedName]*[]metav1.Condition{}, provider: providerSince(true, time.Now())}
		one, two := types.NamespacedName{Namespace: "apps", Name: "one"}, types.NamespacedName{Namespace: "apps", Name: "two"}
		w.turn(false)
		w.conditions[one], w.conditions[two] = &[]metav1.Condition{}, &[]metav1.Condition{}
		w.reconcile(one)
		w.reconcile(two)
		w.check(t, 2, 2)
		w.outages.forget(two)
		w.turn(true)
		time.Sleep(time.Second)
		w.check(t, 1, 1)
		if got := (*w.conditions[one])[0].Reason; got != v1alpha1.ReasonServed {
			t.Errorf("one: got %s", got)
		}
		if len(w.outages.affected) != 0 || len(w.outages.providerOf) != 0 {
			t.Errorf("kept %v, %v", w.outages.affected, w.outages.providerOf)
		}
	})
}

// reportOf returns a replica's Lease that says something about storage.
func reportOf(name, storage string) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{registration.AnnotationStorage: storage}}}
}

func TestJudgeStorage(t *testing.T) {
	works := replicaReport{name: "one"}
	fails := func(reason, message string) replicaReport {
		return parseReport(reportOf("two", reason+": "+message))
	}
	postgres := func() *v1alpha1.OIDCProvider { return gen.OIDCProvider("sso", "sso", gen.WithPostgres("pg")) }
	volume := func() *v1alpha1.OIDCProvider {
		return gen.OIDCProvider("sso", "sso", func(p *v1alpha1.OIDCProvider) { p.Spec.Storage = v1alpha1.Storage{} })
	}
	dsn := referent{found: true, value: []byte("postgres://")}
	for name, test := range map[string]struct {
		provider           *v1alpha1.OIDCProvider
		dsn                referent
		ready              []replicaReport
		storage, available string
		message            string
	}{
		"works":            {volume(), referent{}, []replicaReport{works}, v1alpha1.ReasonVolumeReady, v1alpha1.ReasonAvailable, ""},
		"database works":   {postgres(), dsn, []replicaReport{works}, v1alpha1.ReasonDSNReady, v1alpha1.ReasonAvailable, ""},
		"nothing is known": {volume(), referent{}, nil, v1alpha1.ReasonVolumeReady, v1alpha1.ReasonAwaitingReport, ""},
		"database is away": {postgres(), dsn, []replicaReport{fails("DatabaseUnavailable", "connection refused")}, v1alpha1.ReasonDatabaseUnavailable, v1alpha1.ReasonDatabaseUnavailable, `1 of 1 ready replicas cannot use the database of Secret "pg": connection refused; see that it runs, has room and can be reached`},
		"from one of two":  {postgres(), dsn, []replicaReport{works, fails("DatabaseUnavailable", "connection refused")}, v1alpha1.ReasonDatabaseUnavailable, v1alpha1.ReasonAvailable, `1 of 2 ready replicas cannot use the database of Secret "pg": connection refused; see that it runs, has room and can be reached`},
		"volume is full":   {volume(), referent{}, []replicaReport{fails("VolumeFull", "no space")}, v1alpha1.ReasonVolumeFull, v1alpha1.ReasonVolumeFull, `1 of 1 ready replicas cannot use the volume of PersistentVolumeClaim "sso-data": no space; expired data makes room by itself; for more, raise spec.storage.embedded.size`},
		"scratch is full":  {gen.OIDCProvider("sso", "sso"), referent{}, []replicaReport{fails("VolumeFull", "no space")}, v1alpha1.ReasonVolumeFull, v1alpha1.ReasonVolumeFull, `1 of 1 ready replicas cannot use the scratch volume of the pod (spec.storage.embedded.emptyDir): no space; delete the pod to begin with an empty one`},
		"another fault":    {volume(), referent{}, []replicaReport{fails("Melted", "hot")}, v1alpha1.ReasonStorageFailed, v1alpha1.ReasonStorageFailed, `1 of 1 ready replicas cannot use the volume of PersistentVolumeClaim "sso-data": Melted: hot; see that it works`},
		"no DSN is first":  {postgres(), referent{}, []replicaReport{fails("DatabaseUnavailable", "x")}, v1alpha1.ReasonDSNSecretNotFound, v1alpha1.ReasonDatabaseUnavailable, ""},
		"stopped on purpose": {func() *v1alpha1.OIDCProvider {
			p := volume()
			p.Spec.Replicas = new(int32(0))
			return p
		}(), referent{}, []replicaReport{fails("VolumeFull", "x")}, v1alpha1.ReasonVolumeReady, v1alpha1.ReasonStopped, ""},
	} {
		t.Run(name, func(t *testing.T) {
			state := providerState{dsn: test.dsn, ready: test.ready}
			storage, available := judgeStorage(test.provider, state), judgeAvailable(test.provider, state)
			if storage.reason != test.storage || available.reason != test.available {
				t.Errorf("got %s and %s, want %s and %s", storage.reason, available.reason, test.storage, test.available)
			}
			if test.message != "" && storage.message != test.message {
				t.Errorf("got %q", storage.message)
			}
			if test.storage == test.available && test.message != "" && available.message != "nobody can sign in: "+test.message {
				t.Errorf("got %q", available.message)
			}
		})
	}
}
