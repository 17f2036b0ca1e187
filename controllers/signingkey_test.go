package controllers_test

import (
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

var _ = Describe("A SigningKey", func() {
	var namespace string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace = newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso"))
	})

	// keySecret returns the one registration Secret of the namespace's only SigningKey.
	keySecret := func() *corev1.Secret {
		GinkgoHelper()
		var found corev1.Secret
		Eventually(func(g Gomega) {
			list := registrationsOf(provider, "signing-key")(g)
			g.Expect(list).To(HaveLen(1))
			found = list[0]
		}).Should(Succeed())
		return &found
	}
	document := func(s *corev1.Secret) registration.SigningKey {
		GinkgoHelper()
		var d registration.SigningKey
		Expect(json.Unmarshal(s.Data["signing-key.json"], &d)).To(Succeed())
		Expect(d.Validate()).To(Succeed())
		return d
	}

	It("gets a private key, once, whose kid is its thumbprint", func() {
		k := create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(k)).Should(match.BeReady())
		d := document(keySecret())
		Expect(d.Keys).To(HaveLen(1))
		var jwk jose.JSONWebKey
		Expect(json.Unmarshal(d.Keys[0].PrivateJWK, &jwk)).To(Succeed())
		thumbprint, err := registration.Thumbprint(&jwk)
		Expect(err).NotTo(HaveOccurred())
		Expect(k.Status.ActiveKeyID).To(Equal(thumbprint))
		Expect(k.Status.Keys).To(ConsistOf(And(HaveField("KeyID", thumbprint), HaveField("Phase", "Active"))))
		public, err := json.Marshal(k.Status)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(public)).NotTo(ContainSubstring(`"d"`), "nothing private in status")
	})

	It("stands beside others of other algorithms", func() {
		for name, algorithm := range map[string]string{"rsa": "RS256", "pss": "PS384", "ec": "ES512", "ed": "EdDSA"} {
			k := create(gen.SigningKey(namespace, name, "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = algorithm }))
			Eventually(current(k)).Should(match.BeReady())
		}
		Eventually(registrationsOf(provider, "signing-key")).Should(HaveLen(4))
	})

	It("waits for its provider", func() {
		k := create(gen.SigningKey(namespace, "key", "later"))
		Eventually(current(k)).Should(match.HaveCondition("Ready", "False", v1alpha1.ReasonProviderNotFound, ContainSubstring(`OIDCProvider "later"`)))
		create(gen.OIDCProvider(namespace, "later"))
		Eventually(current(k)).Should(match.BeReady())
	})

	// What is valid for a day must not become unverifiable because somebody tidied up; the private key goes at once.
	It("leaves only a public key for as long as what it signed is valid", func() {
		create(gen.SigningKey(namespace, "other", "sso"))
		k := create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(k)).Should(match.BeReady())
		secret := secretOf(k)
		Expect(secret.OwnerReferences).To(ConsistOf(HaveField("Kind", "SigningKey"), HaveField("Kind", "OIDCProvider")),
			"it is collected when both are gone, and not before")
		Expect(k8s.Delete(ctx, k)).To(Succeed())
		Eventually(ringOf(secret)).Should(HaveField("Document.Keys", HaveExactElements(And(
			HaveField("KeyID", k.Status.ActiveKeyID), HaveField("Phase", registration.PhaseRetiring),
			HaveField("PrivateJWK", Not(ContainSubstring(`"d":`)))))))
		Expect(current(secret)(Default).OwnerReferences).To(ConsistOf(HaveField("Kind", "OIDCProvider")))
		age(secret, 23*time.Hour)
		Consistently(ringOf(secret)).Should(HaveField("Document.Keys", HaveLen(1)))
		age(secret, 2*time.Hour)
		Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(secret), secret) }).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
	})

	It("keeps what its predecessor of the same name has signed verifiable, also with another algorithm", func() {
		k := create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(k)).Should(match.BeReady())
		before, secret := k.Status.ActiveKeyID, secretOf(k)
		Expect(k8s.Delete(ctx, k)).To(Succeed())
		again := create(gen.SigningKey(namespace, "key", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "EdDSA" }))
		Eventually(current(again)).Should(And(match.BeReady(), HaveField("Status.Keys", ConsistOf(
			And(HaveField("KeyID", before), HaveField("Phase", "Retiring")), HaveField("Phase", "Active")))))
		Expect(again.Status.ActiveKeyID).NotTo(Equal(before))
		d := document(secretOf(again))
		Expect(d.Algorithm).To(Equal("EdDSA"))
		Expect(secretOf(again).UID).To(Equal(secret.UID))
	})

	It("is taken up again under the same name when it was retained", func() {
		retained := gen.SigningKey(namespace, "key", "sso", func(k *v1alpha1.SigningKey) { k.Spec.DeletionPolicy = v1alpha1.DeletionPolicyRetain })
		k := create(retained.DeepCopy())
		Eventually(current(k)).Should(match.BeReady())
		keyID, secret := k.Status.ActiveKeyID, keySecret()
		Expect(secret.OwnerReferences).To(BeEmpty())
		create(gen.SigningKey(namespace, "other", "sso")) // so that none is made by default
		Expect(k8s.Delete(ctx, k)).To(Succeed())
		Eventually(ringOf(secret)).Should(HaveField("Document.Keys", ConsistOf(And(
			HaveField("Phase", registration.PhaseRetiring), HaveField("PrivateJWK", ContainSubstring(`"d":`))))), "it verifies")
		age(secret, 25*time.Hour)
		Eventually(secretNamed(namespace, secret.Name)).Should(HaveField("Labels", Not(HaveKey("oidc-operator.dev/registration"))),
			"the provider does not see it any more")
		again := create(retained.DeepCopy())
		Eventually(current(again)).Should(And(match.BeReady(), HaveField("Status.ActiveKeyID", keyID)))
		Eventually(secretNamed(namespace, secret.Name)).Should(HaveField("Labels", HaveKey("oidc-operator.dev/registration")))
		Expect(k8s.Delete(ctx, again)).To(Succeed())
		Eventually(ringOf(secret)).Should(HaveField("Document.Keys", ConsistOf(HaveField("Phase", registration.PhaseRetiring))))
		soon := create(retained.DeepCopy())
		Eventually(current(soon)).Should(And(match.BeReady(), HaveField("Status.ActiveKeyID", keyID)), "before it was put away, too")
	})

	It("is taken up from a backup that was there before it", func() {
		create(gen.SigningKey(namespace, "other", "sso"))
		k := create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(k)).Should(match.BeReady())
		keyID, secret := k.Status.ActiveKeyID, secretOf(k)
		Expect(k8s.Delete(ctx, k)).To(Succeed())
		Eventually(ringOf(secret.DeepCopy())).Should(HaveField("Document.Keys", HaveExactElements(HaveField("Phase", registration.PhaseRetiring))))
		Expect(k8s.Delete(ctx, secret)).To(Succeed())
		restored := create(&corev1.Secret{Type: secret.Type, Data: secret.Data, ObjectMeta: metav1.ObjectMeta{
			Namespace: secret.Namespace, Name: secret.Name, Labels: secret.Labels, Annotations: secret.Annotations,
		}})
		Eventually(ringOf(restored)).Should(HaveField("Document.Keys", HaveExactElements(HaveField("Phase", registration.PhaseRetiring))),
			"nothing says yet that it may sign")
		again := create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(again)).Should(And(match.BeReady(), HaveField("Status.ActiveKeyID", keyID)))
	})

	It("says so when a retained key is not of the size that is asked for", func() {
		rsa := func(bits int32) *v1alpha1.SigningKey {
			return gen.SigningKey(namespace, "key", "sso", func(k *v1alpha1.SigningKey) {
				k.Spec.Algorithm, k.Spec.RSABits, k.Spec.DeletionPolicy = "RS256", new(bits), v1alpha1.DeletionPolicyRetain
			})
		}
		k := create(rsa(2048))
		Eventually(current(k)).Should(match.BeReady())
		Expect(k8s.Delete(ctx, k)).To(Succeed())
		again := create(rsa(3072))
		Eventually(current(again)).Should(match.BeRefused(v1alpha1.ReasonInvalidKey, ContainSubstring("2048 bits and spec.rsaBits is 3072")))
	})

	It("says so when its Secret was broken by hand, and recovers with a new key when it is deleted", func() {
		k := create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(k)).Should(match.BeReady())
		secret := keySecret()
		secret.Data["signing-key.json"] = []byte(`{"algorithm":"ES256"}`)
		Expect(k8s.Update(ctx, secret)).To(Succeed())
		Eventually(current(k)).Should(match.BeRefused(v1alpha1.ReasonInvalidKey, ContainSubstring("restore it, or delete it to get a new key")))
		Expect(k8s.Delete(ctx, secret)).To(Succeed())
		Eventually(current(k)).Should(match.BeReady())
	})

	It("has its labels and owner repaired", func() {
		k := create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(k)).Should(match.BeReady())
		secret := keySecret()
		before := document(secret)
		delete(secret.Labels, "oidc-operator.dev/provider")
		secret.OwnerReferences = nil
		Expect(k8s.Update(ctx, secret)).To(Succeed())
		Eventually(current(secret)).Should(And(
			HaveField("Labels", HaveKeyWithValue("oidc-operator.dev/provider", "sso")),
			HaveField("OwnerReferences", HaveLen(2))))
		Expect(document(secret)).To(Equal(before))
	})
})
