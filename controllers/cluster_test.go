package controllers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// certificateFor returns the data of a Secret with a self-signed certificate.
func certificateFor(host string) map[string]string {
	GinkgoHelper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{host}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	Expect(err).NotTo(HaveOccurred())
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	Expect(err).NotTo(HaveOccurred())
	return map[string]string{
		"tls.crt": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"tls.key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
	}
}

// The operator as in a cluster: the specs play the controller of Deployments, the kubelet and the provider's replicas.
var _ = Describe("In a cluster", Serial, func() {
	var namespace string
	var unreachable atomic.Bool
	var probes atomic.Int64
	BeforeEach(func() {
		namespace = newNamespace(nil)
		unreachable.Store(false)
		probes.Store(0)
		operator.stop()
		operator = startOperator(cluster.Config, func(o *controllers.Options) {
			o.Probe = func(context.Context, controllers.ProbeTarget) error {
				probes.Add(1)
				if unreachable.Load() {
					return errors.New("connection refused")
				}
				return nil
			}
		})
		DeferCleanup(func() {
			operator.stop()
			operator = startOperator(cluster.Config)
		})
	})
	// observed makes the controller of Deployments see the current spec, with some pods updated and available.
	observed := func(p *v1alpha1.OIDCProvider, replicas, updated, available int32) {
		GinkgoHelper()
		d := &appsv1.Deployment{}
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, p.Key(), d)).To(Succeed())
			d.Status.ObservedGeneration, d.Status.Replicas, d.Status.UpdatedReplicas = d.Generation, replicas, updated
			d.Status.AvailableReplicas, d.Status.ReadyReplicas = available, available
			g.Expect(k8s.Status().Update(ctx, d)).To(Succeed())
		}).Should(Succeed())
	}
	// pod makes a pod of the provider with a port.
	pod := func(p *v1alpha1.OIDCProvider, name, port string) *corev1.Pod {
		GinkgoHelper()
		return create(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: name, Labels: map[string]string{
				"app.kubernetes.io/name": "oidc-provider", "app.kubernetes.io/instance": p.Name,
			}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "provider", Image: "x", Ports: []corev1.ContainerPort{{Name: port, ContainerPort: 8080}}}}},
		})
	}
	says := func(pod *corev1.Pod, change func(*corev1.PodStatus)) {
		GinkgoHelper()
		change(&pod.Status)
		Expect(k8s.Status().Update(ctx, pod)).To(Succeed())
	}
	serves := func(status *corev1.PodStatus) {
		status.Phase = corev1.PodRunning
		status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	fails := func(status *corev1.PodStatus) {
		status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	}
	// reports makes a replica report that it has applied everything, and something about storage.
	reports := func(p *v1alpha1.OIDCProvider, pod *corev1.Pod, storage string) {
		GinkgoHelper()
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: pod.Name}}
		Expect(client.IgnoreNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(lease), lease))).To(Succeed())
		lease.Labels = map[string]string{"oidc-operator.dev/replica": "true", "oidc-operator.dev/provider": p.Name}
		lease.Annotations = map[string]string{"oidc-operator.dev/applied": "9999999999", "oidc-operator.dev/storage": storage}
		lease.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}}
		lease.Spec.LeaseDurationSeconds, lease.Spec.RenewTime = new(int32(3600)), new(metav1.NowMicro())
		if lease.ResourceVersion == "" {
			create(lease)
			return
		}
		Expect(k8s.Update(ctx, lease)).To(Succeed())
	}
	available := func(status metav1.ConditionStatus, reason string) OmegaMatcher {
		return match.HaveCondition(v1alpha1.ConditionAvailable, status, reason, nil)
	}

	It("is Ready only when every replica runs the spec and a call through the Service is answered", func() {
		p := create(gen.OIDCProvider(namespace, "sso"))
		create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionRolledOut, metav1.ConditionFalse, v1alpha1.ReasonRollingOut, nil))
		observed(p, 1, 1, 0)
		one := pod(p, "one", "http")
		says(one, func(status *corev1.PodStatus) {
			status.ContainerStatuses = []corev1.ContainerStatus{{Name: "provider", State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image"},
			}}}
		})
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRollingOut, ContainSubstring(`pod "one": ImagePullBackOff: Back-off pulling image`)))

		By("starting, while the Service does not lead to it yet")
		unreachable.Store(true)
		reports(p, one, "")
		Consistently(current(p)).Should(available(metav1.ConditionFalse, v1alpha1.ReasonAwaitingReport), "its pod is not ready")
		says(one, serves)
		observed(p, 1, 1, 1)
		Eventually(current(p)).Should(available(metav1.ConditionFalse, v1alpha1.ReasonServiceUnreachable))
		unreachable.Store(false)
		Eventually(current(p)).Should(match.BeReady())
		asked := probes.Load()

		By("changing to a spec that no node takes")
		Eventually(func(g Gomega) {
			current(p)(g).Spec.Template.NodeSelector = map[string]string{"disk": "none"}
			g.Expect(k8s.Update(ctx, p)).To(Succeed())
		}).Should(Succeed())
		Eventually(current(p)).Should(And(
			HaveField("Status.ObservedGeneration", p.Generation),
			match.HaveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRollingOut, nil),
			match.HaveCondition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, "", nil),
			available(metav1.ConditionTrue, "")))
		Consistently(current(p)).ShouldNot(match.BeReady())
		two := pod(p, "two", "http")
		says(two, func(status *corev1.PodStatus) {
			status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes are available"}}
		})
		observed(p, 2, 1, 1)
		Eventually(current(p)).Should(match.HaveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRollingOut, ContainSubstring(`pod "two": Unschedulable: 0/1 nodes are available`)))
		says(two, serves)
		reports(p, two, "")
		Expect(k8s.Delete(ctx, one, client.GracePeriodSeconds(0))).To(Succeed())
		observed(p, 1, 1, 1)
		Eventually(current(p)).Should(match.BeReady())
		Expect(probes.Load()).To(Equal(asked), "nobody is asked while it is known")

		By("losing its only endpoint")
		says(two, fails)
		Eventually(current(p)).Should(available(metav1.ConditionFalse, v1alpha1.ReasonAwaitingReport))
	})

	It("changes over to TLS without a moment without an endpoint", func() {
		p := create(gen.OIDCProvider(namespace, "sso", func(p *v1alpha1.OIDCProvider) { p.Spec.Expose.Ingress = &v1alpha1.ExposeIngress{} }))
		create(gen.SigningKey(namespace, "key", "sso"))
		old := pod(p, "old", "http")
		says(old, serves)
		reports(p, old, "")
		observed(p, 1, 1, 1)
		Eventually(current(p)).Should(match.BeReady())
		d := &appsv1.Deployment{}
		generation := func(g Gomega) int64 { g.Expect(k8s.Get(ctx, p.Key(), d)).To(Succeed()); return d.Generation }
		before := generation(Default)
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sso"}}
		ports := func(names ...any) OmegaMatcher {
			return HaveField("Spec.Ports", WithTransform(portNames, ConsistOf(names...)))
		}

		Eventually(func(g Gomega) {
			current(p)(g).Spec.TLS = &v1alpha1.ProviderTLS{SecretName: "id-tls"}
			g.Expect(k8s.Update(ctx, p)).To(Succeed())
		}).Should(Succeed())
		Eventually(current(p)).Should(And(match.HaveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonTLSSecretNotFound, nil), available(metav1.ConditionTrue, "")))
		create(gen.Secret(namespace, "id-tls", certificateFor("another.example.com")))
		Eventually(current(p)).Should(match.BeRefused(v1alpha1.ReasonTLSCertificateMismatch, ContainSubstring("another.example.com")))
		Expect(generation(Default)).To(Equal(before), "the pods go on as they are")
		Expect(current(service)(Default)).To(ports("http", "https"))

		secret := secretNamed(namespace, "id-tls")(Default)
		secret.Data, secret.StringData = nil, certificateFor("id.example.com")
		Expect(k8s.Update(ctx, secret)).To(Succeed())
		Eventually(generation).Should(BeNumerically(">", before))
		Expect(current(service)(Default)).To(ports("http", "https"))
		fresh := pod(p, "fresh", "https")
		says(fresh, serves)
		reports(p, fresh, "")
		Expect(k8s.Delete(ctx, old, client.GracePeriodSeconds(0))).To(Succeed())
		observed(p, 1, 1, 1)
		Eventually(current(service)).Should(ports("https"))
		Eventually(current(p)).Should(match.BeReady())
	})

	It("tells an outage of storage at once, and clients follow when it lasts", func() {
		p := create(gen.OIDCProvider(namespace, "sso"))
		create(gen.SigningKey(namespace, "key", "sso"))
		one := pod(p, "one", "http")
		says(one, serves)
		reports(p, one, "")
		observed(p, 1, 1, 1)
		Eventually(current(p)).Should(match.BeReady())
		c := create(gen.OIDCClient(namespace, "app", p))
		Eventually(current(c)).Should(match.BeReady())
		version := c.ResourceVersion

		By("flapping")
		for range 3 {
			reports(p, one, "DatabaseUnavailable: connection refused")
			Eventually(current(p)).Should(And(
				match.HaveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDatabaseUnavailable, nil),
				available(metav1.ConditionFalse, v1alpha1.ReasonDatabaseUnavailable)))
			late := create(gen.OIDCClient(namespace, "late-"+one.Name+p.ResourceVersion, p))
			Eventually(current(late)).Should(match.HaveCondition(v1alpha1.ConditionServed, metav1.ConditionFalse, v1alpha1.ReasonAwaitingProvider, ContainSubstring("nobody can sign in")))
			reports(p, one, "")
			Eventually(current(p)).Should(match.BeReady())
			Eventually(current(late)).Should(match.BeReady())
		}
		Expect(current(c)(Default).ResourceVersion).To(Equal(version), "a client that was served is not written")

		By("lasting")
		reports(p, one, "VolumeFull: no space left")
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonProviderUnavailable, ContainSubstring("nobody can sign in")))
		Expect(c).To(match.HaveCondition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, "", nil))
		version = c.ResourceVersion
		reports(p, one, "")
		Eventually(current(p)).Should(match.BeReady())
		Expect(current(c)(Default).ResourceVersion).To(Equal(version), "it waits until the provider stays")
		Eventually(current(c)).Should(match.BeReady())
	})
})

func portNames(ports []corev1.ServicePort) []string {
	var names []string
	for _, port := range ports {
		names = append(names, port.Name)
	}
	return names
}
