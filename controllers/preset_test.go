package controllers_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

var _ = Describe("An OIDCClient with a preset", func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("https://id.example.com/")))
	})
	registered := func(g Gomega) registration.Client {
		list := registrationsOf(provider, "client")(g)
		g.Expect(list).To(HaveLen(1))
		d, err := registration.Parse[registration.Client](list[0].Data["client.json"])
		g.Expect(err).NotTo(HaveOccurred())
		return *d
	}
	secretOf := func(c *v1alpha1.OIDCClient) func(Gomega) *corev1.Secret {
		return func(g Gomega) *corev1.Secret {
			s := &corev1.Secret{}
			g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: c.Name + "-oidc"}, s)).To(Succeed())
			return s
		}
	}
	file := func(c *v1alpha1.OIDCClient, key string) func(Gomega) string {
		return func(g Gomega) string { return string(secretOf(c)(g).Data[key]) }
	}
	haveCredentials := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)

	It("for Synapse is a Synapse that people can log in to", func() {
		c := create(gen.OIDCClient(apps, "synapse", provider, gen.WithPreset(v1alpha1.ClientPreset{Synapse: synapsePreset()})))
		Eventually(current(c)).Should(haveCredentials)

		By("registering what Synapse does")
		d := registered(Default)
		Expect(d).To(And(
			HaveField("RedirectURIs", []string{"https://matrix.example.com/_synapse/client/oidc/callback"}),
			HaveField("GrantTypes", []string{"authorization_code"}), HaveField("Scope", "openid profile email"),
			HaveField("TokenEndpointAuthMethod", "client_secret_basic"), HaveField("RequirePKCE", true),
			HaveField("IDTokenSignedResponseAlg", "RS256"), HaveField("BackchannelLogoutURI", ""), HaveField("Secrets", HaveLen(1))))

		By("handing out a file for one more -c, which holds no secret")
		secret := secretOf(c)(Default)
		providers := string(secret.Data["oidc_providers.yaml"])
		Expect(providers).To(And(HavePrefix("oidc_providers:\n"), ContainSubstring(`issuer: "https://id.example.com/"`),
			ContainSubstring(`client_secret_path: "/etc/oidc/client_secret"`), ContainSubstring(`client_id: "`+apps+`.synapse"`)))
		Expect(providers).NotTo(ContainSubstring(string(secret.Data["client_secret"])))
		Expect(secret.Data).To(HaveKey("discovery_url"), "what every Secret has is there, too")

		By("showing the values and leaving the spec alone")
		Expect(c.Spec.RedirectURIs).To(BeEmpty())
		Expect(c.Generation).To(BeEquivalentTo(1))
		Expect(c.Status.Effective).To(HaveValue(And(HaveField("Preset", "synapse"), HaveField("PKCE", v1alpha1.PKCERequired),
			HaveField("RedirectURIs", ConsistOf("https://matrix.example.com/_synapse/client/oidc/callback")))))
		Expect(c.Status.Credentials.Files).To(Equal([]string{"oidc_providers.yaml"}))

		By("following the preset, and taking back what it no longer says")
		update(c, func() {
			c.Spec.Preset.Synapse.PublicBaseURL, c.Spec.Preset.Synapse.BackchannelLogout = "https://chat.example.com/", new(true)
			c.Spec.Preset.Synapse.SecretDelivery = v1alpha1.SecretDeliveryInline
			c.Spec.PKCE = v1alpha1.PKCEOptional
		})
		Eventually(registered).Should(And(
			HaveField("RedirectURIs", []string{"https://chat.example.com/_synapse/client/oidc/callback"}),
			HaveField("BackchannelLogoutURI", "https://chat.example.com/_synapse/client/oidc/backchannel_logout"),
			HaveField("BackchannelLogoutSessionRequired", true), HaveField("RequirePKCE", false)))
		Eventually(file(c, "oidc_providers.yaml")).Should(And(ContainSubstring("backchannel_logout_enabled: true"),
			ContainSubstring(`client_secret: "`+string(secret.Data["client_secret"])+`"`), Not(ContainSubstring("pkce_method"))))

		By("keeping the client secret and dropping the file when the preset goes")
		update(c, func() { c.Spec.Preset, c.Spec.RedirectURIs = nil, []string{"https://chat.example.com/callback"} })
		Eventually(func(g Gomega) map[string][]byte { return secretOf(c)(g).Data }).Should(And(
			Not(HaveKey("oidc_providers.yaml")), HaveKeyWithValue("client_secret", secret.Data["client_secret"])))
		Eventually(current(c)).Should(And(HaveField("Status.Effective", BeNil()), HaveField("Status.Credentials.Files", BeEmpty())))
	})

	It("for the Matrix Authentication Service is an upstream provider of it", func() {
		c := create(gen.OIDCClient(apps, "mas", provider, gen.WithPreset(v1alpha1.ClientPreset{MAS: masPreset()})))
		Eventually(current(c)).Should(haveCredentials)
		Expect(registered(Default)).To(And(
			HaveField("RedirectURIs", []string{"https://account.example.com/upstream/callback/01HFVBY12TMNTYTBV8W921M5FA"}),
			HaveField("RequirePKCE", true), HaveField("BackchannelLogoutURI", "")))
		Expect(file(c, "upstream_oauth2.yaml")(Default)).To(And(HavePrefix("upstream_oauth2:\n"), ContainSubstring(`issuer: "https://id.example.com/"`)))
		update(c, func() { c.Spec.Preset.MAS.OnBackchannelLogout = v1alpha1.MASLogoutAll })
		Eventually(registered).Should(HaveField("BackchannelLogoutURI", "https://account.example.com/upstream/backchannel-logout/01HFVBY12TMNTYTBV8W921M5FA"))
		Eventually(file(c, "upstream_oauth2.yaml")).Should(ContainSubstring(`on_backchannel_logout: "logout_all"`))
	})

	It("for an application of Synology SSO Server is an app_id of its own", func() {
		sso := func(appID string, uris ...string) func(*v1alpha1.OIDCClient) {
			return gen.WithPreset(v1alpha1.ClientPreset{SynologySSO: &v1alpha1.SynologySSOPreset{RedirectURIs: uris, AppID: appID}})
		}
		c := create(gen.OIDCClient(apps, "intranet", provider, gen.WithRedirectURIs(), sso("", "https://intranet.example.com/")))
		accepted := func(message gomegatypes.GomegaMatcher) gomegatypes.GomegaMatcher {
			return match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, message)
		}
		Eventually(current(c)).Should(And(haveCredentials, accepted(ContainSubstring("but the provider does not serve the protocol of Synology SSO Server; set spec.synologySSO.enabled"))))
		update(provider, func() { provider.Spec.SynologySSO.Enabled = new(true) })
		Eventually(current(c)).Should(accepted(Not(ContainSubstring("but"))))

		By("registering it and handing out what SYNOSSO.init takes")
		appID := registration.SynologyAppID(apps + ".intranet")
		Expect(registered(Default)).To(And(HaveField("RequirePKCE", true), HaveField("RedirectURIs", []string{"https://intranet.example.com/"}),
			HaveField("SynologySSO", HaveValue(Equal(registration.SynologySSOClient{AppID: appID, RedirectURIs: []string{"https://intranet.example.com/"}})))))
		Expect(file(c, "app_id")(Default)).To(Equal(appID))
		Expect(file(c, "oauthserver_url")(Default)).To(Equal("https://id.example.com"))
		Expect(file(c, "synology-sso.json")(Default)).To(MatchJSON(`[{"oauthserver_url":"https://id.example.com","app_id":"` + appID + `","redirect_uri":"https://intranet.example.com/"}]`))

		By("keeping the app_id from others, and giving it to whom it belongs")
		thief := create(gen.OIDCClient(apps, "thief", provider, gen.WithRedirectURIs(), sso(appID, "https://thief.example.com/")))
		Eventually(current(thief)).Should(match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonAppIDTaken,
			ContainSubstring(`belongs to OIDCClient "intranet" in namespace "`+apps+`"; set another spec.preset.synologySSO.appID`)))
		update(thief, func() { thief.Spec.Preset.SynologySSO.AppID = "153fcb35b01571b49cb0adca3a4bda40" })
		Eventually(current(thief)).Should(accepted(nil))
		Eventually(file(thief, "app_id")).Should(Equal("153fcb35b01571b49cb0adca3a4bda40"))
		By("keeping it from another namespace also when its OIDCClient is gone")
		other := newNamespace(nil)
		waiting := create(gen.OIDCClient(other, "waiting", provider, gen.WithRedirectURIs(), sso("153fcb35b01571b49cb0adca3a4bda40", "https://waiting.example.com/")))
		Eventually(current(waiting)).Should(match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonAppIDTaken, ContainSubstring(`OIDCClient "thief"`)))
		Expect(k8s.Delete(ctx, thief)).To(Succeed())
		kept := match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonAppIDTaken, ContainSubstring("belongs to namespace %q", apps))
		Eventually(current(waiting)).Should(kept)
		Consistently(current(waiting)).Should(kept)
		again := create(gen.OIDCClient(apps, "again", provider, gen.WithRedirectURIs(), sso("153fcb35b01571b49cb0adca3a4bda40", "https://thief.example.com/")))
		Eventually(current(again)).Should(accepted(nil))
		for _, c := range []*v1alpha1.OIDCClient{again, waiting} {
			Expect(k8s.Delete(ctx, c)).To(Succeed())
		}

		By("binding its pages to the provider's policy, also where OpenID Connect has others")
		update(provider, func() { provider.Spec.AllowedClients.RedirectHosts = []string{"other.example.com"} })
		update(c, func() { c.Spec.RedirectURIs = []string{"https://other.example.com/"} })
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonRedirectHostNotAllowed,
			ContainSubstring("https://intranet.example.com/")))
	})

	It("for Synology DSM is what to enter in its form", func() {
		create(gen.SigningKey(namespace, "rsa", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "RS256" }))
		startReplica(provider, "one")
		c := create(gen.OIDCClient(apps, "nas", provider, gen.WithPreset(v1alpha1.ClientPreset{SynologyDSM: synologyDSMPreset()})))
		Eventually(current(c)).Should(match.BeReady())

		By("registering the address without a slash, and asking for nothing that DSM does not send")
		Expect(registered(Default)).To(And(HaveField("RedirectURIs", []string{"https://nas.example.com:5001"}),
			HaveField("RequirePKCE", false), HaveField("TokenEndpointAuthMethod", ""), HaveField("IDTokenSignedResponseAlg", "RS256"),
			HaveField("Scope", "openid profile email"), HaveField("UserinfoSignedResponseAlg", "")))

		By("writing down the form, for people, for programs and field by field")
		data := secretOf(c)(Default).Data
		Expect(string(data["dsm-sso-client.txt"])).To(And(
			MatchRegexp(`(?m)^Well-known URL: +https://id\.example\.com/\.well-known/openid-configuration$`),
			MatchRegexp(`(?m)^Redirect URI: +https://nas\.example\.com:5001$`),
			MatchRegexp(`(?m)^Application secret: +[A-Za-z0-9]{32}$`),
			MatchRegexp(`(?m)^Username claim: +preferred_username$`)))
		Expect(data["dsm-sso-client.json"]).To(MatchJSON(`[{"Profile":"OIDC","Account type":"Domain/LDAP/local","Name":"SSO",` +
			`"Well-known URL":"https://id.example.com/.well-known/openid-configuration","Application ID":"` + apps + `.nas",` +
			`"Application secret":"` + string(data["client_secret"]) + `","Redirect URI":"https://nas.example.com:5001",` +
			`"Authorization scope":"openid profile email","Username claim":"preferred_username"}]`))
		Expect(data["dsm_application_secret"]).To(Equal(data["client_secret"]))

		By("warning of an algorithm that DSM cannot verify, while it is there")
		accepted := func(message gomegatypes.GomegaMatcher) gomegatypes.GomegaMatcher {
			return And(match.BeReady(), match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, message))
		}
		Expect(c).To(accepted(Not(ContainSubstring("but"))))
		key := create(gen.SigningKey(namespace, "ec", "sso"))
		Eventually(current(c)).Should(accepted(ContainSubstring("but the issuer also signs with ES256, and Synology DSM verifies RSA signatures only")))
		Expect(k8s.Delete(ctx, key)).To(Succeed())
		Eventually(current(c)).Should(accepted(Not(ContainSubstring("ES256"))))

		By("calling the accounts of a directory by their full names, in userinfo and in the ID token")
		update(c, func() {
			c.Spec.Preset.SynologyDSM.AccountType, c.Spec.Preset.SynologyDSM.UsernameDomain = v1alpha1.SynologyAccountLDAP, "example.com"
		})
		Eventually(registered).Should(And(HaveField("ClaimsIn", "Both"), HaveField("Claims", ConsistOf(
			registration.Claim{Name: "preferred_username", Expression: "user.username + '@example.com'"}))))

		By("following to another address")
		update(c, func() {
			c.Spec.Preset.SynologyDSM.URLs = []string{"https://nas.example.com:5001", "https://other.example.com"}
		})
		Eventually(registered).Should(HaveField("RedirectURIs", HaveLen(2)))
		Eventually(file(c, "dsm-sso-client.txt")).Should(ContainSubstring("For https://other.example.com\n"))
	})

	It("keeps a long client secret that works, and says that DSM may not take it", func() {
		c := create(gen.OIDCClient(apps, "nas", provider, gen.WithRedirectURIs("https://nas.example.com:5001")))
		Eventually(current(c)).Should(haveCredentials)
		long := strings.Repeat("Secrets01234", 8)
		secret := secretOf(c)(Default)
		secret.Data["client_secret"] = []byte(long)
		Expect(k8s.Update(ctx, secret)).To(Succeed())
		Eventually(registered).Should(HaveField("Secrets", ContainElement(HaveField("Hash", Satisfy(func(hash string) bool {
			return registration.CheckSecret(hash, long)
		})))))

		update(c, func() { c.Spec.Preset = &v1alpha1.ClientPreset{SynologyDSM: synologyDSMPreset()} })
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, v1alpha1.ReasonCredentialsIssued, And(
			ContainSubstring("it has 96 characters and the application is not known to take more than 32; if logins fail, delete the Secret"), Not(ContainSubstring(long)))))
		Expect(file(c, "dsm_application_secret")(Default)).To(Equal(long))

		Expect(k8s.Delete(ctx, secretOf(c)(Default))).To(Succeed())
		Eventually(file(c, "dsm_application_secret")).Should(HaveLen(32))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", Not(ContainSubstring("but"))))
	})

	It("moves to another provider with its file", func() {
		other := create(gen.OIDCProvider(namespace, "other", gen.WithIssuer("https://other.example.com/realm")))
		c := create(gen.OIDCClient(apps, "synapse", provider, gen.WithPreset(v1alpha1.ClientPreset{Synapse: synapsePreset()})))
		Eventually(current(c)).Should(haveCredentials)
		update(c, func() { c.Spec.ProviderRef.Name = other.Name })
		Eventually(file(c, "oidc_providers.yaml")).Should(ContainSubstring(`issuer: "https://other.example.com/realm"`))
	})

	It("keeps a client secret from before the preset", func() {
		c := create(gen.OIDCClient(apps, "synapse", provider))
		Eventually(current(c)).Should(haveCredentials)
		before := file(c, "client_secret")(Default)
		update(c, func() { c.Spec.Preset = &v1alpha1.ClientPreset{Synapse: synapsePreset()} })
		Eventually(file(c, "oidc_providers.yaml")).ShouldNot(BeEmpty())
		Expect(file(c, "client_secret")(Default)).To(Equal(before))
		Expect(registered(Default).RedirectURIs).To(ConsistOf("https://synapse.example.com/callback"), "the spec wins")
	})

	It("is bound by the provider's hosts in what the preset fills in", func() {
		update(provider, func() { provider.Spec.AllowedClients.RedirectHosts = []string{"*.example.org"} })
		c := create(gen.OIDCClient(apps, "synapse", provider, gen.WithPreset(v1alpha1.ClientPreset{Synapse: synapsePreset()})))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonRedirectHostNotAllowed, ContainSubstring("https://matrix.example.com/_synapse/client/oidc/callback")))
		Expect(c.Status.Effective).NotTo(BeNil(), "status tells where the URI comes from")
	})

	It("waits for a key of the algorithm that the preset fills in", func() {
		create(gen.SigningKey(namespace, "ec", "sso"))
		startReplica(provider, "one")
		c := create(gen.OIDCClient(apps, "synapse", provider, gen.WithPreset(v1alpha1.ClientPreset{Synapse: synapsePreset()})))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionServed, metav1.ConditionFalse, v1alpha1.ReasonNoSigningKey,
			ContainSubstring("has no active RS256 key; create a SigningKey of that algorithm or change spec.idTokenSignedResponseAlg")))
		create(gen.SigningKey(namespace, "rsa", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "RS256" }))
		Eventually(current(c)).Should(match.BeReady())
	})

	It("issues nothing for what its application cannot do", func() {
		c := create(gen.OIDCClient(apps, "synapse", provider, gen.WithPreset(v1alpha1.ClientPreset{Synapse: synapsePreset()}), gen.WithKeys(publicKeys())))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonInvalidSpec, ContainSubstring("spec.tokenEndpointAuthMethod must not be private_key_jwt")))
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: apps, Name: "synapse-oidc"}, &corev1.Secret{})).To(MatchError(ContainSubstring("not found")))
	})

	It("writes nothing while nothing changes", func() {
		create(gen.SigningKey(namespace, "rsa", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "RS256" }))
		startReplica(provider, "one")
		c := create(gen.OIDCClient(apps, "synapse", provider, gen.WithPreset(v1alpha1.ClientPreset{Synapse: synapsePreset()})))
		Eventually(current(c)).Should(match.BeReady())
		settled()
		secretVersion := secretOf(c)(Default).ResourceVersion
		current(c)(Default)
		version := c.ResourceVersion
		update(provider, func() { provider.Spec.Login.MaxAttempts = new(int32(7)) }) // reconciles every client
		Consistently(func(g Gomega) []string {
			current(c)(g)
			return []string{c.ResourceVersion, secretOf(c)(g).ResourceVersion}
		}, "3s").Should(Equal([]string{version, secretVersion}))
		Expect(strings.Count(file(c, "oidc_providers.yaml")(Default), "idp_id")).To(Equal(1))
	})
})
