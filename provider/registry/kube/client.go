package kube

import (
	"context"
	"encoding/json"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// LoadConfig returns how to reach the API server: as the kubeconfig file says, or, when its name is empty, as the service
// account of the Pod that this process runs in.
func LoadConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("read the pod's service account: %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	return config, nil
}

// clients speak of Secrets and Leases, and of nothing else.
type clients struct {
	secrets *rest.RESTClient
	leases  *rest.RESTClient
}

func newClients(config *rest.Config) (clients, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Secret{}, &corev1.SecretList{})
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	scheme.AddKnownTypes(coordinationv1.SchemeGroupVersion, &coordinationv1.Lease{}, &coordinationv1.LeaseList{})
	metav1.AddToGroupVersion(scheme, coordinationv1.SchemeGroupVersion)
	codecs := serializer.NewCodecFactory(scheme)

	base := rest.CopyConfig(config)
	if base.UserAgent == "" {
		base.UserAgent = "oidc-provider"
	}
	base.NegotiatedSerializer = codecs.WithoutConversion()
	base.ContentType = runtime.ContentTypeProtobuf
	base.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	base.QPS = -1 // what is sent is bounded by the reporter; a limit here would only delay it
	base.WarningHandlerWithContext = rest.NoWarnings{}
	httpClient, err := rest.HTTPClientFor(base)
	if err != nil {
		return clients{}, fmt.Errorf("make API client: %w", err)
	}
	forGroup := func(gv schema.GroupVersion, apiPath string) (*rest.RESTClient, error) {
		c := rest.CopyConfig(base)
		c.GroupVersion, c.APIPath = &gv, apiPath
		return rest.RESTClientForConfigAndClient(c, httpClient)
	}
	var result clients
	if result.secrets, err = forGroup(corev1.SchemeGroupVersion, "/api"); err != nil {
		return clients{}, fmt.Errorf("make client for Secrets: %w", err)
	}
	if result.leases, err = forGroup(coordinationv1.SchemeGroupVersion, "/apis"); err != nil {
		return clients{}, fmt.Errorf("make client for Leases: %w", err)
	}
	return result, nil
}

// fieldManager owns the fields of the Leases.
const fieldManager = "oidc-provider"

// leaseClient writes the Leases of one namespace.
type leaseClient struct {
	client    *rest.RESTClient
	namespace string
}

// apply creates or changes a Lease by server-side apply.
func (l leaseClient) apply(ctx context.Context, lease *coordinationv1.Lease) error {
	body, err := json.Marshal(lease)
	if err != nil {
		return err
	}
	return l.client.Patch(types.ApplyPatchType).MaxRetries(0). // the reporter repeats what fails
									Namespace(l.namespace).Resource("leases").Name(lease.Name).
									VersionedParams(&metav1.PatchOptions{FieldManager: fieldManager, Force: new(true)}, metav1.ParameterCodec).
									Body(body).Do(ctx).Error()
}

func (l leaseClient) remove(ctx context.Context, name string) error {
	return l.client.Delete().Namespace(l.namespace).Resource("leases").Name(name).Do(ctx).Error()
}

func (l leaseClient) list(ctx context.Context, provider string) ([]coordinationv1.Lease, error) {
	var found coordinationv1.LeaseList
	selector := labels.Set{labelManagedBy: managedBy, registration.LabelProvider: provider, registration.LabelReplica: "true"}
	err := l.client.Get().Namespace(l.namespace).Resource("leases").
		VersionedParams(&metav1.ListOptions{LabelSelector: selector.String()}, metav1.ParameterCodec).Do(ctx).Into(&found)
	return found.Items, err
}
