package controllers_test

import (
	"encoding/json"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// update changes an object until the API server takes it.
func update[T client.Object](obj T, change func()) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		current(obj)(g)
		change()
		g.Expect(k8s.Update(ctx, obj)).To(Succeed())
	}).Should(Succeed())
}

var _ = Describe("An OIDCProvider on PostgreSQL", func() {
	const dsn = "postgres://sso:hunter2@db.example.com:5432/sso"
	var namespace string
	var p *v1alpha1.OIDCProvider
	var deployment *appsv1.Deployment
	BeforeEach(func() {
		namespace = newNamespace(nil)
		deployment = &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sso"}}
		p = gen.OIDCProvider(namespace, "sso", gen.WithPostgres("pg"), func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(3)) })
	})
	digest := func(g Gomega) string {
		return current(deployment)(g).Spec.Template.Annotations["oidc-operator.dev/dsn-digest"]
	}
	storageReady := func(status metav1.ConditionStatus, reason, message string) OmegaMatcher {
		return match.HaveCondition(v1alpha1.ConditionStorageReady, status, reason, ContainSubstring(message))
	}

	It("runs any number of pods that share a database, without a volume, and replaces them one by one", func() {
		create(gen.Secret(namespace, "pg", map[string]string{"uri": dsn}))
		p.Spec.TrustedProxies = []string{"10.0.0.0/8", "192.0.2.7/32"}
		create(p)
		Eventually(current(deployment)).ShouldNot(BeNil())
		Expect(*deployment.Spec.Replicas).To(BeEquivalentTo(3))
		Expect(deployment.Spec.Strategy.Type).To(Equal(appsv1.RollingUpdateDeploymentStrategyType))
		Expect(deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue()).To(BeZero())
		pod := deployment.Spec.Template.Spec
		Expect(pod.TopologySpreadConstraints).To(ConsistOf(
			HaveField("TopologyKey", "kubernetes.io/hostname"), HaveField("TopologyKey", "topology.kubernetes.io/zone")))
		Expect(pod.TopologySpreadConstraints).To(HaveEach(HaveField("WhenUnsatisfiable", corev1.ScheduleAnyway)), "a cluster of one node runs them, too")
		Expect(pod.Volumes).To(HaveLen(1))
		secret := pod.Volumes[0].Secret
		Expect(secret.SecretName).To(Equal("pg"))
		Expect(*secret.DefaultMode).To(BeEquivalentTo(0o440))
		Expect(secret.Items).To(ConsistOf(corev1.KeyToPath{Key: "uri", Path: "dsn"}))
		c := pod.Containers[0]
		Expect(c.VolumeMounts).To(ConsistOf(And(HaveField("MountPath", "/etc/oidc-provider/postgres"), HaveField("ReadOnly", true))))
		Expect(c.Args).To(ContainElements("--postgres-dsn-file=/etc/oidc-provider/postgres/dsn", "--trusted-proxies=10.0.0.0/8,192.0.2.7/32"))
		Expect(c.Args).NotTo(ContainElement(HavePrefix("--data-dir")))
		claim := &corev1.PersistentVolumeClaim{}
		Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "sso-data"}, claim))).To(BeTrue())
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sso"}}
		Eventually(current(policy)).Should(HaveField("Spec.PolicyTypes", ConsistOf(networkingv1.PolicyTypeIngress)), "the database may be anywhere")
		Eventually(current(p)).Should(storageReady(metav1.ConditionTrue, v1alpha1.ReasonDSNReady, `Secret "pg"`))
	})

	It("replaces its pods when it is to reach the database otherwise, and tells nothing of how", func() {
		secret := create(gen.Secret(namespace, "pg", map[string]string{"uri": dsn}))
		create(p)
		Eventually(digest).ShouldNot(BeEmpty())
		first := digest(Default)
		update(secret, func() { metav1.SetMetaDataAnnotation(&secret.ObjectMeta, "note", "x") })
		Consistently(digest).Should(Equal(first), "what else changes in the Secret is no reason")
		update(secret, func() { secret.Data["uri"] = []byte(dsn + "?sslmode=verify-full") })
		Eventually(digest).ShouldNot(Equal(first))
		whole, err := json.Marshal([]any{current(deployment)(Default), current(p)(Default)})
		Expect(err).NotTo(HaveOccurred())
		Expect(string(whole)).NotTo(ContainSubstring("hunter2"))
		other := newNamespace(nil)
		create(gen.Secret(other, "pg", map[string]string{"uri": dsn}))
		create(gen.OIDCProvider(other, "sso", gen.WithIssuer("https://other.example.com"), gen.WithPostgres("pg")))
		deployment.Namespace = other
		Eventually(digest).ShouldNot(Or(BeEmpty(), Equal(first)), "the same DSN elsewhere cannot be told from it")
	})

	It("waits for the Secret, and for something in it, and keeps its pods when the Secret goes", func() {
		create(p)
		Eventually(current(p)).Should(storageReady(metav1.ConditionFalse, v1alpha1.ReasonDSNSecretNotFound, `Secret "pg" of spec.storage.postgres.dsnSecretRef does not exist`))
		Expect(p).To(match.HaveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDSNSecretNotFound, nil))
		secret := create(gen.Secret(namespace, "pg", map[string]string{"password": dsn, "uri": " \n"}))
		Eventually(current(p)).Should(storageReady(metav1.ConditionFalse, v1alpha1.ReasonDSNKeyNotFound, `nothing under the key "uri"`))
		Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment))).To(BeTrue(), "pods that could not start")
		update(p, func() { p.Spec.Storage.Postgres.DSNSecretRef.Key = "password" })
		Eventually(current(p)).Should(storageReady(metav1.ConditionTrue, v1alpha1.ReasonDSNReady, ""))
		Eventually(digest).ShouldNot(BeEmpty())
		first := digest(Default)

		Expect(k8s.Delete(ctx, secret)).To(Succeed())
		Eventually(current(p)).Should(storageReady(metav1.ConditionFalse, v1alpha1.ReasonDSNSecretNotFound, ""))
		update(p, func() { p.Spec.Replicas = new(int32(2)) })
		Eventually(current(deployment)).Should(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(2))))
		Expect(digest(Default)).To(Equal(first))
		create(gen.Secret(namespace, "pg", map[string]string{"password": dsn}))
		Eventually(current(p)).Should(storageReady(metav1.ConditionTrue, v1alpha1.ReasonDSNReady, ""))
		Consistently(digest).Should(Equal(first), "the same way as before")
	})

	It("can come from embedded storage and go back", func() {
		create(gen.Secret(namespace, "pg", map[string]string{"uri": dsn}))
		p.Spec.Replicas = nil
		p.Spec.Storage = v1alpha1.Storage{Embedded: v1alpha1.EmbeddedStorage{StorageClassName: "fast"}}
		create(p)
		Eventually(current(deployment)).Should(HaveField("Spec.Strategy.Type", appsv1.RecreateDeploymentStrategyType))
		update(p, func() { gen.WithPostgres("pg")(p) })
		Eventually(current(deployment)).Should(HaveField("Spec.Strategy.Type", appsv1.RollingUpdateDeploymentStrategyType))
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sso-data"}}
		Expect(current(claim)(Default).DeletionTimestamp).To(BeNil(), "what is on the volume may still be wanted")
		update(p, func() {
			p.Spec.Storage = v1alpha1.Storage{Embedded: v1alpha1.EmbeddedStorage{StorageClassName: "fast"}}
		})
		Eventually(current(deployment)).Should(HaveField("Spec.Strategy", appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}))
		Expect(deployment.Spec.Template.Annotations).NotTo(HaveKey("oidc-operator.dev/dsn-digest"))
		Expect(deployment.Spec.Template.Spec.TopologySpreadConstraints).To(BeEmpty())
		Eventually(current(p)).Should(storageReady(metav1.ConditionTrue, v1alpha1.ReasonVolumeReady, ""))
	})
})

var _ = Describe("The settings of an OIDCProvider", func() {
	var namespace string
	BeforeEach(func() { namespace = newNamespace(nil) })
	settings := func(g Gomega) registration.Settings {
		d, err := registration.Parse[registration.Settings](secretNamed(namespace, "sso-settings")(g).Data["settings.json"])
		g.Expect(err).NotTo(HaveOccurred())
		return *d
	}
	salt := func(g Gomega) string { return settings(g).PairwiseSalt }

	It("reach its process", func() {
		lasting := func(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }
		p := create(gen.OIDCProvider(namespace, "sso", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Tokens.RefreshToken = v1alpha1.RefreshTokenLifetimes{Idle: lasting(time.Hour), Absolute: lasting(2 * time.Hour)}
			p.Spec.Sessions.Idle = lasting(3 * time.Hour)
			p.Spec.Login = v1alpha1.LoginLimits{MaxAttempts: new(int32(7)), Window: lasting(4 * time.Hour)}
			p.Spec.Branding = v1alpha1.Branding{Title: "Example SSO", AccentColor: "#0a6"}
		}))
		Eventually(settings).Should(And(
			HaveField("Lifetimes", registration.Lifetimes{RefreshIdle: registration.Duration(time.Hour), RefreshAbsolute: registration.Duration(2 * time.Hour)}),
			HaveField("Sessions", registration.Sessions{Idle: registration.Duration(3 * time.Hour)}),
			HaveField("Login", registration.Login{MaxAttempts: 7, Window: registration.Duration(4 * time.Hour)}),
			HaveField("Branding", registration.Branding{Title: "Example SSO", AccentColor: "#0a6"})))
		Eventually(current(p)).Should(HaveField("Status.Endpoints", And(
			HaveField("Introspection", "https://id.example.com/oauth2/introspect"),
			HaveField("Revocation", "https://id.example.com/oauth2/revoke"),
			HaveField("PushedAuthorizationRequest", "https://id.example.com/oauth2/par"),
			HaveField("DeviceAuthorization", "https://id.example.com/oauth2/device_authorization"))))
	})

	It("keep the salt of pairwise subjects through every change and repair", func() {
		p := create(gen.OIDCProvider(namespace, "sso"))
		Eventually(salt).Should(MatchRegexp(`^[A-Za-z0-9_-]{43}$`))
		first := salt(Default)
		update(p, func() { p.Spec.Branding.Title = "Other" })
		Eventually(settings).Should(HaveField("Branding.Title", "Other"))
		Expect(salt(Default)).To(Equal(first))
		standing := secretNamed(namespace, "sso-settings")(Default)
		standing.Data["settings.json"] = []byte(`{"pairwise_salt":"` + first + `","unknown":1}`)
		Expect(k8s.Update(ctx, standing)).To(Succeed())
		Eventually(settings).Should(And(HaveField("Branding.Title", "Other"), HaveField("PairwiseSalt", first)))
	})

	It("differ in their salt", func() {
		create(gen.OIDCProvider(namespace, "sso"))
		create(gen.OIDCProvider(namespace, "other", gen.WithIssuer("https://other.example.com")))
		Eventually(salt).ShouldNot(BeEmpty())
		Eventually(func(g Gomega) string {
			return string(secretNamed(namespace, "other-settings")(g).Data["settings.json"])
		}).ShouldNot(ContainSubstring(salt(Default)))
	})

	It("take up the salt of a backup that stands before the provider does", func() {
		kept := strings.Repeat("k", 43)
		backup := gen.Secret(namespace, "sso-settings", map[string]string{"settings.json": `{"pairwise_salt":"` + kept + `"}`})
		backup.Type = registration.SecretType
		backup.Labels = map[string]string{
			"app.kubernetes.io/managed-by": "oidc-operator", "oidc-operator.dev/provider": "sso", "oidc-operator.dev/registration": "settings",
		}
		backup.Annotations = map[string]string{"oidc-operator.dev/owner": "OIDCProvider/" + namespace + "/sso"}
		create(backup)
		p := create(gen.OIDCProvider(namespace, "sso"))
		Eventually(func(g Gomega) bool {
			return metav1.IsControlledBy(secretNamed(namespace, "sso-settings")(g), p)
		}).Should(BeTrue())
		Expect(salt(Default)).To(Equal(kept))
	})

	It("hold the logo of a ConfigMap, follow it, and do without while it cannot be shown", func() {
		brandingReady := func(status metav1.ConditionStatus, reason, message string) OmegaMatcher {
			return match.HaveCondition(v1alpha1.ConditionBrandingReady, status, reason, ContainSubstring(message))
		}
		p := create(gen.OIDCProvider(namespace, "sso", gen.WithLogo("brand", "logo.svg")))
		create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(p)).Should(brandingReady(metav1.ConditionFalse, v1alpha1.ReasonLogoConfigMapNotFound, `ConfigMap "brand"`))
		Expect(settings(Default).Branding.Logo).To(BeEmpty())
		Eventually(current(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sso"}})).ShouldNot(BeNil(), "people log in without a logo")

		brand := create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "brand"}, Data: map[string]string{"other": "x"}})
		Eventually(current(p)).Should(brandingReady(metav1.ConditionFalse, v1alpha1.ReasonLogoKeyNotFound, `nothing under the key "logo.svg"`))
		update(brand, func() { brand.Data["logo.svg"] = "<svg/>" })
		Eventually(settings).Should(HaveField("Branding", registration.Branding{Logo: []byte("<svg/>"), LogoType: "image/svg+xml"}))
		Eventually(current(p)).Should(brandingReady(metav1.ConditionTrue, v1alpha1.ReasonLogoReady, ""))

		update(brand, func() {
			brand.BinaryData = map[string][]byte{"logo.jpg": {0xff, 0xd8}, "large.png": make([]byte, registration.MaxLogoBytes+1)}
		})
		update(p, func() { p.Spec.Branding.LogoConfigMapRef.Key = "logo.jpg" })
		Eventually(settings).Should(HaveField("Branding", registration.Branding{Logo: []byte{0xff, 0xd8}, LogoType: "image/jpeg"}))
		update(p, func() { p.Spec.Branding.LogoConfigMapRef.Key = "large.png" })
		Eventually(current(p)).Should(brandingReady(metav1.ConditionFalse, v1alpha1.ReasonLogoInvalid, "262145 bytes; make it no larger than 262144"))
		Eventually(settings).Should(HaveField("Branding.Logo", BeEmpty()))

		update(p, func() { p.Spec.Branding.LogoConfigMapRef = nil })
		Eventually(current(p)).Should(Satisfy(func(p *v1alpha1.OIDCProvider) bool {
			return meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionBrandingReady) == nil
		}))
	})
})
