package controllers

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// apply brings every child about. One that cannot be is no reason to leave out the others; the first obstacle is returned.
// The error of a refused write comes beside it, so that it is tried again.
func (r *providerReconciler) apply(ctx context.Context, p *v1alpha1.OIDCProvider, plan providerPlan) (result providerResult, err error) {
	result.obstacle = plan.obstacle
	for _, c := range plan.children {
		written, childErr := r.applyChild(ctx, p, c)
		v, again := asObstacle(childErr)
		if v == nil && again != nil {
			return providerResult{}, again
		}
		if result.obstacle == nil {
			result.obstacle = v
		}
		err = errors.Join(err, again)
		switch found := c.empty.(type) {
		case *appsv1.Deployment:
			result.rolls = written.written
		case *corev1.Service:
			result.service = found
		case *corev1.Secret:
			result.settings = written.version
		}
	}
	return result, err
}

// providerResult is what came of a plan.
type providerResult struct {
	// obstacle is why something could not be brought about, or nil.
	obstacle *verdict
	// rolls tells that the Deployment was changed.
	rolls bool
	// service is the Service as it stood before, without a UID when there was none; nil: it was not looked at.
	service *corev1.Service
	// settings is the resource version of the settings, or "".
	settings string
}

func (r *providerReconciler) applyChild(ctx context.Context, p *v1alpha1.OIDCProvider, c child) (applied, error) {
	var result applied
	mine := ownedBy(resources.Owner(kindProvider, p.Key()))
	found, err := r.objects.get(ctx, client.ObjectKey{Namespace: p.Namespace, Name: c.name}, c.empty)
	switch {
	case err != nil:
	case isKey(c) && !found:
		err = r.objects.create(ctx, c.desired)
	case isKey(c) && mine(c.empty): // it is its owner's from then on
	case c.desired != nil && found:
		result, err = r.objects.apply(ctx, c.desired, c.empty, mine)
	case c.desired != nil:
		result, err = r.objects.apply(ctx, c.desired, nil, mine)
	case found && mine(c.empty):
		err = r.objects.remove(ctx, c.empty)
	}
	return result, err
}

// isKey tells whether a child is the default SigningKey. The operator has no right to change one, and needs none to create it.
func isKey(c child) bool {
	_, is := c.empty.(*v1alpha1.SigningKey)
	return is
}

// asObstacle turns an error that somebody has to remove the cause of into a verdict. The error that it returns is to be
// tried again.
func asObstacle(err error) (*verdict, error) {
	if notOwned, taken := asNotOwned(err); taken {
		v := stall(v1alpha1.ReasonObjectNotOwned, fmt.Sprintf(
			"%s %q exists and is not owned by this OIDCProvider; delete it or give the OIDCProvider another name", notOwned.kind, notOwned.name))
		// Nothing tells when an object without the operator's label goes.
		return &v, err
	}
	if meta.IsNoMatchError(err) {
		v := stall(v1alpha1.ReasonHTTPRouteUnsupported,
			"spec.expose.httpRoute needs the Gateway API, which this cluster does not have; install it and restart the operator, or remove the field")
		return &v, nil
	}
	return refused(err), err
}
