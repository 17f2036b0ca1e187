package controllers

import (
	"sync"
	"time"

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
	at      time.Time
	// retried tells that the reconcile has failed, so that another one follows by itself.
	retried bool
	// awaited tells whether a reconcile was put off until the cache shows it.
	awaited bool
}

// maxLag is how far a cache may be behind. What it does not show by then it never will: the API server has been set back.
const maxLag = time.Minute

// delay says what becomes of a reconcile for which the cache lacks a status write.
type delay int

const (
	// delayOver: the cache shows it by now.
	delayOver delay = iota
	// delayAwaited: another reconcile is started when the cache shows it.
	delayAwaited
	// delayRetried: another reconcile follows by itself.
	delayRetried
	// delayTooLong: nobody knows what status stands, and it is to be written anew.
	delayTooLong
)

func newStatusWrites() *statusWrites {
	return &statusWrites{unshown: map[types.NamespacedName]statusWrite{}}
}

// wrote notes a status write. version is "" when it is not known whether it has come about, retried tells that another reconcile follows by
// itself.
func (w *statusWrites) wrote(key types.NamespacedName, version string, retried bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unshown[key] = statusWrite{version: version, at: time.Now(), retried: retried}
}

// last returns the version that the cache must have reached for a resource to be judged by it, or "", and whether it is known what
// status stands.
func (w *statusWrites) last(key types.NamespacedName) (version string, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	write, is := w.unshown[key]
	return write.version, !is || write.version != ""
}

// await decides about a reconcile for which the cache lacks a version that was written.
func (w *statusWrites) await(key types.NamespacedName, version string) delay {
	w.mu.Lock()
	defer w.mu.Unlock()
	write, is := w.unshown[key]
	switch {
	case !is || write.version != version:
		return delayOver
	case time.Since(write.at) > maxLag:
		w.unshown[key] = statusWrite{}
		return delayTooLong
	case write.retried:
		return delayRetried
	}
	write.awaited = true
	w.unshown[key] = write
	return delayAwaited
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
