package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// wholeLife drives resources of all four kinds from beginning to end and keeps what Flux (kstatus) and Argo CD would have said of each after
// every single write.
type wholeLife struct {
	*rig
	argo argoCD
	// said is what was said since the last step, without repetition, by "Kind/name": kstatus/Argo CD.
	said map[string][]string
	// written counts the operator's writes to each kind, to know that there was something to object to.
	written map[string]int
	// turns is what Ready has come to by a write of the operator, by UID, and due the events that each such turn asks for.
	turns map[string]turn
	due   []toldEvent
}

// turn is what of Ready an event tells.
type turn struct{ status, reason string }

func newWholeLife(t *testing.T, direct client.WithWatch) *wholeLife {
	l := &wholeLife{
		rig:  newWorld(t, direct, kindProvider, kindSigningKey, kindClient, kindUser),
		argo: newArgoCD(t), said: map[string][]string{}, written: map[string]int{}, turns: map[string]turn{},
	}
	l.watch = l.note
	return l
}

// note keeps what is said of a resource as it stands, and holds against it what may never be said.
func (l *wholeLife) note(obj client.Object) {
	l.t.Helper()
	_, is := obj.(resource)
	if !is {
		return
	}
	gvk, err := apiutil.GVKForObject(obj, l.mirror.Scheme())
	l.must(err)
	content, err := toMap(obj)
	l.must(err)
	// As a client reads it from the API server: numbers are integers.
	metadata, _ := content["metadata"].(map[string]any)
	metadata["generation"] = obj.GetGeneration()
	observed := int64(0)
	if state, is := content["status"].(map[string]any); is {
		if number, is := state["observedGeneration"].(float64); is {
			observed = int64(number)
			state["observedGeneration"] = observed
		}
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	result, err := status.Compute(u)
	l.must(err)
	health, message := l.argo.health(l.t, gvk.Kind, content)
	name := gvk.Kind + "/" + obj.GetName()
	if observed != obj.GetGeneration() && (result.Status == status.CurrentStatus || health != "Progressing") {
		l.t.Errorf("%s of generation %d, of which %d was looked at, is %s and %s", name, obj.GetGeneration(), observed, result.Status, health)
	}
	if want := healthOf(result.Status, content); health != want {
		l.t.Errorf("%s, which kstatus says is %s, is %s to Argo CD; want %s", name, result.Status, health, want)
	}
	if message == "" {
		l.t.Errorf("%s is %s without a message", name, health)
	}
	if l.operating {
		l.written[gvk.Kind]++
		l.noteTurn(name, obj)
	}
	said := result.Status.String() + "/" + health
	if before := l.said[name]; len(before) == 0 || before[len(before)-1] != said {
		l.said[name] = append(before, said)
	}
}

// noteTurn notes which event a write of the operator asks for.
func (l *wholeLife) noteTurn(name string, obj client.Object) {
	resource, _ := obj.(resource)
	ready := meta.FindStatusCondition(*resource.Conditions(), v1alpha1.ConditionReady)
	if ready == nil {
		return
	}
	uid, now := string(obj.GetUID()), turn{string(ready.Status), ready.Reason}
	if l.turns[uid] != now {
		l.turns[uid] = now
		l.due = append(l.due, toldEvent{uid, name, ready.Reason, ready.Message})
	}
}

// checkEvents makes sure that there is an event for each turn of Ready, with its message, and no other of its kind, and that what else was
// told was told once.
func (l *wholeLife) checkEvents(what string) {
	l.t.Helper()
	due := slices.Clone(l.due)
	once := map[toldEvent]bool{}
	for _, e := range l.told {
		if i := slices.Index(due, e); i >= 0 {
			due = slices.Delete(due, i, i+1)
			continue
		}
		if !tellsOfStep(e.reason) {
			l.t.Errorf("%s: the event %s %s (%s) tells of no turn of Ready, or tells of one again", what, e.name, e.reason, e.note)
		}
		if once[e] {
			l.t.Errorf("%s: the event %s %s (%s) is recorded more than once", what, e.name, e.reason, e.note)
		}
		once[e] = true
	}
	for _, e := range due {
		l.t.Errorf("%s: no event %s %s (%s) is recorded", what, e.name, e.reason, e.note)
	}
	l.due, l.told = nil, nil
}

// tellsOfStep tells whether events of a reason tell of a step of a rotation, and not of Ready.
func tellsOfStep(reason string) bool {
	return slices.Contains([]string{
		v1alpha1.ReasonKeyPublished, v1alpha1.ReasonKeyActivated, v1alpha1.ReasonKeyRetired, v1alpha1.ReasonKeyRevoked,
		v1alpha1.ReasonKeyWithdrawn, v1alpha1.ReasonRotationIgnored, v1alpha1.ReasonAlgorithmAdded, v1alpha1.ReasonAlgorithmRemoved,
		v1alpha1.ReasonRotationStarted, v1alpha1.ReasonSecretRotated, v1alpha1.ReasonPreviousSecretRetired, v1alpha1.ReasonRolloutRestarted,
	}, reason)
}

// step changes something, lets the operator work, and compares what has been said of each resource meanwhile, the last at the end.
func (l *wholeLife) step(what string, change func(), want map[string]string) {
	l.t.Helper()
	l.said = map[string][]string{}
	change()
	l.settle()
	for name, sequence := range want {
		if got := strings.Join(l.said[name], " "); got != sequence {
			l.t.Errorf("%s: %s is said to be\n\t%s\nand should be\n\t%s", what, name, got, sequence)
		}
	}
	l.checkEvents(what)
	writes := l.writes
	l.said = map[string][]string{}
	l.startOperator()
	l.settle()
	l.settle()
	if l.writes != writes || len(l.told) > 0 {
		l.t.Errorf("%s: after a restart and more looks, with nothing changed, there are %d writes and the events %v more; said is %v", what, l.writes-writes, l.told, l.said)
	}
}

func change[T client.Object](l *wholeLife, obj T, edit func(T)) {
	l.t.Helper()
	l.must(l.mirror.Get(l.t.Context(), client.ObjectKeyFromObject(obj), obj))
	edit(obj)
	l.must(l.mirror.Update(l.t.Context(), obj))
}

func (l *wholeLife) create(objects ...client.Object) {
	l.t.Helper()
	for _, obj := range objects {
		l.must(l.mirror.Create(l.t.Context(), obj))
	}
}

func (l *wholeLife) remove(objects ...client.Object) {
	l.t.Helper()
	for _, obj := range objects {
		l.must(l.mirror.Delete(l.t.Context(), obj))
	}
}

// kept makes somebody hold resources back from being deleted.
func (l *wholeLife) kept(objects ...client.Object) {
	l.t.Helper()
	for _, obj := range objects {
		change(l, obj, func(obj client.Object) { obj.SetFinalizers([]string{"example.com/hold"}) })
	}
}

// released lets go of resources that are being deleted, of which everybody has been told so until then.
func (l *wholeLife) released(objects ...client.Object) {
	l.t.Helper()
	for _, obj := range objects {
		l.said = map[string][]string{}
		l.must(l.mirror.direct.Get(l.t.Context(), client.ObjectKeyFromObject(obj), obj))
		l.note(obj)
		for name, said := range l.said {
			if got := strings.Join(said, " "); got != "Terminating/Progressing" {
				l.t.Errorf("%s is said to be %s while it is deleted", name, got)
			}
		}
		obj.SetFinalizers(nil)
		l.must(l.mirror.direct.Update(l.t.Context(), obj))
		l.must(l.mirror.drop(l.t.Context(), obj))
	}
}

// ended makes sure that nothing is left of what is gone, a day after.
func (l *wholeLife) ended() {
	l.t.Helper()
	l.settle()
	l.pass(25 * time.Hour)
	l.noOrphans()
	if left := l.managedSecrets(); len(left) > 0 {
		l.t.Errorf("Secrets that are left: %v", left)
	}
}

const (
	waitingSaid  = "InProgress/Progressing"
	currentSaid  = "Current/Healthy"
	brokenSaid   = "Failed/Degraded"
	stoppedSaid  = "Failed/Suspended"
	becomesReady = waitingSaid + " " + currentSaid
)
