package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// fault is what happens to one write.
type fault int

const (
	noFault fault = iota
	stopBefore
	stopAfter
	conflict
	timeoutDone
	timeoutNotDone
	tooManyRequests
)

func (f fault) String() string {
	return [...]string{"no fault", "stop before", "stop after", "conflict", "timeout, done", "timeout, not done", "429"}[f]
}

// errStopped ends a reconcile as the end of the process would: nothing that it remembers is used again.
var errStopped = errors.New("the operator has been stopped")

// rig runs the OIDCClient controller by hand against a real API server, with one replica of the provider that is only a Lease.
type rig struct {
	t *testing.T
	// mirror is the API server.
	mirror *mirror
	// lag makes the operator read Secrets as they were before the reconcile before.
	lag bool

	namespace, apps string
	key             client.ObjectKey
	provider        *v1alpha1.OIDCProvider
	now             time.Time
	reconciler      *clientReconciler
	events          *events.FakeRecorder
	seen            []string // events, by reason

	writes  int
	faultAt int // the write that meets the fault, from 1; 0: none
	fault   fault
	armed   bool

	snapshot map[client.ObjectKey]corev1.Secret
	// applied is what the replica has in force, and held every client secret that the application's Secret has held and until when.
	applied *registration.Client
	held    []heldSecret
	// pardoned are values that somebody has written by hand: the provider cannot know them before they stand.
	pardoned map[string]bool
	checked  map[[2]string]bool
}

type heldSecret struct {
	value string
	until time.Time // zero while it stands
}

func newRig(t *testing.T, direct client.WithWatch, options ...func(*v1alpha1.OIDCClient)) *rig {
	t.Helper()
	mirror, err := newMirror(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, mirror: mirror, now: time.Now().Add(time.Hour).Truncate(time.Second), pardoned: map[string]bool{}, checked: map[[2]string]bool{}}
	for _, name := range []*string{&r.namespace, &r.apps} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "rotation-"}}
		r.must(r.mirror.Create(t.Context(), ns))
		*name = ns.Name
	}
	r.provider = gen.OIDCProvider(r.namespace, "sso", gen.WithIssuer("https://id.example.com"))
	r.must(r.mirror.Create(t.Context(), r.provider))
	c := gen.OIDCClient(r.apps, "app", r.provider, options...)
	r.must(r.mirror.Create(t.Context(), c))
	r.key = client.ObjectKeyFromObject(c)
	r.startOperator()
	r.catchUp()
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// startOperator makes a reconciler that remembers nothing.
func (r *rig) startOperator() {
	cached := interceptor.NewClient(r.mirror, interceptor.Funcs{
		Get: r.get,
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return r.write(func() error { return c.Apply(ctx, obj, opts...) })
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			return r.write(func() error { return c.SubResource(sub).Apply(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return r.write(func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return r.write(func() error { return c.Delete(ctx, obj, opts...) })
		},
	})
	r.events = events.NewFakeRecorder(100)
	objects := objects{client: cached, live: r.mirror}
	now := func() time.Time { return r.now }
	r.reconciler = &clientReconciler{
		client: cached, objects: objects, registrar: registrar{objects: objects, waiters: newWaiters(), now: now},
		reporter: reporter{client: cached, events: r.events}, brought: newReferents(r.mirror, r.mirror), made: newMadeSecrets(), now: now,
	}
}

// get reads Secrets from the snapshot where the cache lags. A cache tells the kind of what it returns.
func (r *rig) get(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	secret, is := obj.(*corev1.Secret)
	if !is || !r.lag {
		return r.withKind(obj, c.Get(ctx, key, obj, opts...))
	}
	found, is := r.snapshot[key]
	if !is {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, key.Name)
	}
	found.DeepCopyInto(secret)
	return nil
}

func (r *rig) withKind(obj client.Object, err error) error {
	if err != nil {
		return err
	}
	gvk, err := apiutil.GVKForObject(obj, r.mirror.Scheme())
	obj.GetObjectKind().SetGroupVersionKind(gvk)
	return err
}

// write does one write, or what the fault makes of it, and then looks whether everybody can still prove himself.
func (r *rig) write(do func() error) error {
	r.writes++
	if !r.armed || r.writes != r.faultAt {
		err := do()
		r.look()
		return err
	}
	resource := schema.GroupResource{Resource: "things"}
	switch r.fault {
	case stopBefore:
		return errStopped
	case stopAfter:
		r.must(do())
		r.look()
		return errStopped
	case conflict:
		return apierrors.NewConflict(resource, "x", errors.New("changed meanwhile"))
	case timeoutDone:
		r.must(do())
		r.look()
		return apierrors.NewTimeoutError("no answer", 1)
	case timeoutNotDone:
		return apierrors.NewTimeoutError("no answer", 1)
	case tooManyRequests:
		return apierrors.NewTooManyRequests("later", 1)
	default:
		return do()
	}
}

// registered returns the registration as it stands.
func (r *rig) registered() (*registration.Client, *corev1.Secret) {
	r.t.Helper()
	list := &corev1.SecretList{}
	r.must(r.mirror.List(r.t.Context(), list, client.InNamespace(r.namespace), client.MatchingLabels{registration.LabelKind: string(registration.KindClient)}))
	if len(list.Items) != 1 {
		return nil, nil
	}
	document, err := registration.Parse[registration.Client](list.Items[0].Data[registration.KindClient.File()])
	r.must(err)
	return document, &list.Items[0]
}

// catchUp makes the replica apply what is registered and report it.
func (r *rig) catchUp() {
	r.t.Helper()
	document, secret := r.registered()
	version := "1"
	if secret != nil {
		r.applied, version = document, secret.ResourceVersion
	}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "sso-one"}}
	err := r.mirror.Get(r.t.Context(), client.ObjectKeyFromObject(lease), lease)
	lease.Labels = map[string]string{registration.LabelProvider: "sso", registration.LabelReplica: "true"}
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	if err == nil && lease.Annotations[registration.AnnotationApplied] == version && lease.Spec.RenewTime.Time.Equal(r.now) {
		return
	}
	lease.Annotations[registration.AnnotationApplied] = version
	lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = new(metav1.NewMicroTime(r.now)), new(int32(3600))
	if apierrors.IsNotFound(err) {
		r.must(r.mirror.Create(r.t.Context(), lease))
		return
	}
	r.must(r.mirror.Update(r.t.Context(), lease))
}

// lease returns the replica's report.
func (r *rig) lease() *coordinationv1.Lease {
	r.t.Helper()
	lease := &coordinationv1.Lease{}
	r.must(r.mirror.Get(r.t.Context(), client.ObjectKey{Namespace: r.namespace, Name: "sso-one"}, lease))
	return lease
}

// appSecret returns the application's Secret, or nil.
func (r *rig) appSecret() *corev1.Secret {
	r.t.Helper()
	secret := &corev1.Secret{}
	err := r.mirror.Get(r.t.Context(), client.ObjectKey{Namespace: r.apps, Name: "app-oidc"}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	r.must(err)
	return secret
}

// look notes what the application's Secret holds, and makes sure that the replica, as far as it is, accepts every client secret that
// stood there within the overlap.
func (r *rig) look() {
	r.t.Helper()
	value := ""
	if secret := r.appSecret(); secret != nil {
		value = string(secret.Data["client_secret"])
	}
	if last := len(r.held) - 1; last < 0 || r.held[last].value != value {
		if last >= 0 {
			r.held[last].until = r.now
		}
		r.held = append(r.held, heldSecret{value: value})
	}
	if r.applied == nil {
		return // it was never registered
	}
	overlap := r.client().Overlap()
	for _, h := range r.held {
		if h.value == "" || r.pardoned[h.value] || !h.until.IsZero() && !r.now.Before(h.until.Add(overlap)) {
			continue
		}
		if !r.accepts(r.applied, h.value) {
			r.t.Fatalf("write %d: the replica refuses a client secret that the application may hold (replaced %v, now %v)", r.writes, h.until, r.now)
		}
	}
}

// accepts does what the provider does, and remembers what has cost much.
func (r *rig) accepts(document *registration.Client, value string) bool {
	return slices.ContainsFunc(unexpired(document.Secrets, r.now), func(s registration.ClientSecret) bool {
		pair := [2]string{s.Hash, value}
		if _, is := r.checked[pair]; !is {
			r.checked[pair] = registration.CheckSecret(s.Hash, value)
		}
		return r.checked[pair]
	})
}

func (r *rig) client() *v1alpha1.OIDCClient {
	r.t.Helper()
	c := &v1alpha1.OIDCClient{}
	r.must(r.mirror.Get(r.t.Context(), r.key, c))
	return c
}

// takeSnapshot lets the cache catch up.
func (r *rig) takeSnapshot() {
	r.snapshot = map[client.ObjectKey]corev1.Secret{}
	for _, namespace := range []string{r.namespace, r.apps} {
		list := &corev1.SecretList{}
		r.must(r.mirror.List(r.t.Context(), list, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/managed-by": "oidc-operator"}))
		for _, s := range list.Items {
			s.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
			r.snapshot[client.ObjectKeyFromObject(&s)] = s
		}
	}
}

// settle reconciles, with the replica always one reconcile behind, until nothing is written any more, and returns after how long
// the operator wants to look again.
func (r *rig) settle() time.Duration {
	r.t.Helper()
	quiet := 0
	for range 40 {
		if r.lag {
			r.takeSnapshot()
		}
		before := r.writes
		var result ctrl.Result
		var err error
		for range 2 { // the second time with what is an old cache by then
			if result, err = r.reconciler.Reconcile(r.t.Context(), ctrl.Request{NamespacedName: r.key}); err != nil || !r.lag {
				break
			}
		}
		r.drainEvents()
		switch {
		case errors.Is(err, errStopped):
			r.startOperator()
		case err != nil && !faultless(err):
			r.t.Fatal(err)
		}
		r.catchUp()
		r.look()
		if r.writes == before && err == nil {
			if quiet++; quiet == 2 {
				return result.RequeueAfter
			}
			continue
		}
		quiet = 0
	}
	r.t.Fatal("it does not settle")
	return 0
}

// faultless tells whether an error is one that a fault has made.
func faultless(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err)
}

func (r *rig) drainEvents() {
	for {
		select {
		case e := <-r.events.Events:
			var kind, reason string
			_, _ = fmt.Sscan(e, &kind, &reason)
			r.seen = append(r.seen, reason)
		default:
			return
		}
	}
}

// pass lets time go by and settles at each moment at which the operator wants to look.
func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	end := r.now.Add(d)
	for {
		after := r.settle()
		if after == 0 || r.now.Add(after).After(end) {
			break
		}
		r.now = r.now.Add(after)
		r.catchUp()
	}
	r.now = end
	r.catchUp()
	r.settle()
}
