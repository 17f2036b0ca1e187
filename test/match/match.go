package match

import (
	"fmt"

	"github.com/onsi/gomega/gcustom"
	"github.com/onsi/gomega/types"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// conditioned is a resource with conditions.
type conditioned interface {
	Conditions() *[]metav1.Condition
}

// HaveCondition succeeds when the resource has a condition with that status and reason, and a message that message matches.
// An empty reason and a nil message match anything.
func HaveCondition(conditionType string, status metav1.ConditionStatus, reason string, message types.GomegaMatcher) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(obj conditioned) (bool, error) {
		c := meta.FindStatusCondition(*obj.Conditions(), conditionType)
		if c == nil || c.Status != status || (reason != "" && c.Reason != reason) {
			return false, nil
		}
		if message == nil {
			return true, nil
		}
		return message.Match(c.Message)
	}).WithTemplate("Expected\n{{.FormattedActual}}\n{{.To}} have condition {{.Data}}", fmt.Sprintf("%s=%s %s", conditionType, status, reason))
}

// BeReady succeeds when Ready is True.
func BeReady() types.GomegaMatcher {
	return HaveCondition("Ready", metav1.ConditionTrue, "", nil)
}

// BeRefused succeeds when Ready is False and Stalled is True, with that reason and a message that message matches.
func BeRefused(reason string, message types.GomegaMatcher) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(obj conditioned) (bool, error) {
		for conditionType, status := range map[string]metav1.ConditionStatus{"Ready": metav1.ConditionFalse, "Stalled": metav1.ConditionTrue} {
			ok, err := HaveCondition(conditionType, status, reason, message).Match(obj)
			if err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	}).WithTemplate("Expected\n{{.FormattedActual}}\n{{.To}} be refused with reason {{.Data}}", reason)
}
