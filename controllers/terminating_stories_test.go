package controllers_test

import (
	"net/http"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// failedReconciles counts what controller-runtime logs as an error.
func failedReconciles() float64 {
	GinkgoHelper()
	families, err := metrics.Registry.(prometheus.Gatherer).Gather()
	Expect(err).NotTo(HaveOccurred())
	total := 0.0
	for _, family := range families {
		if family.GetName() == "controller_runtime_reconcile_errors_total" {
			for _, m := range family.GetMetric() {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return total
}

var _ = Describe("A namespace that is deleted", Serial, func() {
	It("is no failure of anything in it, nor of a client elsewhere", func() {
		var rejected atomic.Int64
		operateThrough(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(req *http.Request) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err == nil && resp.StatusCode == http.StatusForbidden && strings.HasSuffix(req.URL.Path, "/events") {
					rejected.Add(1)
				}
				return resp, err
			})
		})
		namespace, apps := newNamespace(nil), newNamespace(nil)
		provider := create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		key := create(gen.SigningKey(namespace, "key", "sso"))
		ada := create(gen.OIDCUser(namespace, "ada", "sso"))
		inside, outside := create(gen.OIDCClient(namespace, "inside", provider)), create(gen.OIDCClient(apps, "outside", provider))
		for _, c := range []*v1alpha1.OIDCClient{inside, outside} {
			Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil))
		}
		Eventually(registrationsOf(provider, "user")).Should(HaveLen(1))
		settled()
		before := failedReconciles()
		Expect(k8s.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
		// Nobody in this control plane deletes what is in a namespace, in an order that is the worst: what the operator would write again first.
		for _, list := range []client.ObjectList{&corev1.SecretList{}, &corev1.ServiceList{}, &corev1.ServiceAccountList{}} {
			Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
			deleteAll(list)
		}
		update(outside, func() { outside.Spec.RedirectURIs = append(outside.Spec.RedirectURIs, "https://app.example.com/other") })
		settled()
		for _, obj := range []client.Object{inside, ada, key, provider} {
			Expect(k8s.Delete(ctx, obj)).To(Succeed())
		}
		Eventually(current(outside)).Should(match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonProviderNotFound, nil))
		settled()
		Expect(failedReconciles()).To(Equal(before))
		Expect(rejected.Load()).To(BeZero(), "no event about what goes")
	})
})

func deleteAll(list client.ObjectList) {
	GinkgoHelper()
	var objects []client.Object
	switch list := list.(type) {
	case *corev1.SecretList:
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	case *corev1.ServiceList:
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	case *corev1.ServiceAccountList:
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	}
	for _, obj := range objects {
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, obj))).To(Succeed())
	}
}
