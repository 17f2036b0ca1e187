package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// What a spec names is looked for where the resource is, and what somebody's Secret is for is not taken for anything else.
var _ = Describe("Who names in a spec what is not theirs", func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
	})
	named := func(name string, change func(*v1alpha1.Credentials)) func(*v1alpha1.OIDCClient) {
		return func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.SecretName = name
			if change != nil {
				change(&c.Spec.Credentials)
			}
		}
	}
	refusedSecret := func(reason, message string) OmegaMatcher {
		return match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, reason, ContainSubstring(message))
	}

	It("gets no database's address, key or password as a client secret, and none of their Secrets", func() {
		create(gen.OIDCProvider(namespace, "large", gen.WithIssuer("https://large.example.com"), gen.WithPostgres("pg")))
		create(gen.SigningKey(namespace, "imported", "sso", importing("pem", "key")))
		create(gen.OIDCUser(namespace, "ada", "sso", gen.WithPasswordFrom("ada-password", "password")))
		for name, what := range map[string]string{
			"pg": `the database of OIDCProvider "large"`, "pem": `SigningKey "imported"`, "ada-password": `the password of OIDCUser "ada"`,
		} {
			const value = "postgres://sso:8ccbd0f6a1e24d53b79f@db.example.com/sso"
			s := create(gen.Secret(namespace, name, map[string]string{"uri": value}))
			brings := create(gen.OIDCClient(namespace, "brings-"+name, provider, func(c *v1alpha1.OIDCClient) {
				c.Spec.Credentials.ExistingSecretRef = &v1alpha1.ClientSecretReference{Name: name, Key: "uri"}
			}))
			Eventually(current(brings)).Should(refusedSecret(v1alpha1.ReasonClientSecretInvalid, "is for "+what))
			adopts := create(gen.OIDCClient(namespace, "adopts-"+name, provider, named(name, func(c *v1alpha1.Credentials) {
				c.Adopt, c.Keys.ClientSecret = new(true), "uri"
			})))
			Eventually(current(adopts)).Should(refusedSecret(v1alpha1.ReasonSecretNotOwned, "is for "+what+" and cannot be adopted"))
			writes := create(gen.OIDCClient(namespace, "writes-"+name, provider, named(name, nil)))
			Eventually(current(writes)).Should(refusedSecret(v1alpha1.ReasonSecretNotOwned, "is not owned by this OIDCClient"))
			Consistently(secretNamed(namespace, name)).Should(HaveField("ResourceVersion", s.ResourceVersion))
		}
		Expect(registrationsOf(provider, "client")(Default)).To(BeEmpty(), "not even a hash of them goes anywhere")
	})

	It("does not write over a registration by giving his Secret its name", func() {
		victim := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(victim)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil))
		var registrations []corev1.Secret
		Eventually(func(g Gomega) {
			registrations = registrationsOf(provider, "client")(g)
			g.Expect(registrations).To(HaveLen(1))
		}).Should(Succeed())
		for _, name := range []string{registrations[0].Name, "sso-settings"} {
			var before *corev1.Secret
			Eventually(func(g Gomega) { before = secretNamed(namespace, name)(g) }).Should(Succeed())
			c := create(gen.OIDCClient(namespace, "writes-"+name, provider, gen.WithClientID("mine-"+name), named(name, nil)))
			Eventually(current(c)).Should(refusedSecret(v1alpha1.ReasonSecretNotOwned, "is not owned by this OIDCClient"))
			Consistently(secretNamed(namespace, name)).Should(HaveField("Data", before.Data))
		}
	})

	It("is admitted by no provider that does not admit his namespace", func() {
		update(provider, func() { provider.Spec.AllowedClients.Namespaces.From = v1alpha1.NamespacesFromSame })
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonNamespaceNotAllowed, nil))
		Consistently(registrationsOf(provider, "client")).Should(BeEmpty())
		pretends := create(gen.OIDCProvider(apps, "sso", gen.WithIssuer("https://pretends.example.com")))
		create(gen.SigningKey(apps, "theirs", "sso"))
		create(gen.OIDCUser(apps, "eve", "sso"))
		Eventually(registrationsOf(pretends, "signing-key")).ShouldNot(BeEmpty())
		Eventually(registrationsOf(pretends, "user")).ShouldNot(BeEmpty())
		Expect(registrationsOf(provider, "user")(Default)).To(BeEmpty(), "keys and people are those of a provider beside them")
	})

	It("imports no key and shows no logo from another namespace", func() {
		create(gen.Secret(namespace, "pem", map[string]string{"key": "x"}))
		create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "brand"}, Data: map[string]string{"logo.svg": "<svg/>"}})
		p := create(gen.OIDCProvider(apps, "own", gen.WithIssuer("https://own.example.com"), gen.WithLogo("brand", "logo.svg")))
		k := create(gen.SigningKey(apps, "key", "own", importing("pem", "key")))
		Eventually(current(k)).Should(match.HaveCondition("Ready", "False", "ImportNotFound", ContainSubstring("does not exist")))
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionBrandingReady, metav1.ConditionFalse, v1alpha1.ReasonLogoConfigMapNotFound,
			ContainSubstring("does not exist in namespace %q", apps)))
	})

	It("signs with no key and registers nobody by a Secret that only looks as if it did", func() {
		r := startReplica(provider, "one")
		var keys []corev1.Secret
		Eventually(func(g Gomega) {
			keys = registrationsOf(provider, "signing-key")(g)
			g.Expect(keys).NotTo(BeEmpty())
			g.Expect(servedKeyIDs(r)(g)).NotTo(BeEmpty())
		}).Should(Succeed())
		before := servedKeyIDs(r)(Default)
		labels := map[string]string{"oidc-operator.dev/provider": "sso", "oidc-operator.dev/registration": "signing-key", "app.kubernetes.io/managed-by": "oidc-operator"}
		owner := map[string]string{"oidc-operator.dev/owner": "SigningKey/" + namespace + "/key"}
		forged := gen.Secret(namespace, "forged", map[string]string{"signing-key.json": `{"kid":"forged"}`})
		forged.Labels, forged.Annotations = labels, owner
		create(forged)
		elsewhere := gen.Secret(apps, "forged", map[string]string{"signing-key.json": string(keys[0].Data["signing-key.json"])})
		elsewhere.Type, elsewhere.Labels, elsewhere.Annotations = "oidc-operator.dev/registration", labels, owner
		create(elsewhere)
		Consistently(servedKeyIDs(r)).Should(Equal(before))
		Expect(secretNamed(namespace, keys[0].Name)(Default).Data).To(Equal(keys[0].Data))
	})
})
