package controllers

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/keys"
)

// signingKeyReconciler keeps the private key of every SigningKey in a registration Secret.
type signingKeyReconciler struct {
	client   client.Client
	objects  objects
	reporter reporter
	now      func() time.Time
}

// +kubebuilder:rbac:groups=oidc-operator.dev,resources=signingkeys,verbs=get;list;watch
// +kubebuilder:rbac:groups=oidc-operator.dev,resources=signingkeys/status,verbs=patch

// Reconcile brings one SigningKey about.
func (r *signingKeyReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	before := &v1alpha1.SigningKey{}
	if err := r.client.Get(ctx, req.NamespacedName, before); apierrors.IsNotFound(err) {
		return ctrl.Result{}, r.withdraw(ctx, req.NamespacedName)
	} else if err != nil {
		return ctrl.Result{}, err
	}
	state, err := r.observe(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	plan, err := planSigningKey(before, state, r.now(), keys.Generate)
	if err != nil {
		return ctrl.Result{}, err
	}
	plan.ready, err = r.apply(ctx, before, state, plan)
	if v := refused(err); v != nil {
		plan.ready, plan.document = *v, nil
	} else if err != nil {
		return ctrl.Result{}, err
	}
	obj := before.DeepCopy()
	setSigningKeyStatus(obj, plan, metav1.NewTime(r.now()))
	return ctrl.Result{}, errors.Join(err, r.reporter.report(ctx, before, obj))
}
