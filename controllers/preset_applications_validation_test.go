package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

var _ = Describe("Validation by the API server of a preset for other applications", func() {
	submit := func(preset v1alpha1.ClientPreset, want string) {
		GinkgoHelper()
		err := k8s.Create(ctx, gen.OIDCClient("default", "app", gen.OIDCProvider("default", "sso"), gen.WithPreset(preset)), client.DryRunAll)
		if want == accepted {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError(ContainSubstring(want)))
	}

	DescribeTable("for kube-apiserver", func(change func(*v1alpha1.KubeAPIServerPreset), want string) {
		k := &v1alpha1.KubeAPIServerPreset{}
		change(k)
		submit(v1alpha1.ClientPreset{KubeAPIServer: k}, want)
	},
		Entry("no more than the name", func(*v1alpha1.KubeAPIServerPreset) {}, accepted),
		Entry("an empty prefix", func(k *v1alpha1.KubeAPIServerPreset) { k.Username.Prefix, k.Groups.Prefix = new(""), new("") }, accepted),
		Entry("a prefix beside an expression", func(k *v1alpha1.KubeAPIServerPreset) {
			k.Username.Prefix, k.Username.Expression = new(""), "claims.sub"
		}, "username must hold either claim and prefix or expression"),
		Entry("a claim beside an expression", func(k *v1alpha1.KubeAPIServerPreset) {
			k.Groups.Claim, k.Groups.Expression = "groups", "claims.groups"
		}, "groups must hold either claim and prefix or expression"),
		Entry("a version that there is not", func(k *v1alpha1.KubeAPIServerPreset) { k.ConfigVersion = "v2" }, "configVersion"),
		Entry("an extra key without a domain", func(k *v1alpha1.KubeAPIServerPreset) {
			k.Extra = []v1alpha1.KubeExtraMapping{{Key: "department", ValueExpression: "'x'"}}
		}, "key must be a domain, a slash and a name"),
		Entry("an http discovery URL", func(k *v1alpha1.KubeAPIServerPreset) { k.DiscoveryURL = "http://sso/.well-known/openid-configuration" }, "discoveryURL must be an https URL"),
		Entry("a certificate that is none", func(k *v1alpha1.KubeAPIServerPreset) { k.CertificateAuthority = "ca.crt" }, "certificateAuthority must hold certificates in PEM"),
		Entry("an argument that is no flag", func(k *v1alpha1.KubeAPIServerPreset) { k.Kubectl.ExtraArguments = []string{"clean"} }, "extraArguments must be flags"),
		Entry("a cluster without a server", func(k *v1alpha1.KubeAPIServerPreset) { k.Kubectl.Cluster = &v1alpha1.KubectlCluster{Name: "prod"} }, "spec.preset.kubeAPIServer.kubectl.cluster.server"),
		Entry("an http server", func(k *v1alpha1.KubeAPIServerPreset) {
			k.Kubectl.Cluster = &v1alpha1.KubectlCluster{Server: "http://kube"}
		}, "server must be an https URL"),
	)
})
