package controllers

import (
	"bytes"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// setProviderStatus writes into p's status what follows from what was observed and judged. tls is about a provider with spec.tls.
func setProviderStatus(p *v1alpha1.OIDCProvider, state providerState, rolledOut, tls, available verdict, now metav1.Time) {
	issuer := p.Spec.Issuer
	p.Status.Endpoints = &v1alpha1.Endpoints{
		Issuer:        issuer,
		Discovery:     oidc.Endpoint(issuer, oidc.PathDiscovery),
		Authorization: oidc.Endpoint(issuer, oidc.PathAuthorization),
		Token:         oidc.Endpoint(issuer, oidc.PathToken),
		Userinfo:      oidc.Endpoint(issuer, oidc.PathUserinfo),
		JWKS:          oidc.Endpoint(issuer, oidc.PathJWKS),
		EndSession:    oidc.Endpoint(issuer, oidc.PathLogout),
		Introspection: oidc.Endpoint(issuer, oidc.PathIntrospection),
		Revocation:    oidc.Endpoint(issuer, oidc.PathRevocation),

		PushedAuthorizationRequest: oidc.Endpoint(issuer, oidc.PathPushedRequest),
		DeviceAuthorization:        oidc.Endpoint(issuer, oidc.PathDeviceAuthorization),
	}
	setCounts(p, state)
	p.Status.SigningAlgorithms = activeAlgorithms(state.signingKeys)
	verdicts := []named{{v1alpha1.ConditionStorageReady, judgeStorage(p, state)}}
	if p.Spec.TLS != nil {
		verdicts = append(verdicts, named{v1alpha1.ConditionTLSReady, tls})
	} else {
		meta.RemoveStatusCondition(&p.Status.Conditions, v1alpha1.ConditionTLSReady)
	}
	verdicts = append(verdicts,
		named{v1alpha1.ConditionSigningReady, judgeSigning(p, state)},
		named{v1alpha1.ConditionRolledOut, rolledOut},
		named{v1alpha1.ConditionAvailable, available})
	if available.outcome == stalled { // what somebody must edit comes before what is waited for
		verdicts = append([]named{{v1alpha1.ConditionAvailable, available}}, verdicts...)
	}
	if p.Spec.Branding.LogoConfigMapRef != nil {
		verdicts = append(verdicts, named{v1alpha1.ConditionBrandingReady, judgeLogo(p, state.logo)})
	} else {
		meta.RemoveStatusCondition(&p.Status.Conditions, v1alpha1.ConditionBrandingReady)
	}
	setConditions(&p.Status.Conditions, p.Generation, now, verdicts...)
}

// judgeDSN decides ConditionStorageReady.
func judgeDSN(p *v1alpha1.OIDCProvider, dsn referent) verdict {
	name, key := p.DSNSecretName(), p.DSNSecretKey()
	switch {
	case !dsn.found:
		return wait(v1alpha1.ReasonDSNSecretNotFound, fmt.Sprintf(
			"Secret %q of spec.storage.postgres.dsnSecretRef does not exist in namespace %q; create it", name, p.Namespace))
	case len(bytes.TrimSpace(dsn.value)) == 0:
		return wait(v1alpha1.ReasonDSNKeyNotFound, fmt.Sprintf(
			"Secret %q has nothing under the key %q; put the database's URI there or correct spec.storage.postgres.dsnSecretRef", name, key))
	default:
		return accept(v1alpha1.ReasonDSNReady, fmt.Sprintf("Secret %q says how to reach the database", name))
	}
}

// judgeStorage decides ConditionStorageReady by the replicas' reports.
func judgeStorage(p *v1alpha1.OIDCProvider, state providerState) verdict {
	ready := accept(v1alpha1.ReasonVolumeReady, "no replica reports that its storage fails")
	if p.Spec.Storage.Postgres != nil {
		if ready = judgeDSN(p, state.dsn); ready.outcome != done {
			return ready
		}
	}
	if v := storageFault(p, state.ready); v != nil && p.DesiredReplicas() > 0 {
		return *v
	}
	return ready
}

// storageFault returns what the first replica with a fault reports, or nil when none does.
func storageFault(p *v1alpha1.OIDCProvider, reports []replicaReport) *verdict {
	var fault registration.StorageFault
	var with []string
	for _, r := range reports {
		if !r.storage.IsZero() {
			with = append(with, r.name)
			if fault.IsZero() {
				fault = r.storage
			}
		}
	}
	if len(with) == 0 {
		return nil
	}
	storage := "scratch volume of the pod (spec.storage.embedded.emptyDir)"
	remedy := "delete the pod to begin with an empty one"
	switch {
	case p.Spec.Storage.Postgres != nil:
		storage, remedy = fmt.Sprintf("database of Secret %q", p.DSNSecretName()), "see that it runs, has room and can be reached"
	case p.Spec.Storage.Embedded.EmptyDir == nil:
		storage, remedy = fmt.Sprintf("volume of PersistentVolumeClaim %q", resources.ClaimName(p)), "see that it works"
		if fault.Reason == registration.StorageVolumeFull {
			remedy = "expired data makes room by itself; for more, raise spec.storage.embedded.size"
		}
	}
	v := wait(string(fault.Reason), fmt.Sprintf("%d of %d ready replicas cannot use the %s: %s; %s",
		len(with), len(reports), storage, fault.Message, remedy))
	return &v
}

// judgeLogo decides ConditionBrandingReady of an OIDCProvider with a logo.
func judgeLogo(p *v1alpha1.OIDCProvider, logo referent) verdict {
	ref := p.Spec.Branding.LogoConfigMapRef
	switch {
	case !logo.found:
		return wait(v1alpha1.ReasonLogoConfigMapNotFound, fmt.Sprintf(
			"ConfigMap %q of spec.branding.logoConfigMapRef does not exist in namespace %q; create it or remove the field", ref.Name, p.Namespace))
	case len(logo.value) == 0:
		return wait(v1alpha1.ReasonLogoKeyNotFound, fmt.Sprintf(
			"ConfigMap %q has nothing under the key %q; put the image there or correct spec.branding.logoConfigMapRef", ref.Name, ref.Key))
	case len(logo.value) > registration.MaxLogoBytes:
		return wait(v1alpha1.ReasonLogoInvalid, fmt.Sprintf(
			"the image under the key %q of ConfigMap %q has %d bytes; make it no larger than %d", ref.Key, ref.Name, len(logo.value), registration.MaxLogoBytes))
	default:
		return accept(v1alpha1.ReasonLogoReady, fmt.Sprintf("the pages show the logo of ConfigMap %q", ref.Name))
	}
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

// activeAlgorithms returns the algorithms that the discovery document lists, in its order.
func activeAlgorithms(signingKeys []v1alpha1.SigningKey) []string {
	var algorithms []string
	for _, algorithm := range registration.Algorithms() {
		active := func(k v1alpha1.SigningKey) bool { return k.Algorithm() == algorithm && k.Status.ActiveKeyID != "" }
		if slices.ContainsFunc(signingKeys, active) {
			algorithms = append(algorithms, algorithm)
		}
	}
	return algorithms
}

// algorithmTransitions tells of algorithms that have come and gone. Those of a new provider are no news.
func algorithmTransitions(before, after []string) []transition {
	var found []transition
	if len(before) == 0 {
		return nil
	}
	for _, algorithm := range after {
		if !slices.Contains(before, algorithm) {
			found = append(found, transition{reason: v1alpha1.ReasonAlgorithmAdded, note: fmt.Sprintf(
				"the discovery document lists %s now; relying parties that keep the document, such as Matrix Synapse, know it after a restart", algorithm)})
		}
	}
	for _, algorithm := range before {
		if !slices.Contains(after, algorithm) {
			found = append(found, transition{warning: true, reason: v1alpha1.ReasonAlgorithmRemoved, note: fmt.Sprintf(
				"the discovery document does not list %s any more, because no SigningKey has an active key of it; restart relying parties that keep the document, such as Matrix Synapse", algorithm)})
		}
	}
	return found
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
	return wait(v1alpha1.ReasonAwaitingSigningKey, fmt.Sprintf("no SigningKey names this OIDCProvider; %q is about to be created", defaultKeyName(p.Key())))
}

// judgeAvailable decides ConditionAvailable by what the replicas themselves report; the Deployment only explains why none does.
func judgeAvailable(p *v1alpha1.OIDCProvider, state providerState) verdict {
	switch {
	case p.DesiredReplicas() == 0: // whoever waits for it must not be told that all is well while the last replica ends
		return stall(v1alpha1.ReasonStopped, "spec.replicas is 0; set it to 1 to start the provider")
	case slices.ContainsFunc(state.ready, func(r replicaReport) bool { return r.storage.IsZero() }):
		return accept(v1alpha1.ReasonAvailable, "at least one replica answers requests")
	case len(state.ready) > 0:
		v := *storageFault(p, state.ready)
		v.message = "nobody can sign in: " + v.message
		return v
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
