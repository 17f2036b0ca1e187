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
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

// clientReconciler gives every OIDCClient its credentials Secret and its registration with the provider.
type clientReconciler struct {
	client    client.Client
	objects   objects
	registrar registrar
	reporter  reporter
	// brought are the client secrets that existingSecretRefs name.
	brought *referents
	made    *madeSecrets
	outages *outages
	// released are the OIDCClients that gave their client IDs up when they were deleted.
	released releasedClients
	now      func() time.Time
}

// +kubebuilder:rbac:groups=oidc-operator.dev,resources=oidcclients,verbs=get;list;watch
// +kubebuilder:rbac:groups=oidc-operator.dev,resources=oidcclients/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io;"",resources=events,verbs=create;patch

// Reconcile brings one OIDCClient about.
func (r *clientReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	before := &v1alpha1.OIDCClient{}
	if current, err := r.reporter.read(ctx, req.NamespacedName, before); apierrors.IsNotFound(err) {
		r.brought.forget(req.NamespacedName)
		r.made.forget(req.NamespacedName)
		r.outages.forget(req.NamespacedName)
		return ctrl.Result{}, r.withdraw(ctx, req.NamespacedName, before)
	} else if err != nil || !current {
		return ctrl.Result{}, err
	}
	if !releases(before) {
		r.released.forget(req.NamespacedName) // the one that gave its client ID up was made again
	}
	effective := presets.Effective(before)
	state, err := r.observe(ctx, effective)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := r.now()
	plan, err := planClient(effective, state, now, r.made.client(effective), newClientSecret)
	if err != nil {
		return ctrl.Result{}, err
	}
	result, err := r.apply(ctx, effective, state, plan)
	result.refused = refused(err)
	if err != nil && result.refused == nil {
		return ctrl.Result{}, err
	}
	if result.outrun {
		return ctrl.Result{RequeueAfter: outrunDelay}, nil
	}
	obj := new(*effective) // of which only the status is changed and written
	effective.Status.DeepCopyInto(&obj.Status)
	setClientStatus(obj, state, plan, result, metav1.NewTime(now))
	r.outages.note(obj.ProviderKey(), req.NamespacedName, obj.Status.Conditions)
	if hold := result.registered.hold(before, obj, before.Status.ObservedGeneration, now); hold > 0 && err == nil && !plan.secrets.announces && !plan.secrets.switches && len(plan.secrets.revokes) == 0 {
		return ctrl.Result{RequeueAfter: hold}, nil
	}
	if reportErr := r.reporter.report(ctx, before, obj, err != nil); err != nil || reportErr != nil {
		return ctrl.Result{}, errors.Join(err, reportErr)
	}
	r.announceSecrets(before, obj, plan, result)
	if result.restartErr != nil {
		return ctrl.Result{}, result.restartErr
	}
	if changed, err := availabilityChanged(ctx, r.client, state.provider, now, r.now); err != nil || changed {
		return ctrl.Result{RequeueAfter: outrunDelay}, err
	}
	return ctrl.Result{RequeueAfter: untilNext(plan, result, now)}, nil
}
