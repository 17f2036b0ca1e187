package controllers

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// newFake returns a client that knows some objects and has the index of reserved client IDs.
func newFake(t *testing.T, known ...client.Object) client.Client {
	t.Helper()
	scheme, err := NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(known...).
		WithIndex(&v1alpha1.OIDCClient{}, indexReserving, func(obj client.Object) []string {
			return []string{reservingNamespace(obj.(*v1alpha1.OIDCClient))}
		}).Build()
}

// Of two from the same second the one that was registered just now keeps the registration, though the cache does not show it yet.
func TestIncumbentIsReadPastTheCacheWhereItDecides(t *testing.T) {
	name := client.ObjectKey{Namespace: "sso", Name: "registration"}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: name.Namespace, Name: name.Name, Annotations: map[string]string{resources.AnnotationOwner: "OIDCClient/ns/z"},
	}}
	now := time.Now().Truncate(time.Second)
	at := func(name string, created time.Time) v1alpha1.OIDCClient {
		return *gen.OIDCClient("ns", name, gen.OIDCProvider("sso", "sso"), func(c *v1alpha1.OIDCClient) {
			c.CreationTimestamp, c.UID = metav1.NewTime(created), types.UID(name)
		})
	}
	c := at("a", now)
	for what, test := range map[string]struct {
		rivals []v1alpha1.OIDCClient
		cached *corev1.Secret
		want   string
	}{
		"from the same second":         {[]v1alpha1.OIDCClient{c, at("z", now)}, nil, "OIDCClient/ns/z"},
		"known already":                {[]v1alpha1.OIDCClient{c, at("z", now)}, &corev1.Secret{}, ""},
		"older, which decides":         {[]v1alpha1.OIDCClient{c, at("z", now.Add(-time.Second))}, nil, ""},
		"nobody else, so not asked":    {[]v1alpha1.OIDCClient{c}, nil, ""},
		"nobody else in the cache yet": {nil, nil, ""},
	} {
		t.Run(what, func(t *testing.T) {
			o := objects{live: newFake(t, secret.DeepCopy())}
			got, err := o.incumbent(t.Context(), standingRegistration{name, test.cached}, contested(&c, test.rivals))
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// A client may be looked at before the operator has heard of the namespace that keeps its client ID.
func TestNamespaceThatComesIsHeededByThoseWhoWantItsClientIDs(t *testing.T) {
	provider := gen.OIDCProvider("sso", "sso")
	r := &clientReconciler{client: newFake(t,
		gen.OIDCClient("apps", "taker", provider, gen.WithClientID("reserving.web")), gen.OIDCClient("apps", "other", provider))}
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "reserving"}}
	want := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "apps", Name: "taker"}}
	for what, tell := range map[string]func(){
		"comes": func() { r.outsideNamespace().Create(t.Context(), event.CreateEvent{Object: namespace}, queue) },
		"goes":  func() { r.outsideNamespace().Delete(t.Context(), event.DeleteEvent{Object: namespace}, queue) },
	} {
		tell()
		if queue.Len() != 1 {
			t.Errorf("when it %s %d are looked at", what, queue.Len())
			continue
		}
		if got, _ := queue.Get(); got != want {
			t.Errorf("when it %s %s is looked at", what, got)
		} else {
			queue.Done(got)
		}
	}
}

// A watch that was interrupted tells that something was deleted and made again as a change of it.
func TestReplacedObjectsAreNotOverlooked(t *testing.T) {
	provider := gen.OIDCProvider("sso", "sso")
	of := func(uid types.UID) *v1alpha1.OIDCClient {
		return gen.OIDCClient("apps", "app", provider, func(c *v1alpha1.OIDCClient) { c.UID, c.Generation = uid, 1 })
	}
	for what, p := range map[string]predicate.Predicate{"spec": specChanged(), "existence": existencePredicate(), "activity": activityPredicate()} {
		if !p.Update(event.UpdateEvent{ObjectOld: of("a"), ObjectNew: of("b")}) || p.Update(event.UpdateEvent{ObjectOld: of("a"), ObjectNew: of("a")}) {
			t.Errorf("%s: overlooked, or seen where there is none", what)
		}
	}
}
