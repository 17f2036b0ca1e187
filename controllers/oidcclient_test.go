package controllers_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

var _ = Describe("An OIDCClient", func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(map[string]string{"sso": "yes"})
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080/")))
		create(gen.SigningKey(namespace, "key", "sso"))
	})

	// registered returns the document of the provider's only client registration, and its Secret.
	registered := func(g Gomega) (registration.Client, *corev1.Secret) {
		list := registrationsOf(provider, "client")(g)
		g.Expect(list).To(HaveLen(1))
		var d registration.Client
		g.Expect(json.Unmarshal(list[0].Data["client.json"], &d)).To(Succeed())
		return d, &list[0]
	}
	beAccepted := match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, "", nil)
	haveCredentials := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)

	It("gets a Secret with all that the application needs, and a registration that holds no secret", func() {
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.Labels = map[string]string{"app": "x"}
			c.Spec.Credentials.Annotations = map[string]string{"note": "y"}
			c.Spec.PKCE, c.Spec.Consent = v1alpha1.PKCERequired, v1alpha1.ConsentNever
		}))
		Eventually(current(c)).Should(haveCredentials)
		secret := secretNamed(apps, "app-oidc")(Default)
		Expect(secret.Labels).To(HaveKeyWithValue("app", "x"))
		Expect(secret.Annotations).To(HaveKeyWithValue("note", "y"))
		Expect(metav1.IsControlledBy(secret, c)).To(BeTrue())
		Expect(string(secret.Data["client_id"])).To(Equal(apps + ".app"))
		Expect(string(secret.Data["issuer"])).To(Equal("http://localhost:8080/"), "verbatim, with its trailing slash")
		Expect(string(secret.Data["discovery_url"])).To(Equal("http://localhost:8080/.well-known/openid-configuration"))
		Expect(string(secret.Data["token_endpoint"])).To(Equal("http://localhost:8080/oauth2/token"))
		Expect(string(secret.Data["scopes"])).To(Equal("openid profile email"))
		value := string(secret.Data["client_secret"])
		Expect(value).To(MatchRegexp(`^[A-Za-z0-9]{32}$`))

		d, reg := registered(Default)
		Expect(d.Validate()).To(Succeed())
		Expect(reg.Namespace).To(Equal(namespace))
		Expect(string(reg.Data["client.json"])).NotTo(ContainSubstring(value))
		Expect(registration.CheckSecret(d.Secrets[0].Hash, value)).To(BeTrue())
		Expect(d.RequirePKCE).To(BeTrue())
		Expect(d.Consent).To(Equal("Never"))
		Eventually(current(c)).Should(HaveField("Status.Credentials.CurrentSecretID", d.Secrets[0].ID))
		Expect(c.Status.ClientID).To(Equal(apps + ".app"))
		Expect(c.Status.Issuer).To(Equal("http://localhost:8080/"))
		whole, err := json.Marshal(c)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(whole)).NotTo(ContainSubstring(value))
	})

	It("gets no secret when it is public", func() {
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			c.Spec.TokenEndpointAuthMethod = "none"
			c.Spec.RedirectURIs = []string{"com.example.app:/callback"}
		}))
		Eventually(current(c)).Should(haveCredentials)
		Expect(secretNamed(apps, "app-oidc")(Default).Data).NotTo(HaveKey("client_secret"))
		d, _ := registered(Default)
		Expect(d.Secrets).To(BeEmpty())
	})

	It("is Served, and Ready, only when every replica has applied its registration", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionServed, metav1.ConditionFalse, v1alpha1.ReasonNoReplicas, nil))
		startReplica(provider, "one")
		Eventually(current(c)).Should(match.BeReady())
		startReplica(provider, "two")
		Eventually(current(provider)).Should(HaveField("Status.Replicas", HaveField("Ready", HaveValue(BeEquivalentTo(2)))))
		update(c, func() { c.Spec.DisplayName = "changed" })
		Eventually(current(c)).Should(And(match.BeReady(), HaveField("Status.ObservedGeneration", c.Generation)))
	})

	It("costs one write of status and one event, where the replicas are quick", func() {
		startReplica(provider, "one")
		Eventually(current(provider)).Should(match.BeReady())
		statusWrites := func(c *v1alpha1.OIDCClient) []string {
			return slices.DeleteFunc(operator.writes.in(apps), func(write string) bool {
				return !strings.HasSuffix(write, "/oidcclients/"+c.Name+"/status")
			})
		}
		attempt := 0
		Eventually(func(g Gomega) { // they are not, each time, on a machine that has much else to do
			attempt++
			c := create(gen.OIDCClient(apps, fmt.Sprintf("app-%d", attempt), provider))
			Eventually(current(c)).Should(match.BeReady())
			update(c, func() { c.Spec.DisplayName = "changed" })
			Eventually(current(c)).Should(And(match.BeReady(), HaveField("Status.ObservedGeneration", c.Generation)))
			Eventually(reasonsOf(c)).Should(ContainElement("Ready"))
			g.Expect(statusWrites(c)).To(HaveLen(2), "one for each state of the spec")
			g.Expect(reasonsOf(c)(Default)).To(ConsistOf("Ready"), "it has not been unready for a moment")
		}).Should(Succeed())
	})

	It("is observed by nobody yet when it is created", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Expect(c.Status.ObservedGeneration).To(BeEquivalentTo(-1), "or kstatus would take it for done")
	})

	It("is not Served while one of two replicas stands still", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		startReplica(provider, "one")
		paused := startReplica(provider, "two")
		Eventually(current(provider)).Should(HaveField("Status.Replicas", HaveField("Ready", HaveValue(BeEquivalentTo(2)))))
		Eventually(current(c)).Should(match.BeReady())
		paused.pause()
		update(c, func() { c.Spec.DisplayName = "changed" })
		behind := match.HaveCondition(v1alpha1.ConditionServed, metav1.ConditionFalse, v1alpha1.ReasonAwaitingReplicas, ContainSubstring("sso-two"))
		Eventually(current(c)).Should(behind)
		Consistently(current(c), "1s").Should(behind)
		Expect(paused.process.Process.Signal(syscall.SIGCONT)).To(Succeed())
		Eventually(current(c)).Should(match.BeReady())
	})

	It("is not Served while the provider has no key of the algorithm that it asks for", func() {
		startReplica(provider, "one")
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) { c.Spec.IDTokenSignedResponseAlg = "EdDSA" }))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionServed, metav1.ConditionFalse, v1alpha1.ReasonNoSigningKey, ContainSubstring("has no active EdDSA key")))
		k := create(gen.SigningKey(namespace, "ed", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "EdDSA" }))
		Eventually(current(c)).Should(match.BeReady())
		Expect(k8s.Delete(ctx, k)).To(Succeed())
		Eventually(current(c)).ShouldNot(match.BeReady())
	})

	It("waits for its provider, and says which one", func() {
		c := create(gen.OIDCClient(apps, "app", gen.OIDCProvider(namespace, "later")))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonProviderNotFound,
			ContainSubstring(`OIDCProvider "later" in namespace "%s" does not exist`, namespace)))
		create(gen.OIDCProvider(namespace, "later", gen.WithIssuer("https://later.example.com")))
		Eventually(current(c)).Should(haveCredentials)
	})

	Describe("against the provider's policy", func() {
		It("is refused in a namespace that is not admitted, withdrawn when it no longer is, and let in when it is", func() {
			c := create(gen.OIDCClient(apps, "app", provider))
			Eventually(current(c)).Should(haveCredentials)
			setPolicy := func(namespaces v1alpha1.AllowedNamespaces) {
				Eventually(func(g Gomega) {
					current(provider)(g).Spec.AllowedClients.Namespaces = namespaces
					g.Expect(k8s.Update(ctx, provider)).To(Succeed())
				}).Should(Succeed())
			}
			setPolicy(v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesFromSame})
			Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonNamespaceNotAllowed, ContainSubstring("spec.allowedClients.namespaces")))
			Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
			Expect(secretNamed(apps, "app-oidc")(Default).Data).To(HaveKey("client_secret"), "the application keeps what it mounts")

			setPolicy(v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesFromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"sso": "yes"}}})
			Eventually(current(c)).Should(beAccepted)
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: apps}}
			Eventually(func(g Gomega) {
				current(ns)(g).Labels["sso"] = "no"
				g.Expect(k8s.Update(ctx, ns)).To(Succeed())
			}).Should(Succeed())
			Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonNamespaceNotAllowed, nil))
		})

		It("is refused for a redirect host that is not admitted", func() {
			Eventually(func(g Gomega) {
				current(provider)(g).Spec.AllowedClients.RedirectHosts = []string{"*.example.com"}
				g.Expect(k8s.Update(ctx, provider)).To(Succeed())
			}).Should(Succeed())
			c := create(gen.OIDCClient(apps, "app", provider, gen.WithRedirectURIs("https://app.example.org/cb")))
			Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonRedirectHostNotAllowed, ContainSubstring("https://app.example.org/cb")))
			update(c, func() { c.Spec.RedirectURIs = []string{"https://app.example.com/cb"} })
			Eventually(current(c)).Should(beAccepted)
		})
	})

	It("gives way to an older one with the same client ID, says who has it, and gets it when that is given up", func() {
		first := create(gen.OIDCClient(apps, "first", provider, gen.WithClientID("shared")))
		Eventually(current(first)).Should(haveCredentials)
		other := newNamespace(nil)
		second := create(gen.OIDCClient(other, "second", provider, gen.WithClientID("shared")))
		Eventually(current(second)).Should(match.BeRefused(v1alpha1.ReasonClientIDTaken,
			ContainSubstring(`belongs to the older OIDCClient "first" in namespace "%s"`, apps)))
		update(first, func() { first.Annotations = map[string]string{v1alpha1.AnnotationReleaseClientID: "true"} })
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		Eventually(current(second)).Should(haveCredentials)
		Eventually(func(g Gomega) map[string]string { // a write of the first may have been under way when it was deleted
			_, reg := registered(g)
			return reg.Annotations
		}).Should(HaveKeyWithValue("oidc-operator.dev/owner", "OIDCClient/"+other+"/second"))
	})

	It("leaves a Secret of somebody else alone and says what to do", func() {
		theirs := create(gen.Secret(apps, "app-oidc", map[string]string{"client_secret": "theirs"}))
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonSecretNotOwned, Equal(
			`Secret "app-oidc" exists and is not owned by this OIDCClient; delete it, or set spec.credentials.secretName, or, to have it adopted, `+
				`set spec.credentials.adopt and let the Secret allow it: kubectl -n `+apps+` annotate secret app-oidc oidc-operator.dev/allow-client=app`)))
		Consistently(secretNamed(apps, "app-oidc")).Should(HaveField("ResourceVersion", theirs.ResourceVersion))
		Expect(registrationsOf(provider, "client")(Default)).To(BeEmpty())
		update(c, func() { c.Spec.Credentials.SecretName = "mine" })
		Eventually(current(c)).Should(haveCredentials)
	})

	It("takes the name of a Secret that was in the way as soon as that is gone", func() {
		theirs := create(gen.Secret(apps, "app-oidc", nil))
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonSecretNotOwned, nil))
		Expect(k8s.Delete(ctx, theirs)).To(Succeed())
		Eventually(current(c)).Should(haveCredentials)
	})

	It("keeps its secret, and can still be changed, while the new name of its Secret is taken", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		value := secretNamed(apps, "app-oidc")(Default).Data["client_secret"]
		create(gen.Secret(apps, "taken", nil))
		update(c, func() { c.Spec.Credentials.SecretName, c.Spec.Disabled = "taken", new(true) })
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonSecretNotOwned, nil))
		Eventually(func(g Gomega) {
			d, _ := registered(g)
			g.Expect(d.Disabled).To(BeTrue(), "switching off does not wait for the Secret")
			g.Expect(registration.CheckSecret(d.Secrets[0].Hash, string(value))).To(BeTrue())
		}).Should(Succeed())
		update(c, func() { c.Spec.Credentials.SecretName = "free" })
		Eventually(secretNamed(apps, "free")).Should(HaveField("Data", HaveKeyWithValue("client_secret", value)))
	})

	It("cannot have a client ID that another namespace has by default", func() {
		other := newNamespace(nil)
		squatter := create(gen.OIDCClient(other, "squatter", provider, gen.WithClientID(apps+".app")))
		Eventually(current(squatter)).Should(match.BeRefused(v1alpha1.ReasonClientIDTaken, ContainSubstring("reserved for namespace %q", apps)))
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
	})

	It("believes nothing that another namespace says about it", func() {
		evil := newNamespace(nil)
		forged := gen.Secret(evil, "forged", map[string]string{"client_secret": strings.Repeat("x", 32)})
		forged.Type = "oidc-operator.dev/credentials"
		forged.Labels = map[string]string{"app.kubernetes.io/managed-by": "oidc-operator"}
		forged.Annotations = map[string]string{"oidc-operator.dev/owner": "OIDCClient/" + apps + "/app"}
		create(forged)
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		Expect(secretNamed(apps, "app-oidc")(Default).Data).NotTo(HaveKeyWithValue("client_secret", forged.Data["client_secret"]))
		Expect(secretNamed(evil, "forged")(Default).UID).To(Equal(forged.UID))
	})

	It("does not share a Secret with another OIDCClient", func() {
		first := create(gen.OIDCClient(apps, "first", provider, gen.WithSecretName("shared")))
		Eventually(current(first)).Should(haveCredentials)
		second := create(gen.OIDCClient(apps, "second", provider, gen.WithSecretName("shared")))
		Eventually(current(second)).Should(match.BeRefused(v1alpha1.ReasonSecretNotOwned, nil))
	})

	It("keeps its secret when the Secret gets another name", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		value := secretNamed(apps, "app-oidc")(Default).Data["client_secret"]
		update(c, func() { c.Spec.Credentials.SecretName = "renamed" })
		Eventually(secretNamed(apps, "renamed")).Should(HaveField("Data", HaveKeyWithValue("client_secret", value)))
		Eventually(func() error {
			return client.IgnoreNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: apps, Name: "app-oidc"}, &corev1.Secret{}))
		}).Should(Succeed())
	})

	It("repairs its Secret and its registration at once", func() {
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.Labels = map[string]string{"ours": "x"}
		}))
		Eventually(current(c)).Should(haveCredentials)
		secret := secretNamed(apps, "app-oidc")(Default)
		value := secret.Data["client_secret"]
		secret.Labels["theirs"] = "stays"
		secret.Data["client_id"] = []byte("forged")
		secret.Data["extra"] = []byte("stays")
		Expect(k8s.Update(ctx, secret)).To(Succeed())
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Data", HaveKeyWithValue("client_id", []byte(apps+".app"))))
		secret = secretNamed(apps, "app-oidc")(Default)
		Expect(secret.Data).To(And(HaveKeyWithValue("client_secret", value), HaveKey("extra")))
		Expect(secret.Labels).To(HaveKey("theirs"))

		_, reg := registered(Default)
		reg.Data["client.json"] = []byte(strings.ReplaceAll(string(reg.Data["client.json"]), "app.example.com", "evil.example.com"))
		Expect(k8s.Update(ctx, reg)).To(Succeed())
		Eventually(func(g Gomega) {
			d, _ := registered(g)
			g.Expect(d.RedirectURIs).To(ConsistOf("https://app.example.com/callback"))
		}).Should(Succeed())

		update(c, func() { c.Spec.Credentials.Labels = nil })
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Labels", And(Not(HaveKey("ours")), HaveKey("theirs"))),
			"what is no longer wanted goes, what others added stays")
	})

	It("gets a new secret, registered too, when the Secret was deleted or its secret spoilt", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		before := secretNamed(apps, "app-oidc")(Default)
		settled() // of what it has made just now, the operator does not forget the client secret
		Expect(k8s.Delete(ctx, before)).To(Succeed())
		agree := func(g Gomega) string {
			value := string(secretNamed(apps, "app-oidc")(g).Data["client_secret"])
			d, _ := registered(g)
			g.Expect(registration.CheckSecret(d.Secrets[0].Hash, value)).To(BeTrue())
			return value
		}
		Eventually(agree).ShouldNot(Equal(string(before.Data["client_secret"])))
		spoilt := secretNamed(apps, "app-oidc")(Default)
		spoilt.Data["client_secret"] = []byte("weak")
		Expect(k8s.Update(ctx, spoilt)).To(Succeed())
		Eventually(agree).ShouldNot(Equal("weak"))
	})

	It("follows a change of provider and leaves nothing behind at the old one", func() {
		other := create(gen.OIDCProvider(namespace, "other", gen.WithIssuer("https://other.example.com")))
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		update(c, func() { c.Spec.ProviderRef.Name = "other" })
		Eventually(registrationsOf(other, "client")).Should(HaveLen(1))
		Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Data", HaveKeyWithValue("issuer", []byte("https://other.example.com"))))
	})

	It("is withdrawn from the provider when it is deleted, without finalizer", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		Expect(c.Finalizers).To(BeEmpty())
		Expect(k8s.Delete(ctx, c)).To(Succeed())
		Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
	})
})

var _ = Describe("A write that the API server refuses", func() {
	It("is told in status, and made up for when it is possible", func() {
		namespace, apps := newNamespace(nil), newNamespace(nil)
		provider := create(gen.OIDCProvider(namespace, "sso"))
		create(gen.SigningKey(namespace, "key", "sso"))
		quota := create(&corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Namespace: apps, Name: "none"},
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/secrets": resource.MustParse("0")}},
		})
		quota.Status.Hard = quota.Spec.Hard // what the quota controller would do
		quota.Status.Used = corev1.ResourceList{"count/secrets": resource.MustParse("0")}
		Expect(k8s.Status().Update(ctx, quota)).To(Succeed())
		Eventually(func() error {
			return k8s.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: apps, GenerateName: "probe-"}})
		}).Should(MatchError(ContainSubstring("exceeded quota")), "the API server does not know of the quota")
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonWriteRefused, ContainSubstring("exceeded quota")))
		Expect(k8s.Delete(ctx, quota)).To(Succeed())
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil))
	})
})
