package controllers_test

import (
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// clientSecretOf reads what an application mounts.
func clientSecretOf(c *v1alpha1.OIDCClient) string {
	GinkgoHelper()
	value := string(secretNamed(c.Namespace, c.Name+"-oidc")(Default).Data["client_secret"])
	Expect(value).NotTo(BeEmpty())
	return value
}

// registeredFor returns the registration of a client ID at a provider, or nil.
func registeredFor(p *v1alpha1.OIDCProvider, clientID string) func(Gomega) *registration.Client {
	return func(g Gomega) *registration.Client {
		for _, secret := range registrationsOf(p, "client")(g) {
			var d registration.Client
			g.Expect(json.Unmarshal(secret.Data["client.json"], &d)).To(Succeed())
			if d.ClientID == clientID {
				return &d
			}
		}
		return nil
	}
}

// acceptOnly succeeds for a registration with which that client secret works, and none else.
func acceptOnly(value string) types.GomegaMatcher {
	return And(Not(BeNil()), HaveField("Secrets", HaveExactElements(HaveField("Hash", WithTransform(func(hash string) bool {
		return registration.CheckSecret(hash, value)
	}, BeTrue())))))
}

// setLabel sets a label of a namespace.
func setLabel(namespace, key, value string) {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	Expect(k8s.Patch(ctx, ns, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"`+key+`":"`+value+`"}}}`)))).To(Succeed())
}

// anotherSecond waits until what is created next is younger: creation times have whole seconds.
func anotherSecond() { time.Sleep(1100 * time.Millisecond) }

// selecting admits the namespaces that have a label.
func selecting(key, value string) func(*v1alpha1.OIDCProvider) {
	return func(p *v1alpha1.OIDCProvider) {
		p.Spec.AllowedClients.Namespaces = v1alpha1.AllowedNamespaces{
			From: v1alpha1.NamespacesFromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{key: value}},
		}
	}
}

// The tests in this file are those of the tables in docs/policy.md.
var _ = Describe("Who may have a registration", func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(map[string]string{"sso": "yes"})
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080"), selecting("sso", "yes")))
		create(gen.SigningKey(namespace, "key", "sso"))
	})
	haveCredentials := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)
	nothingIssued := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, v1alpha1.ReasonNotAccepted, nil)
	notRegistered := match.HaveCondition(v1alpha1.ConditionServed, metav1.ConditionFalse, v1alpha1.ReasonNotRegistered, nil)
	refusedFor := func(reason string, message types.GomegaMatcher) types.GomegaMatcher {
		return And(match.BeRefused(reason, message), match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, reason, message), nothingIssued, notRegistered)
	}
	admitted := func(namespace, name string, options ...func(*v1alpha1.OIDCClient)) *v1alpha1.OIDCClient {
		GinkgoHelper()
		c := create(gen.OIDCClient(namespace, name, provider, options...))
		Eventually(current(c)).Should(haveCredentials)
		return c
	}
	// comesBack refuses a client and lets it in again, and expects that its application notices nothing but that.
	comesBack := func(c *v1alpha1.OIDCClient, refuse func(), reason string, message types.GomegaMatcher, admit func()) {
		GinkgoHelper()
		before := secretNamed(c.Namespace, c.Name+"-oidc")(Default)
		value := clientSecretOf(c)
		Eventually(registeredFor(provider, c.ClientID())).Should(acceptOnly(value))
		refuse()
		Eventually(current(c)).Should(refusedFor(reason, message))
		Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
		Expect(secretNamed(c.Namespace, c.Name+"-oidc")(Default).ResourceVersion).To(Equal(before.ResourceVersion), "the application keeps what it mounts")
		Expect(c.Status.Credentials).To(HaveField("CurrentSecretID", Not(BeEmpty())))
		admit()
		Eventually(current(c)).Should(And(haveCredentials, match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, "", nil)))
		Eventually(registeredFor(provider, c.ClientID())).Should(acceptOnly(value))
		Expect(clientSecretOf(c)).To(Equal(value))
	}

	Describe("by its namespace", func() {
		It("gets nothing where it is not admitted, and everything once it is", func() {
			strangers := newNamespace(nil)
			c := create(gen.OIDCClient(strangers, "app", provider))
			Eventually(current(c)).Should(refusedFor(v1alpha1.ReasonNamespaceNotAllowed, ContainSubstring("does not admit clients of namespace %q", strangers)))
			Expect(k8s.Get(ctx, client.ObjectKey{Namespace: strangers, Name: "app-oidc"}, &corev1.Secret{})).NotTo(Succeed())
			setLabel(strangers, "sso", "yes")
			Eventually(current(c)).Should(haveCredentials)
		})
		It("is withdrawn when its namespace's labels change, and comes back with the same client secret", func() {
			c := admitted(apps, "app")
			comesBack(c, func() { setLabel(apps, "sso", "no") }, v1alpha1.ReasonNamespaceNotAllowed, nil, func() { setLabel(apps, "sso", "yes") })
		})
		It("is withdrawn when the provider changes, and comes back with the same client secret", func() {
			c := admitted(apps, "app")
			comesBack(c, func() { update(provider, func() { selecting("sso", "never")(provider) }) }, v1alpha1.ReasonNamespaceNotAllowed, nil,
				func() { update(provider, func() { selecting("sso", "yes")(provider) }) })
		})
		It("must be the provider's own unless that says otherwise", func() {
			own := create(gen.OIDCProvider(namespace, "own", gen.WithIssuer("http://localhost:8081"), func(p *v1alpha1.OIDCProvider) {
				p.Spec.AllowedClients = v1alpha1.AllowedClients{}
			}))
			near, far := create(gen.OIDCClient(namespace, "near", own)), create(gen.OIDCClient(apps, "far", own))
			Eventually(current(near)).Should(haveCredentials)
			Eventually(current(far)).Should(refusedFor(v1alpha1.ReasonNamespaceNotAllowed, nil))
		})
	})

	It("is withdrawn when the provider no longer admits the host of a redirect URI, and comes back with the same client secret", func() {
		c := admitted(apps, "app")
		hosts := func(hosts ...string) func() {
			return func() { update(provider, func() { provider.Spec.AllowedClients.RedirectHosts = hosts }) }
		}
		comesBack(c, hosts("*.example.org"), v1alpha1.ReasonRedirectHostNotAllowed, ContainSubstring("https://app.example.com/callback"), hosts("*.example.org", "app.example.com"))
	})

	Describe("of a client ID that two want", func() {
		var others string
		BeforeEach(func() { others = newNamespace(map[string]string{"sso": "yes"}) })
		shared := gen.WithClientID("shared")

		It("is the older, in whichever namespace, and the other takes over with a client secret of its own when that is deleted", func() {
			first := admitted(others, "first", shared)
			value := clientSecretOf(first)
			second := create(gen.OIDCClient(apps, "second", provider, shared))
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring(`belongs to the older OIDCClient "first" in namespace "%s"`, others)))
			Consistently(registeredFor(provider, "shared")).Should(acceptOnly(value))
			Expect(k8s.Delete(ctx, first)).To(Succeed())
			Eventually(current(second)).Should(haveCredentials)
			Expect(clientSecretOf(second)).NotTo(Equal(value))
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(second)))
		})
		It("is the next one while the older is not admitted, each with its own client secret", func() {
			first := admitted(apps, "first", shared)
			value := clientSecretOf(first)
			anotherSecond()
			second := create(gen.OIDCClient(others, "second", provider, shared))
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			setLabel(apps, "sso", "no")
			Eventually(current(second)).Should(haveCredentials)
			Eventually(current(first)).Should(refusedFor(v1alpha1.ReasonNamespaceNotAllowed, nil))
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(second)))
			setLabel(apps, "sso", "yes")
			Eventually(current(first)).Should(haveCredentials)
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			Expect(clientSecretOf(first)).To(Equal(value))
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(value))
		})
		It("is the older also while that is refused for something that it can mend", func() {
			first := admitted(apps, "first", shared)
			anotherSecond()
			second := create(gen.OIDCClient(others, "second", provider, shared))
			update(provider, func() { provider.Spec.AllowedClients.RedirectHosts = []string{"second.example.com"} })
			Eventually(current(first)).Should(refusedFor(v1alpha1.ReasonRedirectHostNotAllowed, nil))
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			Consistently(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
		})
		It("is the older also when it comes from another provider", func() {
			elsewhere := create(gen.OIDCProvider(namespace, "elsewhere", gen.WithIssuer("http://localhost:8081")))
			first := create(gen.OIDCClient(apps, "first", elsewhere, shared))
			Eventually(current(first)).Should(haveCredentials)
			anotherSecond()
			second := admitted(others, "second", shared)
			update(first, func() { first.Spec.ProviderRef.Name = provider.Name })
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring(`"first"`)))
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(first)))
			update(first, func() { first.Spec.ProviderRef.Name = elsewhere.Name })
			Eventually(current(second)).Should(haveCredentials)
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(second)))
		})
		It("is the namespace whose default it is, until that namespace is gone", func() {
			reserving := newNamespace(nil)
			c := create(gen.OIDCClient(apps, "app", provider, gen.WithClientID(reserving+".web")))
			Eventually(current(c)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring("is reserved for namespace %q", reserving)))
			end(reserving)
			Eventually(current(c)).Should(haveCredentials)
		})
		It("is who had it before there was a namespace whose default it is", func() {
			name := "late-" + apps
			c := admitted(apps, "app", gen.WithClientID(name+".web"))
			value := clientSecretOf(c)
			anotherSecond()
			create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"sso": "yes"}}})
			late := create(gen.OIDCClient(name, "web", provider))
			Eventually(current(late)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring(`belongs to the older OIDCClient "app" in namespace "%s"`, apps)))
			update(c, func() { c.Spec.DisplayName = "looked at again" })
			Eventually(current(c)).Should(And(haveCredentials, HaveField("Status.ObservedGeneration", c.Generation)))
			Expect(registeredFor(provider, c.ClientID())(Default)).To(acceptOnly(value))
		})
	})
})

// end deletes a namespace for good, which takes a controller that no test cluster has.
func end(namespace string) {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	Expect(k8s.Delete(ctx, ns)).To(Succeed())
	Expect(current(ns)(Default).Spec.Finalizers).NotTo(BeEmpty())
	ns.Spec.Finalizers = nil
	Expect(k8s.SubResource("finalize").Update(ctx, ns)).To(Succeed())
}
