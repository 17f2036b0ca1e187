package conformance_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// RFC 6749 section 5.2: every refusal of the token endpoint.
func TestTokenErrors(t *testing.T) {
	t.Parallel()
	p := newParty(t, "oidf-1")
	target := shared.endpoint(t, "token_endpoint")
	plain := func(user, secret string, fields ...string) *http.Request {
		form := url.Values{}
		for i := 0; i+1 < len(fields); i += 2 {
			form.Add(fields[i], fields[i+1])
		}
		r := newForm(t, target, form)
		if user != "" {
			r.SetBasicAuth(url.QueryEscape(user), url.QueryEscape(secret))
		}
		return r
	}
	code := []string{"grant_type", "authorization_code", "code", "nothing", "redirect_uri", p.app.RedirectURIs[0]}
	id, secret := p.app.ClientID, p.app.secret
	json := plain(id, secret, code...)
	json.Header.Set("Content-Type", "application/json")
	for name, c := range map[string]struct {
		request *http.Request
		status  int
		code    string
	}{
		"no grant_type":             {plain(id, secret), http.StatusBadRequest, "invalid_request"},
		"unknown grant_type":        {plain(id, secret, "grant_type", "magic"), http.StatusBadRequest, "unsupported_grant_type"},
		"password grant":            {plain(id, secret, "grant_type", "password", "username", username, "password", password), http.StatusBadRequest, "unsupported_grant_type"},
		"grant of other clients":    {plain(id, secret, "grant_type", registration.GrantClientCredentials), http.StatusBadRequest, "unauthorized_client"},
		"wrong secret":              {plain(id, secret+"x", code...), http.StatusUnauthorized, "invalid_client"},
		"empty secret":              {plain(id, "", code...), http.StatusUnauthorized, "invalid_client"},
		"unknown client":            {plain("nobody", secret, code...), http.StatusUnauthorized, "invalid_client"},
		"no authentication":         {plain("", "", append(code, "client_id", id)...), http.StatusUnauthorized, "invalid_client"},
		"no client":                 {plain("", "", code...), http.StatusUnauthorized, "invalid_client"},
		"two authentications":       {plain(id, secret, append(code, "client_id", id, "client_secret", secret)...), http.StatusBadRequest, "invalid_request"},
		"parameter twice":           {plain(id, secret, append(code, "code", "other")...), http.StatusBadRequest, "invalid_request"},
		"body that is no form":      {json, http.StatusBadRequest, "invalid_request"},
		"unknown code":              {plain(id, secret, code...), http.StatusBadRequest, "invalid_grant"},
		"unknown refresh token":     {plain(id, secret, "grant_type", "refresh_token", "refresh_token", "nothing"), http.StatusBadRequest, "invalid_grant"},
		"no refresh token":          {plain(id, secret, "grant_type", "refresh_token"), http.StatusBadRequest, "invalid_request"},
		"secret of a public client": {plain("native", "x", code...), http.StatusUnauthorized, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			tried := c.request.Header.Get("Authorization") != ""
			r := send(t, c.request)
			r.fails(t, c.status, c.code)
			// RFC 6749 section 5.2: a challenge of the scheme that the client has tried.
			if challenge := r.header.Get("WWW-Authenticate"); c.status == http.StatusUnauthorized && tried && !strings.HasPrefix(challenge, "Basic ") {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		})
	}
	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if r := send(t, get); r.status != http.StatusMethodNotAllowed || !strings.Contains(r.header.Get("Allow"), http.MethodPost) {
		t.Errorf("GET answers %d, Allow %q", r.status, r.header.Get("Allow"))
	}
}

// RFC 6749 section 6, OpenID Connect Core sections 11 and 12: refresh tokens, and RFC 9700 section 2.2.2 and 4.14: their reuse.
func TestRefresh(t *testing.T) {
	t.Parallel()
	inBothModes(t, map[string]func(*testing.T, *party){
		"refresh token":                     testRefresh,
		"refresh token of another client":   testForeignRefresh,
		"refresh token is rotated":          testRotation,
		"refresh token with more scopes":    testRefreshMore,
		"refresh token of a public client":  testPublicRefresh,
		"code for an unknown refresh token": func(t *testing.T, p *party) { p.refresh(p.code()).fails(t, http.StatusBadRequest, "invalid_grant") },
	})
}

// offline logs in and returns tokens with a refresh token.
func (p *party) offline(changed ...string) tokens {
	p.t.Helper()
	got := p.login(append([]string{"scope", "openid offline_access email", "prompt", "consent"}, changed...)...)
	if got.refresh == "" {
		p.t.Fatal("there is no refresh token")
	}
	return got
}

// refreshed checks what a refresh answers (OpenID Connect Core section 12.2).
func (p *party) refreshed(before tokens, r reply) tokens {
	p.t.Helper()
	nonce := p.nonce
	if r.status == http.StatusOK && r.text("id_token") != "" {
		if _, claims := verify(p.t, r.text("id_token")); claims["nonce"] == nil {
			p.nonce = "" // it should not have one, and if it has, it must be the same
		}
	}
	after := p.redeemed(r)
	p.nonce = nonce
	for _, name := range []string{"iss", "sub", "aud", "auth_time", "azp", "sid"} {
		if after.id != "" && after.claims[name] != before.claims[name] {
			p.t.Errorf("%s was %v and is %v", name, before.claims[name], after.claims[name])
		}
	}
	if after.access == before.access {
		p.t.Error("the access token is the same")
	}
	if got := userinfo(p.t, after.access); got.status != http.StatusOK {
		p.t.Errorf("userinfo answers %d", got.status)
	}
	return after
}

func testRefresh(t *testing.T, p *party) {
	first := p.offline()
	time.Sleep(1100 * time.Millisecond) // for iat to differ
	second := p.refreshed(first, p.refresh(first.refresh, "scope", "openid offline_access email"))
	if second.id != "" && seconds(t, second.claims, "iat") <= seconds(t, first.claims, "iat") {
		t.Error("iat is that of the first ID token")
	}
	third := p.refreshed(second, p.refresh(second.refresh, "scope", "openid"))
	if got := userinfo(t, third.access); got.text("email") != "" {
		t.Error("a token for fewer scopes tells the e-mail address")
	}
}

func testForeignRefresh(t *testing.T, p *party) {
	second := p.as("oidf-2")
	got := second.offline()
	p.refresh(got.refresh).fails(t, http.StatusBadRequest, "invalid_grant")
	second.refreshed(got, second.refresh(got.refresh))
}

// A refresh token that was replaced, and comes again after its successor was used, was stolen: all that came of the login ends.
func testRotation(t *testing.T, p *party) {
	first := p.offline()
	second := p.refreshed(first, p.refresh(first.refresh))
	if second.refresh == first.refresh || second.refresh == "" {
		t.Fatal("the refresh token is not replaced")
	}
	third := p.refreshed(second, p.refresh(second.refresh))
	p.refresh(first.refresh).fails(t, http.StatusBadRequest, "invalid_grant")
	p.refresh(third.refresh).fails(t, http.StatusBadRequest, "invalid_grant")
	userinfo(t, third.access).fails(t, http.StatusUnauthorized, "invalid_token")
}

func testRefreshMore(t *testing.T, p *party) {
	got := p.offline()
	p.refresh(got.refresh, "scope", "openid phone").fails(t, http.StatusBadRequest, "invalid_scope")
}

// OpenID Connect Core section 11: offline_access counts only when the person agrees, and is ignored otherwise.
func TestOfflineAccessWithoutConsent(t *testing.T) {
	t.Parallel()
	p := newParty(t, "cautious")
	p.login("scope", "openid")
	page := p.open("scope", "openid offline_access")
	if page.Callback == nil {
		if !page.Asks("decision") {
			t.Fatalf("shows %s", page.URL)
		}
		return
	}
	if got := p.redeemed(p.redeem(p.answer(page).Get("code"))); got.refresh != "" {
		t.Error("nobody has agreed to a refresh token")
	}
}

func testPublicRefresh(t *testing.T, p *party) {
	native := p.as("native")
	const verifier = "a-verifier-of-enough-characters-0123456789~._"
	code := native.code("scope", "openid offline_access", "prompt", "consent", "code_challenge", s256(verifier), "code_challenge_method", "S256")
	first := native.redeemed(native.redeem(code, "code_verifier", verifier))
	second := native.refreshed(first, native.refresh(first.refresh))
	if second.refresh == first.refresh {
		t.Error("the refresh token is not replaced (RFC 9700 section 2.2.2)")
	}
}

// RFC 8252: native applications come back to any port of the loopback address or by a scheme of their own, and use PKCE.
func TestNativeApplications(t *testing.T) {
	t.Parallel()
	const verifier = "a-verifier-of-enough-characters-0123456789~._"
	for name, c := range map[string]struct {
		uri    string
		change []string
		good   bool
	}{
		"loopback with a port":        {"http://127.0.0.1:51004/callback", nil, true},
		"loopback, IPv6":              {"http://[::1]:51004/callback", nil, true},
		"private-use scheme":          {"com.example.app:/callback", nil, true},
		"loopback with another path":  {"http://127.0.0.1:51004/other", nil, false},
		"localhost is not registered": {"http://localhost:51004/callback", nil, false},
		"scheme with another path":    {"com.example.app:/other", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParty(t, "native")
			page := p.open("redirect_uri", c.uri, "code_challenge", s256(verifier), "code_challenge_method", "S256")
			if !c.good {
				p.refused(page)
				return
			}
			code := p.finish(page).Get("code")
			p.redeemed(p.token("grant_type", "authorization_code", "code", code, "redirect_uri", c.uri, "code_verifier", verifier))
		})
	}
	p := newParty(t, "native")
	p.fails(p.open("redirect_uri", "com.example.app:/callback"), "invalid_request")
}

// OpenID Connect Core section 8.1: who has two clients cannot tell that one person uses both.
func TestPairwiseSubjects(t *testing.T) {
	t.Parallel()
	a := newParty(t, "pairwise-a")
	b := a.as("pairwise-b")
	public := a.as("oidf-1")
	subjects := []any{a.login().claims["sub"], b.login().claims["sub"], public.login().claims["sub"]}
	if subjects[0] == subjects[1] || subjects[0] == subjects[2] || subjects[1] == subjects[2] {
		t.Errorf("the subjects are %v", subjects)
	}
	again := newParty(t, "pairwise-a").login()
	if again.claims["sub"] != subjects[0] || userinfo(t, again.access).text("sub") != subjects[0] {
		t.Errorf("the subject was %v and is %v", subjects[0], again.claims["sub"])
	}
	if slices.Contains(subjects[:2], any(username)) {
		t.Error("a subject is the username")
	}
}
