package controllers

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// statusWrites remembers of the resources of one kind which status writes the cache does not show yet. A change of status starts no
// reconcile. A reconcile that compared with an older status than the one that stands could thus find that there is nothing to write, and
// leave standing for good what is no longer true.
type statusWrites struct {
	mu      sync.Mutex
	unshown map[types.NamespacedName]statusWrite
}

// statusWrite is a status write that the cache does not show yet.
type statusWrite struct {
	// version is the resource version that it has led to, or "" when it is not known whether it has come about.
	version string
	// awaited tells whether a reconcile was put off until the cache shows it.
	awaited bool
}

func newStatusWrites() *statusWrites {
	return &statusWrites{unshown: map[types.NamespacedName]statusWrite{}}
}

// wrote notes a status write. version is "" when it is not known whether it has come about.
func (w *statusWrites) wrote(key types.NamespacedName, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unshown[key] = statusWrite{version: version}
}

// last returns the version that the cache must have reached for a resource to be judged by it, or "", and whether it is known what
// status stands.
func (w *statusWrites) last(key types.NamespacedName) (version string, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	write, is := w.unshown[key]
	return write.version, !is || write.version != ""
}

// await has a reconcile started when the cache shows a version. It returns false when that was shown meanwhile.
func (w *statusWrites) await(key types.NamespacedName, version string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	write, is := w.unshown[key]
	if !is || write.version != version {
		return false
	}
	write.awaited = true
	w.unshown[key] = write
	return true
}

// shows notes that the cache has a version of a resource, and tells whether a reconcile has waited for it.
func (w *statusWrites) shows(obj client.Object) (awaited bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := client.ObjectKeyFromObject(obj)
	write, is := w.unshown[key]
	if !is || write.version == "" || older(obj.GetResourceVersion(), write.version) {
		return false
	}
	delete(w.unshown, key)
	return write.awaited
}

func (w *statusWrites) forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.unshown, key)
}

// shown passes a resource that a reconcile has waited for. It must see every event.
func (w *statusWrites) shown() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return w.shows(e.Object) },
		UpdateFunc:  func(e event.UpdateEvent) bool { return w.shows(e.ObjectNew) },
		GenericFunc: func(event.GenericEvent) bool { return false },
		DeleteFunc: func(e event.DeleteEvent) bool {
			w.forget(client.ObjectKeyFromObject(e.Object))
			return false // what else a delete event passes is for others to say
		},
	}
}

// older tells whether resource version a is before b. Versions that cannot be compared are not.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}
