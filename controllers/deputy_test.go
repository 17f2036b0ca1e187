package controllers_test

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// The operator may read and write Secrets everywhere. Nobody shall get it to do so where he himself may not.
var _ = Describe("Who tries to use the operator against another namespace", func() {
	var namespace, apps, evil string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace, apps, evil = newNamespace(nil), newNamespace(nil), newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
	})
	haveCredentials := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)
	bring := func(name, key string) func(*v1alpha1.OIDCClient) {
		return func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.ExistingSecretRef = &v1alpha1.ClientSecretReference{Name: name, Key: v1alpha1.SecretKey(key)}
		}
	}
	adopt := func(name string) func(*v1alpha1.OIDCClient) {
		return func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.SecretName, c.Spec.Credentials.Adopt = name, new(true)
		}
	}
	registered := func(g Gomega) *registration.Client {
		list := registrationsOf(provider, "client")(g)
		g.Expect(list).To(HaveLen(1))
		d, err := registration.Parse[registration.Client](list[0].Data["client.json"])
		g.Expect(err).NotTo(HaveOccurred())
		return d
	}

	It("cannot bring a client secret from there", func() {
		create(gen.Secret(apps, "mine", map[string]string{"client_secret": strongSecret}))
		c := create(gen.OIDCClient(evil, "app", provider, bring("mine", "")))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, v1alpha1.ReasonClientSecretNotFound, ContainSubstring("in namespace %q", evil)))
		Consistently(registrationsOf(provider, "client")).Should(BeEmpty())
	})

	It("does not have its own registration overwritten either, as somebody in the provider's namespace", func() {
		c := create(gen.OIDCClient(namespace, "self", provider))
		Eventually(current(c)).Should(haveCredentials)
		before := registered(Default)
		name := registrationsOf(provider, "client")(Default)[0].Name
		update(c, func() { c.Spec.Credentials.SecretName = name })
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonSecretNotOwned, ContainSubstring(name)))
		Expect(registered(Default)).To(Equal(before))
		Expect(registrationsOf(provider, "client")(Default)[0].Data).To(HaveLen(1), "no client secret stands there")
	})

	It("gets no private key out of the provider's namespace, not even as somebody there", func() {
		var keys []corev1.Secret
		Eventually(func(g Gomega) {
			keys = registrationsOf(provider, "signing-key")(g)
			g.Expect(keys).NotTo(BeEmpty())
		}).Should(Succeed())
		version := keys[0].ResourceVersion
		c := create(gen.OIDCClient(namespace, "brings", provider, bring(keys[0].Name, "signing-key.json")))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, v1alpha1.ReasonClientSecretInvalid, ContainSubstring("is of type oidc-operator.dev/registration")))
		c = create(gen.OIDCClient(namespace, "adopts", provider, adopt(keys[0].Name)))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotOwned, ContainSubstring("cannot be adopted")))
		Expect(secretNamed(namespace, keys[0].Name)(Default).ResourceVersion).To(Equal(version))
	})

	It("registers nothing through what his Secret holds", func() {
		r := startReplica(provider, "one")
		document := `{"client_id":"forged","redirect_uris":["https://evil.example.com/"],"scope":"openid","grant_types":["client_credentials","authorization_code"],` +
			`"secrets":[{"id":"x","hash":"` + registration.HashSecret(strongSecret) + `"}]}`
		forged := gen.Secret(namespace, "forged", map[string]string{"client.json": document}, gen.AllowingClient("app"))
		forged.Labels = map[string]string{"oidc-operator.dev/provider": "sso", "oidc-operator.dev/registration": "client"}
		create(forged)
		c := create(gen.OIDCClient(namespace, "app", provider, adopt("forged"), func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.Data = map[string]v1alpha1.CredentialsTemplate{"user.json": "{}"}
		}))
		Eventually(current(c)).Should(match.BeReady())
		answer, err := http.PostForm(r.url+"/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"forged"}, "client_secret": {strongSecret}})
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Body.Close()).To(Succeed())
		Expect(answer.StatusCode).To(Equal(http.StatusUnauthorized))
	})

	It("keeps no secret of a client ID that has another owner now", func() {
		mine := create(gen.OIDCClient(evil, "mine", provider, gen.WithClientID("shared")))
		Eventually(current(mine)).Should(haveCredentials)
		known := string(secretNamed(evil, "mine-oidc")(Default).Data["client_secret"])
		heir := create(gen.OIDCClient(apps, "app", provider, gen.WithClientID("shared")))
		Eventually(current(heir)).Should(match.BeRefused(v1alpha1.ReasonClientIDTaken, nil))
		update(mine, func() { mine.Annotations = map[string]string{v1alpha1.AnnotationReleaseClientID: "true"} })
		Expect(k8s.Delete(ctx, mine)).To(Succeed())
		Eventually(current(heir)).Should(haveCredentials)
		Eventually(registered).Should(And(HaveField("Secrets", HaveLen(1)), Satisfy(func(d *registration.Client) bool {
			return !registration.CheckSecret(d.Secrets[0].Hash, known)
		})))
	})

	It("does not become the owner of a Secret by saying so in his", func() {
		victim := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(victim)).Should(haveCredentials)
		value := secretNamed(apps, "app-oidc")(Default).Data["client_secret"]
		forged := gen.Secret(evil, "app-oidc", map[string]string{"client_secret": strongSecret})
		forged.Type = "oidc-operator.dev/credentials"
		forged.Labels = map[string]string{"app.kubernetes.io/managed-by": "oidc-operator"}
		forged.Annotations = map[string]string{
			"oidc-operator.dev/owner": "OIDCClient/" + apps + "/app", "oidc-operator.dev/secret-id": registration.SecretID(registration.HashSecret(strongSecret)),
		}
		create(forged)
		settled() // of what it has made just now, the operator does not forget the client secret
		Expect(k8s.Delete(ctx, secretNamed(apps, "app-oidc")(Default))).To(Succeed())
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Data", HaveKeyWithValue("client_secret", Not(Or(Equal(value), Equal([]byte(strongSecret)))))))
		Eventually(func(g Gomega) {
			for _, s := range registered(g).Secrets {
				g.Expect(registration.CheckSecret(s.Hash, strongSecret)).To(BeFalse())
			}
		}).Should(Succeed())
		Expect(secretNamed(evil, "app-oidc")(Default).UID).To(Equal(forged.UID))
	})

	It("restarts nobody's workloads: the operator itself may not unless it is told so for a namespace", func() {
		kubectl := func(args ...string) (string, error) {
			out, err := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), append([]string{"--kubeconfig=" + kubeconfig}, args...)...).CombinedOutput()
			return string(out), err
		}
		apply := func(args ...string) {
			GinkgoHelper()
			out, err := kubectl(append([]string{"apply"}, args...)...)
			Expect(err).NotTo(HaveOccurred(), out)
		}
		may := func(namespace, verb string) string {
			out, _ := kubectl("auth", "can-i", verb, "deployments.apps", "--namespace="+namespace, "--as=system:serviceaccount:oidc-operator-system:oidc-operator")
			return out
		}
		Expect(client.IgnoreAlreadyExists(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "oidc-operator-system"}}))).To(Succeed())
		apply("-k", filepath.Join("..", "config", "rbac"))
		Expect(may(apps, "patch")).To(HaveSuffix("yes\n"), "providers are Deployments")
		Expect(may(apps, "restart")).To(HaveSuffix("no\n"))
		apply("-f", filepath.Join("..", "config", "rollout-restart", "role.yaml"))
		apply("-f", filepath.Join("..", "config", "rollout-restart", "role_binding.yaml"), "--namespace="+apps)
		Eventually(func() string { return may(apps, "restart") }).Should(HaveSuffix("yes\n"))
		Expect(may(evil, "restart")).To(HaveSuffix("no\n"))
	})
})
