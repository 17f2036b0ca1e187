package controllers

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// toldEvent is an event that was recorded.
type toldEvent struct {
	// of is the UID of the resource that it is about, name its kind and name.
	of, name     string
	reason, note string
}

// toldTo records events with a rig.
type toldTo struct{ r *rig }

// Eventf implements events.EventRecorder.
func (to toldTo) Eventf(regarding, _ runtime.Object, _, reason, _, note string, args ...any) {
	to.r.t.Helper()
	obj, is := regarding.(client.Object)
	if !is {
		to.r.t.Fatalf("an event is about %T", regarding)
	}
	gvk, err := apiutil.GVKForObject(obj, to.r.mirror.Scheme())
	to.r.must(err)
	to.r.seen = append(to.r.seen, reason)
	to.r.told = append(to.r.told, toldEvent{string(obj.GetUID()), gvk.Kind + "/" + obj.GetName(), reason, fmt.Sprintf(note, args...)})
}
