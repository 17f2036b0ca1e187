package controllers_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// Serial, because no other test has an operator while this one starts another.
var _ = Describe("The operator", Serial, func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	var app *v1alpha1.OIDCClient
	var ada, bob *v1alpha1.OIDCUser
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080"), func(p *v1alpha1.OIDCProvider) {
			p.Spec.Storage = v1alpha1.Storage{}
			p.Spec.Expose.Ingress = &v1alpha1.ExposeIngress{ClassName: "nginx"}
			p.Spec.Template.NodeSelector = map[string]string{"a": "b"}
		}))
		key := create(gen.SigningKey(namespace, "key", "sso"))
		create(gen.Secret(namespace, "bob-login", map[string]string{"password": "open sesame"}))
		ada = create(gen.OIDCUser(namespace, "ada", "sso"))
		bob = create(gen.OIDCUser(namespace, "bob", "sso", gen.WithPasswordFrom("bob-login", "")))
		app = create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			c.Spec.Preset = &v1alpha1.ClientPreset{Synapse: synapsePreset()}
			c.Spec.IDTokenSignedResponseAlg = "ES256"
		}))
		create(gen.Secret(namespace, "pg", map[string]string{"uri": "postgres://db"}))
		create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "brand"}, Data: map[string]string{"logo.svg": "<svg/>"}})
		shared := create(gen.OIDCProvider(namespace, "shared", gen.WithIssuer("https://shared.example.com"), gen.WithPostgres("pg"), gen.WithLogo("brand", "logo.svg")))
		create(gen.SigningKey(namespace, "shared", "shared"))
		create(gen.Secret(namespace, "tls", newECKeyData()))
		imported := create(gen.SigningKey(namespace, "imported", "sso", importing("tls", "tls.key")))
		interval := create(gen.SigningKey(namespace, "interval", "sso", func(k *v1alpha1.SigningKey) {
			k.Spec.Rotation.Interval = &metav1.Duration{Duration: 720 * time.Hour}
		}))
		startReplica(provider, "one")
		for _, k := range []*v1alpha1.SigningKey{imported, interval} {
			Eventually(current(k)).Should(match.BeReady())
		}
		Eventually(current(key)).Should(match.BeReady())
		annotate(key, v1alpha1.AnnotationRotate, "now")
		Eventually(current(key)).Should(HaveField("Status.NextRotationTime", Not(BeNil())))
		Eventually(current(shared)).Should(match.HaveCondition(v1alpha1.ConditionBrandingReady, metav1.ConditionTrue, "", nil))
		Eventually(current(provider)).Should(match.BeReady())
		Eventually(current(ada)).Should(match.BeReady())
		Eventually(current(bob)).Should(match.BeReady())
		Eventually(current(app)).Should(match.BeReady())
		Eventually(current(provider)).Should(HaveField("Status.Registered.Users", HaveValue(BeEquivalentTo(2))))
	})
	It("writes nothing when it starts again and nothing has changed", func() {
		settled()
		operator.stop()
		operator = startOperator(cluster.Config)
		// What other tests have left in the middle of a rotation begins it anew: the secret that was to come is known to nobody.
		written := func() []string { return slices.Concat(operator.writes.in(namespace), operator.writes.in(apps)) }
		Consistently(written, "4s").Should(BeEmpty())
		// It does work: a change is still answered.
		create(gen.OIDCClient(apps, "another", provider))
		Eventually(written).ShouldNot(BeEmpty())
	})

	It("leaves no orphan of what was deleted while it was down", func() {
		settled()
		operator.stop()
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Expect(k8s.Delete(ctx, ada)).To(Succeed())
		operator = startOperator(cluster.Config)
		Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
		Eventually(registrationsOf(provider, "user")).Should(HaveLen(1))
	})

	It("never writes into a spec and never adds a finalizer", func() {
		settled()
		for _, obj := range []client.Object{provider, ada, bob, app} {
			current(obj)(Default)
			Expect(obj.GetGeneration()).To(BeEquivalentTo(1), "the spec is as it was created")
			Expect(obj.GetFinalizers()).To(BeEmpty())
		}
		list := &corev1.SecretList{}
		Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		for i := range list.Items {
			Expect(list.Items[i].Finalizers).To(BeEmpty())
		}
	})
})
