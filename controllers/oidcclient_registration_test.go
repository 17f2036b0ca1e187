package controllers_test

import (
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

var _ = Describe("The registration of an OIDCClient", func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
	})
	document := func(g Gomega) string {
		list := registrationsOf(provider, "client")(g)
		g.Expect(list).To(HaveLen(1))
		return string(list[0].Data["client.json"])
	}
	registered := func(g Gomega) registration.Client {
		d, err := registration.Parse[registration.Client]([]byte(document(g)))
		g.Expect(err).NotTo(HaveOccurred())
		return *d
	}
	haveCredentials := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)

	It("says no more than the spec where nothing is set", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		d := registered(Default)
		Expect(document(Default)).To(Equal(`{"client_id":"` + apps + `.app","uid":"` + string(c.UID) + `","redirect_uris":["https://app.example.com/callback"],` +
			`"scope":"openid profile email","grant_types":["authorization_code","refresh_token"],` +
			`"secrets":[{"id":"` + d.Secrets[0].ID + `","hash":"` + d.Secrets[0].Hash + `"}]}`))
	})

	It("is another one when its OIDCClient is made again, and the same after everything else", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		uid := string(c.UID)
		update(provider, func() { provider.Spec.AllowedClients.Namespaces.From = v1alpha1.NamespacesFromSame })
		Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
		update(provider, func() { provider.Spec.AllowedClients.Namespaces.From = v1alpha1.NamespacesFromAll })
		Eventually(registered).Should(HaveField("UID", uid))
		Expect(k8s.Delete(ctx, c)).To(Succeed())
		again := create(gen.OIDCClient(apps, "app", provider))
		Eventually(registered).Should(HaveField("UID", string(again.UID)))
		Expect(string(again.UID)).NotTo(Equal(uid))
		Eventually(current(again)).Should(haveCredentials)
	})

	It("says everything that the spec says", func() {
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			c.Spec.GrantTypes = []v1alpha1.GrantType{"authorization_code", "refresh_token", "client_credentials", "device_code"}
			c.Spec.Scopes = []string{"openid", "offline_access", "files:read"}
			c.Spec.Resources = []string{"https://api.example.com"}
			c.Spec.AccessTokenFormat, c.Spec.UserinfoSignedResponseAlg = v1alpha1.AccessTokenJWT, "ES256"
			c.Spec.DPoPBoundAccessTokens, c.Spec.RequirePushedAuthorizationRequests = new(true), new(true)
			c.Spec.RequireSignedRequestObject, c.Spec.RequestObjectSigningAlg = new(true), "PS256"
			c.Spec.JWKSURI = "https://app.example.com/jwks"
			c.Spec.Subject = v1alpha1.ClientSubject{Mode: v1alpha1.SubjectPairwise, SectorIdentifier: "example.com"}
			c.Spec.Access.AllowedGroups = []string{"admins"}
			c.Spec.BackchannelLogoutURI, c.Spec.BackchannelLogoutSessionRequired = "https://app.example.com/back", new(true)
			c.Spec.BackchannelLogoutIdentifies, c.Spec.RefreshTokenRotation = v1alpha1.LogoutIdentifiesSession, v1alpha1.RefreshTokenRotationNever
			c.Spec.FrontchannelLogoutURI, c.Spec.FrontchannelLogoutSessionRequired = "https://app.example.com/front", new(true)
			c.Spec.Tokens.RefreshToken = v1alpha1.RefreshTokenLifetimes{Idle: &metav1.Duration{Duration: time.Hour}}
		}))
		Eventually(current(c)).Should(haveCredentials)
		d := registered(Default)
		d.Secrets = nil
		Expect(d).To(Equal(registration.Client{
			ClientID: apps + ".app", UID: string(c.UID), RedirectURIs: []string{"https://app.example.com/callback"}, Scope: "openid offline_access files:read",
			GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"},
			Resources:  []string{"https://api.example.com"}, AccessTokenFormat: "JWT", UserinfoSignedResponseAlg: "ES256",
			DPoPBoundAccessTokens: true, RequirePushedRequests: true,
			RequireSignedRequestObject: true, RequestObjectSigningAlg: "PS256", JWKSURI: "https://app.example.com/jwks", SubjectMode: "Pairwise", SectorIdentifier: "example.com",
			AllowedGroups:        []string{"admins"},
			BackchannelLogoutURI: "https://app.example.com/back", BackchannelLogoutSessionRequired: true,
			BackchannelLogoutIdentifies: "Session", RefreshTokenRotation: "Never",
			FrontchannelLogoutURI: "https://app.example.com/front", FrontchannelLogoutSessionRequired: true,
			Lifetimes: registration.Lifetimes{RefreshIdle: registration.Duration(time.Hour)},
		}))
	})

	It("of a machine needs neither redirect URI nor anybody's profile", func() {
		c := create(gen.OIDCClient(apps, "app", provider, gen.WithRedirectURIs(), gen.WithGrantTypes("client_credentials")))
		Eventually(current(c)).Should(haveCredentials)
		Expect(registered(Default)).To(And(HaveField("Scope", ""), HaveField("GrantTypes", []string{"client_credentials"})))
	})

	It("says what the API server does not see, by the field's name", func() {
		c := create(gen.OIDCClient(apps, "app", provider, gen.WithRedirectURIs("https://a.example.com/", "https://b.example.com/"), func(c *v1alpha1.OIDCClient) {
			c.Spec.Subject.Mode = v1alpha1.SubjectPairwise
			c.Spec.FrontchannelLogoutURI = "https://c.example.com/out"
		}))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonInvalidSpec, And(
			ContainSubstring("spec.subject.sectorIdentifier must be set for pairwise subjects"),
			ContainSubstring("spec.frontchannelLogoutURI must have the scheme, host and port of one of the redirect URIs"))))
	})

	It("is bound by the provider's hosts in everything that it names", func() {
		update(provider, func() { provider.Spec.AllowedClients.RedirectHosts = []string{"*.example.com"} })
		c := create(gen.OIDCClient(apps, "app", provider, gen.WithKeys(publicKeys())))
		Eventually(current(c)).Should(haveCredentials)
		for uri, change := range map[string]func(){
			"https://elsewhere.org/back": func() { c.Spec.BackchannelLogoutURI = "https://elsewhere.org/back" },
			"https://elsewhere.org/jwks": func() { c.Spec.JWKS, c.Spec.JWKSURI = nil, "https://elsewhere.org/jwks" },
			"elsewhere.org": func() {
				c.Spec.Subject = v1alpha1.ClientSubject{Mode: v1alpha1.SubjectPairwise, SectorIdentifier: "elsewhere.org"}
			},
		} {
			spec := c.Spec.DeepCopy()
			update(c, change)
			Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonRedirectHostNotAllowed, ContainSubstring("%q", uri)))
			update(c, func() { c.Spec = *spec })
			Eventually(current(c)).Should(haveCredentials)
		}
	})

	It("is not Served while nobody can sign its userinfo", func() {
		startReplica(provider, "one")
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			c.Spec.IDTokenSignedResponseAlg, c.Spec.UserinfoSignedResponseAlg = "ES256", "EdDSA"
		}))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionServed, metav1.ConditionFalse, v1alpha1.ReasonNoSigningKey,
			ContainSubstring("has no active EdDSA key; create a SigningKey of that algorithm or change spec.userinfoSignedResponseAlg")))
		create(gen.SigningKey(namespace, "ed", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "EdDSA" }))
		Eventually(current(c)).Should(match.BeReady())
	})

	Describe("with keys of its own", func() {
		It("has no client secret, not even one from before", func() {
			jwks := publicKeys()
			c := create(gen.OIDCClient(apps, "app", provider))
			Eventually(current(c)).Should(haveCredentials)
			Expect(secretNamed(apps, "app-oidc")(Default).Data).To(HaveKey("client_secret"))
			create(gen.Secret(apps, "taken", nil))
			update(c, func() {
				gen.WithKeys(jwks)(c)
				c.Spec.Credentials.SecretName = "taken"
			})
			Eventually(registered).Should(And(HaveField("Secrets", BeEmpty()), HaveField("JWKS", MatchJSON(jwks))), "the old secret ends also when the Secret cannot be written")
			update(c, func() { c.Spec.Credentials.SecretName = "" })
			Eventually(current(c)).Should(haveCredentials)
			Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Data", And(Not(HaveKey("client_secret")), HaveKey("client_id"))))
			Eventually(current(c)).Should(HaveField("Status.Credentials.CurrentSecretID", BeEmpty()))
		})

		It("is refused with a private key, which is repeated nowhere", func() {
			private := privateKeys()
			c := create(gen.OIDCClient(apps, "app", provider, gen.WithKeys(private)))
			Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonInvalidSpec, ContainSubstring("spec.jwks must hold public keys only")))
			Expect(registrationsOf(provider, "client")(Default)).To(BeEmpty())
		})
	})
})

// privateKeys returns a JSON Web Key Set with a private key.
func privateKeys() string {
	GinkgoHelper()
	_, key, err := keys.Generate("ES256", 0)
	Expect(err).NotTo(HaveOccurred())
	return `{"keys":[` + string(key) + `]}`
}

// publicKeys returns a JSON Web Key Set as an application publishes it.
func publicKeys() string {
	GinkgoHelper()
	var set jose.JSONWebKeySet
	Expect(json.Unmarshal([]byte(privateKeys()), &set)).To(Succeed())
	for i := range set.Keys {
		set.Keys[i] = set.Keys[i].Public()
	}
	public, err := json.Marshal(set)
	Expect(err).NotTo(HaveOccurred())
	return string(public)
}
