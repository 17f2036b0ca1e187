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

// signingKeyReconciler keeps the keys of every SigningKey in a registration Secret and moves them through their phases, see
// signingkey_phases.go.
type signingKeyReconciler struct {
	client    client.Client
	objects   objects
	registrar registrar
	reporter  reporter
	// imports are the Secrets of spec.import.
	imports *referents
	now     func() time.Time
}

// +kubebuilder:rbac:groups=oidc-operator.dev,resources=signingkeys,verbs=get;list;watch
// +kubebuilder:rbac:groups=oidc-operator.dev,resources=signingkeys/status,verbs=patch

// Reconcile brings one SigningKey about.
func (r *signingKeyReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	before := &v1alpha1.SigningKey{}
	if current, err := r.reporter.read(ctx, req.NamespacedName, before); apierrors.IsNotFound(err) {
		next, err := r.withdraw(ctx, req.NamespacedName)
		return ctrl.Result{RequeueAfter: next}, err
	} else if err != nil || !current {
		return ctrl.Result{}, err
	}
	state, err := r.observe(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := r.now()
	plan, err := planSigningKey(before, state, now, keys.Generate)
	if err != nil {
		return ctrl.Result{}, err
	}
	plan, err = r.apply(ctx, before, state, plan)
	again := plan.again(now)
	if v := refused(err); v != nil {
		plan = state.unchanged(*v)
	} else if err != nil {
		return ctrl.Result{}, err
	}
	obj := before.DeepCopy()
	setSigningKeyStatus(obj, plan, metav1.NewTime(now))
	reportErr := r.reporter.report(ctx, before, obj, err != nil)
	if err == nil && plan.progress != nil {
		r.reporter.tell(obj, plan.progress.transitions)
	}
	return ctrl.Result{RequeueAfter: again}, errors.Join(err, reportErr)
}
