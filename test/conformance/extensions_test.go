package conformance_test

import (
	"crypto/ecdsa"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// RFC 9207: an answer says whose it is, also when it is an error. (party.answer checks each one of the other tests, too.)
func TestIssuerIdentification(t *testing.T) {
	t.Parallel()
	p := newParty(t, "oidf-1")
	if p.open("prompt", "none").Answer().Get("iss") != shared.issuer || p.finish(p.open()).Get("iss") != shared.issuer {
		t.Error("iss is missing")
	}
}

// push sends an authorization request to the provider (RFC 9126 section 2) and returns its answer.
func (p *party) push(changed ...string) reply {
	p.t.Helper()
	q := p.parameters(changed...)
	var fields []string
	for name, values := range q {
		if name != "client_id" || p.app.Public() {
			fields = append(fields, name, values[0])
		}
	}
	return p.post("pushed_authorization_request_endpoint", fields...)
}

// RFC 9126: requests that the client sends itself.
func TestPushedAuthorizationRequests(t *testing.T) {
	t.Parallel()
	follow := func(p *party, clientID, requestURI string) string {
		return shared.endpoint(p.t, "authorization_endpoint") + "?" + url.Values{"client_id": {clientID}, "request_uri": {requestURI}}.Encode()
	}
	for name, module := range map[string]func(*testing.T, *party){
		"login": func(t *testing.T, p *party) {
			r := p.push()
			if seconds, ok := r.body["expires_in"].(float64); r.status != http.StatusCreated || !ok || seconds < 5 || seconds >= 600 {
				t.Fatalf("answers %d %s", r.status, r.raw)
			}
			r.checkJSON(t)
			if !strings.HasPrefix(r.text("request_uri"), "urn:ietf:params:oauth:request_uri:") {
				t.Errorf("request_uri is %s", r.text("request_uri"))
			}
			target := follow(p, p.app.ClientID, r.text("request_uri"))
			p.redeemed(p.redeem(p.finish(p.browser.Get(target)).Get("code")))
			// Section 7.3: it works once.
			if page := p.browser.Get(target); page.Answer().Has("code") {
				t.Error("a pushed request works twice")
			}
		},
		"request of another client": func(_ *testing.T, p *party) {
			r := p.push()
			p.refused(p.browser.Get(follow(p, "oidf-2", r.text("request_uri"))))
		},
		"request_uri that is unknown": func(_ *testing.T, p *party) {
			p.refused(p.browser.Get(follow(p, p.app.ClientID, "urn:ietf:params:oauth:request_uri:nothing")))
		},
		"client that does not push": func(_ *testing.T, p *party) { p.fails(p.open(), "invalid_request") },
		"no authentication": func(t *testing.T, p *party) {
			form := p.parameters()
			send(t, newForm(t, shared.endpoint(t, "pushed_authorization_request_endpoint"), form)).fails(t, http.StatusUnauthorized, "invalid_client")
		},
		"unregistered redirect_uri": func(t *testing.T, p *party) {
			p.push("redirect_uri", "https://attacker.example.com/").fails(t, http.StatusBadRequest, "invalid_request", "invalid_redirect_uri")
		},
		"request_uri is pushed": func(t *testing.T, p *party) {
			p.push("request_uri", "urn:ietf:params:oauth:request_uri:x").fails(t, http.StatusBadRequest, "invalid_request")
		},
		"bad request": func(t *testing.T, p *party) {
			p.push("response_type", "token").fails(t, http.StatusBadRequest, "unsupported_response_type")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module(t, newParty(t, "pushing"))
		})
	}
}

// RFC 6749 section 4.4: tokens for an application itself.
// RFC 9101: the client signs its whole authorization request.
func TestSignedRequestObjects(t *testing.T) {
	t.Parallel()
	object := func(p *party, key *ecdsa.PrivateKey, changed ...any) url.Values {
		claims := map[string]any{"iss": "signing", "aud": shared.issuer, "exp": time.Now().Add(time.Minute).Unix()}
		for name, values := range p.parameters() {
			claims[name] = values[0]
		}
		for i := 0; i+1 < len(changed); i += 2 {
			name, _ := changed[i].(string)
			claims[name] = changed[i+1]
		}
		header := map[jose.HeaderKey]any{"kid": "signer-1", "typ": "oauth-authz-req+jwt"}
		return url.Values{"client_id": {"signing"}, "request": {sign(t, key, header, claims)}}
	}
	ask := func(p *party, q url.Values) *providertest.Page {
		return p.browser.Get(shared.endpoint(t, "authorization_endpoint") + "?" + q.Encode())
	}
	for name, test := range map[string]func(*testing.T, *party){
		"login": func(_ *testing.T, p *party) {
			p.redeemed(p.redeem(p.finish(ask(p, object(p, signerKey()))).Get("code")))
		},
		"pushed": func(t *testing.T, p *party) {
			q := object(p, signerKey())
			q.Set("client_secret", p.app.secret)
			pushed := send(t, newForm(t, shared.endpoint(t, "pushed_authorization_request_endpoint"), q))
			p.redeemed(p.redeem(p.finish(ask(p, url.Values{"client_id": {"signing"}, "request_uri": {pushed.text("request_uri")}})).Get("code")))
		},
		"parameters beside the object": func(t *testing.T, p *party) {
			q := object(p, signerKey())
			q.Set("scope", "openid email")
			q.Set("nonce", "of somebody else")
			got := p.redeem(p.finish(ask(p, q)).Get("code"))
			if scope := got.text("scope"); scope != "openid" {
				t.Errorf("scope is %q", scope)
			}
			p.redeemed(got)
		},
		"no object":               func(_ *testing.T, p *party) { p.fails(p.open(), "invalid_request") },
		"signed by somebody else": func(t *testing.T, p *party) { p.refused(ask(p, object(p, newKey(t)))) },
		"for another provider": func(_ *testing.T, p *party) {
			p.refused(ask(p, object(p, signerKey(), "aud", "https://other.example.com")))
		},
		"expired": func(_ *testing.T, p *party) {
			p.refused(ask(p, object(p, signerKey(), "exp", time.Now().Add(-2*time.Hour).Unix())))
		},
		"client_id of another one": func(_ *testing.T, p *party) { p.refused(ask(p, object(p, signerKey(), "client_id", "oidf-1"))) },
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, newParty(t, "signing")) })
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	p := newParty(t, "worker")
	got := p.redeemed(p.token("grant_type", registration.GrantClientCredentials, "scope", "read"))
	if got.refresh != "" || got.id != "" {
		t.Error("there is a refresh token or an ID token (section 4.4.3)")
	}
	if scope, there := got.body["scope"]; there && scope != "read" {
		t.Errorf("scope is %v", scope)
	}
	userinfo(t, got.access).fails(t, http.StatusForbidden, "insufficient_scope") // RFC 6750 section 3.1: it is about nobody
	p.token("grant_type", registration.GrantClientCredentials, "scope", "read everything").fails(t, http.StatusBadRequest, "invalid_scope")
}

// RFC 9068 section 2, RFC 8707 section 2: an access token that resource servers can check themselves, for one of them.
func TestJWTAccessTokens(t *testing.T) {
	t.Parallel()
	p := newParty(t, "service")
	got := p.redeemed(p.token("grant_type", registration.GrantClientCredentials, "scope", "read", "resource", api))
	header, claims := verify(t, got.access)
	if header.ExtraHeaders["typ"] != "at+jwt" {
		t.Errorf("typ is %v", header.ExtraHeaders["typ"])
	}
	if claims["iss"] != shared.issuer || claims["client_id"] != p.app.ClientID || claims["sub"] != p.app.ClientID || claims["scope"] != "read" {
		t.Errorf("the claims are %v", claims)
	}
	if audience := listOf(claims["aud"]); !slices.Equal(audience, []string{api}) {
		t.Errorf("aud is %v", claims["aud"])
	}
	if id, _ := claims["jti"].(string); id == "" || seconds(t, claims, "exp") <= seconds(t, claims, "iat") {
		t.Errorf("jti is %v, iat %v, exp %v", claims["jti"], claims["iat"], claims["exp"])
	}
	person := newParty(t, "resources")
	login := person.login("scope", "openid email", "resource", api)
	_, claims = verify(t, login.access)
	if claims["sub"] != login.claims["sub"] || claims["auth_time"] != login.claims["auth_time"] || !slices.Equal(listOf(claims["aud"]), []string{api}) {
		t.Errorf("the claims are %v", claims)
	}
	if header.ExtraHeaders["typ"] == "at+jwt" { // section 4: an ID token is none, and the other way round
		userinfo(t, login.id).fails(t, http.StatusUnauthorized, "invalid_token")
	}
}

// RFC 8707 section 2: resources that nobody may name, and those that were not agreed to.
func TestResourceIndicators(t *testing.T) {
	t.Parallel()
	p := newParty(t, "resources")
	p.fails(p.open("resource", "https://unknown.example.com"), "invalid_target")
	p.fails(p.open("resource", api+"#fragment"), "invalid_target")
	p.redeem(p.code("resource", api), "resource", otherAPI).fails(t, http.StatusBadRequest, "invalid_target")
	both := p.redeemed(p.redeem(p.code("resource", api), "resource", api))
	if _, claims := verify(t, both.access); !slices.Equal(listOf(claims["aud"]), []string{api}) {
		t.Errorf("aud is %v", claims["aud"])
	}
}

func listOf(value any) []string {
	switch typed := value.(type) {
	case string:
		return []string{typed}
	case []any:
		var list []string
		for _, v := range typed {
			text, _ := v.(string)
			list = append(list, text)
		}
		return list
	}
	return nil
}

// RFC 7662 section 2: what a token is worth, told to clients only.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	p := newParty(t, "oidf-1")
	got := p.offline()
	for name, token := range map[string]string{"access token": got.access, "refresh token": got.refresh} {
		r := p.post("introspection_endpoint", "token", token)
		if r.status != http.StatusOK || r.body["active"] != true || r.text("client_id") != p.app.ClientID {
			t.Fatalf("%s: answers %d %s", name, r.status, r.raw)
		}
		r.checkJSON(t)
		if iss := r.text("iss"); iss != "" && iss != shared.issuer {
			t.Errorf("%s: iss is %s", name, iss)
		}
	}
	r := p.post("introspection_endpoint", "token", got.access, "token_type_hint", "refresh_token")
	if r.body["active"] != true || r.text("sub") != got.claims["sub"] || !slices.Contains(strings.Fields(r.text("scope")), "openid") {
		t.Errorf("answers %s", r.raw)
	}
	for name, token := range map[string]string{"nothing": "nothing", "ID token": got.id} {
		// Section 2.2: no more than that is said of what is not active.
		if r := p.post("introspection_endpoint", "token", token); r.status != http.StatusOK || r.body["active"] != false || len(r.body) != 1 {
			t.Errorf("%s: answers %d %s", name, r.status, r.raw)
		}
	}
	p.post("introspection_endpoint").fails(t, http.StatusBadRequest, "invalid_request")
	send(t, newForm(t, shared.endpoint(t, "introspection_endpoint"), url.Values{"token": {got.access}})).fails(t, http.StatusUnauthorized, "invalid_client")
}

// RFC 7009 section 2: a client gives back what is its own, and nobody else's.
func TestRevocation(t *testing.T) {
	t.Parallel()
	p := newParty(t, "oidf-1")
	revoke := func(p *party, fields ...string) {
		t.Helper()
		if r := p.post("revocation_endpoint", fields...); r.status != http.StatusOK {
			t.Errorf("answers %d %s", r.status, r.raw)
		}
	}
	got := p.offline()
	revoke(p, "token", "nothing") // section 2.2
	if r := p.as("oidf-2").post("revocation_endpoint", "token", got.refresh); r.status != http.StatusOK {
		r.fails(t, http.StatusBadRequest, "invalid_grant", "invalid_request", "unauthorized_client")
	}
	got = p.refreshed(got, p.refresh(got.refresh)) // still works
	revoke(p, "token", got.access, "token_type_hint", "access_token")
	userinfo(t, got.access).fails(t, http.StatusUnauthorized, "invalid_token")
	got = p.refreshed(got, p.refresh(got.refresh))
	revoke(p, "token", got.refresh, "token_type_hint", "access_token") // a hint may be wrong
	p.refresh(got.refresh).fails(t, http.StatusBadRequest, "invalid_grant")
	userinfo(t, got.access).fails(t, http.StatusUnauthorized, "invalid_token")
	p.post("revocation_endpoint").fails(t, http.StatusBadRequest, "invalid_request")
	send(t, newForm(t, shared.endpoint(t, "revocation_endpoint"), url.Values{"token": {"x"}})).fails(t, http.StatusUnauthorized, "invalid_client")
}

// RFC 7523 sections 2.2 and 3: a client that signs.
func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	p := newParty(t, "signer")
	p.login()
	now := time.Now()
	once := assertion(t, "signer")
	foreign := sign(t, newKey(t), map[jose.HeaderKey]any{"kid": "signer-1"}, map[string]any{
		"iss": "signer", "sub": "signer", "aud": shared.issuer, "jti": "x", "exp": now.Add(time.Minute).Unix(),
	})
	for _, c := range []struct {
		name, assertion string
		good            bool
	}{
		{"audience is the issuer", once, true},
		{"used again", once, false},
		{"audience is the token endpoint", assertion(t, "signer", "aud", shared.endpoint(t, "token_endpoint")), true},
		{"audience is a list", assertion(t, "signer", "aud", []string{shared.issuer}), true},
		{"audience is somebody else", assertion(t, "signer", "aud", "https://other.example.com"), false},
		{"no audience", assertion(t, "signer", "aud", nil), false},
		{"expired", assertion(t, "signer", "exp", now.Add(-10*time.Minute).Unix()), false},
		{"no exp", assertion(t, "signer", "exp", nil), false},
		{"no jti", assertion(t, "signer", "jti", nil), false},
		{"not yet", assertion(t, "signer", "nbf", now.Add(10*time.Minute).Unix()), false},
		{"issuer is another client", assertion(t, "signer", "iss", "oidf-1"), false},
		{"subject is another client", assertion(t, "signer", "sub", "oidf-1"), false},
		{"signed by somebody else", foreign, false},
		{"not signed", withoutSignature(assertion(t, "signer")), false},
	} {
		r := send(t, newForm(t, shared.endpoint(t, "token_endpoint"), url.Values{
			"grant_type": {registration.GrantClientCredentials}, "scope": {"read"},
			"client_assertion_type": {assertionType}, "client_assertion": {c.assertion},
		}))
		if c.good && r.status != http.StatusOK {
			t.Errorf("%s: answers %d %s", c.name, r.status, r.raw)
		}
		if !c.good && (r.status != http.StatusUnauthorized || r.text("error") != "invalid_client") {
			t.Errorf("%s: answers %d %s", c.name, r.status, r.raw)
		}
	}
}
