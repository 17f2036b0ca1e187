package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// docs/uninstall.md: what Kubernetes deletes without the operator.
var _ = Describe("A registration", func() {
	It("goes with its resource, where both are in one namespace", func() {
		namespace, apps := newNamespace(nil), newNamespace(nil)
		provider := create(gen.OIDCProvider(namespace, "sso"))
		create(gen.SigningKey(namespace, "key", "sso"))
		ada := create(gen.OIDCUser(namespace, "ada", "sso"))
		inside := create(gen.OIDCClient(namespace, "inside", provider))
		create(gen.OIDCClient(apps, "outside", provider))
		// Kubernetes would delete these before their client ID or app_id is reserved: always, when the operator does not run.
		create(gen.OIDCClient(namespace, "named", provider, gen.WithClientID("kubernetes")))
		given := create(gen.OIDCClient(namespace, "given", provider, gen.WithClientID("preview"), func(c *v1alpha1.OIDCClient) {
			c.Annotations = map[string]string{v1alpha1.AnnotationReleaseClientID: "true"}
		}))
		references := func(kind string) func(Gomega) [][]metav1.OwnerReference {
			return func(g Gomega) [][]metav1.OwnerReference {
				var found [][]metav1.OwnerReference
				for _, secret := range registrationsOf(provider, kind)(g) {
					found = append(found, secret.OwnerReferences)
				}
				return found
			}
		}
		Eventually(references("user")).Should(ConsistOf(ConsistOf(HaveField("UID", ada.UID))))
		Eventually(references("client")).Should(ConsistOf(ConsistOf(HaveField("UID", inside.UID)), ConsistOf(HaveField("UID", given.UID)), BeEmpty(), BeEmpty()))
	})
})
