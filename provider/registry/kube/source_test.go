package kube_test

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/registry/kube"
)

func TestEveryChangeIsAppliedAndReported(t *testing.T) {
	n := newNamespace(t)
	first := clientSecret("one", "one")
	must(t, n.Create(t.Context(), first))
	r := n.start(t, "0")
	r.expectClients(t, "one")
	n.expectReport(t, "0", first.ResourceVersion)

	second := clientSecret("two", "two")
	created := time.Now()
	must(t, n.Create(t.Context(), second))
	r.expectClients(t, "one", "two")
	t.Logf("registered %s after the create call began", time.Since(created).Round(time.Millisecond))
	lease := n.expectReport(t, "0", second.ResourceVersion)
	t.Logf("reported %s after the create call began", time.Since(created).Round(time.Millisecond))
	if got := lease.Annotations[registration.AnnotationClients]; got != "2" {
		t.Errorf("lease tells of %s clients; want 2", got)
	}

	changed := clientSecret("two", "zwei", func(s *corev1.Secret) { s.ResourceVersion = second.ResourceVersion })
	must(t, n.Update(t.Context(), changed))
	r.expectClients(t, "one", "zwei")
	n.expectReport(t, "0", changed.ResourceVersion)

	must(t, n.Delete(t.Context(), first))
	r.expectClients(t, "zwei")
	// The deletion has a resource version of its own, which only watchers see: it is later than that of any change before it.
	later := clientSecret("three", "three")
	must(t, n.Create(t.Context(), later))
	n.expectReport(t, "0", later.ResourceVersion)
}

func TestADeletionAloneIsReported(t *testing.T) {
	n := newNamespace(t)
	secret := clientSecret("one", "one")
	must(t, n.Create(t.Context(), secret))
	r := n.start(t, "0")
	before := n.expectReport(t, "0", secret.ResourceVersion)
	must(t, n.Delete(t.Context(), secret))
	r.expectClients(t)
	eventually(t, "the lease tells that the deletion is applied", func() bool {
		lease := &coordinationv1.Lease{}
		must(t, n.Get(t.Context(), client.ObjectKeyFromObject(before), lease))
		return lease.Annotations[registration.AnnotationClients] == "0" &&
			number(t, lease.Annotations[registration.AnnotationApplied]) > number(t, before.Annotations[registration.AnnotationApplied])
	})
}

func TestARegistrationThatLosesItsLabelsIsWithdrawn(t *testing.T) {
	n := newNamespace(t)
	secret := clientSecret("one", "one")
	must(t, n.Create(t.Context(), secret))
	r := n.start(t, "0")
	r.expectClients(t, "one")
	secret.Labels = nil
	must(t, n.Update(t.Context(), secret))
	r.expectClients(t)
}

func TestOnlyRegistrationsOfTheProviderAreRead(t *testing.T) {
	label := func(key, value string) func(*corev1.Secret) {
		return func(s *corev1.Secret) { s.Labels[key] = value }
	}
	tests := map[string]struct {
		secret *corev1.Secret
		want   registry.Counts
	}{
		"of another provider": {clientSecret("x", "x", label(registration.LabelProvider, "other")), registry.Counts{}},
		"not labelled as a registration": {
			clientSecret("x", "x", func(s *corev1.Secret) { delete(s.Labels, registration.LabelKind) }), registry.Counts{},
		},
		"of another type": {
			clientSecret("x", "x", func(s *corev1.Secret) { s.Type = corev1.SecretTypeOpaque }), registry.Counts{},
		},
		"of a kind that is not known": {clientSecret("x", "x", label(registration.LabelKind, "robot")), registry.Counts{Refused: 1}},
		"without its document":        {clientSecret("x", "x", func(s *corev1.Secret) { s.Data = nil }), registry.Counts{Refused: 1}},
		"labelled as another kind than its document": {
			clientSecret("x", "x", label(registration.LabelKind, "user")), registry.Counts{Refused: 1},
		},
		"with a faulty document": {
			clientSecret("x", "x", func(s *corev1.Secret) { s.Data["client.json"] = []byte(`{"client_id":"x"}`) }), registry.Counts{Refused: 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNamespace(t)
			r := n.start(t, "0")
			must(t, n.Create(t.Context(), tt.secret))
			after := clientSecret("after", "after")
			must(t, n.Create(t.Context(), after))
			n.expectReport(t, "0", after.ResourceVersion)
			want := tt.want
			want.Clients++
			if got := r.Counts(); got != want {
				t.Errorf("Counts() = %+v; want %+v", got, want)
			}
		})
	}
}

func TestAFaultyChangeWithdrawsTheClientAndIsReportedAsApplied(t *testing.T) {
	n := newNamespace(t)
	secret := clientSecret("one", "one")
	must(t, n.Create(t.Context(), secret))
	r := n.start(t, "0")
	r.expectClients(t, "one")
	secret.Data["client.json"] = []byte(`{"client_id":"one","redirect_uris":["https://*.example.com/secret-path"],"scope":"openid"}`)
	must(t, n.Update(t.Context(), secret))
	r.expectClients(t)
	n.expectReport(t, "0", secret.ResourceVersion)
	log := r.log.String()
	if strings.Count(log, "name=one") != 1 || !strings.Contains(log, "redirect_uris[0]") || strings.Contains(log, "secret-path") {
		t.Errorf("want one log line that names the Secret and the field and does not repeat its value:\n%s", log)
	}
}

func TestARegistrationThatChangesItsKindLeavesNothingBehind(t *testing.T) {
	n := newNamespace(t)
	secret := clientSecret("one", "one")
	must(t, n.Create(t.Context(), secret))
	r := n.start(t, "0")
	r.expectClients(t, "one")
	secret.Labels[registration.LabelKind] = string(registration.KindUser)
	secret.Data = map[string][]byte{"user.json": []byte(`{"sub":"1","preferred_username":"ada"}`)}
	must(t, n.Update(t.Context(), secret))
	r.expectClients(t)
	eventually(t, "the user is registered", func() bool {
		_, ok := r.UserByName("ada")
		return ok
	})
}

func TestEveryReplicaReportsOnALeaseOfItsOwn(t *testing.T) {
	n := newNamespace(t)
	a := n.start(t, "a", func(o *kube.Options) { o.PodName, o.PodUID = "pod-a", "11111111-2222-3333-4444-555555555555" })
	b := n.start(t, "b")
	secret := clientSecret("one", "one")
	must(t, n.Create(t.Context(), secret))
	a.expectClients(t, "one")
	b.expectClients(t, "one")
	leaseA, leaseB := n.expectReport(t, "a", secret.ResourceVersion), n.expectReport(t, "b", secret.ResourceVersion)

	if owners := leaseA.OwnerReferences; len(owners) != 1 || owners[0].Kind != "Pod" || owners[0].Name != "pod-a" {
		t.Errorf("owners of the first lease are %v; want its Pod", owners)
	}
	if owners := leaseB.OwnerReferences; len(owners) != 0 {
		t.Errorf("owners of the second lease are %v; want none", owners)
	}
	for key, want := range map[string]string{
		"app.kubernetes.io/managed-by": "oidc-operator", registration.LabelProvider: "sso", registration.LabelReplica: "true",
	} {
		if got := leaseA.Labels[key]; got != want {
			t.Errorf("label %s is %q; want %q", key, got, want)
		}
	}
	if spec := leaseA.Spec; *spec.HolderIdentity != "a" || *spec.LeaseDurationSeconds != 60 || time.Since(spec.RenewTime.Time) > time.Minute {
		t.Errorf("spec of the lease is %+v", spec)
	}

	a.stop()
	if err := n.Get(t.Context(), client.ObjectKeyFromObject(leaseA), leaseA); !apierrors.IsNotFound(err) {
		t.Errorf("the lease of a replica that stopped: %v; want it to be gone", err)
	}
	must(t, n.Get(t.Context(), client.ObjectKeyFromObject(leaseB), leaseB))
}

func TestNothingIsReportedBeforeTheReplicaIsReady(t *testing.T) {
	n := newNamespace(t)
	logger := slog.New(slog.DiscardHandler)
	index, err := registry.NewIndex(logger)
	must(t, err)
	source, err := kube.New(kube.Options{Config: n.config, Namespace: n.name, Provider: "sso", Replica: "0", Index: index, Logger: logger})
	must(t, err)
	var asked atomic.Int32
	var isReady atomic.Bool
	done := make(chan error, 1)
	ctx := t.Context()
	go func() { done <- source.Run(ctx, func() bool { asked.Add(1); return isReady.Load() }) }()
	eventually(t, "readiness was asked for again", func() bool { return asked.Load() > 2 })
	leases := &coordinationv1.LeaseList{}
	must(t, n.List(t.Context(), leases))
	if len(leases.Items) != 0 {
		t.Errorf("leases of a replica that is not ready: %v; want none", leases.Items)
	}
	isReady.Store(true)
	n.expectReport(t, "0", "1")
}

// While the API server cannot be reached the replica serves what it knows; afterwards it knows what it has missed,
// deletions included, and says so.
func TestWhatWasMissedWhileTheAPIServerWasAwayIsCaughtUpOn(t *testing.T) {
	n := newNamespace(t)
	gate, config := newGate(t, n.config)
	must(t, n.Create(t.Context(), clientSecret("stays", "stays")))
	goes := clientSecret("goes", "goes")
	must(t, n.Create(t.Context(), goes))
	r := n.start(t, "0", func(o *kube.Options) { o.Config = config })
	r.expectClients(t, "stays", "goes")
	n.expectReport(t, "0", goes.ResourceVersion)

	gate.set(true)
	must(t, n.Delete(t.Context(), goes))
	added := clientSecret("added", "added")
	must(t, n.Create(t.Context(), added))
	eventually(t, "the fault is logged", func() bool { return strings.Contains(r.log.String(), "cannot be watched") })
	r.expectClients(t, "stays", "goes")

	gate.set(false)
	r.expectClients(t, "stays", "added")
	n.expectReport(t, "0", added.ResourceVersion)
	for _, line := range []string{"cannot be watched", "are watched again"} {
		if got := strings.Count(r.log.String(), line); got != 1 {
			t.Errorf("%q was logged %d times; want once:\n%s", line, got, r.log)
		}
	}
}

func TestAReplicaWithAKubeconfigFile(t *testing.T) {
	n := newNamespace(t)
	config, err := kube.LoadConfig(writeKubeconfig(t, n.config))
	must(t, err)
	must(t, n.Create(t.Context(), clientSecret("one", "one")))
	n.start(t, "0", func(o *kube.Options) { o.Config = config }).expectClients(t, "one")
}

func TestLoadConfigRefuses(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	tests := map[string]struct{ path, want string }{
		"a file that is not there":      {t.TempDir() + "/missing", "read kubeconfig"},
		"to be in a cluster where none": {"", "read the pod's service account"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := kube.LoadConfig(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("LoadConfig(%q) = %v; want an error with %q", tt.path, err, tt.want)
			}
		})
	}
}

func TestNewRefusesNamesThatMakeNoLease(t *testing.T) {
	for name, opts := range map[string]kube.Options{
		"replica":  {Provider: "sso", Replica: "my host!"},
		"provider": {Provider: strings.Repeat("x", 64), Replica: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			opts.Config = &rest.Config{Host: "https://127.0.0.1"}
			if _, err := kube.New(opts); err == nil || !strings.Contains(err.Error(), name+" name") {
				t.Errorf("New() = %v; want an error about the %s name", err, name)
			}
		})
	}
}
