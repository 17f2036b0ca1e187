package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// serving is the port on which a provider is reached.
type serving struct {
	name               string
	service, container int32
}

func servingPort(p *v1alpha1.OIDCProvider) serving {
	if p.Spec.TLS != nil {
		return serving{"https", 443, portHTTPS}
	}
	return serving{"http", 80, portHTTP}
}

// Service reaches the provider's pods on port 80, or 443 when the provider itself serves TLS.
func Service(p *v1alpha1.OIDCProvider) *acorev1.ServiceApplyConfiguration {
	port := servingPort(p)
	return owned(p, acorev1.Service(p.Name, p.Namespace)).WithSpec(acorev1.ServiceSpec().
		WithSelector(selector(p)).
		WithPorts(acorev1.ServicePort().
			WithName(port.name).
			WithPort(port.service).
			WithProtocol(corev1.ProtocolTCP).
			WithTargetPort(intstr.FromString(port.name))))
}
