package controllers

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// apply brings every child about. One that cannot be is no reason to leave out the others; the first obstacle is returned.
func (r *providerReconciler) apply(ctx context.Context, p *v1alpha1.OIDCProvider, plan providerPlan) (*verdict, error) {
	mine := ownedBy(resources.Owner(kindProvider, p.Key()))
	var obstacle *verdict
	for _, c := range plan.children {
		key := client.ObjectKey{Namespace: p.Namespace, Name: c.name}
		found, err := r.objects.get(ctx, key, c.empty)
		switch {
		case err != nil:
		case c.desired != nil && found:
			_, err = r.objects.apply(ctx, c.desired, c.empty, mine)
		case c.desired != nil:
			_, err = r.objects.apply(ctx, c.desired, nil, mine)
		case found && mine(c.empty):
			err = r.objects.remove(ctx, c.empty)
		}
		v, err := asObstacle(err)
		if err != nil {
			return nil, err
		}
		if obstacle == nil {
			obstacle = v
		}
	}
	return obstacle, nil
}

// asObstacle turns an error that repeating cannot mend into a verdict.
func asObstacle(err error) (*verdict, error) {
	notOwned, taken := asNotOwned(err)
	var v verdict
	switch {
	case taken:
		v = stall(v1alpha1.ReasonObjectNotOwned, fmt.Sprintf(
			"%s %q exists and is not owned by this OIDCProvider; delete it or give the OIDCProvider another name", notOwned.kind, notOwned.name))
	case meta.IsNoMatchError(err):
		v = stall(v1alpha1.ReasonHTTPRouteUnsupported,
			"spec.expose.httpRoute needs the Gateway API, which this cluster does not have; install it and restart the operator, or remove the field")
	case apierrors.IsInvalid(err) || apierrors.IsForbidden(err):
		v = stall(v1alpha1.ReasonApplyRefused, "the API server refuses an object that the provider needs: "+err.Error())
	default:
		return nil, err
	}
	return &v, nil
}
