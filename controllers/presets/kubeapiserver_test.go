package presets_test

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

func kubeClient(t *testing.T, change func(*v1alpha1.OIDCClientSpec, *v1alpha1.KubeAPIServerPreset)) *v1alpha1.OIDCClient {
	t.Helper()
	c := readClient(t, "kubeapiserver")
	change(&c.Spec, c.Spec.Preset.KubeAPIServer)
	return presets.Effective(c)
}

// kubeUser returns the arguments of the one user in the kubeconfig.
func kubeArguments(t *testing.T, effective *v1alpha1.OIDCClient) []any {
	t.Helper()
	users := parse(t, render(t, effective)["kubeconfig.yaml"])["users"].([]any)
	if len(users) != 1 {
		t.Fatalf("got %v", users)
	}
	return users[0].(object)["user"].(object)["exec"].(object)["args"].([]any)
}

func TestKubeAPIServer(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*v1alpha1.OIDCClientSpec, *v1alpha1.KubeAPIServerPreset)
		check  func(*testing.T, *v1alpha1.OIDCClient)
	}{
		"names of Kubernetes are kept, before rules of one's own": {
			change: func(_ *v1alpha1.OIDCClientSpec, k *v1alpha1.KubeAPIServerPreset) {
				k.UserValidationRules = []v1alpha1.KubeValidationRule{{Expression: "true"}}
			},
			check: func(t *testing.T, c *v1alpha1.OIDCClient) {
				jwt := parse(t, render(t, c)["authentication-config.yaml"])["jwt"].([]any)[0].(object)
				if rules := jwt["userValidationRules"].([]any); len(rules) != 3 || !strings.Contains(rules[1].(object)["expression"].(string), "'system:'") {
					t.Errorf("got %v", rules)
				}
			},
		},
		"the scope of e-mail addresses where one is read": {
			change: func(_ *v1alpha1.OIDCClientSpec, k *v1alpha1.KubeAPIServerPreset) { k.Username.Claim = "email" },
			check: func(t *testing.T, c *v1alpha1.OIDCClient) {
				if !slices.Contains(c.Scopes(), "email") || !slices.Contains(kubeArguments(t, c), any("--oidc-extra-scope=email")) {
					t.Errorf("got %v", c.Scopes())
				}
			},
		},
		"an empty prefix is written": {
			change: func(_ *v1alpha1.OIDCClientSpec, k *v1alpha1.KubeAPIServerPreset) { k.Groups.Prefix = new("") },
			check: func(t *testing.T, c *v1alpha1.OIDCClient) {
				jwt := parse(t, render(t, c)["authentication-config.yaml"])["jwt"].([]any)[0].(object)
				if got := jwt["claimMappings"].(object)["groups"]; !reflect.DeepEqual(got, object{"claim": "groups", "prefix": ""}) {
					t.Errorf("got %v", got)
				}
			},
		},
		"no secret in a kubeconfig that is in many hands": {
			change: func(*v1alpha1.OIDCClientSpec, *v1alpha1.KubeAPIServerPreset) {},
			check: func(t *testing.T, c *v1alpha1.OIDCClient) {
				if c.HasSecret() || strings.Contains(string(render(t, c)["kubeconfig.yaml"]), "secret") {
					t.Error("the kubeconfig needs a secret")
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) { test.check(t, kubeClient(t, test.change)) })
	}
}

func TestKubeAPIServerRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*v1alpha1.OIDCClientSpec, *v1alpha1.KubeAPIServerPreset)
		issuer string
		want   string
	}{
		"an http issuer": {issuer: "http://localhost:8080", want: "spec.providerRef must name an OIDCProvider whose issuer is an https URL"},
		"EdDSA": {
			change: func(s *v1alpha1.OIDCClientSpec, _ *v1alpha1.KubeAPIServerPreset) {
				s.IDTokenSignedResponseAlg = "EdDSA"
			},
			want: "spec.idTokenSignedResponseAlg must not be EdDSA",
		},
		"claims elsewhere": {
			change: func(s *v1alpha1.OIDCClientSpec, _ *v1alpha1.KubeAPIServerPreset) {
				s.ClaimsIn = v1alpha1.ClaimsInUserinfo
			},
			want: "spec.claimsIn must not be Userinfo",
		},
		"private_key_jwt": {
			change: func(s *v1alpha1.OIDCClientSpec, _ *v1alpha1.KubeAPIServerPreset) {
				s.TokenEndpointAuthMethod = "private_key_jwt"
			},
			want: "spec.tokenEndpointAuthMethod must not be private_key_jwt",
		},
		"the issuer's own discovery URL": {
			change: func(_ *v1alpha1.OIDCClientSpec, k *v1alpha1.KubeAPIServerPreset) {
				k.DiscoveryURL = testIssuer + ".well-known/openid-configuration"
			},
			want: "spec.preset.kubeAPIServer.discoveryURL must differ",
		},
		"a certificate that is none": {
			change: func(_ *v1alpha1.OIDCClientSpec, k *v1alpha1.KubeAPIServerPreset) {
				k.CertificateAuthority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
			},
			want: "spec.preset.kubeAPIServer.certificateAuthority holds a certificate that cannot be read",
		},
		"a key instead of a certificate": {
			change: func(_ *v1alpha1.OIDCClientSpec, k *v1alpha1.KubeAPIServerPreset) {
				k.Kubectl.Cluster = &v1alpha1.KubectlCluster{Server: "https://kube.example.com", CertificateAuthority: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}
			},
			want: "spec.preset.kubeAPIServer.kubectl.cluster.certificateAuthority must hold certificates in PEM and nothing else",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.change == nil {
				test.change = func(*v1alpha1.OIDCClientSpec, *v1alpha1.KubeAPIServerPreset) {}
			}
			effective := kubeClient(t, test.change)
			_, err := presets.Of(effective).Files(presets.Issued{Client: effective, Issuer: cmp.Or(test.issuer, testIssuer), SecretKey: "client_secret"})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// Two certificates, one after the other, with an empty line between them, are a bundle.
func TestKubeAPIServerBundle(t *testing.T) {
	certificate := readClient(t, "kubeapiserver-everything").Spec.Preset.KubeAPIServer.CertificateAuthority
	if certificate == "" {
		t.Fatal("there is no certificate in testdata")
	}
	effective := kubeClient(t, func(_ *v1alpha1.OIDCClientSpec, k *v1alpha1.KubeAPIServerPreset) {
		k.CertificateAuthority = certificate + "\n" + certificate
	})
	render(t, effective)
}
