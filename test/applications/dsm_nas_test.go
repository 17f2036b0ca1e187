package applications_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
)

// dsmForm is what somebody has entered in the form of DSM's SSO client. Its labels are the keys.
type dsmForm struct {
	Profile           string
	AccountType       string `json:"Account type"`
	Name              string
	WellKnownURL      string `json:"Well-known URL"`
	ApplicationID     string `json:"Application ID"`
	ApplicationSecret string `json:"Application secret"`
	RedirectURI       string `json:"Redirect URI"`
	Scope             string `json:"Authorization scope"`
	UsernameClaim     string `json:"Username claim"`
}

// nas is shaped like Synology DSM as a relying party, with its habits: a popup of 500×600 that tells its opener how it went, a
// state of 64 hexadecimal digits, neither PKCE nor nonce, two discovery requests for each login, the secret in the form,
// RSA signatures only, an origin as redirect URI, and the name of the account from userinfo.
type nas struct {
	t *testing.T
	// urls are its addresses, as the browser shows them.
	urls []string
	// accounts are those that exist on it.
	accounts []string

	mu sync.Mutex
	// forms are the settings; which one counts is decided by the address that it was opened at.
	forms []dsmForm
	// states are those of logins that have begun.
	states map[string]bool
	// discoveries counts the answers of the well-known URL.
	discoveries int
}

// newNAS starts a NAS with several addresses and these accounts. It is not configured yet.
func newNAS(t *testing.T, addresses int, accounts ...string) *nas {
	t.Helper()
	n := &nas{t: t, accounts: accounts, states: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", n.servePage)
	mux.HandleFunc("GET /sso/begin", n.serveBegin)
	mux.HandleFunc("POST /sso/login", n.serveLogin)
	for range addresses {
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		_, port, err := net.SplitHostPort(server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		// Another site than the provider's.
		n.urls = append(n.urls, "http://localhost:"+port)
	}
	return n
}

// configure enters what stands in the Secret, changed by edit.
func (n *nas) configure(credentials map[string][]byte, edit ...func(*dsmForm)) {
	n.t.Helper()
	var forms []dsmForm
	if err := json.Unmarshal(credentials["dsm-sso-client.json"], &forms); err != nil {
		n.t.Fatalf("dsm-sso-client.json: %v", err)
	}
	for i := range forms {
		for _, e := range edit {
			e(&forms[i])
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.forms = forms
}

// form returns the settings for the address of a request.
func (n *nas) form(r *http.Request) (dsmForm, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.forms {
		if u, err := url.Parse(f.RedirectURI); err == nil && u.Host == r.Host {
			return f, nil
		}
	}
	return dsmForm{}, fmt.Errorf("there are no settings for %s", r.Host)
}

// nasPage is the login page. As DSM's, it is also where the popup comes back to.
const nasPage = `<!doctype html><title>NAS</title><link rel=icon href="data:,">
<button id=sso>Sign in with %s</button><p id=result></p>
<script>
const answer = new URLSearchParams(location.search);
if (window.opener && (answer.has('code') || answer.has('error'))) {
	window.opener.postMessage(location.search, location.origin);
	window.close();
}
document.getElementById('sso').onclick = () => {
	document.getElementById('result').textContent = '';
	window.open('/sso/begin', 'sso', 'width=500,height=600');
};
window.onmessage = async event => {
	if (event.origin !== location.origin) return;
	const response = await fetch('/sso/login' + event.data, {method: 'POST'});
	document.getElementById('result').textContent = await response.text();
};
</script>`

func (n *nas) servePage(w http.ResponseWriter, r *http.Request) {
	form, err := n.form(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, nasPage, form.Name) // to a browser of ours
}

// serveBegin sends the popup to the provider.
func (n *nas) serveBegin(w http.ResponseWriter, r *http.Request) {
	form, err := n.form(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	metadata, err := n.discover(r.Context(), form)
	if err != nil {
		http.Error(w, "SSO is not configured properly: "+err.Error(), http.StatusBadGateway)
		return
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	state := hex.EncodeToString(random)
	n.mu.Lock()
	n.states[state] = true
	n.mu.Unlock()
	query := url.Values{
		"response_type": {"code"}, "client_id": {form.ApplicationID}, "redirect_uri": {form.RedirectURI}, "scope": {form.Scope}, "state": {state},
	}
	http.Redirect(w, r, metadata.Authorization+"?"+query.Encode(), http.StatusFound)
}

// serveLogin is what the opener of the popup asks when it has got the answer.
func (n *nas) serveLogin(w http.ResponseWriter, r *http.Request) {
	account, err := n.logIn(r)
	if err != nil {
		http.Error(w, "Login failed: "+err.Error(), http.StatusForbidden)
		return
	}
	_, _ = io.WriteString(w, "Logged in as "+account) // to a browser of ours
}

func (n *nas) logIn(r *http.Request) (account string, err error) {
	form, err := n.form(r)
	if err != nil {
		return "", err
	}
	q := r.URL.Query()
	if code := q.Get("error"); code != "" {
		return "", errors.New(code)
	}
	if !n.takeState(q.Get("state")) {
		return "", errors.New("unknown state")
	}
	metadata, err := n.discover(r.Context(), form)
	if err != nil {
		return "", err
	}
	tokens, err := n.exchange(r.Context(), form, metadata, q.Get("code"))
	if err != nil {
		return "", err
	}
	ctx := oidc.ClientContext(r.Context(), shared.authority.client)
	verifier := oidc.NewVerifier(metadata.Issuer, oidc.NewRemoteKeySet(ctx, metadata.JWKS), &oidc.Config{
		ClientID: form.ApplicationID, SupportedSigningAlgs: []string{oidc.RS256, oidc.RS384, oidc.RS512},
	})
	idToken, err := verifier.Verify(ctx, tokens.IDToken)
	if err != nil {
		return "", err
	}
	if idToken.Nonce != "" {
		return "", errors.New("a nonce that nobody has sent")
	}
	claims, err := n.userinfo(ctx, metadata, tokens.AccessToken)
	if err != nil {
		return "", err
	}
	name, _ := claims[form.UsernameClaim].(string)
	if claims["sub"] != idToken.Subject || !slices.Contains(n.accounts, name) {
		return "", fmt.Errorf("there is no account %q", name)
	}
	return name, nil
}

func (n *nas) takeState(state string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := n.states[state]
	delete(n.states, state)
	return known
}

// nasMetadata is what a NAS looks up in the discovery document.
type nasMetadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Userinfo      string `json:"userinfo_endpoint"`
	JWKS          string `json:"jwks_uri"`
}

func (n *nas) discover(ctx context.Context, form dsmForm) (m nasMetadata, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, form.WellKnownURL, http.NoBody)
	if err != nil {
		return m, err
	}
	if err := askJSON(request, &m); err != nil {
		return m, fmt.Errorf("the well-known URL does not answer: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.discoveries++
	return m, nil
}

// nasTokens are what a NAS takes from the token endpoint.
type nasTokens struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
}

func (n *nas) exchange(ctx context.Context, form dsmForm, metadata nasMetadata, code string) (tokens nasTokens, err error) {
	body := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {form.RedirectURI},
		"client_id": {form.ApplicationID}, "client_secret": {form.ApplicationSecret},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, metadata.Token, strings.NewReader(body.Encode()))
	if err != nil {
		return tokens, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return tokens, askJSON(request, &tokens)
}

func (n *nas) userinfo(ctx context.Context, metadata nasMetadata, accessToken string) (claims map[string]any, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, metadata.Userinfo, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	return claims, askJSON(request, &claims)
}

// askJSON sends a request whose answer must be plain JSON. Of another answer it returns the OAuth error.
func askJSON(request *http.Request, out any) error {
	response, err := shared.authority.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if contentType := response.Header.Get("Content-Type"); !strings.HasPrefix(contentType, "application/json") {
		return fmt.Errorf("status %d with %s", response.StatusCode, contentType)
	}
	if response.StatusCode != http.StatusOK {
		var fault struct{ Error string }
		if err := json.NewDecoder(response.Body).Decode(&fault); err != nil {
			return err
		}
		return errors.New(fault.Error)
	}
	return json.NewDecoder(response.Body).Decode(out)
}
