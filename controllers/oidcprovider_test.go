package controllers_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

var _ = Describe("An OIDCProvider", func() {
	var namespace string
	BeforeEach(func() { namespace = newNamespace(nil) })

	named := func(obj client.Object, name string) client.Object {
		obj.SetNamespace(namespace)
		obj.SetName(name)
		return obj
	}

	It("gets everything that runs it, hardened and in its own namespace", func() {
		p := create(gen.OIDCProvider(namespace, "sso", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Storage = v1alpha1.Storage{}
			p.Spec.Template = v1alpha1.PodTemplate{
				Labels:       map[string]string{"team": "id"},
				Annotations:  map[string]string{"note": "x"},
				NodeSelector: map[string]string{"disk": "ssd"},
				Tolerations:  []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists}},
				Affinity:     &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{}},
				Env:          []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://proxy"}},
				Resources:    &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}},
			}
		}))
		d := &appsv1.Deployment{}
		Eventually(current(named(d, "sso"))).ShouldNot(BeNil())
		Expect(*d.Spec.Replicas).To(BeEquivalentTo(1))
		Expect(d.Spec.Strategy.Type).To(Equal(appsv1.RecreateDeploymentStrategyType))
		Expect(metav1.IsControlledBy(d, p)).To(BeTrue())
		template := d.Spec.Template
		Expect(template.Labels).To(HaveKeyWithValue("team", "id"))
		Expect(template.Annotations).To(HaveKeyWithValue("note", "x"))
		pod := template.Spec
		Expect(pod.NodeSelector).To(HaveKeyWithValue("disk", "ssd"))
		Expect(pod.Tolerations).To(HaveLen(1))
		Expect(pod.Affinity.PodAntiAffinity).NotTo(BeNil())
		Expect(*pod.SecurityContext.RunAsNonRoot).To(BeTrue())
		Expect(pod.SecurityContext.SeccompProfile.Type).To(Equal(corev1.SeccompProfileTypeRuntimeDefault))
		Expect(pod.Volumes[0].PersistentVolumeClaim.ClaimName).To(Equal("sso-data"))
		Expect(pod.Containers[0].Args).To(ContainElement("--data-size=1073741824"), "also where the volume is larger than the claim")
		c := pod.Containers[0]
		Expect(c.Image).To(Equal(providerImage))
		Expect(c.Args).To(ContainElements("serve", "--issuer=https://id.example.com", "--provider-name=sso", "--namespace="+namespace))
		Expect(*c.SecurityContext.ReadOnlyRootFilesystem).To(BeTrue())
		Expect(*c.SecurityContext.AllowPrivilegeEscalation).To(BeFalse())
		Expect(c.SecurityContext.Capabilities.Drop).To(ConsistOf(corev1.Capability("ALL")))
		Expect(c.Resources.Limits.Memory().String()).To(Equal("1Gi"))
		Expect(c.Env).To(ContainElement(corev1.EnvVar{Name: "HTTPS_PROXY", Value: "http://proxy"}))
		Expect(c.Env).To(ContainElement(HaveField("Name", "GOMEMLIMIT")))

		role := &rbacv1.Role{}
		Eventually(current(named(role, "sso"))).ShouldNot(BeNil())
		Expect(role.Rules).To(ConsistOf(
			rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list", "watch"}},
			rbacv1.PolicyRule{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "list", "create", "patch", "update", "delete"}}))
		for _, obj := range []client.Object{&corev1.ServiceAccount{}, &rbacv1.RoleBinding{}, &networkingv1.NetworkPolicy{}} {
			Eventually(current(named(obj, "sso"))).ShouldNot(BeNil())
		}
		service := &corev1.Service{}
		Eventually(current(named(service, "sso"))).ShouldNot(BeNil())
		Expect(service.Spec.Ports[0]).To(And(HaveField("Port", int32(80)), HaveField("TargetPort", intstr.FromString("http"))))
		budget := &policyv1.PodDisruptionBudget{}
		Eventually(current(named(budget, "sso"))).ShouldNot(BeNil())
		Expect(budget.Spec.MaxUnavailable.IntValue()).To(Equal(1))
		claim := &corev1.PersistentVolumeClaim{}
		Eventually(current(named(claim, "sso-data"))).ShouldNot(BeNil())
		Expect(claim.Spec.Resources.Requests.Storage().String()).To(Equal("1Gi"))
		Expect(claim.OwnerReferences).To(BeEmpty(), "the data outlives the provider by default")
		Eventually(secretNamed(namespace, "sso-settings")).Should(HaveField("Type", corev1.SecretType("oidc-operator.dev/registration")))

		Eventually(current(p)).Should(HaveField("Status.Endpoints.Discovery", "https://id.example.com/.well-known/openid-configuration"))
		Expect(p).To(match.HaveCondition(v1alpha1.ConditionAvailable, metav1.ConditionFalse, v1alpha1.ReasonAwaitingReport, ContainSubstring(`Deployment "sso"`)))
	})

	It("serves TLS itself when it has a certificate", func() {
		p := create(gen.OIDCProvider(namespace, "sso", func(p *v1alpha1.OIDCProvider) { p.Spec.TLS = &v1alpha1.ProviderTLS{SecretName: "id-tls"} }))
		d := &appsv1.Deployment{}
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionTLSReady, metav1.ConditionFalse, v1alpha1.ReasonTLSSecretNotFound, ContainSubstring("id-tls")))
		Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(p), d))).To(BeTrue(), "pods could not start without the Secret")
		create(gen.Secret(namespace, "id-tls", certificateFor("id.example.com")))
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionTLSReady, metav1.ConditionTrue, v1alpha1.ReasonTLSReady, nil))
		Eventually(current(named(d, "sso"))).ShouldNot(BeNil())
		Expect(d.Spec.Template.Spec.Volumes).To(ContainElement(HaveField("VolumeSource.Secret.SecretName", "id-tls")))
		Expect(d.Spec.Template.Spec.Containers[0].Args).To(ContainElement("--tls-cert-file=/etc/oidc-provider/tls/tls.crt"))
		service := &corev1.Service{}
		Eventually(current(named(service, "sso"))).ShouldNot(BeNil())
		Expect(service.Spec.Ports[0].Port).To(BeEquivalentTo(443))
	})

	It("is refused when an older one has its issuer, and says which", func() {
		older := create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("https://twice.example.com")))
		Eventually(current(named(&appsv1.Deployment{}, "sso"))).ShouldNot(BeNil())
		time.Sleep(time.Until(older.CreationTimestamp.Add(time.Second))) // creation times have whole seconds
		elsewhere := newNamespace(nil)
		younger := create(gen.OIDCProvider(elsewhere, "other", gen.WithIssuer("https://TWICE.example.com:443/")))
		Eventually(current(younger)).Should(match.BeRefused(v1alpha1.ReasonIssuerTaken, ContainSubstring(`belongs to the older OIDCProvider "sso" in namespace "`+namespace+`"`)))
		Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(younger), &appsv1.Deployment{}))).To(BeTrue())
		Expect(current(older)(Default)).NotTo(match.HaveCondition(v1alpha1.ConditionAvailable, metav1.ConditionFalse, v1alpha1.ReasonIssuerTaken, nil))
		Expect(k8s.Delete(ctx, older)).To(Succeed())
		Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(younger), &appsv1.Deployment{}) }).Should(Succeed())
		Eventually(current(younger)).ShouldNot(match.HaveCondition(v1alpha1.ConditionAvailable, metav1.ConditionFalse, v1alpha1.ReasonIssuerTaken, nil))
	})

	It("is exposed by an Ingress while that is asked for", func() {
		p := create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("https://id.example.com/realms/one"), func(p *v1alpha1.OIDCProvider) {
			p.Spec.Expose.Ingress = &v1alpha1.ExposeIngress{ClassName: "nginx", TLSSecretName: "id-tls", Annotations: map[string]string{"a": "b"}}
		}))
		ingress := &networkingv1.Ingress{}
		Eventually(current(named(ingress, "sso"))).ShouldNot(BeNil())
		Expect(ingress.Annotations).To(HaveKeyWithValue("a", "b"))
		Expect(*ingress.Spec.IngressClassName).To(Equal("nginx"))
		Expect(ingress.Spec.TLS[0].SecretName).To(Equal("id-tls"))
		Expect(ingress.Spec.Rules[0].Host).To(Equal("id.example.com"))
		Expect(ingress.Spec.Rules[0].HTTP.Paths).To(HaveExactElements(
			And(HaveField("Path", "/realms/one"), HaveField("PathType", HaveValue(Equal(networkingv1.PathTypePrefix)))),
			And(HaveField("Path", "/.well-known/oauth-authorization-server/realms/one"), HaveField("PathType", HaveValue(Equal(networkingv1.PathTypeExact)))),
		), "RFC 8414 puts the metadata outside of the issuer's path")
		Expect(ingress.Spec.Rules[0].HTTP.Paths[1].Backend).To(Equal(ingress.Spec.Rules[0].HTTP.Paths[0].Backend))

		Eventually(func(g Gomega) {
			current(p)(g).Spec.SynologySSO = v1alpha1.SynologySSO{Enabled: new(true), DomainName: "MYDOMAIN.COM", LDAPBaseDN: "dc=myldap,dc=com"}
			g.Expect(k8s.Update(ctx, p)).To(Succeed())
		}).Should(Succeed())
		Eventually(current(ingress)).Should(HaveField("Spec.Rules", ConsistOf(HaveField("HTTP.Paths", ContainElement(
			And(HaveField("Path", "/webman/sso"), HaveField("PathType", HaveValue(Equal(networkingv1.PathTypePrefix)))))))),
			"applications of Synology SSO Server know the host alone")
		Eventually(func(g Gomega) {
			d, err := registration.Parse[registration.Settings](secretNamed(namespace, "sso-settings")(g).Data["settings.json"])
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(d.SynologySSO).To(Equal(registration.SynologySSO{Enabled: true, DomainName: "MYDOMAIN.COM", LDAPBaseDN: "dc=myldap,dc=com"}))
		}).Should(Succeed())

		Eventually(func(g Gomega) {
			current(p)(g).Spec.Expose.Ingress = nil
			g.Expect(k8s.Update(ctx, p)).To(Succeed())
		}).Should(Succeed())
		Eventually(func() bool { return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(ingress), ingress)) }).Should(BeTrue())
	})

	It("says what an HTTPRoute needs where there is no Gateway API", func() {
		p := create(gen.OIDCProvider(namespace, "sso", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Expose.HTTPRoute = &v1alpha1.ExposeHTTPRoute{ParentRefs: []v1alpha1.GatewayReference{{Name: "gw"}}}
		}))
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionAvailable, metav1.ConditionFalse,
			v1alpha1.ReasonHTTPRouteUnsupported, ContainSubstring("needs the Gateway API")))
		// An operator that another test starts may judge it otherwise, and would write that.
		DeferCleanup(func() { Expect(k8s.Delete(ctx, p)).To(Succeed()) })
		Eventually(current(named(&appsv1.Deployment{}, "sso"))).ShouldNot(BeNil(), "the rest is not held up")
	})

	It("is exposed by an HTTPRoute where there is one", func() {
		crd := create(&apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{
				Name: "httproutes.gateway.networking.k8s.io",
				// The API server asks for a reference when somebody else defines a kind of this group.
				Annotations: map[string]string{"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2466"},
			},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: "gateway.networking.k8s.io", Scope: apiextensionsv1.NamespaceScoped,
				Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "httproutes", Kind: "HTTPRoute"},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
					Name: "v1", Served: true, Storage: true,
					Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
						Type: "object", XPreserveUnknownFields: new(true),
					}},
				}},
			},
		})
		DeferCleanup(func() { Expect(k8s.Delete(ctx, crd)).To(Succeed()) })
		Eventually(current(crd)).Should(HaveField("Status.Conditions", ContainElement(And(
			HaveField("Type", apiextensionsv1.Established), HaveField("Status", apiextensionsv1.ConditionTrue)))))
		p := create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("https://id.example.com/realms/one"), func(p *v1alpha1.OIDCProvider) {
			p.Spec.Expose.HTTPRoute = &v1alpha1.ExposeHTTPRoute{ParentRefs: []v1alpha1.GatewayReference{{Name: "gw", Namespace: "infra", SectionName: "https"}}}
			p.Spec.SynologySSO.Enabled = new(true)
		}))
		DeferCleanup(func() { Expect(k8s.Delete(ctx, p)).To(Succeed()) })
		route := &unstructured.Unstructured{}
		route.SetAPIVersion("gateway.networking.k8s.io/v1")
		route.SetKind("HTTPRoute")
		Eventually(current(named(route, "sso"))).ShouldNot(BeNil())
		Expect(route.Object["spec"]).To(Equal(map[string]any{
			"hostnames":  []any{"id.example.com"},
			"parentRefs": []any{map[string]any{"name": "gw", "namespace": "infra", "sectionName": "https"}},
			"rules": []any{map[string]any{
				"matches": []any{
					map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/realms/one"}},
					map[string]any{"path": map[string]any{"type": "Exact", "value": "/.well-known/oauth-authorization-server/realms/one"}},
					map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/webman/sso"}},
				},
				"backendRefs": []any{map[string]any{"name": "sso", "port": int64(80)}},
			}},
		}))
		Expect(route.GetOwnerReferences()).To(HaveLen(1))
	})

	It("leaves objects of others alone and says which one is in the way", func() {
		theirs := create(&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sso"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 9}}},
		})
		p := create(gen.OIDCProvider(namespace, "sso"))
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionAvailable, metav1.ConditionFalse,
			v1alpha1.ReasonObjectNotOwned, ContainSubstring(`Service "sso" exists and is not owned by this OIDCProvider`)))
		before := theirs.ResourceVersion
		Consistently(current(theirs)).Should(HaveField("ResourceVersion", before))
	})

	It("repairs what others change, and takes back what it no longer wants", func() {
		p := create(gen.OIDCProvider(namespace, "sso", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Template.NodeSelector = map[string]string{"disk": "ssd"}
		}))
		d := &appsv1.Deployment{}
		Eventually(current(named(d, "sso"))).ShouldNot(BeNil())
		d.Spec.Template.Spec.Containers[0].Image = "evil:latest"
		Expect(k8s.Update(ctx, d)).To(Succeed())
		Eventually(current(d)).Should(HaveField("Spec.Template.Spec.Containers", ContainElement(HaveField("Image", providerImage))))
		Eventually(func(g Gomega) {
			current(p)(g).Spec.Template.NodeSelector = nil
			g.Expect(k8s.Update(ctx, p)).To(Succeed())
		}).Should(Succeed())
		Eventually(current(d)).Should(HaveField("Spec.Template.Spec.NodeSelector", BeEmpty()))
	})

	It("gets an RS256 SigningKey when nobody brings one", func() {
		p := create(gen.OIDCProvider(namespace, "sso"))
		k := &v1alpha1.SigningKey{}
		Eventually(current(named(k, "sso-default"))).Should(HaveField("Spec.Algorithm", "RS256"))
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionSigningReady, metav1.ConditionTrue, "", nil))
	})

	It("takes its default SigningKey back when the user's own comes right after it", func() {
		p := create(gen.OIDCProvider(namespace, "sso"))
		k := &v1alpha1.SigningKey{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sso-default"}}
		Eventually(func(g Gomega) string { return current(k)(g).Status.ActiveKeyID }).ShouldNot(BeEmpty())
		keys, signed := secretOf(k), k.Status.ActiveKeyID
		create(gen.SigningKey(namespace, "mine", "sso"))
		Eventually(gone(k)).Should(BeTrue())
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionSigningReady, metav1.ConditionTrue, "", ContainSubstring("mine")))
		Eventually(reasonsOf(p)).Should(ContainElement(v1alpha1.ReasonDefaultKeyReplaced))
		Eventually(func(g Gomega) []registration.Key { return ringOf(keys)(g).Document.Keys }).Should(HaveExactElements(And(
			HaveField("KeyID", signed), HaveField("Phase", registration.PhaseRetiring))), "what it has signed can still be verified")
	})

	It("gets none beside a SigningKey that comes with it", func() {
		p := create(gen.OIDCProvider(namespace, "sso"))
		create(gen.SigningKey(namespace, "mine", "sso"))
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionSigningReady, metav1.ConditionTrue, "", ContainSubstring("mine")))
		Consistently(func(g Gomega) {
			list := &v1alpha1.SigningKeyList{}
			g.Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
			g.Expect(list.Items).To(HaveLen(1))
		}, "3s").Should(Succeed())
	})

	It("is Ready while a replica says that it serves, and not when the last one has gone", func() {
		p := create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
		r := startReplica(p, "one")
		Eventually(current(p)).Should(match.BeReady())
		Eventually(current(p)).Should(HaveField("Status.Replicas", HaveField("Current", HaveValue(BeEquivalentTo(1)))))
		create(gen.OIDCUser(namespace, "ada", "sso"))
		create(gen.OIDCClient(namespace, "app", p))
		Eventually(current(p)).Should(HaveField("Status.Registered", And(
			HaveField("Clients", HaveValue(BeEquivalentTo(1))), HaveField("Users", HaveValue(BeEquivalentTo(1))))))
		r.stop()
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionAvailable, metav1.ConditionFalse, v1alpha1.ReasonAwaitingReport, nil))
	})

	It("is stalled while it is stopped", func() {
		p := create(gen.OIDCProvider(namespace, "sso", func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(0)) }))
		create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(p)).Should(match.BeRefused(v1alpha1.ReasonStopped, ContainSubstring("set it to 1")))
	})
})
