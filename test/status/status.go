// Package status reads the conditions of resources for programs that have no test framework.
package status

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// Conditioned is a resource with conditions.
type Conditioned interface {
	client.Object
	Conditions() *[]metav1.Condition
}

// Ready reads obj anew and says why it is not Ready as it was written last.
func Ready(ctx context.Context, reader client.Reader, obj Conditioned) error {
	if err := reader.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		return err
	}
	condition := meta.FindStatusCondition(*obj.Conditions(), v1alpha1.ConditionReady)
	switch {
	case condition == nil || condition.ObservedGeneration != obj.GetGeneration():
		return fmt.Errorf("the operator has not looked at %T %s", obj, obj.GetName())
	case condition.Status != metav1.ConditionTrue:
		return fmt.Errorf("%T %s: %s: %s", obj, obj.GetName(), condition.Reason, condition.Message)
	}
	return nil
}
