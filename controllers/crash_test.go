package controllers

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// crash is a story of any kind, told with a fault at each of its writes.
type crash struct {
	// kinds are those whose controllers run.
	kinds []string
	// before makes what stands when the story begins, begin is what it is about.
	before, begin func(*rig)
	// passes is how much time goes by until the end.
	passes time.Duration
	// secrets is how many Secrets of the operator's there are at the end.
	secrets int
	// stands are the kinds of which something of the operator's stands at the end, so that an end in which nothing was done is seen.
	stands []string
	// leaves tells that Secrets of resources that are gone stay, because somebody has asked for that.
	leaves bool
	// check looks at what the story alone knows of its end; nil: nothing.
	check func(*rig)
}

// play tells a story with a fault at one of its writes, and returns how it has ended and how many writes it took.
func play(t *testing.T, direct client.WithWatch, s crash, faultAt int, f fault, lag bool) (end string, writes int) {
	t.Helper()
	r := newWorld(t, direct, s.kinds...)
	if s.before != nil {
		s.before(r)
		r.settle()
	}
	start := r.now
	r.writes, r.faultAt, r.fault, r.armed, r.lag = 0, faultAt, f, true, lag
	s.begin(r)
	r.settle()
	if s.passes > 0 {
		r.pass(s.passes)
	}
	writes = r.writes
	r.armed, r.lag = false, false
	r.startOperator()
	if r.settle(); r.writes != writes {
		t.Fatalf("a restart writes %d times", r.writes-writes)
	}
	if count := r.managedSecrets(); len(count) != s.secrets {
		t.Fatalf("it ends with %d Secrets, and should with %d", len(count), s.secrets)
	}
	if !s.leaves {
		r.noOrphans()
	}
	for _, kind := range s.stands {
		if !r.stands(kind) {
			t.Fatalf("no %s stands at the end", kind)
		}
	}
	if s.check != nil {
		s.check(r)
	}
	return r.normal(start), writes
}

// stands tells whether the operator has made an object of a kind that is still there.
func (r *rig) stands(kind string) bool {
	for _, obj := range r.mirror.all() {
		if key, err := r.mirror.keyOf(obj); err == nil && key.Kind == kind && resources.Managed(obj) {
			return true
		}
	}
	return false
}

// managedSecrets returns the names of the operator's Secrets with whom they were made for.
func (r *rig) managedSecrets() map[string]string {
	secrets := map[string]string{}
	for _, obj := range r.mirror.all() {
		if _, is := obj.(*corev1.Secret); is && resources.Managed(obj) {
			secrets[obj.GetName()] = obj.GetAnnotations()[resources.AnnotationOwner]
		}
	}
	return secrets
}

// noOrphans makes sure that every Secret of the operator's belongs to a resource that is there.
func (r *rig) noOrphans() {
	r.t.Helper()
	owners := map[string]bool{}
	for _, obj := range r.mirror.all() {
		key, err := r.mirror.keyOf(obj)
		r.must(err)
		owners[resources.Owner(key.Kind, key.ObjectKey)] = true
	}
	for name, owner := range r.managedSecrets() {
		if !owners[owner] {
			r.t.Fatalf("Secret %q belongs to %s, which is gone", name, owner)
		}
	}
}

// Whatever happens to any write of whatever changes a resource: it ends as if nothing had happened, a restart then finds nothing to do,
// nothing is left over, and meanwhile no client secret and no signature that somebody may hold is refused.
func TestCrashes(t *testing.T) {
	direct := newAPIServer(t)
	for name, s := range crashes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, writes := play(t, direct, s, 0, noFault, false)
			t.Logf("%d writes", writes)
			if got, _ := play(t, direct, s, 0, noFault, true); got != want {
				t.Errorf("with a cache that lags it ends with\n%s\nand without with\n%s", got, want)
			}
			for at := 1; at <= writes; at++ {
				// A write is done or not, and the operator's memory is lost or not; what is not done and not lost, three errors tell.
				for _, f := range []fault{stopBefore, stopAfter, timeoutDone, []fault{conflict, timeoutNotDone, tooManyRequests}[at%3]} {
					t.Run(fmt.Sprintf("%s at write %d", f, at), func(t *testing.T) {
						t.Parallel() // in namespaces of its own
						if got, _ := play(t, direct, s, at, f, at%2 == 0); got != want {
							t.Errorf("ends with\n%s\nand without a fault with\n%s", got, want)
						}
					})
				}
			}
		})
	}
}
