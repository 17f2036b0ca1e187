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
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// userReconciler gives every OIDCUser a password, where none is given, and a registration with the provider.
type userReconciler struct {
	client  client.Client
	objects objects
	// foreign shows the metadata of Secrets that the operator did not make.
	foreign   client.Reader
	registrar registrar
	reporter  reporter
	outages   *outages
	now       func() time.Time
}

// +kubebuilder:rbac:groups=oidc-operator.dev,resources=oidcusers,verbs=get;list;watch
// +kubebuilder:rbac:groups=oidc-operator.dev,resources=oidcusers/status,verbs=patch

// Reconcile brings one OIDCUser about.
func (r *userReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	before := &v1alpha1.OIDCUser{}
	if current, err := r.reporter.read(ctx, req.NamespacedName, before); apierrors.IsNotFound(err) {
		r.outages.forget(req.NamespacedName)
		return ctrl.Result{}, r.objects.withdraw(ctx, resources.Owner(kindUser, req.NamespacedName), before, req.NamespacedName, client.InNamespace(req.Namespace))
	} else if err != nil || !current {
		return ctrl.Result{}, err
	}
	state, err := r.observe(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	plan := planUser(before, state, newPassword)
	result, err := r.apply(ctx, before, state, plan)
	result.refused = refused(err)
	if err != nil && result.refused == nil {
		return ctrl.Result{}, err
	}
	obj := before.DeepCopy()
	now := r.now()
	setUserStatus(obj, state, plan, result, metav1.NewTime(now))
	r.outages.note(obj.ProviderKey(), req.NamespacedName, obj.Status.Conditions)
	if hold := result.registered.hold(before, obj, before.Status.ObservedGeneration, r.now()); hold > 0 && err == nil {
		return ctrl.Result{RequeueAfter: hold}, nil
	}
	if err := errors.Join(err, r.reporter.report(ctx, before, obj, err != nil)); err != nil {
		return ctrl.Result{}, err
	}
	if changed, err := availabilityChanged(ctx, r.client, state.provider, now, r.now); err != nil || changed {
		return ctrl.Result{RequeueAfter: outrunDelay}, err
	}
	return ctrl.Result{}, nil
}
