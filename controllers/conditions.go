package controllers

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// outcome tells what a condition that is not True asks for.
type outcome int

const (
	// done: nothing is to be done.
	done outcome = iota
	// waiting: something that the operator watches will change.
	waiting
	// stalled: somebody must edit something.
	stalled
)

// verdict is a decision about one aspect of a resource. It feeds condition, event and log alike.
type verdict struct {
	outcome outcome
	reason  string
	message string
}

func accept(reason, message string) verdict { return verdict{done, reason, message} }
func wait(reason, message string) verdict   { return verdict{waiting, reason, message} }
func stall(reason, message string) verdict  { return verdict{stalled, reason, message} }

// named is a verdict under the type of its condition.
type named struct {
	conditionType string
	verdict
}

// setConditions writes the conditions of the verdicts, and Ready, Reconciling and Stalled as they follow from them: Ready
// carries the reason and message of the first verdict that is in the way, or the names of what was checked.
func setConditions(conditions *[]metav1.Condition, generation int64, now metav1.Time, verdicts ...named) {
	ready := named{v1alpha1.ConditionReady, accept(v1alpha1.ReasonReady, "")}
	var checked []string
	for _, v := range verdicts {
		if v.conditionType != v1alpha1.ConditionReady {
			set(conditions, generation, now, v)
			checked = append(checked, v.conditionType)
		}
		if ready.outcome == done && v.outcome != done {
			ready.verdict = v.verdict
		}
	}
	if ready.outcome == done {
		ready.message = "these conditions are True: " + strings.Join(checked, ", ")
	}
	set(conditions, generation, now, ready)
	setWhile(conditions, ready.outcome == waiting, generation, now, v1alpha1.ConditionReconciling, ready.verdict)
	setWhile(conditions, ready.outcome == stalled, generation, now, v1alpha1.ConditionStalled, ready.verdict)
}

func set(conditions *[]metav1.Condition, generation int64, now metav1.Time, v named) {
	status := metav1.ConditionFalse
	if v.outcome == done {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: v.conditionType, Status: status, Reason: v.reason, Message: v.message,
		ObservedGeneration: generation, LastTransitionTime: now,
	})
}

// setWhile keeps a condition that is present only while true.
func setWhile(conditions *[]metav1.Condition, holds bool, generation int64, now metav1.Time, conditionType string, v verdict) {
	if !holds {
		meta.RemoveStatusCondition(conditions, conditionType)
		return
	}
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: conditionType, Status: metav1.ConditionTrue, Reason: v.reason, Message: v.message,
		ObservedGeneration: generation, LastTransitionTime: now,
	})
}
