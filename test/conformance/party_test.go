package conformance_test

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// party is a relying party with a person's browser before it.
type party struct {
	t       *testing.T
	app     app
	browser *providertest.Browser
	// mode is the response_mode that it asks for; empty means none.
	mode string
	// state and nonce are those of the last request.
	state, nonce string
}

func newParty(t *testing.T, clientID string) *party {
	t.Helper()
	a, ok := shared.apps[clientID]
	if !ok {
		t.Fatalf("there is no client %s", clientID)
	}
	return &party{t: t, app: a, browser: providertest.NewBrowserFor(t, shared.issuer, shared.client)}
}

// as returns another relying party before the same browser.
func (p *party) as(clientID string) *party {
	p.t.Helper()
	other := newParty(p.t, clientID)
	other.browser, other.mode = p.browser, p.mode
	return other
}

// parameters returns an authorization request with a new state and nonce, and parameters changed. An empty value takes one
// away.
func (p *party) parameters(changed ...string) url.Values {
	p.state, p.nonce = rand.Text(), rand.Text()
	q := url.Values{
		"client_id": {p.app.ClientID}, "redirect_uri": {p.app.RedirectURIs[0]}, "response_type": {"code"}, "scope": {"openid"},
		"state": {p.state}, "nonce": {p.nonce},
	}
	if p.mode != "" {
		q.Set("response_mode", p.mode)
	}
	for i := 0; i+1 < len(changed); i += 2 {
		if q.Set(changed[i], changed[i+1]); changed[i+1] == "" {
			q.Del(changed[i])
		}
	}
	return q
}

// open sends the browser with an authorization request.
func (p *party) open(changed ...string) *providertest.Page {
	p.t.Helper()
	return p.browser.Get(shared.endpoint(p.t, "authorization_endpoint") + "?" + p.parameters(changed...).Encode())
}

// finish logs in and agrees until the browser is sent back, and returns the answer.
func (p *party) finish(page *providertest.Page) url.Values {
	p.t.Helper()
	for range 5 {
		switch {
		case page.Callback != nil:
			return p.answer(page)
		case page.Status == http.StatusOK && page.Asks("username"):
			page = p.browser.Submit(page, url.Values{"username": {username}, "password": {password}})
		case page.Status == http.StatusOK && page.Asks("decision"):
			page = p.browser.Submit(page, url.Values{"decision": {"allow"}})
		default:
			p.t.Fatalf("the login stops at %s with status %d:\n%s", page.URL, page.Status, page.Body)
		}
	}
	p.t.Fatalf("the login goes in circles at %s", page.URL)
	return nil
}

// answer returns an authorization response in the mode that was asked for. It holds for every one of them that state and iss
// are those of the request (RFC 6749 section 4.1.2, RFC 9207 section 2), and that nothing is in it that has no meaning.
func (p *party) answer(page *providertest.Page) url.Values {
	p.t.Helper()
	page = p.browser.Return(page) // an error before anybody has signed in comes back when the person says so
	if page.Callback == nil {
		p.t.Fatalf("the browser is not sent back but shows %s with status %d:\n%s", page.URL, page.Status, page.Body)
	}
	if posted := page.Posted != nil; posted != (p.mode == "form_post") {
		p.t.Fatalf("response_mode is %q, posted is %t", p.mode, posted)
	}
	answer := page.Answer()
	if p.mode == "form_post" && page.Callback.RawQuery != "" && !strings.Contains(page.Callback.RawQuery, "dummy1") {
		p.t.Errorf("the query of %s says something", page.Callback)
	}
	if page.Callback.Fragment != "" {
		p.t.Errorf("the fragment of %s says something", page.Callback)
	}
	if got := answer.Get("state"); got != p.state {
		p.t.Errorf("state is %q, sent was %q", got, p.state)
	}
	if got := answer.Get("iss"); got != shared.issuer {
		p.t.Errorf("iss is %q", got)
	}
	allowed := []string{"code", "state", "iss", "dummy1", "dummy2"}
	if answer.Has("error") {
		allowed = []string{"error", "error_description", "state", "iss"}
		checkErrorText(p.t, answer.Get("error"), answer.Get("error_description"))
	}
	for name, values := range answer {
		if !slices.Contains(allowed, name) || len(values) != 1 {
			p.t.Errorf("%s=%q is in the answer", name, values)
		}
	}
	return answer
}

// fails checks that an answer is an error.
func (p *party) fails(page *providertest.Page, codes ...string) {
	p.t.Helper()
	if answer := p.answer(page); !slices.Contains(codes, answer.Get("error")) || answer.Has("code") {
		p.t.Errorf("the answer is %v, wanted is error %v", answer, codes)
	}
}

// errorText is what error and error_description may consist of (RFC 6749 sections 4.1.2.1 and 5.2).
var errorText = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]+$`)

func checkErrorText(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !errorText.MatchString(text) {
			t.Errorf("%q is no text for an error", text)
		}
	}
}

// refused checks that a page tells the person of a fault, and that nobody is sent anywhere.
func (p *party) refused(page *providertest.Page) {
	p.t.Helper()
	if page.Callback != nil || page.Status != http.StatusBadRequest || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
		p.t.Errorf("answers %d, callback %v", page.Status, page.Callback)
	}
}

// code runs the authorization request and returns the code.
func (p *party) code(changed ...string) string {
	p.t.Helper()
	answer := p.finish(p.open(changed...))
	if answer.Get("code") == "" {
		p.t.Fatalf("the answer is %v", answer)
	}
	return answer.Get("code")
}

// tokens are what the token endpoint answers.
type tokens struct {
	reply
	access, refresh, id string
	// claims are those of the ID token.
	claims map[string]any
}

// login runs the whole flow and checks what holds for every one.
func (p *party) login(changed ...string) tokens {
	p.t.Helper()
	code := p.code(changed...)
	return p.redeemed(p.redeem(code))
}

// redeem sends a code to the token endpoint.
func (p *party) redeem(code string, more ...string) reply {
	p.t.Helper()
	return p.token(append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", p.app.RedirectURIs[0]}, more...)...)
}

// refresh sends a refresh token to the token endpoint.
func (p *party) refresh(token string, more ...string) reply {
	p.t.Helper()
	return p.token(append([]string{"grant_type", "refresh_token", "refresh_token", token}, more...)...)
}

// redeemed checks what holds for every successful answer of the token endpoint (RFC 6749 section 5.1).
func (p *party) redeemed(r reply) tokens {
	p.t.Helper()
	if r.status != http.StatusOK {
		p.t.Fatalf("the token endpoint answers %d %s", r.status, r.raw)
	}
	r.checkJSON(p.t)
	got := tokens{reply: r, access: r.text("access_token"), refresh: r.text("refresh_token"), id: r.text("id_token")}
	if got.access == "" || !strings.EqualFold(r.text("token_type"), "Bearer") && !strings.EqualFold(r.text("token_type"), "DPoP") {
		p.t.Errorf("the answer is %v", slices.Sorted(maps.Keys(r.body)))
	}
	if seconds, ok := r.body["expires_in"].(float64); !ok || seconds < 1 || seconds != float64(int(seconds)) {
		p.t.Errorf("expires_in is %v", r.body["expires_in"])
	}
	for _, token := range []string{got.access, got.refresh} {
		if token != "" && (len(token) < 22 || !visible.MatchString(token)) {
			p.t.Error("a token is short, or of other characters than RFC 6749 appendix A allows")
		}
	}
	if got.id != "" {
		got.claims = checkIDToken(p.t, p.app, got.id, p.nonce, got.access)
	}
	return got
}

var visible = regexp.MustCompile(`^[\x21-\x7E]+$`)

// token sends a token request with the client's authentication.
func (p *party) token(fields ...string) reply {
	p.t.Helper()
	return p.post("token_endpoint", fields...)
}

// post sends a form to an endpoint with the client's authentication.
func (p *party) post(endpoint string, fields ...string) reply {
	p.t.Helper()
	return send(p.t, p.form(endpoint, fields...))
}

// form returns a request of a form with the client's authentication.
func (p *party) form(endpoint string, fields ...string) *http.Request {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	target := shared.endpoint(p.t, endpoint)
	basic := false
	switch p.app.TokenEndpointAuthMethod {
	case registration.AuthMethodPrivateKeyJWT:
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion(p.t, p.app.ClientID))
	case registration.AuthMethodNone:
		form.Set("client_id", p.app.ClientID)
	case registration.AuthMethodPost:
		form.Set("client_id", p.app.ClientID)
		form.Set("client_secret", p.app.secret)
	default:
		basic = true
	}
	r := newForm(p.t, target, form)
	if basic {
		r.SetBasicAuth(url.QueryEscape(p.app.ClientID), url.QueryEscape(p.app.secret))
	}
	return r
}

func newForm(t *testing.T, target string, form url.Values) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// reply is what an endpoint answers.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (r reply) text(name string) string {
	text, _ := r.body[name].(string)
	return text
}

// checkJSON checks that the answer is a document that nobody keeps (RFC 6749 section 5.1).
func (r reply) checkJSON(t *testing.T) {
	t.Helper()
	kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	if kind != "application/json" || !strings.Contains(r.header.Get("Cache-Control"), "no-store") || r.body == nil {
		t.Errorf("answers with Content-Type %q, Cache-Control %q", r.header.Get("Content-Type"), r.header.Get("Cache-Control"))
	}
}

// fails checks an error of RFC 6749 section 5.2.
func (r reply) fails(t *testing.T, status int, codes ...string) {
	t.Helper()
	if r.status != status || !slices.Contains(codes, r.text("error")) {
		t.Errorf("answers %d %s, wanted is %d %v", r.status, r.raw, status, codes)
		return
	}
	r.checkJSON(t)
	checkErrorText(t, r.text("error"), r.text("error_description"))
}

func send(t *testing.T, request *http.Request) reply {
	t.Helper()
	response, err := shared.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: response.StatusCode, header: response.Header, raw: string(raw)}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			t.Fatalf("%s answers no JSON: %v", request.URL.Path, err)
		}
	}
	return r
}

// userinfo asks for the claims of the person.
func userinfo(t *testing.T, accessToken string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, shared.endpoint(t, "userinfo_endpoint"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	return send(t, r)
}
