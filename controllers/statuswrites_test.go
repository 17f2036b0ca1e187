package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func TestStatusWrites(t *testing.T) {
	key := types.NamespacedName{Namespace: "apps", Name: "app"}
	at := func(version string) *v1alpha1.OIDCClient {
		return gen.OIDCClient(key.Namespace, key.Name, gen.OIDCProvider("sso", "sso"), func(c *v1alpha1.OIDCClient) { c.ResourceVersion = version })
	}
	update := func(w *statusWrites, version string) bool {
		return w.shown().Update(event.UpdateEvent{ObjectOld: at("1"), ObjectNew: at(version)})
	}
	t.Run("nothing was written", func(t *testing.T) {
		w := newStatusWrites()
		if version, known := w.last(key); version != "" || !known || update(w, "8") {
			t.Errorf("%q %t", version, known)
		}
	})
	t.Run("nobody waits", func(t *testing.T) {
		w := newStatusWrites()
		w.wrote(key, "9", false)
		if update(w, "8") || update(w, "10") {
			t.Error("a reconcile is started")
		}
		if w.await(key, "9") != delayOver || len(w.unshown) != 0 {
			t.Error("it is not forgotten")
		}
	})
	t.Run("a reconcile waits", func(t *testing.T) {
		w := newStatusWrites()
		w.wrote(key, "9", false)
		if version, known := w.last(key); version != "9" || !known || w.await(key, "9") != delayAwaited {
			t.Fatalf("%q %t", version, known)
		}
		if update(w, "8") || !update(w, "9") || update(w, "10") {
			t.Error("it is not started once, when the cache shows it")
		}
	})
	t.Run("it is not known whether it was written", func(t *testing.T) {
		w := newStatusWrites()
		w.wrote(key, "", true)
		for _, version := range []string{"8", "9"} {
			if update(w, version) {
				t.Error("a reconcile is started")
			}
			if last, known := w.last(key); last != "" || known {
				t.Errorf("%q %t", last, known)
			}
		}
		if w.wrote(key, "10", false); w.await(key, "10") != delayAwaited {
			t.Error("it is not known that it was written")
		}
	})
	t.Run("the reconcile had failed, and is tried again by itself", func(t *testing.T) {
		w := newStatusWrites()
		w.wrote(key, "9", true)
		if w.await(key, "9") != delayRetried || update(w, "9") {
			t.Error("a reconcile is started")
		}
	})
	t.Run("the cache does not show it for too long", func(t *testing.T) {
		w := newStatusWrites()
		w.wrote(key, "9", false)
		late := w.unshown[key]
		late.at = late.at.Add(-2 * maxLag)
		w.unshown[key] = late
		if w.await(key, "9") != delayTooLong {
			t.Error("it is waited for")
		}
		if version, known := w.last(key); version != "" || known {
			t.Errorf("%q %t", version, known)
		}
	})
	t.Run("it is gone", func(t *testing.T) {
		w := newStatusWrites()
		w.wrote(key, "9", false)
		if w.shown().Delete(event.DeleteEvent{Object: at("10")}) || w.await(key, "9") != delayOver {
			t.Error("it is waited for")
		}
	})
	t.Run("it comes back", func(t *testing.T) {
		w := newStatusWrites()
		w.wrote(key, "9", false)
		if w.await(key, "9") != delayAwaited || !w.shown().Create(event.CreateEvent{Object: at("11")}) {
			t.Error("nothing is started")
		}
	})
}
