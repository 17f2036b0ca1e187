package controllers_test

import (
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("The manifests", func() {
	kubectl := func(args ...string) string {
		GinkgoHelper()
		cmd := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), append([]string{"--kubeconfig=" + kubeconfig}, args...)...)
		out, err := cmd.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		return string(out)
	}

	DescribeTable("are accepted by the API server", func(directory string, namespaces []string, objects ...string) {
		for _, name := range namespaces { // a dry run creates none
			Expect(client.IgnoreAlreadyExists(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))).To(Succeed())
		}
		out := kubectl("apply", "-k", filepath.Join("..", "config", directory), "--dry-run=server")
		for _, object := range objects {
			Expect(out).To(ContainSubstring(object))
		}
	},
		Entry("default", "default", []string{"oidc-operator-system"},
			"deployment.apps/oidc-operator", "clusterrole.rbac.authorization.k8s.io/oidc-operator", "customresourcedefinition.apiextensions.k8s.io/oidcclients.oidc-operator.dev"),
		Entry("samples", "samples", []string{"sso", "demo-app"},
			"oidcprovider.oidc-operator.dev/sso", "signingkey.oidc-operator.dev/rs256", "oidcuser.oidc-operator.dev/ada", "oidcclient.oidc-operator.dev/demo", "oidcclient.oidc-operator.dev/reporter"),
	)

	It("are accepted that `make demo` does not apply", func() {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "demo-app"}} // a dry run creates none
		Expect(client.IgnoreAlreadyExists(k8s.Create(ctx, namespace))).To(Succeed())
		for _, name := range []string{"kubernetes", "synology-sso"} {
			kubectl("apply", "--dry-run=server", "-f", filepath.Join("..", "config", "samples", "oidcclient-"+name+".yaml"))
		}
	})

	It("are accepted that the OpenID Foundation's suite is run with", func() {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "conformance"}} // a dry run creates none
		Expect(client.IgnoreAlreadyExists(k8s.Create(ctx, namespace))).To(Succeed())
		out := kubectl("apply", "--dry-run=server", "-f", filepath.Join("..", "test", "conformance", "foundation", "manifests.yaml"))
		Expect(out).To(ContainSubstring("oidcclient.oidc-operator.dev/oidf-frontchannel"))
	})

	It("run providers from the operator's own image", func() {
		out := kubectl("kustomize", filepath.Join("..", "config", "default"))
		Expect(out).To(MatchRegexp(`name: IMAGE\n\s+value: oidc-operator:latest`))
		Expect(out).To(MatchRegexp(`image: oidc-operator:latest`))
	})

	It("explain every kind and field", func() {
		Expect(kubectl("explain", "oidcclient.spec.redirectURIs")).To(ContainSubstring("where a login may return to"))
		Expect(kubectl("explain", "oidcclient.spec.jwks")).To(ContainSubstring("public keys with which the application"))
		Expect(kubectl("explain", "oidcprovider.spec.storage.postgres.dsnSecretRef.key")).To(ContainSubstring("Unset: uri"))
		Expect(kubectl("get", "oidc", "--all-namespaces")).NotTo(ContainSubstring("error"), "the category holds every kind")
		for _, short := range []string{"oidcp", "skey", "oidcc", "oidcu"} {
			kubectl("get", short)
		}
	})
})
