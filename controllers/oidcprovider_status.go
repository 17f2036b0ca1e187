package controllers

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// setProviderStatus writes into p's status what follows from what was observed, and from what stood in the way, if anything.
func setProviderStatus(p *v1alpha1.OIDCProvider, state providerState, obstacle *verdict, now metav1.Time) {
	available := judgeAvailable(p, state)
	if obstacle != nil {
		available = *obstacle
	}
	issuer := p.Spec.Issuer
	p.Status.Endpoints = &v1alpha1.Endpoints{
		Issuer:        issuer,
		Discovery:     oidc.Endpoint(issuer, oidc.PathDiscovery),
		Authorization: oidc.Endpoint(issuer, oidc.PathAuthorization),
		Token:         oidc.Endpoint(issuer, oidc.PathToken),
		Userinfo:      oidc.Endpoint(issuer, oidc.PathUserinfo),
		JWKS:          oidc.Endpoint(issuer, oidc.PathJWKS),
		EndSession:    oidc.Endpoint(issuer, oidc.PathLogout),
	}
	setCounts(p, state)
	setConditions(&p.Status.Conditions, p.Generation, now,
		named{v1alpha1.ConditionSigningReady, judgeSigning(p, state)},
		named{v1alpha1.ConditionAvailable, available})
}

// setCounts counts what every ready replica has, and keeps the last counts of registrations while none is ready.
func setCounts(p *v1alpha1.OIDCProvider, state providerState) {
	current := int32(0)
	for i, replica := range state.ready {
		if state.version == "" || replica.hasApplied(state.version) {
			current++
		}
		clients, users := int32(replica.clients), int32(replica.users) //nolint:gosec // far below 2^31
		if i == 0 || p.Status.Registered == nil {
			p.Status.Registered = &v1alpha1.RegisteredCounts{Clients: new(clients), Users: new(users)}
		} else {
			p.Status.Registered.Clients = new(min(*p.Status.Registered.Clients, clients))
			p.Status.Registered.Users = new(min(*p.Status.Registered.Users, users))
		}
	}
	p.Status.Replicas = &v1alpha1.ReplicaCounts{Ready: new(int32(len(state.ready))), Current: new(current)} //nolint:gosec // a handful
}

// judgeSigning decides ConditionSigningReady.
func judgeSigning(p *v1alpha1.OIDCProvider, state providerState) verdict {
	for i := range state.signingKeys {
		if state.signingKeys[i].Status.ActiveKeyID != "" {
			return accept(v1alpha1.ReasonSigningKeyActive, fmt.Sprintf("SigningKey %q has an active key", state.signingKeys[i].Name))
		}
	}
	if len(state.signingKeys) > 0 {
		return wait(v1alpha1.ReasonAwaitingSigningKey, fmt.Sprintf("SigningKey %q has no active key yet; see its conditions", state.signingKeys[0].Name))
	}
	return wait(v1alpha1.ReasonAwaitingSigningKey, fmt.Sprintf("no SigningKey names this OIDCProvider; %q is about to be created", p.Name+"-default"))
}

// judgeAvailable decides ConditionAvailable by what the replicas themselves report; the Deployment only explains why none does.
func judgeAvailable(p *v1alpha1.OIDCProvider, state providerState) verdict {
	switch {
	case len(state.ready) > 0:
		return accept(v1alpha1.ReasonAvailable, "at least one replica answers requests")
	case p.DesiredReplicas() == 0:
		return stall(v1alpha1.ReasonStopped, "spec.replicas is 0; set it to 1 to start the provider")
	}
	if failure := deploymentFailure(state.deployment); failure != "" {
		return wait(v1alpha1.ReasonDeploymentFailed, fmt.Sprintf("Deployment %q: %s", p.Name, failure))
	}
	return wait(v1alpha1.ReasonAwaitingReport, fmt.Sprintf("no replica has reported yet that it answers requests; see the pods of Deployment %q", p.Name))
}

func deploymentFailure(d *appsv1.Deployment) string {
	if d == nil {
		return ""
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue ||
			c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse {
			return c.Message
		}
	}
	return ""
}
