package provider_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// RFC 6749 2.3.1: the ways in which a client proves who it is, and 5.2: what it gets when it does not.
func TestClientAuthentication(t *testing.T) {
	const special = "a+b%2B c:ü"
	good := url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {callback}}
	with := func(pairs ...string) url.Values {
		form := url.Values{}
		for name, values := range good {
			form[name] = values
		}
		for i := 0; i < len(pairs); i += 2 {
			form.Add(pairs[i], pairs[i+1])
		}
		return form
	}
	for name, c := range map[string]struct {
		method string // registered
		secret string
		header []string
		form   url.Values
		status int
		err    string
	}{
		"basic":                               {"", "s", []string{basic("app", "s")}, with(), 200, ""},
		"basic, lower case scheme (RFC 7617)": {"", "s", []string{strings.Replace(basic("app", "s"), "Basic", "basic", 1)}, with(), 200, ""},
		"basic, urlencoded":                   {"", special, []string{basic("app", url.QueryEscape(special))}, with(), 200, ""},
		"basic, not urlencoded":               {"", special, []string{basic("app", special)}, with(), 200, ""},
		"basic with the same client_id":       {"", "s", []string{basic("app", "s")}, with("client_id", "app"), 200, ""},
		"basic where registered":              {"client_secret_basic", "s", []string{basic("app", "s")}, with(), 200, ""},
		"post":                                {"", "s", nil, with("client_id", "app", "client_secret", "s"), 200, ""},
		"post where registered":               {"client_secret_post", "s", nil, with("client_id", "app", "client_secret", "s"), 200, ""},
		"none, of a public client":            {"none", "", nil, with("client_id", "app"), 200, ""},

		"basic, no secret, of a public client (2.3.1)": {"none", "", []string{basic("app", "")}, with(), 200, ""},
		"basic and client_id of a public client":       {"none", "", []string{basic("app", "")}, with("client_id", "app"), 200, ""},
		"post, no secret, of a public client":          {"none", "", nil, with("client_id", "app", "client_secret", ""), 200, ""},
		"post, no secret":                              {"", "s", nil, with("client_id", "app", "client_secret", ""), 401, "invalid_client"},
		"basic, a secret of a public client":           {"none", "", []string{basic("app", "s")}, with(), 401, "invalid_client"},
		"basic, wrong secret":                          {"", "s", []string{basic("app", "t")}, with(), 401, "invalid_client"},
		"basic, no secret":                             {"", "s", []string{basic("app", "")}, with(), 401, "invalid_client"},
		"basic, unknown client":                        {"", "s", []string{basic("stranger", "s")}, with(), 401, "invalid_client"},
		"basic, no base64":                             {"", "s", []string{"Basic %%%"}, with(), 401, "invalid_client"},
		"basic, no colon":                              {"", "s", []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("app"))}, with(), 401, "invalid_client"},
		"another scheme":                               {"", "s", []string{"Bearer s"}, with(), 401, "invalid_client"},
		"basic where post is due":                      {"client_secret_post", "s", []string{basic("app", "s")}, with(), 401, "invalid_client"},
		"post where basic is due":                      {"client_secret_basic", "s", nil, with("client_id", "app", "client_secret", "s"), 401, "invalid_client"},
		"post, wrong secret":                           {"", "s", nil, with("client_id", "app", "client_secret", "t"), 401, "invalid_client"},
		"none, of a confidential one":                  {"", "s", nil, with("client_id", "app"), 401, "invalid_client"},
		"a secret for a public client":                 {"none", "", nil, with("client_id", "app", "client_secret", "s"), 401, "invalid_client"},
		"nothing":                                      {"", "s", nil, with(), 401, "invalid_client"},
		"basic and post (2.3)":                         {"", "s", []string{basic("app", "s")}, with("client_id", "app", "client_secret", "s"), 400, "invalid_request"},
		"basic with another client_id":                 {"", "s", []string{basic("app", "s")}, with("client_id", "other"), 400, "invalid_request"},
		"basic twice":                                  {"", "s", []string{basic("app", "s"), basic("app", "s")}, with(), 400, "invalid_request"},
		"client_secret twice (3.2)":                    {"", "s", nil, with("client_id", "app", "client_secret", "s", "client_secret", "s"), 400, "invalid_request"},
		"client_id twice":                              {"", "s", nil, with("client_id", "app", "client_id", "app", "client_secret", "s"), 400, "invalid_request"},
		"basic, secret of another case":                {"", "s", []string{basic("app", "S")}, with(), 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := appClient()
			client.TokenEndpointAuthMethod = c.method
			if c.secret != "" {
				client.Secrets = []registration.ClientSecret{{ID: "1", Hash: registration.HashSecret(c.secret)}}
			}
			issuer.AddClient(client)
			verifier := oauth2.GenerateVerifier()
			c.form.Set("code_verifier", verifier)
			c.form.Set("code", newCode(t, issuer, "code_challenge", oauth2.S256ChallengeFromVerifier(verifier), "code_challenge_method", "S256"))
			r := newRequest(t, http.MethodPost, issuer.Endpoint("/oauth2/token"), c.form)
			r.Header["Authorization"] = c.header
			got := send(t, issuer, r)
			if got.status != c.status || got.text("error") != c.err {
				t.Fatalf("answers %d %s", got.status, got.raw)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("answers with %v", got.header)
			}
			if challenge := got.header.Get("WWW-Authenticate"); (c.status == 401) != strings.HasPrefix(challenge, "Basic realm=") {
				t.Errorf("the challenge is %q (RFC 6749 5.2)", challenge)
			}
			if strings.Contains(got.raw, c.secret) && len(c.secret) > 1 {
				t.Error("the answer has the secret in it")
			}
		})
	}
}

// While a secret is being rotated both work; afterwards only the new one.
func TestTwoSecrets(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := appClient()
	client.Secrets = []registration.ClientSecret{
		{ID: "old", Hash: registration.HashSecret("old-secret"), NotAfter: issuer.Clock.Now().Add(time.Hour)},
		{ID: "new", Hash: registration.HashSecret("new-secret"), Pending: true},
		{ID: "own", Hash: registration.HashPassword("chosen by a person")},
	}
	issuer.AddClient(client)
	works := func(secret string) bool {
		return exchange(t, issuer, newCode(t, issuer), "client_secret", secret).status == http.StatusOK
	}
	for _, secret := range []string{"old-secret", "new-secret", "chosen by a person"} {
		if !works(secret) {
			t.Errorf("%s does not work", secret)
		}
	}
	minute := issuer.Clock.Now().UTC().Truncate(time.Minute)
	if uses := secretUses(issuer)[client.ClientID]; !uses["old"].Equal(minute) || !uses["new"].Equal(minute) || !uses["own"].Equal(minute) {
		t.Errorf("the uses are told as %v", uses)
	}
	issuer.Clock.Advance(time.Hour)
	if works("wrong") || !secretUses(issuer)[client.ClientID]["old"].Equal(minute) {
		t.Error("a wrong secret was used")
	}
	if works("old-secret") || !works("new-secret") {
		t.Error("after the overlap the old secret works or the new does not")
	}
}

const verifierOfChallenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636 appendix B

// RFC 6749 4.1.3, 5.2 and RFC 7636 4.6: what a token request must hold.
func TestCodeExchange(t *testing.T) {
	withChallenge := []string{"code_challenge", challenge, "code_challenge_method", "S256"}
	for name, c := range map[string]struct {
		request []string // of the authorization
		change  []string // of the token request
		err     string
		says    string
	}{
		"right":                                  {nil, nil, "", ""},
		"right with PKCE":                        {withChallenge, []string{"code_verifier", verifierOfChallenge}, "", ""},
		"grant_type is missing":                  {nil, []string{"grant_type", ""}, "invalid_request", "grant_type is missing"},
		"grant_type is unknown":                  {nil, []string{"grant_type", "password"}, "unsupported_grant_type", ""},
		"code is missing":                        {nil, []string{"code", ""}, "invalid_request", "code is missing"},
		"code is wrong":                          {nil, []string{"code", "AAAA"}, "invalid_grant", "unknown"},
		"redirect_uri is missing":                {nil, []string{"redirect_uri", ""}, "invalid_request", "redirect_uri"},
		"redirect_uri is another":                {nil, []string{"redirect_uri", callback + "/"}, "invalid_grant", "redirect_uri"},
		"verifier is missing (RFC 7636)":         {withChallenge, nil, "invalid_grant", "code_verifier is missing"},
		"verifier is wrong (RFC 7636 4.6)":       {withChallenge, []string{"code_verifier", strings.Repeat("a", 43)}, "invalid_grant", "does not fit"},
		"verifier is the challenge":              {withChallenge, []string{"code_verifier", challenge}, "invalid_grant", "does not fit"},
		"verifier is too short (RFC 7636 4.1)":   {withChallenge, []string{"code_verifier", "short"}, "invalid_grant", "43 to 128"},
		"verifier is too long":                   {withChallenge, []string{"code_verifier", strings.Repeat("a", 129)}, "invalid_grant", "43 to 128"},
		"verifier of a downgrade (RFC 9700 2.1)": {nil, []string{"code_verifier", verifierOfChallenge}, "invalid_grant", "no code_challenge"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			code := newCode(t, issuer, c.request...)
			got := exchange(t, issuer, code, c.change...)
			if got.text("error") != c.err || !strings.Contains(got.text("error_description"), c.says) {
				t.Fatalf("answers %d %s", got.status, got.raw)
			}
			if c.err == "" {
				return
			}
			if got.status != http.StatusBadRequest {
				t.Errorf("answers %d", got.status)
			}
			// A request that fails leaves the code to whom it belongs.
			right := []string{"code_verifier", verifierOfChallenge}
			if c.request == nil {
				right = nil
			}
			if got := exchange(t, issuer, code, right...); got.status != http.StatusOK {
				t.Errorf("the code was used up: %d %s", got.status, got.raw)
			}
		})
	}
}

// RFC 6749 4.1.3: a code is for the client it was issued to, and stays good for that one.
func TestForeignCode(t *testing.T) {
	issuer, _ := newIssuer(t)
	thief := appClient()
	thief.ClientID = "thief"
	issuer.AddClient(thief)
	code := newCode(t, issuer)
	got := exchange(t, issuer, code, "client_id", "thief", "client_secret", "secret-of-thief")
	if got.text("error") != "invalid_grant" {
		t.Fatalf("answers %d %s", got.status, got.raw)
	}
	if got := exchange(t, issuer, code); got.status != http.StatusOK {
		t.Fatalf("the owner: %d %s", got.status, got.raw)
	}
	// Neither can a stranger who replays a code revoke the owner's tokens.
	code = newCode(t, issuer)
	token := exchange(t, issuer, code).text("access_token")
	exchange(t, issuer, code, "client_id", "thief", "client_secret", "secret-of-thief")
	if got := userinfo(t, issuer, token); got.status != http.StatusOK {
		t.Errorf("after a stranger's replay: %d", got.status)
	}
}

// RFC 6749 4.1.2: a code that comes twice is refused, and what came from it is revoked.
func TestReplayedCode(t *testing.T) {
	issuer, _ := newIssuer(t)
	code := newCode(t, issuer)
	token := exchange(t, issuer, code).text("access_token")
	if got := userinfo(t, issuer, token); got.status != http.StatusOK {
		t.Fatalf("before: %d", got.status)
	}
	issuer.Clock.Advance(5 * time.Minute) // long after the code itself has expired
	if got := exchange(t, issuer, code); got.text("error") != "invalid_grant" || got.status != http.StatusBadRequest {
		t.Errorf("replay answers %d %s", got.status, got.raw)
	}
	if got := userinfo(t, issuer, token); got.status != http.StatusUnauthorized {
		t.Errorf("after: %d", got.status)
	}
}

// RFC 6749 4.1.2: of any number of requests at the same time at most one gets tokens.
func TestRacingExchanges(t *testing.T) {
	issuer, _ := newIssuer(t)
	code := newCode(t, issuer)
	var wg sync.WaitGroup
	statuses := make([]int, 16)
	for i := range statuses {
		wg.Go(func() { statuses[i] = exchange(t, issuer, code).status })
	}
	wg.Wait()
	succeeded := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			succeeded++
		}
	}
	if succeeded != 1 {
		t.Errorf("%d of %d exchanges succeeded", succeeded, len(statuses))
	}
}

func TestCodesOfThoseWhoAreGone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(issuer *providertest.Issuer)
		err    string
	}{
		"the person is disabled": {func(i *providertest.Issuer) { u := ada(); u.Disabled = true; i.AddUser(u, password) }, "invalid_grant"},
		"the person is deleted":  {func(i *providertest.Issuer) { i.RemoveUser("ada") }, "invalid_grant"},
		"the client is disabled": {func(i *providertest.Issuer) { a := appClient(); a.Disabled = true; i.AddClient(a) }, "invalid_client"},
		"the client is deleted":  {func(i *providertest.Issuer) { i.RemoveClient("app") }, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			code := newCode(t, issuer)
			c.change(issuer)
			if got := exchange(t, issuer, code); got.text("error") != c.err {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
}

func TestTokenRequestsThatAreNoForms(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, c := range map[string]struct {
		contentType, body string
		status            int
	}{
		"JSON":          {"application/json", `{"grant_type":"authorization_code"}`, 400},
		"no type":       {"", "grant_type=authorization_code", 400},
		"malformed":     {"application/x-www-form-urlencoded", "code=%zz", 400},
		"with charset":  {"application/x-www-form-urlencoded; charset=utf-8", "client_id=app&client_secret=secret-of-app", 400},
		"in the query":  {"application/x-www-form-urlencoded", "", 401},
		"empty, a form": {"application/x-www-form-urlencoded", "", 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, http.MethodPost, issuer.Endpoint("/oauth2/token")+"?client_id=app&client_secret=secret-of-app", nil)
			r, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL.String(), strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", c.contentType)
			if got := send(t, issuer, r); got.status != c.status || got.text("error") == "" {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
}

// Scopes that were not granted are not in the answer (RFC 6749 5.1), and lifetimes are those of the client.
func TestTokenAnswer(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := appClient()
	client.Scope = "openid email"
	client.Lifetimes.AccessToken = registration.Duration(2 * time.Minute)
	client.Lifetimes.IDToken = registration.Duration(time.Minute)
	issuer.AddClient(client)
	got := exchange(t, issuer, newCode(t, issuer, "scope", "openid profile email offline_access"))
	if got.text("token_type") != "Bearer" || got.body["expires_in"] != 120.0 || got.text("scope") != "openid email" || len(got.text("access_token")) < 43 {
		t.Errorf("answer is %s", got.raw)
	}
	issuer.Clock.Advance(2 * time.Minute)
	if got := userinfo(t, issuer, got.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("after its lifetime: %d", got.status)
	}
}

// A password hash of a client secret waits for its turn like a login, and says so when it cannot.
func TestTokenEndpointWhenManyHashesWait(t *testing.T) {
	release := make(chan struct{})
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Hashers, o.HashQueue = 1, -1 }))
	client := appClient()
	client.Secrets = []registration.ClientSecret{{ID: "own", Hash: registration.HashPassword("chosen by a person")}}
	code := newCode(t, issuer)
	issuer.AddClient(client)
	running := make(chan struct{})
	go func() {
		_ = issuer.Provider.HashPool().Do(t.Context(), 1, func() { close(running); <-release })
	}()
	<-running
	got := exchange(t, issuer, code, "client_secret", "chosen by a person")
	close(release)
	if got.status != http.StatusServiceUnavailable || got.text("error") != "temporarily_unavailable" || got.header.Get("Retry-After") == "" {
		t.Errorf("answers %d %s", got.status, got.raw)
	}
}

func secretUses(issuer *providertest.Issuer) registration.SecretUses {
	uses, _ := issuer.Registry.SecretUses()
	return uses
}
