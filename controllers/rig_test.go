package controllers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// rig runs the controllers by hand against a real API server, with one replica of each provider that is only a Lease. Garbage is
// collected, as no API server does by itself.
type rig struct {
	t *testing.T
	// mirror is the API server.
	mirror *mirror
	// kinds are those whose controllers run.
	kinds []string
	// lag makes the operator read Secrets as they were before the reconcile before.
	lag bool

	namespace, apps string
	key             client.ObjectKey
	provider        *v1alpha1.OIDCProvider
	now             time.Time
	versions        *registrationVersions
	providers       *providerReconciler
	signingKeys     *signingKeyReconciler
	reconciler      *clientReconciler
	users           *userReconciler
	seen            []string // events, by reason
	told            []toldEvent

	writes  int
	faultAt int // the write that meets the fault, from 1; 0: none
	fault   fault
	armed   bool
	// operating tells that it is the operator that writes.
	operating bool
	// watch is called with what stands after each write of whomever; nil: nothing.
	watch func(after client.Object)

	snapshot map[client.ObjectKey]corev1.Secret
	// applied is what the replicas have in force, and held every client secret that the application's Secret has held and until when.
	applied []*registration.Client
	held    []heldSecret
	// withdrawn tells that the client's secrets are no longer to be accepted.
	withdrawn bool
	// pardoned are values that somebody has written by hand: the provider cannot know them before they stand.
	pardoned map[string]bool
	checked  map[[2]string]bool
	// signed are the keys that may have signed something, with the time until which it may have been.
	signed map[signedBy]time.Time
	// revoked tells that keys are not to be trusted any more.
	revoked bool
	// adopts is the name of a Secret that the client is to adopt, or "".
	adopts string
}

type heldSecret struct {
	name, value string
	until       time.Time // zero while it stands
}

type signedBy struct{ signingKey, keyID string }

// newWorld returns a rig in which controllers of some kinds run and nothing is there yet.
func newWorld(t *testing.T, direct client.WithWatch, kinds ...string) *rig {
	t.Helper()
	mirror, err := newMirror(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{
		t: t, mirror: mirror, kinds: kinds, now: time.Now().Add(time.Hour).Truncate(time.Second),
		pardoned: map[string]bool{}, checked: map[[2]string]bool{}, signed: map[signedBy]time.Time{},
	}
	mirror.written = func(before, after client.Object) {
		if r.operating {
			r.guard(before, after)
		}
		if r.watch != nil && after != nil {
			r.watch(after)
		}
	}
	for _, name := range []*string{&r.namespace, &r.apps} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "rig-"}}
		r.must(r.mirror.Create(t.Context(), ns))
		*name = ns.Name
	}
	r.provider = gen.OIDCProvider(r.namespace, "sso")
	r.key = client.ObjectKey{Namespace: r.apps, Name: "app"}
	r.startOperator()
	return r
}

// newRig returns a rig with a provider and an OIDCClient, whose controller alone runs.
func newRig(t *testing.T, direct client.WithWatch, options ...func(*v1alpha1.OIDCClient)) *rig {
	t.Helper()
	r := newWorld(t, direct, kindClient)
	r.must(r.mirror.Create(t.Context(), r.provider))
	r.must(r.mirror.Create(t.Context(), gen.OIDCClient(r.apps, "app", r.provider, options...)))
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
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if err := c.List(ctx, list, opts...); err != nil {
				return err
			}
			if secrets, is := list.(*corev1.SecretList); is && r.lag {
				secrets.Items = r.asBefore(secrets.Items)
			}
			return meta.EachListItem(list, func(item runtime.Object) error {
				obj, _ := item.(client.Object)
				return r.withKind(obj, nil)
			})
		},
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
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			if _, asks := obj.(*authorizationv1.SelfSubjectAccessReview); asks {
				return c.Create(ctx, obj, opts...)
			}
			return r.write(func() error { return c.Create(ctx, obj, opts...) })
		},
	})
	objects := objects{client: cached, live: r.mirror}
	now := func() time.Time { return r.now }
	newRegistrar := func() registrar { return registrar{objects: objects, waiters: newWaiters(), now: now} }
	foreign := func() *referents { return newReferents(r.mirror, r.mirror) }
	newReporter := func() reporter { return reporter{client: cached, events: toldTo{r}, writes: newStatusWrites()} }
	r.versions = newRegistrationVersions()
	r.providers = &providerReconciler{
		client: cached, objects: objects, reporter: newReporter(), versions: r.versions, dsns: foreign(), logos: foreign(),
		certificates: foreign(), tlsKeys: foreign(), reach: newReach(nil), settings: newWaiters(), image: "provider", now: now,
	}
	r.signingKeys = &signingKeyReconciler{client: cached, objects: objects, registrar: newRegistrar(), reporter: newReporter(), imports: foreign(), now: now}
	r.reconciler = &clientReconciler{
		client: cached, objects: objects, registrar: newRegistrar(), reporter: newReporter(), brought: foreign(), made: newMadeSecrets(), outages: newOutages(), now: now,
	}
	r.users = &userReconciler{client: cached, objects: objects, foreign: r.mirror, registrar: newRegistrar(), reporter: newReporter(), outages: newOutages(), now: now}
}

// looked is a resource that a controller looks at, which may be gone.
type looked struct {
	kind string
	key  client.ObjectKey
}

// subjects are the resources that are there, and those that something was made for.
func (r *rig) subjects() []looked {
	found := map[looked]bool{}
	for _, obj := range r.mirror.all() {
		gvk, err := apiutil.GVKForObject(obj, r.mirror.Scheme())
		r.must(err)
		if gvk.Group == v1alpha1.SchemeGroupVersion.Group {
			found[looked{gvk.Kind, client.ObjectKeyFromObject(obj)}] = true
		}
		for _, kind := range r.kinds {
			for _, request := range ownerRequests(kind)(r.t.Context(), obj) {
				found[looked{kind, request.NamespacedName}] = true
			}
		}
		if secret, is := obj.(*corev1.Secret); is && isRegistration(secret) {
			r.versions.saw(client.ObjectKey{Namespace: secret.Namespace, Name: secret.Labels[registration.LabelProvider]}, secret.ResourceVersion)
		}
	}
	var subjects []looked
	for s := range found {
		if slices.Contains(r.kinds, s.kind) {
			subjects = append(subjects, s)
		}
	}
	slices.SortFunc(subjects, func(a, b looked) int {
		return cmp.Or(slices.Index(r.kinds, a.kind)-slices.Index(r.kinds, b.kind), strings.Compare(a.key.String(), b.key.String()))
	})
	return subjects
}

func (r *rig) reconcile(s looked) (ctrl.Result, error) {
	request := ctrl.Request{NamespacedName: s.key}
	switch s.kind {
	case kindProvider:
		return r.providers.Reconcile(r.t.Context(), request)
	case kindSigningKey:
		return r.signingKeys.Reconcile(r.t.Context(), request)
	case kindUser:
		return r.users.Reconcile(r.t.Context(), request)
	default:
		return r.reconciler.Reconcile(r.t.Context(), request)
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

// asBefore returns the Secrets of a list as the snapshot has them.
func (r *rig) asBefore(now []corev1.Secret) []corev1.Secret {
	var before []corev1.Secret
	for i := range now {
		if known, is := r.snapshot[client.ObjectKeyFromObject(&now[i])]; is {
			before = append(before, *known.DeepCopy())
		}
	}
	return before
}

func (r *rig) withKind(obj client.Object, err error) error {
	if err != nil {
		return err
	}
	gvk, err := apiutil.GVKForObject(obj, r.mirror.Scheme())
	obj.GetObjectKind().SetGroupVersionKind(gvk)
	return err
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

// settle reconciles, with the replicas always one reconcile behind, until nothing is written any more, and returns after how long
// the operator wants to look again.
func (r *rig) settle() time.Duration {
	r.t.Helper()
	quiet := 0
	for range 40 {
		before := r.writes
		after, err := r.round()
		r.collectGarbage()
		r.catchUp()
		r.look()
		if r.writes == before && err == nil {
			if quiet++; quiet == 2 {
				return after
			}
			continue
		}
		quiet = 0
	}
	r.t.Fatal("it does not settle")
	return 0
}

// round reconciles everything and returns when the operator wants to look again first, and the last error.
func (r *rig) round() (next time.Duration, last error) {
	if r.lag {
		r.takeSnapshot()
	}
	for _, s := range r.subjects() {
		var result ctrl.Result
		var err error
		for range 2 { // the second time with what is an old cache by then
			if result, err = r.reconcile(s); err != nil || !r.lag {
				break
			}
		}
		if errors.Is(err, errStopped) {
			r.startOperator()
			return 0, err
		}
		if err != nil && !faultless(err) {
			r.t.Fatal(err)
		}
		if _, taken := asNotOwned(err); !taken {
			last = cmp.Or(err, last)
		}
		if after := result.RequeueAfter; after > 0 && (next == 0 || after < next) {
			next = after
		}
	}
	return next, last
}

// collectGarbage deletes what has only owners that are gone.
func (r *rig) collectGarbage() {
	uids := map[types.UID]bool{}
	all := r.mirror.all()
	for _, obj := range all {
		uids[obj.GetUID()] = true
	}
	for _, obj := range all {
		owners := obj.GetOwnerReferences()
		if len(owners) > 0 && !slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool { return uids[o.UID] }) {
			r.must(r.mirror.Delete(r.t.Context(), obj))
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
