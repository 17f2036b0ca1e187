package resources

import (
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	ametav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	anetworkingv1 "k8s.io/client-go/applyconfigurations/networking/v1"
	apolicyv1 "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// HTTPRouteKind is the kind of HTTPRoute of the Gateway API.
func HTTPRouteKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
}

// PodDisruptionBudget lets one pod at a time be evicted, so that a node can always be drained.
func PodDisruptionBudget(p *v1alpha1.OIDCProvider) *apolicyv1.PodDisruptionBudgetApplyConfiguration {
	return owned(p, apolicyv1.PodDisruptionBudget(p.Name, p.Namespace)).WithSpec(apolicyv1.PodDisruptionBudgetSpec().
		WithMaxUnavailable(intstr.FromInt32(1)).
		WithSelector(ametav1.LabelSelector().WithMatchLabels(selector(p))))
}

// LabelScrape is on a namespace whose pods may reach the admin port, as Prometheus has to; its value is "true".
const LabelScrape = "oidc-operator.dev/scrape"

// NetworkPolicy lets traffic in to the serving port, and from namespaces with LabelScrape to the admin port. Probes come from the pod's
// own node, which no policy keeps out. What the pods send is left alone: the database, the applications' keys and the pages that are told
// of a logout may be anywhere.
func NetworkPolicy(p *v1alpha1.OIDCProvider, e Exposed) *anetworkingv1.NetworkPolicyApplyConfiguration {
	port := func(number int32) *anetworkingv1.NetworkPolicyPortApplyConfiguration {
		return anetworkingv1.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(intstr.FromInt32(number))
	}
	serving := anetworkingv1.NetworkPolicyIngressRule()
	for _, exposed := range e.Ports {
		serving.WithPorts(port(exposed.container))
	}
	return owned(p, anetworkingv1.NetworkPolicy(p.Name, p.Namespace)).WithSpec(anetworkingv1.NetworkPolicySpec().
		WithPodSelector(ametav1.LabelSelector().WithMatchLabels(selector(p))).
		WithPolicyTypes(networkingv1.PolicyTypeIngress).
		WithIngress(
			serving,
			anetworkingv1.NetworkPolicyIngressRule().WithPorts(port(portAdmin)).WithFrom(anetworkingv1.NetworkPolicyPeer().
				WithNamespaceSelector(ametav1.LabelSelector().WithMatchLabels(map[string]string{LabelScrape: "true"})))))
}

// Ingress routes the issuer's host and path to the Service, or is nil when none is asked for.
func Ingress(p *v1alpha1.OIDCProvider, exposed Exposed) *anetworkingv1.IngressApplyConfiguration {
	e := p.Spec.Expose.Ingress
	if e == nil {
		return nil
	}
	host, path := hostAndPath(p.Spec.Issuer)
	to := func(path string, how networkingv1.PathType) *anetworkingv1.HTTPIngressPathApplyConfiguration {
		return anetworkingv1.HTTPIngressPath().WithPath(path).WithPathType(how).
			WithBackend(anetworkingv1.IngressBackend().WithService(anetworkingv1.IngressServiceBackend().
				WithName(p.Name).
				WithPort(anetworkingv1.ServiceBackendPort().WithName(exposed.Backend.Name))))
	}
	paths := anetworkingv1.HTTPIngressRuleValue().WithPaths(to(path, networkingv1.PathTypePrefix))
	if metadata := metadataPath(path); metadata != "" {
		paths.WithPaths(to(metadata, networkingv1.PathTypeExact))
	}
	if legacy := synologyPath(p, path); legacy != "" {
		paths.WithPaths(to(legacy, networkingv1.PathTypePrefix))
	}
	spec := anetworkingv1.IngressSpec().WithRules(anetworkingv1.IngressRule().WithHost(host).WithHTTP(paths))
	if e.ClassName != "" {
		spec.WithIngressClassName(e.ClassName)
	}
	if e.TLSSecretName != "" {
		spec.WithTLS(anetworkingv1.IngressTLS().WithHosts(host).WithSecretName(e.TLSSecretName))
	}
	return owned(p, anetworkingv1.Ingress(p.Name, p.Namespace).WithAnnotations(e.Annotations)).WithSpec(spec)
}

// HTTPRoute routes the issuer's host and path to the Service, or is nil when none is asked for.
func HTTPRoute(p *v1alpha1.OIDCProvider, exposed Exposed) *unstructured.Unstructured {
	e := p.Spec.Expose.HTTPRoute
	if e == nil {
		return nil
	}
	host, path := hostAndPath(p.Spec.Issuer)
	parents := []any{}
	for _, ref := range e.ParentRefs {
		parent := map[string]any{"name": ref.Name}
		if ref.Namespace != "" {
			parent["namespace"] = ref.Namespace
		}
		if ref.SectionName != "" {
			parent["sectionName"] = ref.SectionName
		}
		parents = append(parents, parent)
	}
	matches := []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": path}}}
	if metadata := metadataPath(path); metadata != "" {
		matches = append(matches, map[string]any{"path": map[string]any{"type": "Exact", "value": metadata}})
	}
	if legacy := synologyPath(p, path); legacy != "" {
		matches = append(matches, map[string]any{"path": map[string]any{"type": "PathPrefix", "value": legacy}})
	}
	owner := *convert[map[string]any](OwnerReference("OIDCProvider", p))
	route := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{
			"name": p.Name, "namespace": p.Namespace,
			"ownerReferences": []any{owner},
		},
		"spec": map[string]any{
			"hostnames":  []any{host},
			"parentRefs": parents,
			"rules": []any{map[string]any{
				"matches":     matches,
				"backendRefs": []any{map[string]any{"name": p.Name, "port": int64(exposed.Backend.Service)}},
			}},
		},
	}}
	route.SetGroupVersionKind(HTTPRouteKind())
	route.SetLabels(labels(p))
	route.SetAnnotations(map[string]string{AnnotationOwner: Owner("OIDCProvider", p.Key())})
	return route
}

// metadataPath returns where the metadata of RFC 8414 is when it is outside of the issuer's path, before which section 3.1
// puts it, or "".
func metadataPath(path string) string {
	if path == "/" {
		return ""
	}
	return oidc.PathServerMetadata + path
}

// synologyPath returns where applications that were written for Synology SSO Server look for it when that is outside of the
// issuer's path: they know a host and nothing else. It is "" when nobody may find it, or the issuer's path holds it already.
func synologyPath(p *v1alpha1.OIDCProvider, path string) string {
	if path == "/" || !p.Spec.SynologySSO.Serves() {
		return ""
	}
	return registration.SynologyPath
}

// hostAndPath returns the host without port and the path, at least "/", of an issuer that the API server has accepted.
func hostAndPath(issuer string) (host, path string) {
	u, err := url.Parse(issuer)
	if err != nil {
		return "", "/"
	}
	path = "/" + strings.Trim(u.Path, "/")
	return u.Hostname(), path
}
