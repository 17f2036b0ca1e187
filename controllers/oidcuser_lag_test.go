package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/test/gen"
)

// A hash that is made anew of the same password would end what has begun with it.
func TestPasswordIsHashedOnceWhileTheCacheLags(t *testing.T) {
	r := newWorld(t, newAPIServer(t), kindUser)
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
}
