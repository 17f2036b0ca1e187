package controllers_test

import (
	"encoding/json"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
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

		It("is the older, and the next of its namespace takes over with a client secret of its own when that is deleted", func() {
			first := admitted(apps, "first", shared)
			value := clientSecretOf(first)
			second := create(gen.OIDCClient(apps, "second", provider, shared))
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring(`belongs to the older OIDCClient "first" in namespace "%s"`, apps)))
			Expect(k8s.Delete(ctx, first)).To(Succeed())
			Eventually(current(second)).Should(haveCredentials)
			Expect(clientSecretOf(second)).NotTo(Equal(value))
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(second)))
		})
		It("is its namespace's also when the OIDCClient is deleted, until an administrator deletes the reservation", func() {
			first := admitted(others, "first", shared)
			value := clientSecretOf(first)
			second := create(gen.OIDCClient(apps, "second", provider, shared))
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, MatchRegexp(`belongs to the (older )?OIDCClient "first" in namespace "%s"`, others)))
			Consistently(registeredFor(provider, "shared")).Should(acceptOnly(value))
			Expect(k8s.Delete(ctx, first)).To(Succeed())
			Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
			name := reservationOf(provider, "shared")(Default).Name
			update(second, func() { second.Spec.DisplayName = "looked at again" })
			reserved := refusedFor(v1alpha1.ReasonClientIDTaken, And(ContainSubstring("is reserved for namespace %q, whose OIDCClient %q had it last", others, "first"),
				ContainSubstring("kubectl -n %s delete secret %s", namespace, name)))
			Eventually(current(second)).Should(And(HaveField("Status.ObservedGeneration", second.Generation), reserved))
			Expect(reservationOf(provider, "shared")(Default).Data).To(BeEmpty(), "nothing that proves a client secret is kept")
			Consistently(current(second)).Should(reserved)

			By("giving it back to its namespace, under whichever name")
			again := admitted(others, "again", shared)
			Expect(clientSecretOf(again)).NotTo(Equal(value))
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			Expect(k8s.Delete(ctx, again)).To(Succeed())
			Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
			Expect(k8s.Delete(ctx, reservationOf(provider, "shared")(Default))).To(Succeed())
			Eventually(current(second)).Should(haveCredentials)
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(second)))
		})
		It("stays with who replaces the OIDCClient by force while another namespace waits for it", func() {
			first := admitted(others, "first", shared)
			waiting := create(gen.OIDCClient(apps, "waiting", provider, shared))
			Eventually(current(waiting)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			Expect(k8s.Delete(ctx, first)).To(Succeed())
			first = create(gen.OIDCClient(others, "first", provider, shared))
			Eventually(current(first)).Should(haveCredentials)
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(first)))
			Consistently(current(waiting)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
		})
		It("passes to another namespace when its owner gives it up by an annotation", func() {
			for _, settle := range []bool{true, false} {
				first := admitted(others, "first", shared)
				second := create(gen.OIDCClient(apps, "second", provider, shared))
				Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring("oidc-operator.dev/release-client-id")))
				update(first, func() { first.Annotations = map[string]string{v1alpha1.AnnotationReleaseClientID: "true"} })
				if settle {
					settled()
					Expect(current(second)(Default)).To(refusedFor(v1alpha1.ReasonClientIDTaken, nil), "the owner is there still")
				}
				Expect(k8s.Delete(ctx, first)).To(Succeed())
				Eventually(current(second)).Should(haveCredentials)
				update(second, func() { second.Annotations = map[string]string{v1alpha1.AnnotationReleaseClientID: "true"} })
				Expect(k8s.Delete(ctx, second)).To(Succeed())
				Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
			}
			Expect(reservations(provider)(Default)).To(BeEmpty())
		})
		It("is whose a backup says it is, whoever is restored first", func() {
			create(reservation(provider, "shared", "OIDCClient/"+others+"/first"))
			early := create(gen.OIDCClient(apps, "early", provider, shared))
			Eventually(current(early)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring("is reserved for namespace %q", others)))
			anotherSecond()
			first := admitted(others, "first", shared)
			Eventually(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(first)))
			Eventually(current(early)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring(`belongs to the OIDCClient "first" in namespace "%s"`, others)))
		})
		It("is refused to a namespace that has left too many of them reserved", func() {
			for i := range 100 {
				create(reservation(provider, fmt.Sprintf("made-up-%d", i), "OIDCClient/"+apps+"/gone"))
			}
			one := create(gen.OIDCClient(apps, "one", provider, gen.WithClientID("made-up-100")))
			Eventually(current(one)).Should(refusedFor(v1alpha1.ReasonTooManyReservations, ContainSubstring("kubectl -n %s get secrets -l oidc-operator.dev/reservation", namespace)))
			admitted(apps, "by-default")
			admitted(apps, "again", gen.WithClientID("made-up-7"))
			admitted(others, "other", gen.WithClientID("made-up-101"))
		})
		It("is its namespace's also while that is not admitted", func() {
			first := admitted(apps, "first", shared)
			value := clientSecretOf(first)
			anotherSecond()
			second := create(gen.OIDCClient(others, "second", provider, shared))
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			setLabel(apps, "sso", "no")
			Eventually(current(first)).Should(refusedFor(v1alpha1.ReasonNamespaceNotAllowed, nil))
			Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
			Consistently(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			setLabel(apps, "sso", "yes")
			Eventually(current(first)).Should(haveCredentials)
			Expect(current(second)(Default)).To(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
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
		It("stays with who has it when an older comes from another provider, and with that when it leaves", func() {
			elsewhere := create(gen.OIDCProvider(namespace, "elsewhere", gen.WithIssuer("http://localhost:8081")))
			first := create(gen.OIDCClient(apps, "first", elsewhere, shared))
			Eventually(current(first)).Should(haveCredentials)
			anotherSecond()
			second := admitted(others, "second", shared)
			update(first, func() { first.Spec.ProviderRef.Name = provider.Name })
			Eventually(current(first)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring(`belongs to the OIDCClient "second" in namespace "%s"`, others)))
			Consistently(registeredFor(provider, "shared")).Should(acceptOnly(clientSecretOf(second)))
			Eventually(registrationsOf(elsewhere, "client")).Should(BeEmpty())
			Expect(reservationOf(elsewhere, "shared")(Default).Annotations).To(HaveKeyWithValue("oidc-operator.dev/owner", "OIDCClient/"+apps+"/first"))
			update(first, func() { first.Spec.ProviderRef.Name = elsewhere.Name })
			Eventually(registeredFor(elsewhere, "shared")).Should(acceptOnly(clientSecretOf(first)))
		})
		It("is the namespace whose default it is, until that namespace is gone", func() {
			reserving := newNamespace(nil)
			c := create(gen.OIDCClient(apps, "app", provider, gen.WithClientID(reserving+".web")))
			Eventually(current(c)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring("is reserved for namespace %q", reserving)))
			end(reserving)
			Eventually(current(c)).Should(haveCredentials)
		})
		It("stays reserved for the namespace whose default it is when that is deleted while another waits", func() {
			leaving := newNamespace(map[string]string{"sso": "yes"})
			first := admitted(leaving, "web")
			second := create(gen.OIDCClient(apps, "second", provider, gen.WithClientID(first.ClientID())))
			Eventually(current(second)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, nil))
			Expect(k8s.Delete(ctx, first)).To(Succeed())
			Eventually(reservations(provider)).Should(HaveLen(1))
			end(leaving)
			update(second, func() { second.Spec.DisplayName = "looked at again" })
			Eventually(current(second)).Should(And(HaveField("Status.ObservedGeneration", second.Generation),
				refusedFor(v1alpha1.ReasonClientIDTaken, ContainSubstring("is reserved for namespace %q, whose OIDCClient %q had it last", leaving, "web"))))
		})
		It("is who had it before there was a namespace whose default it is", func() {
			name := "late-" + apps
			c := admitted(apps, "app", gen.WithClientID(name+".web"))
			value := clientSecretOf(c)
			anotherSecond()
			create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"sso": "yes"}}})
			late := create(gen.OIDCClient(name, "web", provider))
			Eventually(current(late)).Should(refusedFor(v1alpha1.ReasonClientIDTaken, MatchRegexp(`belongs to the (older )?OIDCClient "app" in namespace "%s"`, apps)))
			update(c, func() { c.Spec.DisplayName = "looked at again" })
			Eventually(current(c)).Should(And(haveCredentials, HaveField("Status.ObservedGeneration", c.Generation)))
			Expect(registeredFor(provider, c.ClientID())(Default)).To(acceptOnly(value))
		})
	})
})

// reservations returns the Secrets that keep client IDs of a provider for the namespaces that had them.
func reservations(p *v1alpha1.OIDCProvider) func(Gomega) []corev1.Secret {
	return func(g Gomega) []corev1.Secret {
		list := &corev1.SecretList{}
		g.Expect(k8s.List(ctx, list, client.InNamespace(p.Namespace), client.MatchingLabels{"oidc-operator.dev/reservation": "client", "oidc-operator.dev/provider": p.Name})).To(Succeed())
		return list.Items
	}
}

// reservationOf returns the reservation of a client ID.
func reservationOf(p *v1alpha1.OIDCProvider, clientID string) func(Gomega) *corev1.Secret {
	return func(g Gomega) *corev1.Secret {
		for _, secret := range reservations(p)(g) {
			if secret.Annotations["oidc-operator.dev/client-id"] == clientID {
				return &secret
			}
		}
		g.Expect(clientID).To(BeEmpty(), "there is no reservation")
		return nil
	}
}

// reservation returns a reservation as a backup restores it.
func reservation(p *v1alpha1.OIDCProvider, clientID, owner string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.Namespace, Name: resources.RegistrationName(p.Name, registration.KindClient, clientID),
			Labels: map[string]string{
				"app.kubernetes.io/managed-by": "oidc-operator", "oidc-operator.dev/provider": p.Name, "oidc-operator.dev/reservation": "client",
			},
			Annotations: map[string]string{"oidc-operator.dev/owner": owner, "oidc-operator.dev/client-id": clientID},
		},
		Type: registration.SecretType,
	}
}

// end deletes a namespace for good, which takes a controller that no test cluster has.
func end(namespace string) {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	Expect(k8s.Delete(ctx, ns)).To(Succeed())
	Expect(current(ns)(Default).Spec.Finalizers).NotTo(BeEmpty())
	ns.Spec.Finalizers = nil
	Expect(k8s.SubResource("finalize").Update(ctx, ns)).To(Succeed())
}
