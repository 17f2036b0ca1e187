package controllers_test

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// collectGarbage deletes what has owners in a namespace, all of which are gone: it stands in for the garbage collector, which no test
// cluster has.
func collectGarbage(gone client.Object) {
	GinkgoHelper()
	orphaned := func(obj client.Object) bool {
		owners := obj.GetOwnerReferences()
		return len(owners) > 0 && !slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool { return o.UID != gone.GetUID() })
	}
	secrets, signingKeys := &corev1.SecretList{}, &v1alpha1.SigningKeyList{}
	for _, list := range []client.ObjectList{secrets, signingKeys} {
		Expect(k8s.List(ctx, list, client.InNamespace(gone.GetNamespace()))).To(Succeed())
	}
	for i := range secrets.Items {
		if orphaned(&secrets.Items[i]) {
			Expect(client.IgnoreNotFound(k8s.Delete(ctx, &secrets.Items[i]))).To(Succeed())
		}
	}
	for i := range signingKeys.Items {
		if orphaned(&signingKeys.Items[i]) {
			Expect(client.IgnoreNotFound(k8s.Delete(ctx, &signingKeys.Items[i]))).To(Succeed())
		}
	}
}

// gone succeeds when there is no such object any more.
func gone(obj client.Object) func() bool {
	return func() bool { return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(obj), obj)) }
}

// The tests in this file are those of the tables in docs/policy.md.
var _ = Describe("An OIDCProvider that is deleted", func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	var key *v1alpha1.SigningKey
	var app *v1alpha1.OIDCClient
	var ada *v1alpha1.OIDCUser
	anew := func() *v1alpha1.OIDCProvider {
		return gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080"))
	}
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(nil)
		provider = create(anew())
		key = create(gen.SigningKey(namespace, "key", "sso"))
		app = create(gen.OIDCClient(apps, "app", provider))
		ada = create(gen.OIDCUser(namespace, "ada", "sso"))
	})
	ready := func() *replica {
		GinkgoHelper()
		r := startReplica(provider, "replica")
		for _, obj := range []interface {
			client.Object
			Conditions() *[]metav1.Condition
		}{provider, key, app, ada} {
			Eventually(func(g Gomega) {
				g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
				g.Expect(obj).To(match.BeReady())
			}).Should(Succeed())
		}
		return r
	}
	// leave deletes the provider, as the garbage collector and the kubelet would.
	leave := func(r *replica) {
		GinkgoHelper()
		Expect(k8s.Delete(ctx, provider)).To(Succeed())
		r.stop()
		collectGarbage(provider)
		for _, obj := range []interface {
			client.Object
			Conditions() *[]metav1.Condition
		}{key, app, ada} {
			Eventually(func(g Gomega) {
				g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
				g.Expect(obj).To(match.HaveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonProviderNotFound, nil))
				g.Expect(obj).NotTo(match.HaveCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "", nil), "it comes back by itself")
			}).Should(Succeed())
		}
	}
	userHash := func(g Gomega) string {
		list := registrationsOf(provider, "user")(g)
		g.Expect(list).To(HaveLen(1))
		return string(list[0].Data["user.json"])
	}

	It("leaves clients, people and keys waiting, and all of them come back as they were with the next of its name", func() {
		r := ready()
		value, hash, keyID, subject := clientSecretOf(app), userHash(Default), key.Status.ActiveKeyID, ada.Status.Subject
		secret := secretNamed(apps, "app-oidc")(Default)
		leases := func(g Gomega) []coordinationv1.Lease {
			list := &coordinationv1.LeaseList{}
			g.Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
			return list.Items
		}
		Expect(leases(Default)).NotTo(BeEmpty())
		leave(r)
		Expect(leases(Default)).To(BeEmpty(), "a replica that ends takes its report along")
		Expect(app).To(match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonProviderNotFound, ContainSubstring("create it or correct spec.providerRef")))
		Expect(secretNamed(apps, "app-oidc")(Default).ResourceVersion).To(Equal(secret.ResourceVersion), "the application keeps what it mounts")
		Expect(registeredFor(provider, app.ClientID())(Default)).To(acceptOnly(value))

		provider = create(anew())
		ready()
		Expect(clientSecretOf(app)).To(Equal(value))
		Expect(registeredFor(provider, app.ClientID())(Default)).To(acceptOnly(value))
		Expect(userHash(Default)).To(Equal(hash))
		Expect(key.Status.ActiveKeyID).To(Equal(keyID))
		Expect(ada.Status.Subject).To(Equal(subject))
	})

	It("leaves no registration of what is deleted before the next of its name", func() {
		leave(ready())
		for _, obj := range []client.Object{app, ada, key} {
			Expect(k8s.Delete(ctx, obj)).To(Succeed())
		}
		for _, kind := range []string{"client", "user", "signing-key"} {
			Eventually(registrationsOf(provider, kind)).Should(BeEmpty(), kind)
		}
	})

	It("has clients follow the next of its name to another issuer", func() {
		leave(ready())
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8081")))
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Data", HaveKeyWithValue("issuer", []byte("http://localhost:8081"))))
		Eventually(current(app)).Should(HaveField("Status.Issuer", "http://localhost:8081"))
	})

	It("takes the key along that the operator has made for it", func() {
		bare := create(gen.OIDCProvider(namespace, "bare", gen.WithIssuer("http://localhost:8082")))
		made := &v1alpha1.SigningKey{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bare-default"}}
		Eventually(func(g Gomega) string { return current(made)(g).Status.ActiveKeyID }).ShouldNot(BeEmpty())
		before := made.Status.ActiveKeyID
		Expect(k8s.Delete(ctx, bare)).To(Succeed())
		collectGarbage(bare)
		Eventually(gone(made)).Should(BeTrue())
		create(gen.OIDCProvider(namespace, "bare", gen.WithIssuer("http://localhost:8082")))
		Eventually(func(g Gomega) string { return current(made)(g).Status.ActiveKeyID }).ShouldNot(Or(BeEmpty(), Equal(before)))
	})
})

var _ = Describe("Several OIDCProviders", func() {
	var namespace, elsewhere, apps string
	var one, two *v1alpha1.OIDCProvider
	haveCredentials := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)
	BeforeEach(func() {
		namespace, elsewhere, apps = newNamespace(nil), newNamespace(nil), newNamespace(nil)
		one = create(gen.OIDCProvider(namespace, "one", gen.WithIssuer("http://localhost:8081")))
		two = create(gen.OIDCProvider(elsewhere, "two", gen.WithIssuer("http://localhost:8082")))
		for _, p := range []*v1alpha1.OIDCProvider{one, two} {
			create(gen.SigningKey(p.Namespace, "key", p.Name))
		}
	})

	It("serve the clients of one namespace, also under the same client ID, with secrets of their own", func() {
		a, b := create(gen.OIDCClient(apps, "a", one, gen.WithClientID("shared"))), create(gen.OIDCClient(apps, "b", two, gen.WithClientID("shared")))
		for _, c := range []*v1alpha1.OIDCClient{a, b} {
			Eventually(current(c)).Should(haveCredentials)
		}
		Expect(clientSecretOf(a)).NotTo(Equal(clientSecretOf(b)))
		Eventually(registeredFor(one, "shared")).Should(acceptOnly(clientSecretOf(a)))
		Eventually(registeredFor(two, "shared")).Should(acceptOnly(clientSecretOf(b)))
	})

	It("hand over a client that moves, which keeps its client secret", func() {
		c := create(gen.OIDCClient(apps, "app", one))
		Eventually(current(c)).Should(haveCredentials)
		value := clientSecretOf(c)
		update(c, func() { c.Spec.ProviderRef = v1alpha1.ProviderReference{Name: "two", Namespace: elsewhere} })
		Eventually(registeredFor(two, c.ClientID())).Should(acceptOnly(value))
		Eventually(registrationsOf(one, "client")).Should(BeEmpty())
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Data", And(
			HaveKeyWithValue("issuer", []byte("http://localhost:8082")), HaveKeyWithValue("client_secret", []byte(value)))))
	})

	It("go on with a client that is to move to one that does not exist, and end it where the new one refuses it", func() {
		c := create(gen.OIDCClient(apps, "app", one))
		Eventually(current(c)).Should(haveCredentials)
		value := clientSecretOf(c)
		update(c, func() { c.Spec.ProviderRef = v1alpha1.ProviderReference{Name: "later", Namespace: elsewhere} })
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonProviderNotFound, nil))
		Consistently(registeredFor(one, c.ClientID())).Should(acceptOnly(value))
		create(gen.OIDCProvider(elsewhere, "later", gen.WithIssuer("http://localhost:8083"), func(p *v1alpha1.OIDCProvider) { p.Spec.AllowedClients = v1alpha1.AllowedClients{} }))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonNamespaceNotAllowed, nil))
		Eventually(registrationsOf(one, "client")).Should(BeEmpty())
		update(c, func() { c.Spec.ProviderRef = v1alpha1.ProviderReference{Name: "one", Namespace: namespace} })
		Eventually(registeredFor(one, c.ClientID())).Should(acceptOnly(value))
	})
})
