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

// The author of an OIDCClient may not be allowed to read or write Secrets. The Secret itself says what the operator may do with it.
var _ = Describe("A Secret that the operator has not made", func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
	})
	haveCredentials := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)
	refusedSecret := func(reason string, message OmegaMatcher) OmegaMatcher {
		return match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, reason, message)
	}
	with := func(changes ...func(*v1alpha1.Credentials)) func(*v1alpha1.OIDCClient) {
		return func(c *v1alpha1.OIDCClient) {
			for _, change := range changes {
				change(&c.Spec.Credentials)
			}
		}
	}
	adopt := func(name string) func(*v1alpha1.Credentials) {
		return func(c *v1alpha1.Credentials) { c.SecretName, c.Adopt = name, new(true) }
	}
	deletes := func(c *v1alpha1.Credentials) { c.DeletionPolicy = v1alpha1.DeletionPolicyDelete }
	adds := func(key, value string) func(*v1alpha1.Credentials) {
		return func(c *v1alpha1.Credentials) {
			c.Data = map[string]v1alpha1.CredentialsTemplate{key: v1alpha1.CredentialsTemplate(value)}
		}
	}
	theirData := map[string]string{"DB_PASSWORD": "3b7c1a", "client_secret": strongSecret}
	untouched := HaveField("Data", Equal(map[string][]byte{"DB_PASSWORD": []byte("3b7c1a"), "client_secret": []byte(strongSecret)}))
	allow := func(secret *corev1.Secret, names string) {
		GinkgoHelper()
		update(secret, func() {
			if secret.Annotations == nil {
				secret.Annotations = map[string]string{}
			}
			secret.Annotations[v1alpha1.AnnotationAllowClient] = names
		})
	}

	It("is not adopted, added to or deleted until it names the OIDCClient", func() {
		theirs := create(gen.Secret(apps, "theirs", theirData))
		c := create(gen.OIDCClient(apps, "app", provider, with(adopt("theirs"), deletes, adds("LD_PRELOAD", "/tmp/evil.so"))))
		Eventually(current(c)).Should(refusedSecret(v1alpha1.ReasonSecretNotAllowed,
			ContainSubstring("kubectl -n %s annotate secret theirs oidc-operator.dev/allow-client=app", apps)))
		update(c, func() { c.Spec.Credentials.SecretName = "own" })
		Eventually(current(c)).Should(haveCredentials)
		Expect(string(secretNamed(apps, "own")(Default).Data["client_secret"])).NotTo(Equal(strongSecret), "nothing of it is copied")
		Expect(current(theirs)(Default)).To(And(untouched, HaveField("Labels", BeEmpty()), HaveField("Annotations", BeEmpty())))
	})

	It("gets back what it was when the OIDCClient goes with deletionPolicy Delete", func() {
		theirs := create(gen.Secret(apps, "theirs", theirData))
		allow(theirs, "app")
		c := create(gen.OIDCClient(apps, "app", provider, with(adopt("theirs"), deletes, adds("URL", "{{ .issuer }}"), func(c *v1alpha1.Credentials) {
			c.Labels = map[string]string{"team": "web"}
		})))
		Eventually(current(c)).Should(haveCredentials)
		Expect(current(theirs)(Default)).To(And(HaveField("Data", HaveKey("URL")), HaveField("Labels", HaveKeyWithValue("team", "web")),
			HaveField("OwnerReferences", BeEmpty())), "the garbage collector would delete it")
		Expect(k8s.Delete(ctx, c)).To(Succeed())
		Eventually(current(theirs)).Should(And(untouched, HaveField("Labels", BeEmpty()), HaveField("Annotations", Equal(map[string]string{v1alpha1.AnnotationAllowClient: "app"}))))
	})

	It("gets back what it was also after a backup tool has restored it", func() {
		theirs := create(gen.Secret(apps, "theirs", theirData))
		allow(theirs, "app")
		c := create(gen.OIDCClient(apps, "app", provider, with(adopt("theirs"), deletes)))
		Eventually(current(c)).Should(haveCredentials)
		update(theirs, func() { theirs.ManagedFields = []metav1.ManagedFieldsEntry{{}} }) // nobody knows any more who has written what
		Eventually(current(theirs)).Should(HaveField("ManagedFields", BeEmpty()))
		Expect(k8s.Delete(ctx, c)).To(Succeed())
		Eventually(current(theirs)).Should(untouched)
	})

	It("keeps everything, and the added keys, when the OIDCClient goes by default", func() {
		theirs := create(gen.Secret(apps, "theirs", theirData))
		allow(theirs, "app")
		c := create(gen.OIDCClient(apps, "app", provider, with(adopt("theirs"))))
		Eventually(current(c)).Should(haveCredentials)
		Expect(k8s.Delete(ctx, c)).To(Succeed())
		Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
		Expect(current(theirs)(Default)).To(HaveField("Data", And(HaveKey("DB_PASSWORD"), HaveKey("issuer"))))
	})

	It("has no key and label changed that was there, not even after it is adopted", func() {
		theirs := create(gen.Secret(apps, "theirs", theirData))
		update(theirs, func() { theirs.Labels = map[string]string{"app": "theirs"} })
		allow(theirs, "app")
		c := create(gen.OIDCClient(apps, "app", provider, with(adopt("theirs"))))
		Eventually(current(c)).Should(haveCredentials)
		update(c, func() { adds("DB_PASSWORD", "evil")(&c.Spec.Credentials) })
		Eventually(current(c)).Should(refusedSecret(v1alpha1.ReasonSecretNotOwned, ContainSubstring(`holds something else under "DB_PASSWORD"`)))
		update(c, func() {
			c.Spec.Credentials.Data, c.Spec.Credentials.Keys.ClientID = nil, "DB_PASSWORD"
		})
		Eventually(current(c)).Should(refusedSecret(v1alpha1.ReasonSecretNotOwned, ContainSubstring(`holds something else under "DB_PASSWORD"`)))
		update(c, func() {
			c.Spec.Credentials.Keys.ClientID, c.Spec.Credentials.Labels = "", map[string]string{"app": "evil"}
		})
		Eventually(current(c)).Should(refusedSecret(v1alpha1.ReasonSecretNotOwned, ContainSubstring(`another value of the label "app"`)))
		Expect(current(theirs)(Default)).To(And(HaveField("Data", HaveKeyWithValue("DB_PASSWORD", []byte("3b7c1a"))), HaveField("Labels", HaveKeyWithValue("app", "theirs"))))
	})

	It("is not copied by existingSecretRef until it names the OIDCClient, nor again when it does so no longer", func() {
		theirs := create(gen.Secret(apps, "theirs", theirData))
		c := create(gen.OIDCClient(apps, "app", provider, with(func(c *v1alpha1.Credentials) {
			c.ExistingSecretRef = &v1alpha1.ClientSecretReference{Name: "theirs"}
		})))
		Eventually(current(c)).Should(refusedSecret(v1alpha1.ReasonSecretNotAllowed, And(ContainSubstring("oidc-operator.dev/allow-client=app"), Not(ContainSubstring(strongSecret)))))
		Expect(registrationsOf(provider, "client")(Default)).To(BeEmpty())
		allow(theirs, "app")
		Eventually(current(c)).Should(haveCredentials)
		Expect(string(secretNamed(apps, "app-oidc")(Default).Data["client_secret"])).To(Equal(strongSecret))
		allow(theirs, "another")
		Eventually(current(c)).Should(refusedSecret(v1alpha1.ReasonSecretNotAllowed, ContainSubstring("allow-client=another,app")))
		Expect(string(secretNamed(apps, "app-oidc")(Default).Data["client_secret"])).To(Equal(strongSecret), "logins go on")
		Expect(registrationsOf(provider, "client")(Default)).To(HaveLen(1))
	})

	It("has no label or annotation on which other controllers act, as the Secrets of the operator have none, without the provider's leave", func() {
		const replicate = "reflector.v1.k8s.emberstack.com/reflection-allowed"
		c := create(gen.OIDCClient(apps, "app", provider, with(func(c *v1alpha1.Credentials) { c.Labels = map[string]string{"team": "web"} })))
		Eventually(current(c)).Should(haveCredentials)
		before := secretNamed(apps, "app-oidc")(Default)
		Expect(before.Labels).To(HaveKeyWithValue("team", "web"))
		denied := func(field, key string) OmegaMatcher {
			return refusedSecret(v1alpha1.ReasonMetadataNotAllowed, And(ContainSubstring("spec.credentials.%s has the key %q", field, key),
				ContainSubstring("spec.allowedClients.secretMetadata of OIDCProvider %q", namespace+"/sso")))
		}
		update(c, func() { c.Spec.Credentials.Annotations = map[string]string{replicate: "true"} })
		Eventually(current(c)).Should(denied("annotations", replicate))
		update(c, func() {
			c.Spec.Credentials.Annotations, c.Spec.Credentials.Labels = nil, map[string]string{"argocd.argoproj.io/secret-type": "cluster"}
		})
		Eventually(current(c)).Should(denied("labels", "argocd.argoproj.io/secret-type"))
		Expect(secretNamed(apps, "app-oidc")(Default).ResourceVersion).To(Equal(before.ResourceVersion))

		update(provider, func() { provider.Spec.AllowedClients.SecretMetadata = []string{replicate, "example.com"} })
		update(c, func() {
			c.Spec.Credentials.Annotations, c.Spec.Credentials.Labels = map[string]string{replicate: "true"}, map[string]string{"example.com/team": "web"}
		})
		Eventually(current(c)).Should(haveCredentials)
		Expect(secretNamed(apps, "app-oidc")(Default)).To(And(HaveField("Annotations", HaveKeyWithValue(replicate, "true")), HaveField("Labels", HaveKey("example.com/team"))))
		update(c, func() { c.Spec.Credentials.Labels = map[string]string{"sub.example.com/team": "web"} })
		Eventually(current(c)).Should(denied("labels", "sub.example.com/team"))
		update(provider, func() { provider.Spec.AllowedClients.SecretMetadata = []string{"sub.example.com", replicate} })
		Eventually(current(c)).Should(haveCredentials)
	})

	It("goes to another OIDCClient when the one that it was retained for is gone, and it names the other", func() {
		old := create(gen.OIDCClient(apps, "old", provider, with(func(c *v1alpha1.Credentials) { c.DeletionPolicy = v1alpha1.DeletionPolicyRetain })))
		Eventually(current(old)).Should(haveCredentials)
		value := clientSecretOf(old)
		c := create(gen.OIDCClient(apps, "app", provider, with(adopt("old-oidc"))))
		belongs := refusedSecret(v1alpha1.ReasonSecretNotOwned, And(ContainSubstring("belongs to OIDCClient/%s/old", apps), Not(ContainSubstring("spec.credentials.adopt"))))
		Eventually(current(c)).Should(belongs)
		update(c, func() { c.Spec.Credentials.Adopt = nil })
		Eventually(current(c)).Should(And(HaveField("Status.ObservedGeneration", c.Generation), belongs), "the message does not depend on adopt")
		update(c, func() { c.Spec.Credentials.Adopt = new(true) })
		retained := secretNamed(apps, "old-oidc")(Default)
		allow(retained, "app")
		Consistently(current(c)).Should(belongs)
		Expect(k8s.Delete(ctx, old)).To(Succeed())
		Eventually(current(c)).Should(haveCredentials)
		data := secretNamed(apps, "old-oidc")(Default).Data
		Expect(string(data["client_secret"])).To(Equal(value), "whoever has mounted it goes on")
		Expect(string(data["client_id"])).To(Equal(apps + ".app"))
		Eventually(registeredFor(provider, c.ClientID())).Should(acceptOnly(value))
	})
})
