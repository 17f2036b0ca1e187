package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
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

	DescribeTable("for applications that need no more than an address", func(preset v1alpha1.ClientPreset, want string) { submit(preset, want) },
		Entry("Grafana", v1alpha1.ClientPreset{Grafana: &v1alpha1.GrafanaPreset{RootURL: "https://grafana.example.com/"}}, accepted),
		Entry("Grafana without", v1alpha1.ClientPreset{Grafana: &v1alpha1.GrafanaPreset{}}, "spec.preset.grafana.rootURL"),
		Entry("Grafana with roles in two ways", v1alpha1.ClientPreset{Grafana: &v1alpha1.GrafanaPreset{
			RootURL: "https://grafana.example.com", Roles: &v1alpha1.GrafanaRoles{Admin: []string{"a"}}, RoleAttributePath: "'Admin'",
		}}, "grafana must hold either roles or roleAttributePath"),
		Entry("Grafana with roles for nobody", v1alpha1.ClientPreset{Grafana: &v1alpha1.GrafanaPreset{
			RootURL: "https://grafana.example.com", Roles: &v1alpha1.GrafanaRoles{Others: v1alpha1.GrafanaOthersNone},
		}}, "roles must name a group for at least one role"),
		Entry("Grafana with another client ID", v1alpha1.ClientPreset{Grafana: &v1alpha1.GrafanaPreset{
			RootURL: "https://grafana.example.com", Settings: map[string]v1alpha1.GrafanaSetting{"client_id": "x"},
		}}, "settings must not hold client_id and client_secret"),
		Entry("Grafana with a setting of two lines", v1alpha1.ClientPreset{Grafana: &v1alpha1.GrafanaPreset{
			RootURL: "https://grafana.example.com", Settings: map[string]v1alpha1.GrafanaSetting{"icon": "a\n[security]"},
		}}, "settings must be single lines"),
		Entry("Vault", v1alpha1.ClientPreset{Vault: &v1alpha1.VaultPreset{Address: "https://vault.example.com:8200"}}, accepted),
		Entry("Vault over http", v1alpha1.ClientPreset{Vault: &v1alpha1.VaultPreset{Address: "http://vault.example.com:8200"}}, "address must be an https URL"),
		Entry("Vault at a path for a shell", v1alpha1.ClientPreset{Vault: &v1alpha1.VaultPreset{Address: "https://vault.example.com", MountPath: "a;b"}}, "mountPath must consist of letters"),
		Entry("Vault for root", v1alpha1.ClientPreset{Vault: &v1alpha1.VaultPreset{Address: "https://vault.example.com", Policies: []string{"root"}}}, "policies must be names of policies"),
		Entry("Vault with groups bound twice", v1alpha1.ClientPreset{Vault: &v1alpha1.VaultPreset{
			Address: "https://vault.example.com", BoundGroups: []string{"a"}, BoundClaims: []v1alpha1.VaultBoundClaim{{Name: "groups", Values: []string{"b"}}},
		}}, "boundClaims must not hold groups beside boundGroups"),
		Entry("MinIO", v1alpha1.ClientPreset{MinIO: &v1alpha1.MinIOPreset{ConsoleURL: "https://minio.example.com"}}, accepted),
		Entry("MinIO with policies for some and for all", v1alpha1.ClientPreset{MinIO: &v1alpha1.MinIOPreset{
			ConsoleURL: "https://minio.example.com", RolePolicy: "readonly", ClaimName: "policy",
		}}, "minio must not hold policies or claimName beside rolePolicy"),
		Entry("Portainer", v1alpha1.ClientPreset{Portainer: &v1alpha1.PortainerPreset{URL: "https://portainer.example.com"}}, accepted),
		Entry("Portainer without a scheme", v1alpha1.ClientPreset{Portainer: &v1alpha1.PortainerPreset{URL: "portainer.example.com"}}, "url must be an https URL"),
		Entry("Proxmox VE", v1alpha1.ClientPreset{Proxmox: &v1alpha1.ProxmoxPreset{URLs: []string{"https://pve.example.com:8006", "https://[2001:db8::1]:8006", "http://[::1]:8006"}}}, accepted),
		Entry("Proxmox VE with a slash at the end", v1alpha1.ClientPreset{Proxmox: &v1alpha1.ProxmoxPreset{URLs: []string{"https://pve.example.com:8006/"}}}, "urls must be https addresses with the port and nothing after it"),
		Entry("Proxmox VE in its own realm", v1alpha1.ClientPreset{Proxmox: &v1alpha1.ProxmoxPreset{URLs: []string{"https://pve.example.com:8006"}, Realm: "pam"}}, "realm must begin with a letter"),
		Entry("Proxmox VE with all that a request can hold", v1alpha1.ClientPreset{Proxmox: &v1alpha1.ProxmoxPreset{
			URLs: []string{"https://pve.example.com:8006"}, Prompt: "login", ACRValues: "urn:example:mfa", QueryUserinfo: new(false),
		}}, accepted),
		Entry("Proxmox VE with an option in the prompt", v1alpha1.ClientPreset{Proxmox: &v1alpha1.ProxmoxPreset{
			URLs: []string{"https://pve.example.com:8006"}, Prompt: "login consent",
		}}, "prompt must be one word"),
		Entry("Proxmox VE with two lines for its classes", v1alpha1.ClientPreset{Proxmox: &v1alpha1.ProxmoxPreset{
			URLs: []string{"https://pve.example.com:8006"}, ACRValues: "1\n2",
		}}, "acrValues must consist of letters"),
		Entry("Synapse with a parameter of its own to pass on", v1alpha1.ClientPreset{Synapse: &v1alpha1.SynapsePreset{
			PublicBaseURL: "https://matrix.example.com", IDPID: "sso", PassthroughAuthorizationParameters: []string{"state"},
		}}, "passthroughAuthorizationParameters must be names"),
		Entry("Proxmox VE with groups to make and no claim", v1alpha1.ClientPreset{Proxmox: &v1alpha1.ProxmoxPreset{
			URLs: []string{"https://pve.example.com:8006"}, GroupsAutocreate: new(true),
		}}, "groupsAutocreate and groupsOverwrite need groupsClaim"),
		Entry("Django", v1alpha1.ClientPreset{Django: &v1alpha1.DjangoPreset{BaseURL: "http://localhost:8000"}}, accepted),
		Entry("Django with a prefix without a slash", v1alpha1.ClientPreset{Django: &v1alpha1.DjangoPreset{BaseURL: "https://shop.example.com", URLPrefix: "oidc"}}, "urlPrefix must be a path"),
	)

	It("keeps the realm that is part of Proxmox VE's names", func() {
		namespace := newNamespace(nil)
		provider := gen.OIDCProvider(namespace, "sso")
		for _, realm := range []string{"", "office"} {
			p := &v1alpha1.ProxmoxPreset{URLs: []string{"https://pve.example.com:8006"}, Realm: realm}
			c := create(gen.OIDCClient(namespace, "pve"+realm, provider, gen.WithPreset(v1alpha1.ClientPreset{Proxmox: p})))
			patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"preset":{"proxmox":{"realm":"home"}}}}`))
			Expect(k8s.Patch(ctx, c, patch)).To(MatchError(ContainSubstring("realm cannot be changed, because it is part of the names")))
		}
	})
})
