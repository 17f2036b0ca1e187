package controllers_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// accepted is what the API server says when it accepts.
const accepted = ""

var _ = Describe("Validation by the API server", func() {
	submit := func(obj client.Object, want string) {
		GinkgoHelper()
		err := k8s.Create(ctx, obj, client.DryRunAll)
		if want == accepted {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError(ContainSubstring(want)))
	}
	lasting := func(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

	DescribeTable("of an OIDCProvider", func(change func(*v1alpha1.OIDCProvider), want string) {
		submit(gen.OIDCProvider("default", "sso", change), want)
	},
		Entry("https issuer", gen.WithIssuer("https://id.example.com"), accepted),
		Entry("issuer with port and path", gen.WithIssuer("https://id.example.com:8443/realms/one"), accepted),
		Entry("issuer with trailing slash", gen.WithIssuer("https://id.example.com/"), accepted),
		Entry("http issuer on localhost", gen.WithIssuer("http://localhost:8080"), accepted),
		Entry("http issuer on 127.0.0.1", gen.WithIssuer("http://127.0.0.1:8080"), accepted),
		Entry("http issuer on ::1", gen.WithIssuer("http://[::1]:8080"), accepted),
		Entry("http issuer elsewhere", gen.WithIssuer("http://id.example.com"), "issuer must use https; http is only for a loopback host"),
		Entry("http issuer on a host that begins like localhost", gen.WithIssuer("http://localhost.example.com"), "issuer must use https"),
		Entry("issuer with query", gen.WithIssuer("https://id.example.com/?a=b"), "issuer must not have a query; remove everything from the ? on"),
		Entry("issuer with fragment", gen.WithIssuer("https://id.example.com/#a"), "issuer must not have a fragment; remove everything from the # on"),
		Entry("issuer with user", gen.WithIssuer("https://ada@id.example.com"), "issuer must not contain a user name or password"),
		Entry("issuer without scheme", gen.WithIssuer("id.example.com"), "issuer must be an absolute URL"),
		Entry("issuer without host", gen.WithIssuer("https://"), "issuer must be an absolute URL"),
		Entry("issuer with an empty part", gen.WithIssuer("https://id.example.com/a//b"), "issuer must not have empty, . or .. parts"),
		Entry("issuer with two slashes at the end", gen.WithIssuer("https://id.example.com//"), "issuer must not have empty, . or .. parts"),
		Entry("issuer that climbs", gen.WithIssuer("https://id.example.com/../x"), "issuer must not have empty, . or .. parts"),
		Entry("issuer that ends in a dot", gen.WithIssuer("https://id.example.com/x/."), "issuer must not have empty, . or .. parts"),
		Entry("pod label of ours", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Template.Labels = map[string]string{"app.kubernetes.io/name": "x"}
		}, "labels must not contain app.kubernetes.io/name"),
		Entry("variable of ours", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Template.Env = []corev1.EnvVar{{Name: "POD_NAME", Value: "x"}}
		}, "env must not contain POD_NAME"),
		Entry("no issuer", gen.WithIssuer(""), "spec.issuer"),
		Entry("a name that no Service can have", func(p *v1alpha1.OIDCProvider) { p.Name = "a.b" }, "metadata.name must be at most 40"),
		Entry("a name that is too long", func(p *v1alpha1.OIDCProvider) { p.Name = "a1234567890123456789012345678901234567890" }, "metadata.name must be at most 40"),
		Entry("no replicas", func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(0)) }, accepted),
		Entry("two replicas on embedded storage", func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(2)) }, "replicas must be 0 or 1 on embedded storage, which serves one pod; set storage.postgres to run more"),
		Entry("three replicas on PostgreSQL", func(p *v1alpha1.OIDCProvider) {
			gen.WithPostgres("pg")(p)
			p.Spec.Replicas = new(int32(3))
		}, accepted),
		Entry("fewer than no replicas", func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(-1)) }, "spec.replicas"),
		Entry("both kinds of storage", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Storage.Postgres = &v1alpha1.PostgresStorage{DSNSecretRef: v1alpha1.DSNSecretReference{Name: "pg"}}
		}, "embedded and postgres cannot be combined; remove one or the other"),
		Entry("a database that nothing says how to reach", gen.WithPostgres(""), "dsnSecretRef"),
		Entry("trusted proxies", func(p *v1alpha1.OIDCProvider) { p.Spec.TrustedProxies = []string{"10.0.0.0/8", "2001:db8::/32"} }, accepted),
		Entry("a trusted proxy without a mask", func(p *v1alpha1.OIDCProvider) {
			p.Spec.TrustedProxies = []string{"10.0.0.1"}
		}, "trustedProxies must hold networks in CIDR notation, such as"),
		Entry("login limits", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Login = v1alpha1.LoginLimits{MaxAttempts: new(int32(10)), Window: lasting(time.Hour)}
		}, accepted),
		Entry("no attempts", func(p *v1alpha1.OIDCProvider) { p.Spec.Login.MaxAttempts = new(int32(0)) }, "spec.login.maxAttempts"),
		Entry("endless attempts", func(p *v1alpha1.OIDCProvider) { p.Spec.Login.MaxAttempts = new(int32(101)) }, "spec.login.maxAttempts"),
		Entry("a window of days", func(p *v1alpha1.OIDCProvider) { p.Spec.Login.Window = lasting(48 * time.Hour) }, "window must be between 1s and 24h"),
		Entry("branding", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Branding = v1alpha1.Branding{Title: strings.Repeat("文", 50), AccentColor: "#00AA66"}
			gen.WithLogo("brand", "logo.jpeg")(p)
		}, accepted),
		Entry("a title that is too long", func(p *v1alpha1.OIDCProvider) { p.Spec.Branding.Title = strings.Repeat("t", 51) }, "spec.branding.title"),
		Entry("a color by name", func(p *v1alpha1.OIDCProvider) { p.Spec.Branding.AccentColor = "green" }, "accentColor must be #rgb or #rrggbb"),
		Entry("a color of four digits", func(p *v1alpha1.OIDCProvider) { p.Spec.Branding.AccentColor = "#1234" }, "accentColor must be #rgb or #rrggbb"),
		Entry("a logo of an unknown kind", gen.WithLogo("brand", "logo.gif"), "key must end in .svg, .png, .jpg, .jpeg or .webp"),
		Entry("a logo of no ConfigMap", gen.WithLogo("", "logo.svg"), "logoConfigMapRef.name"),
		Entry("refresh lifetimes", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Tokens.RefreshToken = v1alpha1.RefreshTokenLifetimes{Idle: lasting(24 * time.Hour), Absolute: lasting(17520 * time.Hour)}
		}, accepted),
		Entry("a refresh token that idles too long", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Tokens.RefreshToken.Idle = lasting(17521 * time.Hour)
		}, "idle must be between 1s and 17520h"),
		Entry("a refresh token that lives too long", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Tokens.RefreshToken.Absolute = lasting(17521 * time.Hour)
		}, "absolute must be between 1s and 17520h"),
		Entry("emptyDir with a size", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Storage.Embedded.Size = new(resource.MustParse("1Gi"))
		}, "emptyDir cannot be combined with size"),
		Entry("selector without from Selector", func(p *v1alpha1.OIDCProvider) {
			p.Spec.AllowedClients.Namespaces.Selector = &metav1.LabelSelector{}
		}, "selector must be set exactly when from is Selector"),
		Entry("from Selector without selector", func(p *v1alpha1.OIDCProvider) {
			p.Spec.AllowedClients.Namespaces.From = v1alpha1.NamespacesFromSelector
		}, "selector must be set exactly when from is Selector"),
		Entry("redirect hosts", func(p *v1alpha1.OIDCProvider) {
			p.Spec.AllowedClients.RedirectHosts = []string{"app.example.com", "*.example.org", "localhost", "[::1]"}
		}, accepted),
		Entry("redirect host with scheme", func(p *v1alpha1.OIDCProvider) {
			p.Spec.AllowedClients.RedirectHosts = []string{"https://app.example.com"}
		}, "redirectHosts must hold host names in lower case"),
		Entry("redirect host with a star inside", func(p *v1alpha1.OIDCProvider) {
			p.Spec.AllowedClients.RedirectHosts = []string{"app.*.example.com"}
		}, "redirectHosts must hold host names in lower case"),
		Entry("lifetimes", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Tokens = v1alpha1.TokenLifetimes{AuthorizationCode: lasting(time.Minute), AccessToken: lasting(time.Hour), IDToken: lasting(time.Hour)}
			p.Spec.Sessions = v1alpha1.SessionLifetimes{Idle: lasting(time.Hour), Absolute: lasting(24 * time.Hour)}
		}, accepted),
		Entry("a code that lives too long", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Tokens.AuthorizationCode = lasting(time.Hour)
		}, "authorizationCode must be between 1s and 10m"),
		Entry("an access token that lives too long", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Tokens.AccessToken = lasting(48 * time.Hour)
		}, "accessToken must be between 1s and 24h"),
		Entry("an ID token without life", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Tokens.IDToken = lasting(0)
		}, "idToken must be between 1s and 24h"),
		Entry("a session that ends at once", func(p *v1alpha1.OIDCProvider) { p.Spec.Sessions.Idle = lasting(time.Second) }, "idle must be at least 1m"),
		Entry("a session that is over at once", func(p *v1alpha1.OIDCProvider) { p.Spec.Sessions.Absolute = lasting(time.Second) }, "absolute must be at least 1m"),
		Entry("an HTTPRoute without parents", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Expose.HTTPRoute = &v1alpha1.ExposeHTTPRoute{}
		}, "parentRefs"),
	)

	DescribeTable("of a SigningKey", func(change func(*v1alpha1.SigningKey), want string) {
		submit(gen.SigningKey("default", "key", "sso", change), want)
	},
		Entry("ES256", func(*v1alpha1.SigningKey) {}, accepted),
		Entry("no algorithm", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "" }, accepted),
		Entry("RS256 of 4096 bits", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm, k.Spec.RSABits = "RS256", new(int32(4096)) }, accepted),
		Entry("HS256", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "HS256" }, "spec.algorithm"),
		Entry("ES256 with rsaBits", func(k *v1alpha1.SigningKey) { k.Spec.RSABits = new(int32(2048)) }, "rsaBits is only for the RS and PS algorithms; remove it"),
		Entry("a weak RSA key", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm, k.Spec.RSABits = "RS256", new(int32(1024)) }, "spec.rsaBits"),
		Entry("a name that is too long", func(k *v1alpha1.SigningKey) { k.Name = strings.Repeat("k", 64) }, "metadata.name must be at most 63 characters"),
		Entry("no provider", func(k *v1alpha1.SigningKey) { k.Spec.ProviderRef.Name = "" }, "spec.providerRef"),
		Entry("rotation by interval", func(k *v1alpha1.SigningKey) { k.Spec.Rotation.Interval = lasting(2160 * time.Hour) }, accepted),
		Entry("the shortest times", func(k *v1alpha1.SigningKey) {
			k.Spec.Rotation = v1alpha1.KeyRotation{Interval: lasting(24 * time.Hour), PublishBefore: lasting(10 * time.Minute), RetainAfter: lasting(24 * time.Hour)}
		}, accepted),
		Entry("an interval of hours", func(k *v1alpha1.SigningKey) { k.Spec.Rotation.Interval = lasting(12 * time.Hour) }, "interval must be between 24h and 87600h"),
		Entry("an interval that is over before the next key is known", func(k *v1alpha1.SigningKey) {
			k.Spec.Rotation = v1alpha1.KeyRotation{Interval: lasting(24 * time.Hour), PublishBefore: lasting(25 * time.Hour)}
		}, "interval must not be shorter than publishBefore"),
		Entry("less than caches need", func(k *v1alpha1.SigningKey) { k.Spec.Rotation.PublishBefore = lasting(5 * time.Minute) }, "publishBefore must be between 10m and 8760h"),
		Entry("less than a token is valid", func(k *v1alpha1.SigningKey) { k.Spec.Rotation.RetainAfter = lasting(23 * time.Hour) },
			"retainAfter must be between 24h and 8760h, because a token can be valid for 24h"),
		Entry("more keys than a JWKS should have", func(k *v1alpha1.SigningKey) {
			k.Spec.Rotation = v1alpha1.KeyRotation{Interval: lasting(24 * time.Hour), RetainAfter: lasting(200 * time.Hour)}
		}, "retainAfter must be at most six times interval"),
		Entry("an imported key", importing("tls", "tls.key"), accepted),
		Entry("an imported key without key", importing("tls", ""), accepted),
		Entry("an imported key of no Secret", importing("", "tls.key"), "spec.import.secretRef"),
		Entry("an imported key with rsaBits", func(k *v1alpha1.SigningKey) {
			importing("tls", "")(k)
			k.Spec.Algorithm, k.Spec.RSABits = "RS256", new(int32(2048))
		}, "rsaBits is not for an imported key"),
		Entry("an imported key with an interval", func(k *v1alpha1.SigningKey) {
			importing("tls", "")(k)
			k.Spec.Rotation.Interval = lasting(48 * time.Hour)
		}, "rotation.interval is not for an imported key"),
	)

	provider := gen.OIDCProvider("default", "sso")
	public := func(c *v1alpha1.OIDCClient) { c.Spec.TokenEndpointAuthMethod = "none" }
	scopes := func(s ...string) func(*v1alpha1.OIDCClient) {
		return func(c *v1alpha1.OIDCClient) { c.Spec.Scopes = s }
	}
	resources := func(r ...string) func(*v1alpha1.OIDCClient) {
		return func(c *v1alpha1.OIDCClient) { c.Spec.Resources = r }
	}
	DescribeTable("of an OIDCClient", func(change func(*v1alpha1.OIDCClient), want string) {
		submit(gen.OIDCClient("default", "app", provider, change), want)
	},
		Entry("https redirect URI", gen.WithRedirectURIs("https://app.example.com/cb?x=1"), accepted),
		Entry("redirect origin with port and without slash", gen.WithRedirectURIs("https://nas.example.com:5001"), accepted),
		Entry("http on loopback", gen.WithRedirectURIs("http://localhost:8090/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb"), accepted),
		Entry("no redirect URI", gen.WithRedirectURIs(), "redirectURIs must hold at least one URI, unless a preset knows them or grantTypes is set and leaves authorization_code out"),
		Entry("with a fragment", gen.WithRedirectURIs("https://app.example.com/#cb"), "redirectURIs must not have a fragment; remove everything from the # on"),
		Entry("with a wildcard", gen.WithRedirectURIs("https://*.example.com/cb"), "redirectURIs must not contain a wildcard; list each redirect URI in full"),
		Entry("http elsewhere", gen.WithRedirectURIs("http://app.example.com/cb"), "redirectURIs must use https; http is only for a loopback host"),
		Entry("relative", gen.WithRedirectURIs("/cb"), "redirectURIs must be absolute"),
		Entry("private-use scheme of a confidential client", gen.WithRedirectURIs("com.example.app:/cb"), "redirectURIs must use https. A private-use scheme, such as com.example.app:/callback, is for a public client"),
		Entry("an app's scheme of a confidential client", gen.WithRedirectURIs("app.immich:///cb"), "registers an https address of that server, which leads on to its app"),
		Entry("host in other letters", gen.WithRedirectURIs("https://bücher.example/cb"), "a host in punycode, such as xn--bcher-kva.example for bücher.example"),
		Entry("host in punycode", gen.WithRedirectURIs("https://xn--bcher-kva.example/cb?x=%22"), accepted),
		Entry("markup", gen.WithRedirectURIs(`https://app.example.com/cb"><x`), "percent-encode them, such as %22 for a quotation mark"),
		Entry("backslash", gen.WithRedirectURIs(`https://app.example.com\@evil.example.com/`), "percent-encode them"),
		Entry("scheme in capitals", gen.WithRedirectURIs("HTTPS://app.example.com/cb"), "redirectURIs must have their scheme in lower case"),
		Entry("host in capitals", gen.WithRedirectURIs("https://App.example.com/cb"), accepted),
		Entry("logout URI in other letters", func(c *v1alpha1.OIDCClient) {
			c.Spec.PostLogoutRedirectURIs = []string{"https://bücher.example/"}
		}, "postLogoutRedirectURIs must be written in ASCII"),
		Entry("name with a joiner and an emoji", func(c *v1alpha1.OIDCClient) { c.Spec.DisplayName = "می\u200cخواهم ❤️" }, accepted),
		Entry("name that turns around", func(c *v1alpha1.OIDCClient) { c.Spec.DisplayName = "Pay\u202eroll" }, "displayName must be one line without characters that cannot be seen"),
		Entry("name with an invisible space", func(c *v1alpha1.OIDCClient) { c.Spec.DisplayName = "Pay\u200broll" }, "displayName must be one line"),
		Entry("description of two lines", func(c *v1alpha1.OIDCClient) { c.Spec.Description = "a\nb" }, "description must be one line"),
		Entry("name of an object that leaves no room for that of its Secret", func(c *v1alpha1.OIDCClient) { c.Name = strings.Repeat("a", 249) }, "metadata.name must be at most 248 characters, because the Secret is called <name>-oidc"),
		Entry("such a name with a Secret of its own name", func(c *v1alpha1.OIDCClient) {
			c.Name = strings.Repeat("a", 253)
			c.Spec.Credentials.SecretName = "app"
		}, accepted),
		Entry("the longest name", func(c *v1alpha1.OIDCClient) { c.Name = strings.Repeat("a", 248) }, accepted),
		Entry("private-use scheme of a public client", func(c *v1alpha1.OIDCClient) {
			public(c)
			c.Spec.RedirectURIs = []string{"com.example.app:/cb"}
		}, accepted),
		Entry("logout URI with a fragment", func(c *v1alpha1.OIDCClient) {
			c.Spec.PostLogoutRedirectURIs = []string{"https://app.example.com/#out"}
		}, "postLogoutRedirectURIs must not have a fragment"),
		Entry("logout URI with http elsewhere", func(c *v1alpha1.OIDCClient) {
			c.Spec.PostLogoutRedirectURIs = []string{"http://app.example.com/"}
		}, "postLogoutRedirectURIs must use https"),
		Entry("logout URI with a wildcard", func(c *v1alpha1.OIDCClient) {
			c.Spec.PostLogoutRedirectURIs = []string{"https://*.example.com/"}
		}, "postLogoutRedirectURIs must not contain a wildcard"),
		Entry("relative logout URI", func(c *v1alpha1.OIDCClient) {
			c.Spec.PostLogoutRedirectURIs = []string{"/out"}
		}, "postLogoutRedirectURIs must be absolute"),
		Entry("secret name with two dots", gen.WithSecretName("a..b"), "secretName must be the name of a Secret"),
		Entry("client ID", gen.WithClientID("my-app_1.x"), accepted),
		Entry("client ID with a colon", gen.WithClientID("a:b"), "clientID must consist of the characters"),
		Entry("scopes without openid", scopes("email"), "scopes must hold openid, unless client_credentials is the only one of grantTypes"),
		Entry("scopes of other APIs", scopes("openid", "files:read", "https://api.example.com/write", "a]b[c^~!#"), accepted),
		Entry("scope with a quote", scopes("openid", `a"b`), "scopes must consist of printable ASCII characters without spaces, quotes and backslashes"),
		Entry("scope with a backslash", scopes("openid", `a\b`), "scopes must consist of printable ASCII"),
		Entry("scope with a space", scopes("openid", "a b"), "scopes must consist of printable ASCII"),
		Entry("scope beyond ASCII", scopes("openid", "ä"), "scopes must consist of printable ASCII"),
		Entry("offline access", scopes("openid", "offline_access"), accepted),
		Entry("offline access without refresh tokens", func(c *v1alpha1.OIDCClient) {
			scopes("openid", "offline_access")(c)
			gen.WithGrantTypes("authorization_code")(c)
		}, "scopes must not hold offline_access without refresh_token in grantTypes"),
		Entry("a device", func(c *v1alpha1.OIDCClient) {
			gen.WithGrantTypes("device_code", "refresh_token")(c)
			c.Spec.RedirectURIs = nil
		}, accepted),
		Entry("a machine", func(c *v1alpha1.OIDCClient) {
			gen.WithGrantTypes("client_credentials")(c)
			scopes("files:read")(c)
			c.Spec.RedirectURIs = nil
		}, accepted),
		Entry("a login without redirect URI", func(c *v1alpha1.OIDCClient) {
			gen.WithGrantTypes("authorization_code", "device_code")(c)
			c.Spec.RedirectURIs = nil
		}, "redirectURIs must hold at least one URI"),
		Entry("an unknown grant type", gen.WithGrantTypes("password"), "spec.grantTypes"),
		Entry("refresh tokens of nothing", gen.WithGrantTypes("refresh_token", "client_credentials"), "grantTypes must hold authorization_code or device_code beside refresh_token"),
		Entry("public machine", func(c *v1alpha1.OIDCClient) {
			public(c)
			gen.WithGrantTypes("authorization_code", "client_credentials")(c)
		}, "grantTypes must not hold client_credentials for a public client (tokenEndpointAuthMethod none)"),
		Entry("keys of its own", gen.WithKeys(`{"keys":[{"kty":"EC","x5t#S256":"any"}]}`), accepted),
		Entry("keys of its own at a URL", func(c *v1alpha1.OIDCClient) {
			c.Spec.TokenEndpointAuthMethod, c.Spec.JWKSURI = "private_key_jwt", "https://app.example.com/jwks"
		}, accepted),
		Entry("private_key_jwt without keys", func(c *v1alpha1.OIDCClient) {
			c.Spec.TokenEndpointAuthMethod = "private_key_jwt"
		}, "tokenEndpointAuthMethod private_key_jwt needs either jwks or jwksURI, and not both"),
		Entry("keys in two places", func(c *v1alpha1.OIDCClient) {
			gen.WithKeys(`{"keys":[]}`)(c)
			c.Spec.JWKSURI = "https://app.example.com/jwks"
		}, "needs either jwks or jwksURI, and not both"),
		Entry("keys beside a secret", func(c *v1alpha1.OIDCClient) {
			c.Spec.JWKSURI = "https://app.example.com/jwks"
		}, accepted),
		Entry("keys in two places beside a secret", func(c *v1alpha1.OIDCClient) {
			gen.WithKeys(`{"keys":[]}`)(c)
			c.Spec.TokenEndpointAuthMethod, c.Spec.JWKSURI = "", "https://app.example.com/jwks"
		}, "jwks and jwksURI must not both be set; remove one"),
		Entry("assertions for the issuer alone", func(c *v1alpha1.OIDCClient) {
			gen.WithKeys(`{"keys":[]}`)(c)
			c.Spec.ClientAssertionAudience = "Issuer"
		}, accepted),
		Entry("assertions for anybody", func(c *v1alpha1.OIDCClient) {
			gen.WithKeys(`{"keys":[]}`)(c)
			c.Spec.ClientAssertionAudience = "Everybody"
		}, "spec.clientAssertionAudience"),
		Entry("an audience of no assertions", func(c *v1alpha1.OIDCClient) {
			c.Spec.ClientAssertionAudience = "Issuer"
		}, "clientAssertionAudience is only for tokenEndpointAuthMethod private_key_jwt; set that or remove it"),
		Entry("signed request objects", func(c *v1alpha1.OIDCClient) {
			c.Spec.JWKSURI, c.Spec.RequestObjectSigningAlg, c.Spec.RequireSignedRequestObject = "https://app.example.com/jwks", "PS256", new(true)
		}, accepted),
		Entry("unsigned request objects", func(c *v1alpha1.OIDCClient) {
			c.Spec.RequestObjectSigningAlg, c.Spec.RequireSignedRequestObject = "none", new(false)
		}, accepted),
		Entry("request objects signed with a secret", func(c *v1alpha1.OIDCClient) { c.Spec.RequestObjectSigningAlg = "HS256" }, "spec.requestObjectSigningAlg"),
		Entry("request objects that nobody can verify", func(c *v1alpha1.OIDCClient) {
			c.Spec.RequestObjectSigningAlg = "ES256"
		}, "signed request objects need the application's public keys; set jwks or jwksURI"),
		Entry("signed requests that nobody can verify", func(c *v1alpha1.OIDCClient) {
			c.Spec.RequireSignedRequestObject = new(true)
		}, "signed request objects need the application's public keys; set jwks or jwksURI"),
		Entry("signed and unsigned request objects", func(c *v1alpha1.OIDCClient) {
			gen.WithKeys(`{"keys":[]}`)(c)
			c.Spec.RequestObjectSigningAlg, c.Spec.RequireSignedRequestObject = "none", new(true)
		}, "requestObjectSigningAlg must not be none where requireSignedRequestObject is true"),
		Entry("keys over http", func(c *v1alpha1.OIDCClient) {
			c.Spec.TokenEndpointAuthMethod, c.Spec.JWKSURI = "private_key_jwt", "http://app.example.com/jwks"
		}, "jwksURI must be an https URL; http is only for a loopback host"),
		Entry("resources", resources("https://api.example.com", "urn:example:api"), accepted),
		Entry("relative resource", resources("/api"), "resources must be absolute URIs, such as https://api.example.com"),
		Entry("resource with a fragment", resources("https://api.example.com/#a"), "resources must not have a fragment"),
		Entry("formats and flags", func(c *v1alpha1.OIDCClient) {
			c.Spec.AccessTokenFormat, c.Spec.UserinfoSignedResponseAlg = v1alpha1.AccessTokenJWT, "ES256"
			c.Spec.DPoPBoundAccessTokens, c.Spec.RequirePushedAuthorizationRequests = new(true), new(true)
		}, accepted),
		Entry("unknown format", func(c *v1alpha1.OIDCClient) { c.Spec.AccessTokenFormat = "SAML" }, "spec.accessTokenFormat"),
		Entry("unsigned userinfo", func(c *v1alpha1.OIDCClient) { c.Spec.UserinfoSignedResponseAlg = "none" }, "spec.userinfoSignedResponseAlg"),
		Entry("pairwise subjects of a sector", func(c *v1alpha1.OIDCClient) {
			c.Spec.Subject = v1alpha1.ClientSubject{Mode: v1alpha1.SubjectPairwise, SectorIdentifier: "example.com"}
		}, accepted),
		Entry("sector without pairwise subjects", func(c *v1alpha1.OIDCClient) {
			c.Spec.Subject.SectorIdentifier = "example.com"
		}, "sectorIdentifier is only for mode Pairwise; set that or remove it"),
		Entry("sector that is a URL", func(c *v1alpha1.OIDCClient) {
			c.Spec.Subject = v1alpha1.ClientSubject{Mode: v1alpha1.SubjectPairwise, SectorIdentifier: "https://example.com"}
		}, "sectorIdentifier must be a host name in lower case"),
		Entry("unknown subject mode", func(c *v1alpha1.OIDCClient) { c.Spec.Subject.Mode = "Phone" }, "spec.subject.mode"),
		Entry("group without name", func(c *v1alpha1.OIDCClient) { c.Spec.Access.AllowedGroups = []string{""} }, "spec.access.allowedGroups"),
		Entry("logouts", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutURI, c.Spec.BackchannelLogoutSessionRequired = "https://elsewhere.example.com/out?x=1", new(true)
			c.Spec.FrontchannelLogoutURI, c.Spec.FrontchannelLogoutSessionRequired = "https://app.example.com/out", new(true)
		}, accepted),
		Entry("back-channel logout on loopback", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutURI = "http://127.0.0.1:8090/out"
		}, accepted),
		Entry("back-channel logout over http", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutURI = "http://app.example.com/out"
		}, "backchannelLogoutURI must be an https URL; http is only for a loopback host"),
		Entry("back-channel logout with a fragment", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutURI = "https://app.example.com/#out"
		}, "backchannelLogoutURI must not have a fragment"),
		Entry("back-channel session without logout", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutSessionRequired = new(true)
		}, "backchannelLogoutSessionRequired needs backchannelLogoutURI"),
		Entry("back-channel logout of the user", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutURI, c.Spec.BackchannelLogoutIdentifies = "https://app.example.com/out", v1alpha1.LogoutIdentifiesUser
		}, accepted),
		Entry("back-channel logout of the user without logout", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutIdentifies = v1alpha1.LogoutIdentifiesUser
		}, "backchannelLogoutIdentifies needs backchannelLogoutURI"),
		Entry("back-channel logout of the user with required session", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutURI, c.Spec.BackchannelLogoutSessionRequired = "https://app.example.com/out", new(true)
			c.Spec.BackchannelLogoutIdentifies = v1alpha1.LogoutIdentifiesUser
		}, "backchannelLogoutIdentifies must be Session or unset while backchannelLogoutSessionRequired is true"),
		Entry("back-channel logout of nobody", func(c *v1alpha1.OIDCClient) {
			c.Spec.BackchannelLogoutURI, c.Spec.BackchannelLogoutIdentifies = "https://app.example.com/out", "Nobody"
		}, "spec.backchannelLogoutIdentifies"),
		Entry("no rotation of refresh tokens with DPoP", func(c *v1alpha1.OIDCClient) {
			c.Spec.RefreshTokenRotation, c.Spec.DPoPBoundAccessTokens = v1alpha1.RefreshTokenRotationNever, new(true)
		}, accepted),
		Entry("no rotation of refresh tokens with keys", func(c *v1alpha1.OIDCClient) {
			gen.WithKeys(publicKeys())(c)
			c.Spec.RefreshTokenRotation = v1alpha1.RefreshTokenRotationNever
		}, accepted),
		Entry("no rotation of refresh tokens with a secret alone", func(c *v1alpha1.OIDCClient) {
			c.Spec.RefreshTokenRotation = v1alpha1.RefreshTokenRotationNever
		}, "refreshTokenRotation Never is for a confidential client that proves possession of a key"),
		Entry("no rotation of refresh tokens of a public client", func(c *v1alpha1.OIDCClient) {
			public(c)
			c.Spec.RefreshTokenRotation, c.Spec.DPoPBoundAccessTokens = v1alpha1.RefreshTokenRotationNever, new(true)
		}, "refreshTokenRotation Never is for a confidential client that proves possession of a key"),
		Entry("front-channel logout that is a script", func(c *v1alpha1.OIDCClient) {
			c.Spec.FrontchannelLogoutURI = "javascript:alert(1)"
		}, "frontchannelLogoutURI must be an https URL"),
		Entry("front-channel session without logout", func(c *v1alpha1.OIDCClient) {
			c.Spec.FrontchannelLogoutSessionRequired = new(true)
		}, "frontchannelLogoutSessionRequired needs frontchannelLogoutURI"),
		Entry("an override of refresh lifetimes", func(c *v1alpha1.OIDCClient) {
			c.Spec.Tokens.RefreshToken.Idle = lasting(time.Millisecond)
		}, "idle must be between 1s and 17520h"),
		Entry("public client with optional PKCE", func(c *v1alpha1.OIDCClient) {
			public(c)
			c.Spec.PKCE = v1alpha1.PKCEOptional
		}, "pkce must be Required or unset for a public client"),
		Entry("logo over http", func(c *v1alpha1.OIDCClient) { c.Spec.LogoURI = "http://app.example.com/logo.png" }, "logoURI must be an https URL"),
		Entry("home page without scheme", func(c *v1alpha1.OIDCClient) { c.Spec.ClientURI = "app.example.com" }, "clientURI must be an absolute https or http URL"),
		Entry("policy that is a script", func(c *v1alpha1.OIDCClient) { c.Spec.PolicyURI = "javascript:alert(1)" }, "policyURI must be an absolute https or http URL"),
		Entry("terms that are a script", func(c *v1alpha1.OIDCClient) { c.Spec.TosURI = "javascript:alert(1)" }, "tosURI must be an absolute https or http URL"),
		Entry("secret name in upper case", gen.WithSecretName("Secret"), "secretName must be the name of a Secret"),
		Entry("label of ours", func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.Labels = map[string]string{"oidc-operator.dev/provider": "x"}
		}, "labels must not contain the operator's own"),
		Entry("annotation of ours", func(c *v1alpha1.OIDCClient) {
			c.Spec.Credentials.Annotations = map[string]string{"oidc-operator.dev/owner": "x"}
		}, "annotations must not contain the operator's own"),
	)

	DescribeTable("of an OIDCUser", func(change func(*v1alpha1.OIDCUser), want string) {
		submit(gen.OIDCUser("default", "ada", "sso", change), want)
	},
		Entry("everything", func(u *v1alpha1.OIDCUser) {
			u.Spec.Username, u.Spec.Subject, u.Spec.Email, u.Spec.EmailVerified = "ada@example.com", "s-1", "ada@example.com", new(true)
			u.Spec.Birthdate, u.Spec.Profile = "1815-12-10", "https://example.com/ada"
		}, accepted),
		Entry("name of an object that leaves no room for that of its Secret", func(u *v1alpha1.OIDCUser) { u.Name = strings.Repeat("a", 245) }, "metadata.name must be at most 244 characters"),
		Entry("the longest name", func(u *v1alpha1.OIDCUser) { u.Name = strings.Repeat("a", 244) }, accepted),
		Entry("a longer name with a password of its own", func(u *v1alpha1.OIDCUser) {
			u.Name = strings.Repeat("a", 253)
			u.Spec.PasswordSecretRef = &v1alpha1.SecretKeyReference{Name: "ada", Key: "password"}
		}, accepted),
		Entry("username with a space", func(u *v1alpha1.OIDCUser) { u.Spec.Username = "ada lovelace" }, "username must not contain spaces"),
		Entry("subject beyond ASCII", func(u *v1alpha1.OIDCUser) { u.Spec.Subject = "ädä" }, "subject must consist of printable ASCII"),
		Entry("email without @", func(u *v1alpha1.OIDCUser) { u.Spec.Email = "ada" }, "email must be an e-mail address"),
		Entry("verified email without email", func(u *v1alpha1.OIDCUser) { u.Spec.EmailVerified = new(true) }, "emailVerified needs email"),
		Entry("verified phone without phone", func(u *v1alpha1.OIDCUser) { u.Spec.PhoneNumberVerified = new(true) }, "phoneNumberVerified needs phoneNumber"),
		Entry("birthdate in words", func(u *v1alpha1.OIDCUser) { u.Spec.Birthdate = "10 Dec" }, "birthdate must be YYYY-MM-DD or YYYY"),
		Entry("picture that is a script", func(u *v1alpha1.OIDCUser) { u.Spec.Picture = "javascript:alert(1)" }, "picture must be an absolute https or http URL"),
		Entry("profile without scheme", func(u *v1alpha1.OIDCUser) { u.Spec.Profile = "example.com" }, "profile must be an absolute https or http URL"),
		Entry("website without scheme", func(u *v1alpha1.OIDCUser) { u.Spec.Website = "example.com" }, "website must be an absolute https or http URL"),
	)

	DescribeTable("of changes", func(obj client.Object, change func(client.Object), want string) {
		obj.SetNamespace(newNamespace(nil))
		create(obj)
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
			change(obj)
			err := k8s.Update(ctx, obj, client.DryRunAll)
			g.Expect(err).To(MatchError(ContainSubstring(want)))
		}).Should(Succeed())
	},
		Entry("issuer", gen.OIDCProvider("", "sso"), func(o client.Object) {
			o.(*v1alpha1.OIDCProvider).Spec.Issuer = "https://other.example.com"
		}, "issuer cannot be changed"),
		Entry("size", gen.OIDCProvider("", "sso", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Storage.Embedded = v1alpha1.EmbeddedStorage{Size: new(resource.MustParse("2Gi"))}
		}), func(o client.Object) {
			o.(*v1alpha1.OIDCProvider).Spec.Storage.Embedded.Size = new(resource.MustParse("1Gi"))
		}, "size cannot shrink"),
		Entry("size that is left out", gen.OIDCProvider("", "sso", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Storage.Embedded = v1alpha1.EmbeddedStorage{Size: new(resource.MustParse("10Gi"))}
		}), func(o client.Object) {
			o.(*v1alpha1.OIDCProvider).Spec.Storage = v1alpha1.Storage{}
		}, "size cannot be left out once it is set"),
		Entry("storage class that is left out", gen.OIDCProvider("", "sso", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Storage.Embedded = v1alpha1.EmbeddedStorage{StorageClassName: "fast"}
		}), func(o client.Object) {
			o.(*v1alpha1.OIDCProvider).Spec.Storage = v1alpha1.Storage{}
		}, "storageClassName cannot be changed"),
		Entry("storage class", gen.OIDCProvider("", "sso", func(p *v1alpha1.OIDCProvider) {
			p.Spec.Storage.Embedded = v1alpha1.EmbeddedStorage{StorageClassName: "fast"}
		}), func(o client.Object) {
			o.(*v1alpha1.OIDCProvider).Spec.Storage.Embedded.StorageClassName = "slow"
		}, "storageClassName cannot be changed"),
		Entry("algorithm", gen.SigningKey("", "key", "sso"), func(o client.Object) {
			o.(*v1alpha1.SigningKey).Spec.Algorithm = "ES384"
		}, "algorithm cannot be changed"),
		Entry("rsaBits", gen.SigningKey("", "key", "sso", func(k *v1alpha1.SigningKey) {
			k.Spec.Algorithm, k.Spec.RSABits = "RS256", new(int32(2048))
		}), func(o client.Object) { o.(*v1alpha1.SigningKey).Spec.RSABits = new(int32(4096)) }, "rsaBits cannot be changed"),
		Entry("rsaBits that come later", gen.SigningKey("", "key", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "RS256" }),
			func(o client.Object) { o.(*v1alpha1.SigningKey).Spec.RSABits = new(int32(4096)) }, "rsaBits cannot be changed"),
		Entry("provider of a key", gen.SigningKey("", "key", "sso"), func(o client.Object) {
			o.(*v1alpha1.SigningKey).Spec.ProviderRef.Name = "other"
		}, "providerRef cannot be changed"),
		Entry("client ID", gen.OIDCClient("", "app", provider, gen.WithClientID("one")), func(o client.Object) {
			o.(*v1alpha1.OIDCClient).Spec.ClientID = "two"
		}, "clientID cannot be changed"),
		Entry("client ID that comes later", gen.OIDCClient("", "app", provider), func(o client.Object) {
			o.(*v1alpha1.OIDCClient).Spec.ClientID = "two"
		}, "clientID cannot be changed"),
		Entry("subject", gen.OIDCUser("", "ada", "sso", func(u *v1alpha1.OIDCUser) { u.Spec.Subject = "one" }), func(o client.Object) {
			o.(*v1alpha1.OIDCUser).Spec.Subject = "two"
		}, "subject cannot be changed"),
		Entry("subject that comes later", gen.OIDCUser("", "ada", "sso"), func(o client.Object) {
			o.(*v1alpha1.OIDCUser).Spec.Subject = "two"
		}, "subject cannot be changed"),
	)
})
