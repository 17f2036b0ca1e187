package controllers

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// namespaceAllowed tells whether a provider admits OIDCClients of a namespace.
func namespaceAllowed(ctx context.Context, reader client.Reader, provider *v1alpha1.OIDCProvider, namespace string) (bool, error) {
	allowed := provider.Spec.AllowedClients.Namespaces
	switch allowed.From {
	case v1alpha1.NamespacesFromAll:
		return true, nil
	case v1alpha1.NamespacesFromSelector:
		ns := &corev1.Namespace{}
		if err := reader.Get(ctx, client.ObjectKey{Name: namespace}, ns); apierrors.IsNotFound(err) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("get namespace %s: %w", namespace, err)
		}
		return labelsAdmitted(allowed.Selector, ns.Labels), nil
	default:
		return namespace == provider.Namespace, nil
	}
}

// labelsAdmitted tells whether a namespace with these labels is selected. A selector that cannot be read admits nobody.
func labelsAdmitted(selector *metav1.LabelSelector, set labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}

// foreignHost returns the first redirect URI whose host the provider does not admit, or "".
func foreignHost(provider *v1alpha1.OIDCProvider, uris []string) string {
	hosts := provider.Spec.AllowedClients.RedirectHosts
	if len(hosts) == 0 {
		return ""
	}
	for _, uri := range uris {
		if !hostAllowed(hosts, oidc.RedirectHost(uri)) {
			return uri
		}
	}
	return ""
}

// hostAllowed reports whether a host, in lower case and without port or brackets, is in a list of hosts, IPv6 addresses in brackets,
// and "*.domain" patterns.
func hostAllowed(allowed []string, host string) bool {
	address, _ := netip.ParseAddr(host) // the zero value for a name
	for _, a := range allowed {
		if domain, ok := strings.CutPrefix(a, "*."); ok {
			if strings.HasSuffix(host, "."+domain) {
				return true
			}
			continue
		}
		if a == host {
			return true
		}
		if listed, err := netip.ParseAddr(strings.Trim(a, "[]")); err == nil && listed == address {
			return true
		}
	}
	return false
}

// deniedMetadata returns the first label or annotation that c wants on its Secret and that the provider does not list, with the field that
// it is from, or "". Keys without a prefix are private to users (Kubernetes' conventions); controllers act on those with a prefix.
func deniedMetadata(provider *v1alpha1.OIDCProvider, c *v1alpha1.OIDCClient) (field, key string) {
	allowed := provider.Spec.AllowedClients.SecretMetadata
	for _, m := range []struct {
		field string
		keys  map[string]string
	}{{"labels", c.Spec.Credentials.Labels}, {"annotations", c.Spec.Credentials.Annotations}} {
		for _, key := range slices.Sorted(maps.Keys(m.keys)) {
			prefix, _, prefixed := strings.Cut(key, "/")
			if prefixed && !slices.Contains(allowed, prefix) && !slices.Contains(allowed, key) {
				return "spec.credentials." + m.field, key
			}
		}
	}
	return "", ""
}

// precedes orders resources that want the same thing: the one that was created first has it. Creation times have whole
// seconds; of two from the same second the one that has the registration already keeps it, and without any the one whose
// namespace and name come first gets it. incumbent is the owner of the registration, as AnnotationOwner names it, or "".
func precedes(kind, incumbent string, a, b client.Object) bool {
	ta, tb := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if !ta.Equal(&tb) {
		return ta.Before(&tb)
	}
	keyA, keyB := client.ObjectKeyFromObject(a), client.ObjectKeyFromObject(b)
	switch incumbent {
	case resources.Owner(kind, keyA):
		return true
	case resources.Owner(kind, keyB):
		return false
	default:
		return keyA.String() < keyB.String()
	}
}

// standingRegistration is a registration that several want. cached is what the cache has under its name, or nil.
type standingRegistration struct {
	name   client.ObjectKey
	cached *corev1.Secret
}

// incumbent returns the owner of a registration, or "" when there is none. Where it decides between two (contested) and the cache has
// none, the API server is asked: nobody must lose what it was given just now to a cache that lags.
func (o objects) incumbent(ctx context.Context, standing standingRegistration, contested bool) (string, error) {
	if contested && standing.cached == nil && standing.name.Name != "" {
		var err error
		if standing.cached, err = readSecret(ctx, o.live, standing.name); err != nil {
			return "", err
		}
	}
	return incumbent(standing.cached), nil
}

// contested tells whether c is as old as another of those that want the same as it does.
func contested[T any, P interface {
	*T
	client.Object
}](c P, same []T) bool {
	created := c.GetCreationTimestamp()
	return slices.ContainsFunc(same, func(item T) bool {
		other := P(&item)
		at := other.GetCreationTimestamp()
		return other.GetUID() != c.GetUID() && created.Equal(&at)
	})
}

// incumbent returns the owner of a registration Secret, or "" when there is none.
func incumbent(registration *corev1.Secret) string {
	if registration == nil {
		return ""
	}
	return registration.Annotations[resources.AnnotationOwner]
}
