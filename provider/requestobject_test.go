package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// newObjectIssuer returns an issuer whose client app signs with the key, after changes to its registration.
func newObjectIssuer(t *testing.T, change func(*registration.Client)) (*providertest.Issuer, signingKey) {
	t.Helper()
	issuer := providertest.New(t, providertest.WithAlgorithms("ES256"))
	issuer.AddUser(ada(), password)
	key := newSigningKey(t, "k1")
	client := appClient()
	client.JWKS = jwks(t, key)
	client.Scope = "openid profile email"
	if change != nil {
		change(&client)
	}
	issuer.AddClient(client)
	return issuer, key
}

// requestClaims are those of a request object of the client app (RFC 9101 section 4).
func requestClaims(issuer *providertest.Issuer) map[string]any {
	now := issuer.Clock.Now()
	return map[string]any{
		"iss": "app", "aud": issuer.URL, "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": newJTI(),
		"client_id": "app", "response_type": "code", "redirect_uri": callback, "scope": "openid email", "state": "state-inside", "nonce": "nonce-inside",
	}
}

// unsignedJWT returns claims as a JWT without signature (RFC 7519 section 6).
func unsignedJWT(t *testing.T, claims map[string]any, header string) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
}

// byObject returns a request of which a request object has everything.
func byObject(issuer *providertest.Issuer, object string, beside ...string) string {
	q := url.Values{"client_id": {"app"}, "request": {object}}
	for i := 0; i+1 < len(beside); i += 2 {
		q.Add(beside[i], beside[i+1])
	}
	return issuer.Endpoint(oidc.PathAuthorization) + "?" + q.Encode()
}

func TestRequestObject(t *testing.T) {
	issuer, key := newObjectIssuer(t, nil)
	claims := requestClaims(issuer)
	for name, object := range map[string]string{
		"signed":                                   key.sign(t, claims, nil),
		"signed, with the type of RFC 9101":        key.sign(t, claims, map[string]any{"typ": "oauth-authz-req+jwt"}),
		"signed, without kid":                      signWith(t, key.algorithm, key.private, "", claims, nil),
		"signed, without what a JWT may leave out": key.sign(t, changed(claims, map[string]any{"iss": nil, "aud": nil, "iat": nil, "nbf": nil, "exp": nil, "jti": nil}), nil),
		"for several":                              key.sign(t, changed(claims, map[string]any{"aud": []string{"https://other.example", issuer.URL}}), nil),
		"a number":                                 key.sign(t, changed(claims, map[string]any{"max_age": 600}), nil),
		"an object":                                key.sign(t, changed(claims, map[string]any{"claims": map[string]any{"userinfo": map[string]any{"name": nil}}}), nil),
		"unsigned":                                 unsignedJWT(t, claims, `{"alg":"none"}`),
		"unsigned, with a type":                    unsignedJWT(t, claims, `{"alg":"none","typ":"JWT"}`),
	} {
		t.Run(name, func(t *testing.T) {
			answer := issuer.NewBrowser(t).Authorize(byObject(issuer, object), "ada", password).Query()
			if answer.Get("state") != "state-inside" || answer.Get("iss") != issuer.URL {
				t.Fatalf("the answer is %v", answer)
			}
			tokens := exchange(t, issuer, answer.Get("code"))
			if tokens.text("scope") != "openid email" || decodeSegment(t, tokens.text("id_token"), 1)["nonce"] != "nonce-inside" {
				t.Errorf("the tokens are %s", tokens.raw)
			}
		})
	}
}

// The relying party's library makes the request, the object says how it is answered (OAuth 2.0 Form Post Response Mode).
func TestResponseModeOfARequestObject(t *testing.T) {
	issuer, key := newObjectIssuer(t, nil)
	for name, sign := range map[string]func(map[string]any) string{
		"signed":   func(claims map[string]any) string { return key.sign(t, claims, nil) },
		"unsigned": func(claims map[string]any) string { return unsignedJWT(t, claims, `{"alg":"none"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			verifier := oauth2.GenerateVerifier()
			object := sign(changed(requestClaims(issuer), map[string]any{
				"response_mode": "form_post", "code_challenge": oauth2.S256ChallengeFromVerifier(verifier), "code_challenge_method": "S256",
			}))
			browser := issuer.NewBrowser(t)
			page := browser.Submit(browser.Get(byObject(issuer, object)), url.Values{"username": {"ada"}, "password": {password}})
			if page.Posted == nil || page.Callback.RawQuery != "" || page.Answer().Get("state") != "state-inside" {
				t.Fatalf("the answer is %v by %v", page.Answer(), page.Callback)
			}
			if tokens := exchange(t, issuer, page.Answer().Get("code"), "code_verifier", verifier); tokens.status != http.StatusOK {
				t.Errorf("answers %s", tokens.raw)
			}
			// OpenID Connect Core section 3.1.2.6: so are errors.
			silent := issuer.NewBrowser(t).Get(byObject(issuer, sign(changed(requestClaims(issuer), map[string]any{"response_mode": "form_post", "prompt": "none"}))))
			if silent.Posted == nil || silent.Answer().Get("error") != "login_required" {
				t.Errorf("the error is %v by %v", silent.Answer(), silent.Callback)
			}
		})
	}
}

// OpenID Connect Core section 6.3.3: what is in the object counts, what is only beside it counts too.
func TestParametersBesideARequestObject(t *testing.T) {
	issuer, key := newObjectIssuer(t, nil)
	object := key.sign(t, changed(requestClaims(issuer), map[string]any{"redirect_uri": nil, "response_type": nil, "client_id": nil}), nil)
	target := byObject(issuer, object, "redirect_uri", callback, "response_type", "code", "scope", "openid profile", "state", "state-beside", "nonce", "nonce-beside")
	answer := issuer.NewBrowser(t).Authorize(target, "ada", password).Query()
	if answer.Get("state") != "state-inside" {
		t.Fatalf("the answer is %v", answer)
	}
	if tokens := exchange(t, issuer, answer.Get("code")); tokens.text("scope") != "openid email" || decodeSegment(t, tokens.text("id_token"), 1)["nonce"] != "nonce-inside" {
		t.Errorf("the tokens are %s", tokens.raw)
	}
}

// The rules of RFC 9101 sections 4, 5, 6 and 10, and OpenID Connect Core section 6.1.
func TestRequestObjectRefusals(t *testing.T) {
	issuer, key := newObjectIssuer(t, nil)
	claims := requestClaims(issuer)
	now := issuer.Clock.Now()
	with := func(name string, value any) string {
		return key.sign(t, changed(claims, map[string]any{name: value}), nil)
	}
	signed := key.sign(t, claims, nil)
	other := newSigningKey(t, "k1")
	const code = "invalid_request_object"
	for name, c := range map[string]struct {
		object string
		err    string
		beside []string
	}{
		"signed by somebody else (6.2)":            {other.sign(t, claims, nil), code, nil},
		"with a kid that is unknown":               {signWith(t, key.algorithm, key.private, "k2", claims, nil), code, nil},
		"changed":                                  {strings.Replace(signed, ".", ".e", 1), code, nil},
		"without its signature":                    {signed[:strings.LastIndex(signed, ".")+1], code, nil},
		"of a type of its own (10.8)":              {key.sign(t, claims, map[string]any{"typ": "at+jwt"}), code, nil},
		"an assertion (10.8)":                      {key.sign(t, claims, map[string]any{"typ": "client-authentication+jwt"}), code, nil},
		"with the sub of an assertion (10.8)":      {with("sub", "app"), code, nil},
		"unsigned, with a signature":               {unsignedJWT(t, claims, `{"alg":"none"}`) + "AAAA", code, nil},
		"unsigned, with headers to understand":     {unsignedJWT(t, claims, `{"alg":"none","crit":["b64"],"b64":false}`), code, nil},
		"unsigned, of another type":                {unsignedJWT(t, claims, `{"alg":"none","typ":"dpop+jwt"}`), code, nil},
		"with another algorithm's name":            {unsignedJWT(t, claims, `{"alg":"None"}`), code, nil},
		"encrypted":                                {"e30.e30.e30.e30.e30", code, nil},
		"no JWT":                                   {"nonsense", code, nil},
		"too long":                                 {with("login_hint", strings.Repeat("x", 9<<10)), code, nil},
		"of another client (iss)":                  {with("iss", "other"), code, nil},
		"for another provider (aud)":               {with("aud", "https://other.example"), code, nil},
		"expired":                                  {with("exp", now.Add(-2*time.Hour).Unix()), code, nil},
		"of tomorrow (nbf)":                        {with("nbf", now.Add(time.Hour).Unix()), code, nil},
		"of the future (iat)":                      {with("iat", now.Add(time.Hour).Unix()), code, nil},
		"with an exp that is no time":              {with("exp", "soon"), code, nil},
		"with a request in it (4)":                 {with("request", signed), code, nil},
		"with a request_uri in it (4)":             {with("request_uri", "urn:x"), code, nil},
		"of another client (6.3)":                  {with("client_id", "other"), code, nil},
		"with a list":                              {with("scope", []string{"openid"}), code, nil},
		"with nothing for a value":                 {with("nonce", nil), "", nil}, // which is left out
		"with null":                                {unsignedJWT(t, map[string]any{"nonce": json.RawMessage("null"), "redirect_uri": callback}, `{"alg":"none"}`), code, nil},
		"another response_type beside it":          {signed, code, []string{"response_type", "token"}},
		"with a response type that is not offered": {with("response_type", "token"), "unsupported_response_type", nil},
		"with a response mode that is not offered": {with("response_mode", "fragment"), "invalid_request", nil},
		"without openid":                           {with("scope", "email"), "invalid_scope", nil},
		"twice":                                    {signed, "invalid_request", []string{"request", signed}},
		"with a request_uri beside it":             {signed, "invalid_request", []string{"request_uri", "https://app.example.com/request.jwt"}},
	} {
		t.Run(name, func(t *testing.T) {
			browser := loggedIn(t, issuer)
			// What stands beside the object proves where the client is told of it.
			page := browser.Get(byObject(issuer, c.object, append([]string{"redirect_uri", callback, "state", "state-beside"}, c.beside...)...))
			if page.Callback == nil || page.Answer().Get("error") != c.err {
				t.Fatalf("answers %d at %s: %v %s", page.Status, page.URL, page.Callback, page.Body)
			}
			if state := page.Answer().Get("state"); c.err == code && state != "state-beside" {
				t.Errorf("state is %q", state)
			}
			// Nothing is sent anywhere that is not proven.
			if page := browser.Get(byObject(issuer, c.object, c.beside...)); c.err == code && (page.Callback != nil || page.Status != http.StatusBadRequest) {
				t.Errorf("without redirect_uri beside it: %d, %v", page.Status, page.Callback)
			}
		})
	}
	for name, redirectURI := range map[string]any{"none": nil, "another's": "https://evil.example/"} {
		if page := issuer.NewBrowser(t).Get(byObject(issuer, with("redirect_uri", redirectURI))); page.Callback != nil || page.Status != http.StatusBadRequest {
			t.Errorf("redirect_uri %s: %d, %v", name, page.Status, page.Callback)
		}
	}
}

// OpenID Connect Dynamic Client Registration section 2: request_object_signing_alg.
func TestRequestObjectSigningAlgorithm(t *testing.T) {
	for name, c := range map[string]struct {
		algorithm        string
		signed, unsigned bool
	}{
		"any": {"", true, true}, "that of the key": {"ES256", true, false}, "another": {"PS256", false, false}, "none": {"none", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, key := newObjectIssuer(t, func(c2 *registration.Client) { c2.RequestObjectSigningAlg = c.algorithm })
			for object, works := range map[string]bool{
				key.sign(t, requestClaims(issuer), nil): c.signed, unsignedJWT(t, requestClaims(issuer), `{"alg":"none"}`): c.unsigned,
			} {
				browser := loggedIn(t, issuer)
				answer := browser.Get(byObject(issuer, object, "redirect_uri", callback)).Answer()
				if works != answer.Has("code") || works == (answer.Get("error") == "invalid_request_object") {
					t.Errorf("%.20s answers %v", object, answer)
				}
			}
		})
	}
}

// RFC 9101 sections 6.3 and 10.5: nobody can take away or add anything, or begin with another request.
func TestClientsThatMustSignTheirRequests(t *testing.T) {
	issuer, key := newObjectIssuer(t, func(c *registration.Client) { c.RequireSignedRequestObject = true })
	claims := requestClaims(issuer)
	browser := loggedIn(t, issuer)
	answer := browser.Get(byObject(issuer, key.sign(t, claims, nil), "prompt", "login", "scope", "openid profile", "claims", `{"userinfo":{"name":null}}`,
		"login_hint", "eve", "resource", "https://api.example")).Answer()
	if answer.Get("state") != "state-inside" {
		t.Fatalf("the answer is %v", answer)
	}
	tokens := exchange(t, issuer, answer.Get("code"))
	if tokens.text("scope") != "openid email" || userinfo(t, issuer, tokens.text("access_token")).text("name") != "" {
		t.Errorf("what stands beside the object counts: %s", tokens.raw)
	}
	for name, c := range map[string]struct {
		target string
		err    string
	}{
		"plain":             {authorizeURL(issuer), "invalid_request"},
		"unsigned":          {byObject(issuer, unsignedJWT(t, claims, `{"alg":"none"}`), "redirect_uri", callback), "invalid_request_object"},
		"without client_id": {byObject(issuer, key.sign(t, changed(claims, map[string]any{"client_id": nil}), nil), "redirect_uri", callback), "invalid_request_object"},
		"without aud":       {byObject(issuer, key.sign(t, changed(claims, map[string]any{"aud": nil}), nil), "redirect_uri", callback), "invalid_request_object"},
		"without exp":       {byObject(issuer, key.sign(t, changed(claims, map[string]any{"exp": nil}), nil), "redirect_uri", callback), "invalid_request_object"},
		"good for long":     {byObject(issuer, key.sign(t, changed(claims, map[string]any{"exp": issuer.Clock.Now().Add(2 * time.Hour).Unix()}), nil), "redirect_uri", callback), "invalid_request_object"},
	} {
		if answer := browser.Get(c.target).Answer(); answer.Get("error") != c.err || answer.Has("code") {
			t.Errorf("%s answers %v", name, answer)
		}
	}
	// RFC 9126 section 3: the same rules for what is pushed.
	if got := push(t, issuer); got.text("error") != "invalid_request" {
		t.Errorf("a plain request that is pushed: %s", got.raw)
	}
	got := push(t, issuer, "request", key.sign(t, claims, nil), "scope", "openid profile", "state", "state-beside", "redirect_uri", "", "response_type", "")
	answer = browser.Get(pushedURL(issuer, got.text("request_uri"))).Answer()
	if answer.Get("state") != "state-inside" || exchange(t, issuer, answer.Get("code")).text("scope") != "openid email" {
		t.Errorf("a pushed object: %s, then %v", got.raw, answer)
	}
}

// RFC 9126 section 3: a pushed object is verified when it arrives, and its mistakes are told there.
func TestPushedRequestObject(t *testing.T) {
	issuer, key := newObjectIssuer(t, nil)
	fresh := func() map[string]any {
		return changed(requestClaims(issuer), map[string]any{"client_secret": "nobody reads that", "login_proof": "nor that"})
	}
	pushedObject := func(object string) answer {
		return push(t, issuer, "request", object, "redirect_uri", "", "response_type", "", "scope", "", "state", "")
	}
	for name, sign := range map[string]func() string{
		"signed": func() string { return key.sign(t, fresh(), nil) }, "unsigned": func() string { return unsignedJWT(t, fresh(), `{"alg":"none"}`) },
	} {
		object := sign()
		got := pushedObject(object)
		issuer.Clock.Advance(2 * time.Minute) // it has expired meanwhile, and is in time all the same: request_uri says how long
		answer := issuer.NewBrowser(t).Authorize(pushedURL(issuer, got.text("request_uri")), "ada", password).Query()
		if got.status != http.StatusCreated || answer.Get("state") != "state-inside" || answer.Get("code") == "" {
			t.Errorf("%s: %s, then %v", name, got.raw, answer)
		}
		if got := pushedObject(object); got.status != http.StatusBadRequest || got.text("error") != "invalid_request_object" {
			t.Errorf("%s, expired: %s", name, got.raw)
		}
	}
	if got := pushedObject(newSigningKey(t, "k1").sign(t, fresh(), nil)); got.status != http.StatusBadRequest || got.text("error") != "invalid_request_object" {
		t.Errorf("signed by somebody else: %s", got.raw)
	}
	// The object names the key that the code is for (RFC 9449 section 10), and the proof is another's.
	proofKey := newSigningKey(t, "")
	bound := key.sign(t, changed(fresh(), map[string]any{"dpop_jkt": strings.Repeat("A", 43)}), nil)
	form := url.Values{"client_id": {"app"}, "client_secret": {"secret-of-app"}, "request": {bound}}
	endpoint := issuer.Endpoint(oidc.PathPushedRequest)
	proof := signWith(t, proofKey.algorithm, proofKey.private, "", map[string]any{
		"htm": "POST", "htu": endpoint, "iat": issuer.Clock.Now().Unix(), "jti": newJTI(),
	}, map[string]any{"typ": "dpop+jwt", "jwk": proofKey.public()})
	if got := send(t, issuer, newRequest(t, http.MethodPost, endpoint, form, "DPoP", proof)); got.text("error") != "invalid_dpop_proof" {
		t.Errorf("a proof of another key than the object names: %s", got.raw)
	}
}

// An object is for beginning in time. Whoever has begun may take their time to log in; the query goes along with the pages.
func TestRequestObjectExpiresWhileSomebodyLogsIn(t *testing.T) {
	issuer, key := newObjectIssuer(t, func(c *registration.Client) { c.Consent = registration.ConsentAlways })
	target := byObject(issuer, key.sign(t, requestClaims(issuer), nil), "redirect_uri", callback)
	browser := issuer.NewBrowser(t)
	login := browser.Get(target)
	issuer.Clock.Advance(10 * time.Minute)
	consent := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
	if !consent.Asks("decision") {
		t.Fatalf("answers %d at %s: %v", consent.Status, consent.URL, consent.Callback)
	}
	if answer := browser.Submit(consent, url.Values{"decision": {"allow"}}).Answer(); answer.Get("state") != "state-inside" || answer.Get("code") == "" {
		t.Errorf("the answer is %v", answer)
	}
	if answer := browser.Get(target).Answer(); answer.Get("error") != "invalid_request_object" {
		t.Errorf("the same once more: %v", answer)
	}
	issuer.Clock.Advance(2 * time.Hour)
	if page := browser.Get(issuer.Endpoint("/login") + "?" + login.URL.RawQuery); page.Asks("password") {
		t.Error("hours later the page for logging in still takes the object")
	}
}

// OpenID Connect Core section 3.1.2.1: a form of any length; a long one is kept as it was when it arrived.
func TestPostedRequestObject(t *testing.T) {
	issuer, key := newObjectIssuer(t, nil)
	for name, hint := range map[string]string{"short": "ada", "long": strings.Repeat("ada", 1000)} {
		object := key.sign(t, changed(requestClaims(issuer), map[string]any{"login_hint": hint}), nil)
		form := url.Values{"client_id": {"app"}, "request": {object}}
		browser := issuer.NewBrowser(t)
		login := browser.Do(newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathAuthorization), form))
		if kept := strings.Contains(login.URL.RawQuery, "request_uri="); kept != (name == "long") {
			t.Errorf("%s: the query is %s", name, login.URL.RawQuery)
		}
		if answer := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}}).Answer(); answer.Get("state") != "state-inside" || !answer.Has("code") {
			t.Errorf("%s: the answer is %v", name, answer)
		}
	}
}

// The page for logging in speaks the language that the object asks for (OpenID Connect Core section 3.1.2.1).
func TestLocalesOfARequestObject(t *testing.T) {
	issuer, key := newObjectIssuer(t, nil)
	object := key.sign(t, changed(requestClaims(issuer), map[string]any{"ui_locales": "de"}), nil)
	if page := issuer.NewBrowser(t).Get(byObject(issuer, object)); !strings.Contains(page.Body, `lang="de"`) {
		t.Errorf("the page is\n%s", page.Body)
	}
}

// A person is not told that the application has done something wrong while its keys cannot be had.
func TestRequestObjectWhileKeysCannotBeRead(t *testing.T) {
	issuer, key := newObjectIssuer(t, func(c *registration.Client) { c.JWKS, c.JWKSURI = nil, "https://127.0.0.1:1/jwks" })
	r := httptest.NewRequest(http.MethodGet, byObject(issuer, key.sign(t, requestClaims(issuer), nil)), nil)
	answer := httptest.NewRecorder()
	issuer.Provider.Handler().ServeHTTP(answer, r)
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
		t.Errorf("answers %d\n%s", answer.Code, answer.Body)
	}
}
