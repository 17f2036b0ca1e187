package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// holding is a cluster in which one object can be read, and nothing else.
type holding struct {
	client.Client

	obj client.Object
}

func (h holding) Get(_ context.Context, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch into := into.(type) {
	case *v1alpha1.OIDCProvider:
		h.obj.(*v1alpha1.OIDCProvider).DeepCopyInto(into) //nolint:forcetypeassert // it is what the test holds
	case *v1alpha1.OIDCClient:
		h.obj.(*v1alpha1.OIDCClient).DeepCopyInto(into) //nolint:forcetypeassert // it is what the test holds
	}
	return nil
}

func (holding) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("nothing can be listed")
}

// What was judged while an event came is not found by the handler of that event.
func TestAvailabilityThatChangesMeanwhileIsNoticed(t *testing.T) {
	at := time.Now()
	since := func(available bool, ago time.Duration) *v1alpha1.OIDCProvider {
		return providerSince(available, at.Add(-ago))
	}
	unknown := gen.OIDCProvider("sso", "sso")
	for name, test := range map[string]struct {
		judged, current *v1alpha1.OIDCProvider
		took            time.Duration
		want            bool
	}{
		"no provider":                  {nil, since(true, 0), 0, false},
		"as before":                    {since(true, time.Hour), since(true, time.Hour), time.Second, false},
		"it has become available":      {since(false, time.Minute), since(true, 0), 0, true},
		"it is judged now":             {unknown, since(true, 0), 0, true},
		"an outage has begun":          {since(true, time.Hour), since(false, 0), 0, true},
		"an outage has begun to last":  {since(false, outageGrace-time.Millisecond), since(false, outageGrace-time.Millisecond), time.Second, true},
		"it is back for good":          {since(true, recoveryGrace-time.Millisecond), since(true, recoveryGrace-time.Millisecond), time.Second, true},
		"it goes on coming back":       {since(true, 0), since(true, 0), time.Second, false},
		"an outage of which all know":  {since(false, time.Hour), since(false, time.Hour), time.Second, false},
		"it has failed again and come": {since(true, 2*time.Second), since(true, 0), time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := availabilityChanged(t.Context(), holding{obj: test.current}, test.judged, at, func() time.Time { return at.Add(test.took) })
			if err != nil || got != test.want {
				t.Errorf("got %t, %v; want %t", got, err, test.want)
			}
		})
	}
}

// Who has given a client ID up has done so once, and not for all that come after under the same name.
func TestClientThatIsMadeAgainKeepsItsClientID(t *testing.T) {
	key := types.NamespacedName{Namespace: "web", Name: "app"}
	gone := &v1alpha1.OIDCClient{ObjectMeta: metav1.ObjectMeta{
		Namespace: key.Namespace, Name: key.Name, Annotations: map[string]string{v1alpha1.AnnotationReleaseClientID: "true"},
	}}
	for name, test := range map[string]struct {
		annotations map[string]string
		want        bool
	}{
		"without the annotation": {nil, false},
		"with it":                {gone.Annotations, true},
	} {
		t.Run(name, func(t *testing.T) {
			again := gen.OIDCClient(key.Namespace, key.Name, gen.OIDCProvider("sso", "sso"))
			again.Annotations = test.annotations
			cluster := holding{obj: again}
			r := &clientReconciler{client: cluster, objects: objects{client: cluster, live: cluster}, reporter: reporter{client: cluster, writes: newStatusWrites()}}
			r.released.deleted().Delete(event.DeleteEvent{Object: gone})
			if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err == nil {
				t.Fatal("the OIDCClient was not looked at")
			}
			if got := r.released.has(key); got != test.want {
				t.Errorf("its client ID is given up: %t, want %t", got, test.want)
			}
		})
	}
}
