package conformance_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// inBothModes runs a test for the profile Basic OP, and again with response_mode form_post for the profile Form Post OP,
// which holds the same requirements.
func inBothModes(t *testing.T, modules map[string]func(*testing.T, *party)) {
	t.Helper()
	for name, module := range modules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []string{"", "form_post"} {
				t.Run(map[string]string{"": "query", "form_post": "form_post"}[mode], func(t *testing.T) {
					t.Parallel()
					p := newParty(t, "oidf-1")
					p.mode = mode
					module(t, p)
				})
			}
		})
	}
}

// OpenID Connect Core section 3.1: the code flow, and what requests may hold.
func TestBasicRequests(t *testing.T) {
	t.Parallel()
	inBothModes(t, map[string]func(*testing.T, *party){
		"response type code": func(_ *testing.T, p *party) { p.login() },
		"response type missing": func(_ *testing.T, p *party) {
			p.fails(p.open("response_type", ""), "invalid_request", "unsupported_response_type")
		},
		"response type that is not supported": func(t *testing.T, p *party) {
			for _, responseType := range []string{"token", "id_token", "code token", "code id_token", "none"} {
				page := p.browser.Return(p.open("response_type", responseType, "response_mode", ""))
				if page.Answer().Get("error") != "unsupported_response_type" {
					t.Errorf("response_type %q: status %d, answer %v", responseType, page.Status, page.Answer())
				}
			}
		},
		"request without nonce":   func(_ *testing.T, p *party) { p.nonce = ""; p.loginWithoutNonce() },
		"request without state":   func(_ *testing.T, p *party) { page := p.open("state", ""); p.state = ""; p.finish(page) },
		"unknown parameter":       func(_ *testing.T, p *party) { p.login("extra", "foobar", "unbekannt", "ä & ö") },
		"display page":            func(_ *testing.T, p *party) { p.login("display", "page") },
		"display popup":           func(_ *testing.T, p *party) { p.login("display", "popup") },
		"display that is unknown": func(_ *testing.T, p *party) { p.login("display", "hologram") },
		"ui_locales":              func(_ *testing.T, p *party) { p.login("ui_locales", "se") },
		"claims_locales":          func(_ *testing.T, p *party) { p.login("claims_locales", "se") },
		"long state and nonce": func(_ *testing.T, p *party) {
			p.open() // gives state and nonce, which are sent again with more to them
			state, nonce := strings.Repeat(p.state, 5), strings.Repeat(p.nonce, 5)
			page := p.open("state", state, "nonce", nonce)
			p.state, p.nonce = state, nonce
			p.redeemed(p.redeem(p.finish(page).Get("code")))
		},
		"parameters in another order": func(_ *testing.T, p *party) {
			q := p.parameters("scope", "email openid")
			var reversed []string
			for _, name := range slices.Backward(slices.Sorted(maps.Keys(q))) {
				reversed = append(reversed, name+"="+url.QueryEscape(q.Get(name)))
			}
			page := p.browser.Get(shared.endpoint(p.t, "authorization_endpoint") + "?" + strings.Join(reversed, "&"))
			p.redeemed(p.redeem(p.finish(page).Get("code")))
		},
		"request by post": func(_ *testing.T, p *party) {
			page := p.browser.Do(newForm(p.t, shared.endpoint(p.t, "authorization_endpoint"), p.parameters()))
			p.redeemed(p.redeem(p.finish(page).Get("code")))
		},
		"parameter sent twice": func(_ *testing.T, p *party) {
			q := p.parameters()
			page := p.browser.Get(shared.endpoint(p.t, "authorization_endpoint") + "?" + q.Encode() + "&scope=openid+email")
			p.fails(page, "invalid_request")
		},
		"request object": func(t *testing.T, p *party) {
			// What is in the object counts, response_mode too: what stands beside it is what OAuth 2.0 requires (Core section 6.1).
			q := p.parameters("scope", "openid email")
			claims := map[string]any{"iss": p.app.ClientID, "aud": shared.issuer}
			for name := range q {
				claims[name] = q.Get(name)
			}
			beside := url.Values{"request": {unsigned(t, claims)}, "scope": {"openid"}}
			for _, name := range []string{"client_id", "response_type", "redirect_uri"} {
				beside.Set(name, q.Get(name))
			}
			got := p.redeem(p.finish(p.browser.Get(shared.endpoint(t, "authorization_endpoint") + "?" + beside.Encode())).Get("code"))
			if scope := got.text("scope"); scope != "openid email" {
				t.Errorf("scope is %q", scope)
			}
			p.redeemed(got)
		},
		"request object that is none": func(t *testing.T, p *party) {
			p.fails(p.open("request", unsigned(t, map[string]any{"iss": "somebody else", "scope": "openid email"})), "invalid_request_object")
		},
		"request object by reference": func(_ *testing.T, p *party) {
			p.fails(p.open("request_uri", shared.site.server.URL+"/request.jwt"), "request_uri_not_supported")
		},
		"scope without openid": func(_ *testing.T, p *party) {
			// Without openid it is no OpenID request, which this provider does not serve to people.
			p.fails(p.open("scope", "email"), "invalid_scope")
		},
		"scope that is unknown": func(_ *testing.T, p *party) { p.login("scope", "openid something-else") },
	})
}

// loginWithoutNonce runs the flow of a client that sends no nonce, which then is not in the ID token either.
func (p *party) loginWithoutNonce() {
	p.t.Helper()
	page := p.open("nonce", "")
	p.nonce = ""
	p.redeemed(p.redeem(p.finish(page).Get("code")))
}

// OpenID Connect Core section 3.1.2.1: redirect URIs are compared to the letter, and faults in them are shown and not sent.
func TestBasicRedirectURIs(t *testing.T) {
	t.Parallel()
	inBothModes(t, map[string]func(*testing.T, *party){
		"unregistered redirect_uri": func(_ *testing.T, p *party) {
			p.refused(p.open("redirect_uri", "https://attacker.example.com/callback"))
		},
		"no redirect_uri":          func(_ *testing.T, p *party) { p.refused(p.open("redirect_uri", "")) },
		"unknown client":           func(_ *testing.T, p *party) { p.refused(p.open("client_id", "nobody")) },
		"no client":                func(_ *testing.T, p *party) { p.refused(p.open("client_id", "")) },
		"query added":              func(_ *testing.T, p *party) { p.refused(p.open("redirect_uri", p.app.RedirectURIs[0]+"?foo=bar")) },
		"query that is registered": func(t *testing.T, p *party) { testRegisteredQuery(t, p) },
		"query that differs": func(_ *testing.T, p *party) {
			p.refused(p.open("redirect_uri", strings.Replace(p.app.RedirectURIs[1], "lorem", "dolor", 1)))
		},
		"redirect_uri of the token request differs": func(t *testing.T, p *party) {
			for _, uri := range []string{"", p.app.RedirectURIs[1], "https://attacker.example.com/"} {
				code := p.code()
				p.token("grant_type", "authorization_code", "code", code, "redirect_uri", uri).fails(t, http.StatusBadRequest, "invalid_grant", "invalid_request")
			}
		},
		"redirect_uri twice": func(_ *testing.T, p *party) {
			q := p.parameters()
			p.refused(p.browser.Get(shared.endpoint(p.t, "authorization_endpoint") + "?" + q.Encode() + "&redirect_uri=https%3A%2F%2Fattacker.example.com"))
		},
	})
}

func testRegisteredQuery(t *testing.T, p *party) {
	t.Helper()
	uri := p.app.RedirectURIs[1]
	page := p.open("redirect_uri", uri)
	answer := p.finish(page)
	if p.mode == "" && (answer.Get("dummy1") != "lorem" || answer.Get("dummy2") != "ipsum") {
		t.Errorf("the answer is %v", answer)
	}
	p.redeemed(p.token("grant_type", "authorization_code", "code", answer.Get("code"), "redirect_uri", uri))
}

// OpenID Connect Core section 3.1.2.1: what a request can ask of the login, and section 3.1.2.6: the errors when it cannot be.
func TestBasicPrompts(t *testing.T) {
	t.Parallel()
	inBothModes(t, map[string]func(*testing.T, *party){
		"prompt none, not logged in": func(_ *testing.T, p *party) { p.fails(p.open("prompt", "none"), "login_required") },
		"prompt none, logged in": func(t *testing.T, p *party) {
			first := p.login()
			second := p.silent(p.open("prompt", "none"))
			sameLogin(t, first, second, true)
		},
		"prompt none, never agreed": func(_ *testing.T, p *party) {
			p.login()
			other := p.as("asking")
			other.fails(other.open("prompt", "none"), "consent_required", "interaction_required")
		},
		"prompt none with login": func(_ *testing.T, p *party) { p.fails(p.open("prompt", "none login"), "invalid_request") },
		"prompt login": func(t *testing.T, p *party) {
			first := p.login()
			time.Sleep(1100 * time.Millisecond) // for auth_time to differ
			page := p.open("prompt", "login")
			if !page.Asks("password") {
				t.Fatalf("nobody is asked to log in, but shown %s", page.URL)
			}
			sameLogin(t, first, p.redeemed(p.redeem(p.finish(page).Get("code"))), false)
		},
		"prompt select_account": func(t *testing.T, p *party) {
			p.login()
			if page := p.open("prompt", "select_account"); !page.Asks("username") {
				t.Errorf("nobody can choose an account on %s", page.URL)
			}
		},
		"prompt consent": func(t *testing.T, p *party) {
			p.login()
			page := p.open("prompt", "consent")
			if !page.Asks("decision") {
				t.Fatalf("nobody is asked to agree, but shown %s", page.URL)
			}
			p.fails(p.browser.Submit(page, url.Values{"decision": {"deny"}}), "access_denied")
		},
		"max_age 1": func(t *testing.T, p *party) {
			first := p.login()
			time.Sleep(2100 * time.Millisecond)
			page := p.open("max_age", "1")
			if !page.Asks("password") {
				t.Fatalf("nobody is asked to log in, but shown %s", page.URL)
			}
			second := p.redeemed(p.redeem(p.finish(page).Get("code")))
			sameLogin(t, first, second, false)
			if age := time.Now().Unix() - seconds(t, second.claims, "auth_time"); age > 30 {
				t.Errorf("the login is %d seconds old", age)
			}
		},
		"max_age 10000": func(t *testing.T, p *party) {
			first := p.login()
			sameLogin(t, first, p.silent(p.open("max_age", "10000")), true)
		},
		"max_age 1, prompt none": func(_ *testing.T, p *party) {
			p.login()
			time.Sleep(2100 * time.Millisecond)
			p.fails(p.open("max_age", "1", "prompt", "none"), "login_required")
		},
		"max_age that is no number": func(_ *testing.T, p *party) { p.fails(p.open("max_age", "soon"), "invalid_request") },
	})
}

// silent finishes a request without the person.
func (p *party) silent(page *providertest.Page) tokens {
	p.t.Helper()
	answer := p.answer(page)
	if answer.Get("code") == "" {
		p.t.Fatalf("the answer is %v", answer)
	}
	return p.redeemed(p.redeem(answer.Get("code")))
}

// sameLogin checks that two ID tokens are of one person, and of one login or of two.
func sameLogin(t *testing.T, first, second tokens, same bool) {
	t.Helper()
	if first.claims["sub"] != second.claims["sub"] || (first.claims["auth_time"] == second.claims["auth_time"]) != same {
		t.Errorf("sub %v then %v, auth_time %v then %v", first.claims["sub"], second.claims["sub"], first.claims["auth_time"], second.claims["auth_time"])
	}
}

// OpenID Connect Core section 3.1.2.1: the hints, and what the login was worth.
func TestBasicHints(t *testing.T) {
	t.Parallel()
	inBothModes(t, map[string]func(*testing.T, *party){
		"id_token_hint with prompt none": func(t *testing.T, p *party) {
			first := p.login()
			sameLogin(t, first, p.silent(p.open("prompt", "none", "id_token_hint", first.id)), true)
		},
		"id_token_hint of somebody else": func(_ *testing.T, p *party) {
			other := newParty(p.t, "oidf-1")
			page := other.open()
			for page.Callback == nil {
				fields := url.Values{"username": {"grace"}, "password": {password}}
				if page.Asks("decision") {
					fields = url.Values{"decision": {"allow"}}
				}
				page = other.browser.Submit(page, fields)
			}
			hint := other.redeemed(other.redeem(other.answer(page).Get("code"))).id
			p.login()
			p.fails(p.open("prompt", "none", "id_token_hint", hint), "login_required")
		},
		"id_token_hint without signature": func(_ *testing.T, p *party) {
			token := withoutSignature(p.login().id)
			p.fails(p.open("prompt", "none", "id_token_hint", token), "invalid_request", "login_required")
		},
		"login_hint": func(t *testing.T, p *party) {
			page := p.open("login_hint", username)
			if got := page.Form.Fields.Get("username"); got != username {
				t.Errorf("the login page proposes %q", got)
			}
			p.redeemed(p.redeem(p.finish(page).Get("code")))
		},
		"login_hint of nobody": func(_ *testing.T, p *party) { p.login("login_hint", "bob@example.com") },
		"acr_values that are offered": func(t *testing.T, p *party) {
			offered, _ := shared.metadata["acr_values_supported"].([]any)
			if len(offered) == 0 {
				t.Fatal("acr_values_supported is empty")
			}
			first, _ := offered[0].(string)
			if got := p.login("acr_values", first).claims["acr"]; got != first {
				t.Errorf("acr is %v, asked for was %s", got, first)
			}
		},
		"acr_values that are unknown": func(t *testing.T, p *party) {
			if got := p.login("acr_values", "1 2").claims["acr"]; got == "1" || got == "2" {
				t.Errorf("acr is %v, which nobody has reached", got)
			}
		},
	})
}

// RFC 6749 section 4.1.2 and OpenID Connect Core section 3.1.3: what a code is worth, and to whom.
func TestBasicCodes(t *testing.T) {
	t.Parallel()
	inBothModes(t, map[string]func(*testing.T, *party){
		"code reused at once":      func(t *testing.T, p *party) { testCodeReuse(t, p, 0) },
		"code reused after 30 s":   func(t *testing.T, p *party) { testCodeReuse(t, p, 30*time.Second) },
		"code of another client":   testForeignCode,
		"code that does not exist": func(t *testing.T, p *party) { p.redeem("nothing").fails(t, http.StatusBadRequest, "invalid_grant") },
		"no code":                  func(t *testing.T, p *party) { p.redeem("").fails(t, http.StatusBadRequest, "invalid_request") },
		"client_secret_basic":      func(_ *testing.T, p *party) { p.login() },
		"client_secret_post":       func(_ *testing.T, p *party) { p.as("oidf-post").login() },
		"client_secret_post by one who is registered for basic": func(t *testing.T, p *party) {
			other := p.as("oidf-post")
			other.app = p.app
			other.app.TokenEndpointAuthMethod = registration.AuthMethodPost
			other.redeem(p.code()).fails(t, http.StatusUnauthorized, "invalid_client")
		},
		"PKCE": func(t *testing.T, p *party) { testPKCE(t, p) },
	})
}

func testCodeReuse(t *testing.T, p *party, pause time.Duration) {
	t.Helper()
	code := p.code("scope", "openid offline_access", "prompt", "consent")
	first := p.redeemed(p.redeem(code))
	if got := userinfo(t, first.access); got.status != http.StatusOK {
		t.Fatalf("userinfo answers %d before", got.status)
	}
	time.Sleep(pause)
	p.redeem(code).fails(t, http.StatusBadRequest, "invalid_grant")
	// RFC 6749 section 4.1.2: and all tokens that came from it are revoked.
	userinfo(t, first.access).fails(t, http.StatusUnauthorized, "invalid_token")
	if first.refresh == "" {
		t.Fatal("there is no refresh token to revoke")
	}
	p.refresh(first.refresh).fails(t, http.StatusBadRequest, "invalid_grant")
}

func testForeignCode(t *testing.T, p *party) {
	t.Helper()
	code := p.code()
	thief := p.as("oidf-2")
	thief.redeem(code).fails(t, http.StatusBadRequest, "invalid_grant")
}

func testPKCE(t *testing.T, p *party) {
	t.Helper()
	const verifier = "a-verifier-of-enough-characters-0123456789~._"
	with := []string{"code_challenge", s256(verifier), "code_challenge_method", "S256"}
	p.redeemed(p.redeem(p.code(with...), "code_verifier", verifier))
	p.redeem(p.code(with...), "code_verifier", verifier+"x").fails(t, http.StatusBadRequest, "invalid_grant")
	p.redeem(p.code(with...)).fails(t, http.StatusBadRequest, "invalid_grant", "invalid_request")
	// RFC 9700 section 2.1.1: a verifier for a request without challenge is a downgrade.
	p.redeem(p.code(), "code_verifier", verifier).fails(t, http.StatusBadRequest, "invalid_grant", "invalid_request")
	p.fails(p.open("code_challenge", verifier, "code_challenge_method", "plain"), "invalid_request")
	p.fails(p.open("code_challenge", "short", "code_challenge_method", "S256"), "invalid_request")
}
