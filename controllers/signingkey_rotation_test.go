package controllers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// keyRing is what a SigningKey's Secret holds.
type keyRing struct {
	Document registration.SigningKey
	Memory   map[string]any
}

// secretOf returns the Secret of a SigningKey's keys.
func secretOf(k *v1alpha1.SigningKey) *corev1.Secret {
	GinkgoHelper()
	return secretNamed(k.Namespace, resources.RegistrationName(k.Spec.ProviderRef.Name, registration.KindSigningKey, k.Name))(Default)
}

func ringOf(secret *corev1.Secret) func(Gomega) keyRing {
	return func(g Gomega) keyRing {
		var ring keyRing
		current(secret)(g)
		g.Expect(json.Unmarshal(secret.Data["signing-key.json"], &ring.Document)).To(Succeed())
		g.Expect(json.Unmarshal(secret.Data["memory.json"], &ring.Memory)).To(Succeed())
		return ring
	}
}

// age makes everything in a SigningKey's Secret as old as though time had passed.
func age(secret *corev1.Secret, passed time.Duration) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		ring := ringOf(secret)(g)
		for i := range ring.Document.Keys {
			key := &ring.Document.Keys[i]
			for _, t := range []*time.Time{&key.CreatedAt, &key.ActivatedAt, &key.RetiresAt} {
				if !t.IsZero() {
					*t = t.Add(-passed)
				}
			}
		}
		if served, has := ring.Memory["servedAt"].(string); has {
			since, err := time.Parse(time.RFC3339, served)
			g.Expect(err).NotTo(HaveOccurred())
			ring.Memory["servedAt"] = since.Add(-passed)
		}
		var err error
		secret.Data["signing-key.json"], err = json.Marshal(ring.Document)
		g.Expect(err).NotTo(HaveOccurred())
		secret.Data["memory.json"], err = json.Marshal(ring.Memory)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(k8s.Update(ctx, secret)).To(Succeed())
	}).Should(Succeed())
}

func annotate(obj client.Object, annotation, value string) {
	GinkgoHelper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{annotation: value}}})
	Expect(err).NotTo(HaveOccurred())
	Expect(k8s.Patch(ctx, obj, client.RawPatch("application/merge-patch+json", patch))).To(Succeed())
}

func importing(name, key string) func(*v1alpha1.SigningKey) {
	return func(k *v1alpha1.SigningKey) {
		k.Spec.Import = &v1alpha1.KeyImport{SecretRef: v1alpha1.ImportSecretReference{Name: name, Key: key}}
	}
}

// servedKeyIDs reads the key IDs in a replica's JWKS, and that nothing private is there.
func servedKeyIDs(r *replica) func(Gomega) []string {
	return func(g Gomega) []string {
		answer, err := http.Get(r.url + "/oauth2/jwks")
		g.Expect(err).NotTo(HaveOccurred())
		defer func() { _ = answer.Body.Close() }()
		g.Expect(answer.StatusCode).To(Equal(http.StatusOK))
		body, err := io.ReadAll(answer.Body)
		g.Expect(err).NotTo(HaveOccurred())
		var set jose.JSONWebKeySet
		g.Expect(json.Unmarshal(body, &set)).To(Succeed(), string(body))
		ids := []string{}
		for _, key := range set.Keys {
			g.Expect(key.IsPublic()).To(BeTrue())
			ids = append(ids, key.KeyID)
		}
		return ids
	}
}

// reasonsOf lists the reasons of the events about an object.
func reasonsOf(obj client.Object) func(Gomega) []string {
	return func(g Gomega) []string {
		list := &eventsv1.EventList{}
		g.Expect(k8s.List(ctx, list, client.InNamespace(obj.GetNamespace()))).To(Succeed())
		var reasons []string
		for _, e := range list.Items {
			if e.Regarding.UID == obj.GetUID() {
				reasons = append(reasons, e.Reason)
			}
		}
		return reasons
	}
}

func keyIn(k *v1alpha1.SigningKey, name string) string {
	GinkgoHelper()
	for _, key := range k.Status.Keys {
		if key.Phase == name {
			return key.KeyID
		}
	}
	Fail("no key is " + name)
	return ""
}

// havePhases succeeds when the status lists keys in exactly these phases, in that order.
func havePhases(names ...string) types.GomegaMatcher {
	var matchers []any
	for _, name := range names {
		matchers = append(matchers, HaveField("Phase", name))
	}
	return HaveField("Status.Keys", HaveExactElements(matchers...))
}

// privateKeyData is what a Secret of the type kubernetes.io/tls holds of a private key.
func privateKeyData(key any) map[string]string {
	GinkgoHelper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	Expect(err).NotTo(HaveOccurred())
	return map[string]string{"tls.key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "tls.crt": "-"}
}

func newECKeyData() map[string]string {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	return privateKeyData(key)
}

var _ = Describe("The rotation of a SigningKey", func() {
	var namespace string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace = newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
	})
	ready := func(options ...func(*v1alpha1.SigningKey)) *v1alpha1.SigningKey {
		GinkgoHelper()
		k := create(gen.SigningKey(namespace, "key", "sso", options...))
		Eventually(current(k)).Should(match.BeReady())
		return k
	}
	// served waits until the published key has begun to wait.
	served := func(k *v1alpha1.SigningKey) {
		GinkgoHelper()
		Eventually(ringOf(secretOf(k))).Should(HaveField("Memory", HaveKey("servedAt")))
	}

	It("goes through the phases at every replica, also at one that starts in the middle", func() {
		k := ready()
		first := k.Status.ActiveKeyID
		one := startReplica(provider, "one")
		Eventually(servedKeyIDs(one)).Should(ConsistOf(first))
		annotate(k, v1alpha1.AnnotationRotate, "now")
		Eventually(current(k)).Should(And(match.BeReady(), havePhases("Active", "Published"), HaveField("Status.ActiveKeyID", first)))
		second := keyIn(k, "Published")
		served(k)
		Expect(servedKeyIDs(one)(Default)).To(ConsistOf(first, second))
		Eventually(current(k)).Should(HaveField("Status.NextRotationTime.Time", BeTemporally("~", time.Now().Add(24*time.Hour), time.Minute)))
		startsWith := func(name string, ids ...any) {
			GinkgoHelper()
			r := startReplica(provider, name)
			var got []string
			Eventually(func(g Gomega) { got = servedKeyIDs(r)(g) }).Should(Succeed())
			Expect(got).To(ConsistOf(ids...), "the first answer is right")
			r.stop()
		}
		startsWith("published", first, second)

		age(secretOf(k), 23*time.Hour)
		Consistently(current(k)).Should(HaveField("Status.ActiveKeyID", first))
		age(secretOf(k), 2*time.Hour)
		Eventually(current(k)).Should(And(match.BeReady(), havePhases("Retiring", "Active"), HaveField("Status.ActiveKeyID", second)))
		Expect(k.Status.Keys[0].RetiresAt.Time).To(BeTemporally("~", time.Now().Add(24*time.Hour+10*time.Minute), time.Minute))
		Eventually(servedKeyIDs(one)).Should(ConsistOf(first, second))
		startsWith("retiring", first, second)

		age(secretOf(k), 25*time.Hour)
		Eventually(current(k)).Should(havePhases("Active"))
		Eventually(servedKeyIDs(one)).Should(ConsistOf(second))
		startsWith("gone", second)
		Eventually(func(g Gomega) []string { // the operator may hear of the key before the provider
			return slices.DeleteFunc(reasonsOf(k)(g), func(reason string) bool { return reason == v1alpha1.ReasonProviderNotFound })
		}).Should(ConsistOf("KeyActivated", "Ready", "KeyPublished", "KeyActivated", "KeyRetired"))
	})

	It("waits for a replica that does not answer", func() {
		k := ready()
		startReplica(provider, "one")
		two := startReplica(provider, "two")
		Eventually(current(provider)).Should(HaveField("Status.Replicas.Ready", HaveValue(BeEquivalentTo(2))))
		two.pause()
		annotate(k, v1alpha1.AnnotationRotate, "now")
		Eventually(current(k)).Should(match.HaveCondition("Ready", "True", "Ready", ContainSubstring("waits until every provider replica serves it")))
		age(secretOf(k), 100*time.Hour)
		Consistently(current(k), "2s").Should(And(havePhases("Active", "Published"), HaveField("Status.NextRotationTime", BeNil())))
		Expect(two.process.Process.Signal(syscall.SIGCONT)).To(Succeed())
		served(k)
		Eventually(current(k)).Should(match.HaveCondition("Ready", "True", "Ready", ContainSubstring("the next one is published")))
	})

	It("begins by interval, once, however long nobody looked", func() {
		k := ready(func(k *v1alpha1.SigningKey) { k.Spec.Rotation.Interval = &metav1.Duration{Duration: 720 * time.Hour} })
		Eventually(current(k)).Should(HaveField("Status.NextRotationTime.Time", BeTemporally("~", time.Now().Add(720*time.Hour), time.Minute)))
		startReplica(provider, "one")
		age(secretOf(k), 5000*time.Hour)
		Eventually(current(k)).Should(havePhases("Active", "Published"))
		served(k)
		age(secretOf(k), 5000*time.Hour)
		Eventually(current(k)).Should(havePhases("Retiring", "Active"))
		Consistently(current(k)).Should(havePhases("Retiring", "Active"))
	})

	It("replaces a revoked key at once", func() {
		k := ready()
		one := startReplica(provider, "one")
		leaked := k.Status.ActiveKeyID
		Eventually(servedKeyIDs(one)).Should(ConsistOf(leaked))
		annotate(k, v1alpha1.AnnotationRevoke, leaked)
		Eventually(current(k)).Should(And(match.BeReady(), havePhases("Active"), HaveField("Status.ActiveKeyID", Not(Equal(leaked)))))
		Eventually(servedKeyIDs(one)).Should(ConsistOf(k.Status.ActiveKeyID))
		Eventually(reasonsOf(k)).Should(ContainElement("KeyRevoked"))
		kept := k.Status.ActiveKeyID
		annotate(k, "example.com/unrelated", "x")
		Consistently(current(k)).Should(HaveField("Status.ActiveKeyID", kept))
	})

	It("changes the algorithm by a second SigningKey without a break", func() {
		old := ready()
		one := startReplica(provider, "one")
		Eventually(current(provider)).Should(HaveField("Status.SigningAlgorithms", HaveExactElements("ES256")))
		next := create(gen.SigningKey(namespace, "next", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "EdDSA" }))
		Eventually(current(next)).Should(match.BeReady())
		Eventually(current(provider)).Should(HaveField("Status.SigningAlgorithms", HaveExactElements("ES256", "EdDSA")))
		Eventually(servedKeyIDs(one)).Should(ConsistOf(old.Status.ActiveKeyID, next.Status.ActiveKeyID))
		Expect(k8s.Delete(ctx, old)).To(Succeed())
		Eventually(current(provider)).Should(HaveField("Status.SigningAlgorithms", HaveExactElements("EdDSA")))
		Eventually(reasonsOf(provider)).Should(ContainElements("AlgorithmAdded", "AlgorithmRemoved"))
		Consistently(servedKeyIDs(one)).Should(ConsistOf(old.Status.ActiveKeyID, next.Status.ActiveKeyID), "what the old one signed is verified on")
	})
})

var _ = Describe("An imported SigningKey", func() {
	var namespace string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace = newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
	})
	put := func(secret *corev1.Secret, data map[string]string) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			current(secret)(g)
			secret.Data, secret.StringData = nil, data
			g.Expect(k8s.Update(ctx, secret)).To(Succeed())
		}).Should(Succeed())
	}

	It("waits for its Secret, follows it through the phases, and never takes a key twice", func() {
		startReplica(provider, "one")
		k := create(gen.SigningKey(namespace, "key", "sso", importing("tls", "")))
		Eventually(current(k)).Should(match.HaveCondition("Ready", "False", "ImportNotFound", ContainSubstring(`Secret "tls" of spec.import does not exist`)))
		first, second := newECKeyData(), newECKeyData()
		secret := create(gen.Secret(namespace, "tls", map[string]string{"other": "x"}))
		Eventually(current(k)).Should(match.HaveCondition("Ready", "False", "ImportNotFound", ContainSubstring(`nothing under the key "tls.key"`)))
		put(secret, first)
		Eventually(current(k)).Should(And(match.BeReady(), havePhases("Active")))
		keyID := k.Status.ActiveKeyID

		put(secret, second)
		Eventually(current(k)).Should(And(match.BeReady(), havePhases("Active", "Published"), HaveField("Status.ActiveKeyID", keyID)))
		Eventually(ringOf(secretOf(k))).Should(HaveField("Memory", HaveKey("servedAt")))
		age(secretOf(k), 25*time.Hour)
		Eventually(current(k)).Should(And(match.BeReady(), havePhases("Retiring", "Active"), HaveField("Status.ActiveKeyID", Not(Equal(keyID)))))
		age(secretOf(k), 25*time.Hour)
		Eventually(current(k)).Should(havePhases("Active"))

		put(secret, first)
		Eventually(current(k)).Should(match.BeRefused("ImportRefused", And(ContainSubstring("used before"), ContainSubstring("goes on signing"))))
		Expect(k.Status.ActiveKeyID).NotTo(BeEmpty())
		put(secret, second)
		Eventually(current(k)).Should(match.BeReady())
	})

	It("is refused with the reason and nothing of the key when it must not sign", func() {
		weak, err := rsa.GenerateKey(rand.Reader, 1024)
		Expect(err).NotTo(HaveOccurred())
		secret := create(gen.Secret(namespace, "tls", privateKeyData(weak)))
		k := create(gen.SigningKey(namespace, "key", "sso", importing("tls", ""), func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "RS256" }))
		Eventually(current(k)).Should(match.BeRefused("ImportRefused", Equal(
			`Secret "tls", key "tls.key" is an RSA key of 1024 bits, which is too weak; use one of at least 2048`)))
		put(secret, newECKeyData())
		Eventually(current(k)).Should(match.BeRefused("ImportRefused", ContainSubstring("does not fit RS256; use an RSA key")))
		put(secret, map[string]string{"tls.key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n"})
		Eventually(current(k)).Should(match.BeRefused("ImportRefused", And(ContainSubstring("is encrypted; decrypt it first"), Not(ContainSubstring("c2Vj")))))
		Expect(registrationsOf(provider, "signing-key")(Default)).To(BeEmpty(), "nothing is kept of what was refused")
	})

	It("is not another SigningKey's", func() {
		create(gen.Secret(namespace, "tls", newECKeyData()))
		one := create(gen.SigningKey(namespace, "one", "sso", importing("tls", "")))
		Eventually(current(one)).Should(match.BeReady())
		two := create(gen.SigningKey(namespace, "two", "sso", importing("tls", "")))
		Eventually(current(two)).Should(match.BeRefused("ImportRefused", ContainSubstring(`is the key of SigningKey "one"`)))
	})

	It("is not one that another SigningKey has had, whose name it may have been", func() {
		create(gen.Secret(namespace, "tls", newECKeyData()))
		one := create(gen.SigningKey(namespace, "one", "sso", importing("tls", "")))
		Eventually(current(one)).Should(match.BeReady())
		annotate(one, v1alpha1.AnnotationRevoke, one.Status.ActiveKeyID)
		Eventually(current(one)).Should(HaveField("Status.ActiveKeyID", BeEmpty()))
		two := create(gen.SigningKey(namespace, "two", "sso", importing("tls", "")))
		Eventually(current(two)).Should(match.BeRefused("ImportRefused", ContainSubstring(`which SigningKey "one" has used before`)), "it was revoked")

		create(gen.Secret(namespace, "other", newECKeyData()))
		gone := create(gen.SigningKey(namespace, "gone", "sso", importing("other", "")))
		Eventually(current(gone)).Should(match.BeReady())
		Expect(k8s.Delete(ctx, gone)).To(Succeed())
		three := create(gen.SigningKey(namespace, "three", "sso", importing("other", "")))
		Eventually(current(three)).Should(match.BeRefused("ImportRefused", ContainSubstring(`is the key of SigningKey "gone"`)), "what it has signed is still verified")
	})
})
