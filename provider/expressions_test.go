package provider_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// claimingClient is the client app with claims of its own: pairs of name and expression.
func claimingClient(in string, pairs ...string) registration.Client {
	c := appClient()
	c.ClaimsIn = in
	for i := 0; i+1 < len(pairs); i += 2 {
		c.Claims = append(c.Claims, registration.Claim{Name: pairs[i], Expression: pairs[i+1]})
	}
	return c
}

// values returns the claims about a person in a document as JSON.
func values(t *testing.T, document map[string]any) string {
	t.Helper()
	chosen := map[string]any{}
	for _, name := range told(document) {
		chosen[name] = document[name]
	}
	text, err := json.Marshal(chosen)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Claims of a client's own stand where the client is told claims, with the scope of the claim whose name they have.
func TestOwnClaims(t *testing.T) {
	for name, c := range map[string]struct {
		in, scope, claims string
		own               []string
		idToken, userinfo string
	}{
		"another name": {
			"", "openid", "",
			[]string{"first_name", "user.displayName.split(' ')[0]"},
			`{"first_name":"Ada"}`, `{"first_name":"Ada"}`,
		},
		"in place of a claim": {
			"", "openid profile", "",
			[]string{"preferred_username", "user.username + '@example.com'"},
			`{"name":"Ada Lovelace","preferred_username":"ada@example.com"}`, `{"name":"Ada Lovelace","preferred_username":"ada@example.com"}`,
		},
		"in place of a claim whose scope is missing": {
			"", "openid", "", []string{"preferred_username", "user.username", "x", "1"}, `{"x":1}`, `{"x":1}`,
		},
		"a list of nothing": {"", "openid groups", "", []string{"groups", "user.groups.filter(g, g == 'admins')"}, `{"groups":[]}`, `{"groups":[]}`},
		"taken away":        {"", "openid profile", "", []string{"name", "''"}, `{"preferred_username":"ada"}`, `{"preferred_username":"ada"}`},
		"of every kind": {
			registration.ClaimsInIDToken, "openid", "",
			[]string{"https://example.com/roles", "user.groups.map(g, g.upperAscii())", "o", "{'a': [true, null, 2.5]}", "q", `'"<ä>'`},
			`{"https://example.com/roles":["STAFF"],"o":{"a":[true,null,2.5]},"q":"\"\u003cä\u003e"}`, `{}`,
		},
		"in the ID token alone":           {registration.ClaimsInIDToken, "openid email", "", []string{"x", "client.clientID"}, `{"email":"ada@example.com","email_verified":true,"x":"app"}`, `{}`},
		"in userinfo alone":               {registration.ClaimsInUserinfo, "openid email", "", []string{"x", "client.displayName"}, `{}`, `{"email":"ada@example.com","email_verified":true,"x":"Example App"}`},
		"in both":                         {registration.ClaimsInBoth, "openid email", "", nil, `{"email":"ada@example.com","email_verified":true}`, `{"email":"ada@example.com","email_verified":true}`},
		"asked for in the other place":    {registration.ClaimsInUserinfo, "openid", `{"id_token":{"x":null,"name":null,"y":null}}`, []string{"x", "1", "y", "2"}, `{"name":"Ada Lovelace","x":1,"y":2}`, `{"x":1,"y":2}`},
		"asked for with another value":    {registration.ClaimsInUserinfo, "openid", `{"id_token":{"x":{"value":2},"preferred_username":{"value":"ada"}}}`, []string{"x", "1", "preferred_username", "'bob'"}, `{}`, `{"x":1}`},
		"asked for with its value":        {registration.ClaimsInUserinfo, "openid", `{"id_token":{"x":{"values":[2,1]},"preferred_username":{"value":"bob"}}}`, []string{"x", "1", "preferred_username", "'bob'"}, `{"preferred_username":"bob","x":1}`, `{"x":1}`},
		"asked for and not there":         {registration.ClaimsInUserinfo, "openid", `{"id_token":{"z":null,"x":{"essential":true}}}`, []string{"x", "''"}, `{}`, `{}`},
		"one that fails":                  {"", "openid profile", "", []string{"x", "user.groups[7]", "name", "user.email.split('@')[3]", "y", "'there'"}, `{"preferred_username":"ada","y":"there"}`, `{"preferred_username":"ada","y":"there"}`},
		"an address that nobody verified": {"", "openid email", "", []string{"email", "user.username + '@other.example'"}, `{"email":"ada@other.example","email_verified":false}`, `{"email":"ada@other.example","email_verified":false}`},
		"the address that is verified":    {"", "openid email", "", []string{"email", "user.email.lowerAscii()"}, `{"email":"ada@example.com","email_verified":true}`, `{"email":"ada@example.com","email_verified":true}`},
		"an address that is taken away":   {"", "openid email", "", []string{"email", "null"}, `{}`, `{}`},
		"an address somebody vouches for": {"", "openid email", "", []string{"email", "'a@b.example'", "email_verified", "true"}, `{"email":"a@b.example","email_verified":true}`, `{"email":"a@b.example","email_verified":true}`},
		"the time":                        {"", "openid", "", []string{"x", "now > timestamp('2020-01-01T00:00:00Z')"}, `{"x":true}`, `{"x":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			user := ada()
			user.Groups = []string{"staff"}
			issuer.AddUser(user, password)
			issuer.AddClient(claimingClient(c.in, c.own...))
			got := exchange(t, issuer, newCode(t, issuer, "scope", c.scope, "claims", c.claims))
			idToken := decodeSegment(t, got.text("id_token"), 1)
			if text := values(t, idToken); text != c.idToken {
				t.Errorf("the ID token tells %s", text)
			}
			info := userinfo(t, issuer, got.text("access_token"))
			if text := values(t, info.body); text != c.userinfo || info.text("sub") != "sub-ada" {
				t.Errorf("userinfo tells %s", info.raw)
			}
		})
	}
}

// An independent relying party reads them, also from a signed userinfo.
func TestOwnClaimsForARelyingParty(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := claimingClient("", "first_name", "user.displayName.split(' ')[0]", "preferred_username", "user.username.upperAscii()")
	client.UserinfoSignedResponseAlg = "ES256"
	rp := newRelyingParty(t, issuer, issuer.AddClient(client), "profile")
	token, idToken := rp.login()
	var claims struct {
		Name, Picture     string
		FirstName         string `json:"first_name"`
		PreferredUsername string `json:"preferred_username"`
	}
	if err := idToken.Claims(&claims); err != nil || claims.FirstName != "Ada" || claims.PreferredUsername != "ADA" || claims.Name != "Ada Lovelace" {
		t.Errorf("the ID token tells %+v (%v)", claims, err)
	}
	info, err := rp.provider.UserInfo(rp.ctx, rp.config.TokenSource(rp.ctx, token))
	if err != nil {
		t.Fatal(err)
	}
	claims.FirstName = ""
	if err := info.Claims(&claims); err != nil || claims.FirstName != "Ada" {
		t.Errorf("userinfo tells %+v (%v)", claims, err)
	}
}

// A claim that fails is counted and logged with the names of client and claim, and with nothing of the person.
func TestFailingClaimsAreTold(t *testing.T) {
	var log bytes.Buffer
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Logger = slog.New(slog.NewJSONHandler(&log, nil)) }))
	issuer.AddClient(claimingClient("", "x", "{'a': 1}[user.email]"))
	exchange(t, issuer, newCode(t, issuer))
	for _, part := range []string{`"client_id":"app"`, `"claim":"x"`, `"use":"claim"`, `"reason":"value"`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log has no %s: %s", part, log.String())
		}
	}
	if strings.Contains(log.String(), "ada@example.com") {
		t.Errorf("the log tells of the person: %s", log.String())
	}
	families, err := issuer.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := 0.0
	for _, family := range families {
		if family.GetName() == "oidc_provider_expression_failures_total" {
			for _, m := range family.GetMetric() {
				counted += m.GetCounter().GetValue()
			}
		}
	}
	if counted != 1 {
		t.Errorf("%v failures are counted", counted)
	}
}

// The consent page shows what a client is told beside the scopes, and what is told in their place.
func TestOwnClaimsOnTheConsentPage(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := claimingClient("", "department", "user.groups[0]", "name", "'Countess of Lovelace'")
	client.Consent = registration.ConsentRemember
	issuer.AddClient(client)
	user := ada()
	user.Groups = []string{"engines"}
	issuer.AddUser(user, password)
	page := loginPage(t, issuer, issuer.NewBrowser(t), "scope", "openid profile")
	for _, text := range []string{"What it has been set up to know of you", "department: engines", "name: Countess of Lovelace"} {
		if !strings.Contains(page.Body, text) {
			t.Errorf("the page does not say %q:\n%s", text, page.Body)
		}
	}
	if page := loginPage(t, issuer, issuer.NewBrowser(t), "scope", "openid"); strings.Contains(page.Body, "Countess") {
		t.Error("the page shows what is not told")
	}
}

// The subject of an expression is the same in ID token, userinfo, hints, logout and the client's own introspection. APIs are told
// the directory's, because whoever registers a client could make anybody of it.
func TestSubjectExpression(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := refreshingClient()
	client.SubjectMode, client.SubjectExpression = registration.SubjectExpression, "client.clientID + '-' + user.email.split('@')[0]"
	client.Resources = []string{"https://api.example.com"}
	issuer.AddClient(client)
	api := issuer.AddClient(registration.Client{ClientID: "api", RedirectURIs: []string{callback}, Resources: []string{"https://api.example.com"}})
	browser := issuer.NewBrowser(t)
	login := func() answer {
		return exchange(t, issuer, browser.Authorize(authorizeURL(issuer), "ada", password).Query().Get("code"))
	}
	got := login()
	idToken := got.text("id_token")
	if sub := decodeSegment(t, idToken, 1)["sub"]; sub != "app-ada" {
		t.Errorf("the ID token is for %v", sub)
	}
	if sub := userinfo(t, issuer, got.text("access_token")).text("sub"); sub != "app-ada" {
		t.Errorf("userinfo is of %v", sub)
	}
	for _, kind := range []string{"access_token", "refresh_token"} {
		if sub := introspected(t, issuer, got.text(kind)).text("sub"); sub != "app-ada" {
			t.Errorf("the introspection of the %s is of %v", kind, sub)
		}
	}
	claims := `{"id_token":{"sub":{"value":"app-ada"}}}`
	if answer := browser.Get(authorizeURL(issuer, "prompt", "none", "id_token_hint", idToken, "claims", claims)).Answer(); answer.Get("code") == "" {
		t.Errorf("the hint and the claim of the same person: %v", answer)
	}
	code := browser.Get(authorizeURL(issuer, "resource", "https://api.example.com")).Answer().Get("code")
	token := exchange(t, issuer, code).text("access_token")
	seen := post(t, issuer, "/oauth2/introspect", "client_id", "api", "client_secret", api.Secret, "token", token)
	if seen.text("sub") != "sub-ada" || seen.text("client_id") != "app" {
		t.Errorf("the API is told %s", seen.raw)
	}
	client.AccessTokenFormat = registration.FormatJWT
	client.Claims = []registration.Claim{{Name: "groups", Expression: "['admins']"}, {Name: "x", Expression: "1"}}
	client.Scope = "openid groups"
	issuer.AddClient(client)
	code = browser.Get(authorizeURL(issuer, "scope", "openid groups")).Answer().Get("code")
	access := decodeSegment(t, exchange(t, issuer, code).text("access_token"), 1)
	if access["sub"] != "sub-ada" || access["groups"] != nil || access["x"] != nil {
		t.Errorf("the access token tells %v", access)
	}
}

// Without a usable subject nobody gets in.
func TestSubjectExpressionWithoutResult(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "user.nickname", "fails": "user.groups[0]", "not ASCII": "'ä' + user.username", "with a space": "user.displayName", "too long": "'" + strings.Repeat("x", 256) + "'",
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := appClient()
			client.SubjectMode, client.SubjectExpression = registration.SubjectExpression, text
			issuer.AddClient(client)
			browser := issuer.NewBrowser(t)
			page := loginPage(t, issuer, browser)
			if page.Status != http.StatusForbidden || !strings.Contains(page.Body, "Example App is not for this account") {
				t.Fatalf("answers %d, callback %v", page.Status, page.Callback)
			}
			if got := browser.Submit(page, url.Values{"decision": {"deny"}}).Answer(); got.Get("error") != "access_denied" {
				t.Errorf("the application is told %v", got)
			}
		})
	}
}

// The rule decides beside the groups, and says whom to ask.
func TestAccessRule(t *testing.T) {
	for name, c := range map[string]struct {
		groups []string
		rule   string
		reason string // "" when ada gets in
	}{
		"true":                 {nil, "true", ""},
		"about the person":     {nil, "user.email.endsWith('@example.com') && user.emailVerified", ""},
		"false":                {nil, "user.email.endsWith('@other.example')", "rule"},
		"before its time":      {nil, "now < timestamp('2001-01-01T00:00:00Z')", "rule"},
		"the right group, no":  {[]string{"staff"}, "false", "rule"},
		"the wrong group, yes": {[]string{"admins"}, "true", "group"},
		"both":                 {[]string{"staff"}, "true", ""},
		"fails":                {nil, "user.groups[7] == 'x'", "undecided"},
	} {
		t.Run(name, func(t *testing.T) {
			var audit bytes.Buffer
			issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Audit = provider.NewAuditLogger(&audit) }))
			user := ada()
			user.Groups = []string{"staff"}
			issuer.AddUser(user, password)
			client := appClient()
			client.AllowedGroups, client.AccessRule = c.groups, c.rule
			client.Contacts = []string{"it@example.com", "https://help.example.com/sso", "the <b>desk</b>", "javascript:alert(1)"}
			issuer.AddClient(client)
			browser := issuer.NewBrowser(t)
			page := loginPage(t, issuer, browser)
			if c.reason == "" {
				if page.Answer().Get("code") == "" {
					t.Errorf("answers %d, callback %v", page.Status, page.Callback)
				}
				return
			}
			if page.Status != http.StatusForbidden || page.Callback != nil {
				t.Fatalf("answers %d, callback %v", page.Status, page.Callback)
			}
			for _, text := range []string{
				"Example App is not for this account", `<a href="mailto:it@example.com">it@example.com</a>`, `<a href="https://help.example.com/sso">`,
				"<strong>the &lt;b&gt;desk&lt;/b&gt;</strong>", "<strong>javascript:alert(1)</strong>",
			} {
				if !strings.Contains(page.Body, text) {
					t.Errorf("the page does not say %q:\n%s", text, page.Body)
				}
			}
			if !strings.Contains(audit.String(), `"event":"access.denied"`) || !strings.Contains(audit.String(), `"reason":"`+c.reason+`"`) {
				t.Errorf("the audit log has %s", audit.String())
			}
			if none := browser.Get(authorizeURL(issuer, "prompt", "none")).Answer(); none.Get("error") != "access_denied" {
				t.Errorf("with prompt none the application is told %v", none)
			}
			if forced := browser.Submit(page, url.Values{"decision": {"allow"}}); forced.Callback != nil {
				t.Errorf("agreeing leads to %v", forced.Callback)
			}
		})
	}
}

// Who loses access loses tokens: at refresh, at userinfo and for introspection, and when the rule says so by time alone.
func TestAccessRuleAfterTheLogin(t *testing.T) {
	var audit bytes.Buffer
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Audit = provider.NewAuditLogger(&audit) }))
	client := refreshingClient()
	until := issuer.Clock.Now().Add(5 * time.Minute).UTC().Format(time.RFC3339)
	client.AccessRule = "now < timestamp('" + until + "')"
	issuer.AddClient(client)
	first := exchange(t, issuer, newCode(t, issuer, "scope", "openid profile"))
	again := refreshed(t, issuer, first.text("refresh_token"))
	if again.status != http.StatusOK || userinfo(t, issuer, again.text("access_token")).status != http.StatusOK {
		t.Fatalf("before its end: %s", again.raw)
	}
	issuer.Clock.Advance(6 * time.Minute)
	if got := refreshed(t, issuer, again.text("refresh_token")); got.text("error") != "invalid_grant" {
		t.Errorf("the refresh token is answered with %s", got.raw)
	}
	if !strings.Contains(audit.String(), `"event":"access.denied"`) || !strings.Contains(audit.String(), `"reason":"rule"`) {
		t.Errorf("the audit log has %s", audit.String())
	}
	if got := userinfo(t, issuer, again.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d %s", got.status, got.raw)
	}
	if got := introspected(t, issuer, again.text("access_token")); got.raw != inactive {
		t.Errorf("the introspection says %s", got.raw)
	}
}

// A code that was issued before the rule forbade it is worth nothing.
func TestAccessRuleAtTheCode(t *testing.T) {
	issuer, _ := newIssuer(t)
	code := newCode(t, issuer)
	client := appClient()
	client.AccessRule = "false"
	issuer.AddClient(client)
	if got := exchange(t, issuer, code); got.text("error") != "invalid_grant" {
		t.Errorf("the code is answered with %s", got.raw)
	}
}

func TestAccessRuleForDevices(t *testing.T) {
	issuer, rp := newDevice(t, func(c *registration.Client) {
		c.AccessRule, c.Contacts = "'viewers' in user.groups", []string{"it@example.com"}
	})
	codes := rp.askForCodes()
	browser, page := openDevice(t, issuer, codes.VerificationURIComplete, "ada")
	if page.Status != http.StatusForbidden || !strings.Contains(page.Body, "Television is not for this account") || !strings.Contains(page.Body, "mailto:it@example.com") {
		t.Fatalf("answers %d\n%s", page.Status, page.Body)
	}
	if got := decide(browser, page, "allow"); got.Status != http.StatusForbidden {
		t.Errorf("a decision all the same is answered with %d", got.Status)
	}
	if got := poll(t, issuer, codes.DeviceCode); got.text("error") != "authorization_pending" {
		t.Errorf("the device is told %q", got.text("error"))
	}
}

// Discovery stays what every client can rely on: claims of one client's own are not in it.
func TestDiscoveryNamesNoOwnClaims(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddClient(claimingClient("", "department", "'x'"))
	if supported := metadata(t, issuer).ClaimsSupported; slices.Contains(supported, "department") || !slices.Contains(supported, "email") {
		t.Errorf("claims_supported is %v", supported)
	}
}
