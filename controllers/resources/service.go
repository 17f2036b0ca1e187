package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// PortHTTP and PortHTTPS are the names of the ports on which a provider is reached, of its containers and of its Service.
const (
	PortHTTP  = "http"
	PortHTTPS = "https"
)

// Port is a port on which a provider is reached.
type Port struct {
	Name string
	// Service is the number at the Service, container that at the pod.
	Service, container int32
}

// Ports returns the port on which a provider is reached according to its spec, and the one on which its pods are reached when spec.tls
// was different.
func Ports(p *v1alpha1.OIDCProvider) (current, other Port) {
	plain, encrypted := Port{PortHTTP, 80, portHTTP}, Port{PortHTTPS, 443, portHTTPS}
	if p.Spec.TLS != nil {
		return encrypted, plain
	}
	return plain, encrypted
}

// Exposed is how a provider's pods are reached. While spec.tls is being switched on or off the pods differ, and the Service has both ports:
// to each the pods are endpoints that have it.
type Exposed struct {
	// Ports are those of the Service.
	Ports []Port
	// Backend is the one that Ingress and HTTPRoute lead to.
	Backend Port
}

// ExposedBy returns how a provider is reached with these pods. Routes change over when the first pod serves the new port.
func ExposedBy(p *v1alpha1.OIDCProvider, pods []corev1.Pod, serves func(*corev1.Pod) bool) Exposed {
	current, other := Ports(p)
	e := Exposed{Ports: []Port{current}, Backend: current}
	var currentServes, otherServes, otherExists bool
	for i := range pods {
		pod := &pods[i]
		switch {
		case hasPort(pod, current.Name):
			currentServes = currentServes || serves(pod)
		case hasPort(pod, other.Name):
			otherServes, otherExists = otherServes || serves(pod), otherExists || !ended(pod)
		}
	}
	if otherExists {
		e.Ports = append(e.Ports, other)
	}
	if otherServes && !currentServes {
		e.Backend = other
	}
	return e
}

func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

func hasPort(pod *corev1.Pod, name string) bool {
	for _, c := range pod.Spec.Containers {
		for _, port := range c.Ports {
			if c.Name == ContainerName && port.Name == name {
				return true
			}
		}
	}
	return false
}

// ServiceNames returns the names by which the Service is found in the cluster.
func ServiceNames(p *v1alpha1.OIDCProvider) []string {
	name := p.Name + "." + p.Namespace
	return []string{name, name + ".svc", name + ".svc.cluster.local"}
}

// Service reaches the provider's pods on port 80, or 443 when the provider itself serves TLS.
func Service(p *v1alpha1.OIDCProvider, e Exposed) *acorev1.ServiceApplyConfiguration {
	spec := acorev1.ServiceSpec().WithSelector(selector(p))
	for _, port := range e.Ports {
		spec.WithPorts(acorev1.ServicePort().
			WithName(port.Name).
			WithPort(port.Service).
			WithProtocol(corev1.ProtocolTCP).
			WithTargetPort(intstr.FromString(port.Name)))
	}
	return owned(p, acorev1.Service(p.Name, p.Namespace)).WithSpec(spec)
}
