package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// providerReconciler keeps the objects that run every OIDCProvider.
type providerReconciler struct {
	client   client.Client
	objects  objects
	reporter reporter
	versions *registrationVersions
	// dsns are the databases' addresses, logos the logos, that providers refer to.
	dsns, logos *referents
	// certificates and tlsKeys are what providers serve https with.
	certificates, tlsKeys *referents
	// reach makes calls through providers' Services.
	reach *reach
	// settings remembers since when replicas are awaited that have not applied the current settings.
	settings *waiters
	// image is that of the provider's pods.
	image string
	// keyGrace is how long a new provider waits for a SigningKey before it gets one of its own.
	keyGrace time.Duration
	// gateway tells whether the cluster had the Gateway API when the operator started.
	gateway bool
	now     func() time.Time
}

// +kubebuilder:rbac:groups=oidc-operator.dev,resources=oidcproviders,verbs=get;list;watch
// +kubebuilder:rbac:groups=oidc-operator.dev,resources=oidcproviders/status,verbs=patch
// +kubebuilder:rbac:groups=oidc-operator.dev,resources=signingkeys,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=services;serviceaccounts;persistentvolumeclaims,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=roles;rolebindings,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;list;watch;create;patch;update;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete

// Pods tell whether they serve and why not; their logs and events are not read.
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch

// Reconcile brings one OIDCProvider about.
func (r *providerReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	before := &v1alpha1.OIDCProvider{}
	if current, err := r.reporter.read(ctx, req.NamespacedName, before); apierrors.IsNotFound(err) {
		r.dsns.forget(req.NamespacedName)
		r.logos.forget(req.NamespacedName)
		r.certificates.forget(req.NamespacedName)
		r.tlsKeys.forget(req.NamespacedName)
		r.reach.forget(req.NamespacedName)
		r.settings.remove(req.NamespacedName, req.NamespacedName)
		return ctrl.Result{}, nil // everything goes with its owner reference
	} else if err != nil || !current {
		return ctrl.Result{}, err
	}
	state, err := r.observe(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	plan, err := planProvider(before, state, r.image, newSalt, r.keyGrace, r.now())
	if err != nil {
		return ctrl.Result{}, err
	}
	result, err := r.apply(ctx, before, plan)
	if err != nil && result.obstacle == nil {
		return ctrl.Result{}, err
	}
	if plan.replacedDefault != nil && err == nil {
		if err = r.objects.remove(ctx, plan.replacedDefault); err == nil {
			r.reporter.tell(before, []transition{{reason: v1alpha1.ReasonDefaultKeyReplaced, note: fmt.Sprintf(
				"SigningKey %q signs; the default SigningKey %q is deleted, and what it has signed can be verified to its end",
				plan.replacement.Name, plan.replacedDefault.Name)}})
		}
	}
	obj := before.DeepCopy()
	if hold := r.judge(ctx, obj, state, &plan, result); hold > 0 && err == nil {
		return ctrl.Result{RequeueAfter: hold}, nil
	}
	reportErr := r.reporter.report(ctx, before, obj, err != nil)
	if reportErr == nil {
		r.reporter.tell(obj, algorithmTransitions(before.Status.SigningAlgorithms, obj.Status.SigningAlgorithms))
	}
	return ctrl.Result{RequeueAfter: plan.again}, errors.Join(err, reportErr)
}

// judge writes into p's status what follows from what was observed and done. It returns how much longer nothing is to be said of replicas that
// are about to apply the settings, or 0.
func (r *providerReconciler) judge(ctx context.Context, p *v1alpha1.OIDCProvider, state providerState, plan *providerPlan, result providerResult) time.Duration {
	now := r.now()
	roll := rollout{
		deployment: state.deployment, written: result.rolls, pods: state.pods, absent: state.absent(p), unmanaged: r.reach.probe == nil,
	}
	hold := time.Duration(0)
	if result.settings != "" {
		for _, report := range state.ready {
			if !report.hasApplied(result.settings) {
				roll.behind = append(roll.behind, report.name)
			}
		}
	}
	if len(roll.behind) > 0 { // their reports start the next reconcile
		hold = r.settings.add(p.Key(), p.Key(), result.settings, now).Add(patience).Sub(now)
	} else {
		r.settings.remove(p.Key(), p.Key())
	}
	rolledOut, deadline := judgeRollout(p, roll, now)
	if !deadline.IsZero() {
		plan.lookAgain(deadline.Sub(now))
	}
	available := judgeAvailable(p, state)
	if result.obstacle != nil {
		available = *result.obstacle
	}
	if available.outcome == done {
		unreachable, again := r.reach.judge(ctx, p, result.service, plan.exposed.Backend, state.pods, now)
		if unreachable != nil {
			available = *unreachable
			plan.lookAgain(again)
		}
	}
	setProviderStatus(p, state, rolledOut, plan.tls, available, metav1.NewTime(now))
	if hold > 0 && rolledOut.reason == v1alpha1.ReasonAwaitingReplicas && available.outcome == done {
		return min(hold, behindDelay)
	}
	return 0
}

// behindDelay is the time between two looks at replicas that are about to apply the settings.
const behindDelay = 100 * time.Millisecond
