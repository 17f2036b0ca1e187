package controllers

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func TestCacheThatLags(t *testing.T) {
	direct := newAPIServer(t)
	// A hash that is made anew of the same password would end what has begun with it.
	t.Run("a password is hashed once", func(t *testing.T) {
		r := newWorld(t, direct, kindUser)
		hashes := map[string]bool{}
		r.watch = func(after client.Object) {
			if secret, is := after.(*corev1.Secret); is && isRegistration(secret) {
				user, _ := registeredUser(secret)
				hashes[hashIn(user)] = true
			}
		}
		r.must(r.mirror.Create(t.Context(), r.provider))
		r.must(r.mirror.Create(t.Context(), gen.OIDCUser(r.namespace, "ada", r.provider.Name)))
		r.lag = true
		r.settle()
		if len(hashes) != 1 || hashes[""] {
			t.Errorf("%d hashes were registered", len(hashes))
		}
	})
	for what, successor := range map[string]bool{"what was deleted does not come back": false, "what was made instead is left alone": true} {
		t.Run(what, func(t *testing.T) {
			r := newWorld(t, direct)
			o := objects{client: direct, live: direct}
			write := func(value string, current client.Object) error {
				_, err := o.apply(t.Context(), acorev1.Secret("ours", r.apps).
					WithLabels(map[string]string{resources.LabelManagedBy: resources.ManagedBy}).
					WithAnnotations(map[string]string{resources.AnnotationOwner: "OIDCClient/apps/app"}).
					WithData(map[string][]byte{"value": []byte(value)}), current, ownedBy("OIDCClient/apps/app"))
				return err
			}
			r.must(write("first", nil))
			key, cached := client.ObjectKey{Namespace: r.apps, Name: "ours"}, &corev1.Secret{}
			r.must(direct.Get(t.Context(), key, cached))
			r.must(direct.Delete(t.Context(), cached.DeepCopy()))
			if successor {
				r.must(direct.Create(t.Context(), gen.Secret(r.apps, "ours", map[string]string{"value": "theirs"})))
			}
			if err := write("second", cached); !apierrors.IsConflict(err) {
				t.Errorf("the write ends with %v", err)
			}
			found := &corev1.Secret{}
			err := direct.Get(t.Context(), key, found)
			if successor && (err != nil || string(found.Data["value"]) != "theirs") || !successor && !apierrors.IsNotFound(err) {
				t.Errorf("there is %v, %v", found.Data, err)
			}
		})
	}
	t.Run("no status is written to another resource of the name", func(t *testing.T) {
		r := newWorld(t, direct)
		cached := gen.OIDCClient(r.apps, "app", r.provider)
		r.must(direct.Create(t.Context(), cached))
		r.must(direct.Delete(t.Context(), cached.DeepCopy()))
		again := gen.OIDCClient(r.apps, "app", r.provider)
		r.must(direct.Create(t.Context(), again))
		judged := cached.DeepCopy()
		judged.Status.ClientID = "that of the other"
		if err := r.reconciler.reporter.report(t.Context(), cached, judged, false); !apierrors.IsConflict(err) {
			t.Errorf("the write ends with %v", err)
		}
		r.must(direct.Get(t.Context(), client.ObjectKeyFromObject(again), again))
		if again.Status.ClientID != "" {
			t.Errorf("its status is %+v", again.Status)
		}
	})
	t.Run("a failure that is tried again is slowed down", func(t *testing.T) {
		r := newWorld(t, direct)
		c := gen.OIDCClient(r.apps, "app", r.provider)
		r.must(r.mirror.Create(t.Context(), c))
		reporter, key := r.reconciler.reporter, client.ObjectKeyFromObject(c)
		reporter.writes.wrote(key, c.ResourceVersion+"0", true)
		if current, err := reporter.read(t.Context(), key, c); current || !errors.Is(err, errLags) {
			t.Errorf("%t, %v", current, err)
		}
		reporter.writes.wrote(key, c.ResourceVersion+"0", false)
		if current, err := reporter.read(t.Context(), key, c); current || err != nil {
			t.Errorf("%t, %v", current, err)
		}
	})
	t.Run("a Secret that is deleted before it was seen is made again, also while there is no replica", func(t *testing.T) {
		r := newWorld(t, direct, kindClient)
		r.must(r.mirror.Create(t.Context(), r.provider))
		r.must(r.mirror.Create(t.Context(), gen.OIDCClient(r.apps, "app", r.provider)))
		reconcile := func() {
			_, err := r.reconcile(looked{kindClient, r.key})
			r.must(err)
		}
		reconcile()
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: r.apps, Name: "app-oidc"}}
		r.must(r.mirror.Delete(t.Context(), secret))
		for range 5 {
			reconcile()
		}
		if err := direct.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); err != nil {
			t.Error(err)
		}
	})
}
