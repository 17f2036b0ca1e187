package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
)

// RFC 6750 2.1 and 3: how a token is sent, and what a bad one gets.
func TestUserinfo(t *testing.T) {
	issuer, _ := newIssuer(t)
	token := exchange(t, issuer, newCode(t, issuer)).text("access_token")
	for name, c := range map[string]struct {
		method    string
		header    []string
		status    int
		challenge string
	}{
		"GET":                       {http.MethodGet, []string{"Bearer " + token}, 200, ""},
		"POST (OIDC Core 5.3.1)":    {http.MethodPost, []string{"Bearer " + token}, 200, ""},
		"lower case scheme":         {http.MethodGet, []string{"bearer " + token}, 200, ""},
		"no token (RFC 6750 3.1)":   {http.MethodGet, nil, 401, `Bearer realm="` + issuer.URL + `"`},
		"another scheme":            {http.MethodGet, []string{"Basic " + token}, 401, `Bearer realm="` + issuer.URL + `"`},
		"unknown token":             {http.MethodGet, []string{"Bearer AAAA"}, 401, `error="invalid_token"`},
		"empty token":               {http.MethodGet, []string{"Bearer "}, 400, `error="invalid_request"`},
		"two tokens (RFC 6750 3.1)": {http.MethodGet, []string{"Bearer " + token, "Bearer " + token}, 400, `error="invalid_request"`},
		"a token of 20 KB":          {http.MethodGet, []string{"Bearer " + strings.Repeat("A", 20<<10)}, 401, `error="invalid_token"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, c.method, issuer.Endpoint(oidc.PathUserinfo), nil)
			r.Header["Authorization"] = c.header
			got := send(t, issuer, r)
			challenge := got.header.Get("WWW-Authenticate")
			if got.status != c.status || !strings.Contains(challenge, c.challenge) || (c.challenge == "") != (challenge == "") {
				t.Errorf("answers %d with challenge %q", got.status, challenge)
			}
			if strings.HasSuffix(c.challenge, issuer.URL+`"`) && challenge != c.challenge {
				t.Errorf("without a token the challenge is %q", challenge)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("answers with %v", got.header)
			}
		})
	}
	if got := get(t, issuer, oidc.PathUserinfo+"?access_token="+token); got.status != http.StatusUnauthorized {
		t.Errorf("a token in the query answers %d (RFC 9700 4.3.2)", got.status)
	}
}

func TestTokensOfThoseWhoAreGone(t *testing.T) {
	for name, change := range map[string]func(issuer *providertest.Issuer){
		"the person is disabled": func(i *providertest.Issuer) { u := ada(); u.Disabled = true; i.AddUser(u, password) },
		"the person is deleted":  func(i *providertest.Issuer) { i.RemoveUser("ada") },
		"the client is disabled": func(i *providertest.Issuer) { a := appClient(); a.Disabled = true; i.AddClient(a) },
		"the client is deleted":  func(i *providertest.Issuer) { i.RemoveClient("app") },
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			token := exchange(t, issuer, newCode(t, issuer)).text("access_token")
			change(issuer)
			if got := userinfo(t, issuer, token); got.status != http.StatusUnauthorized {
				t.Errorf("answers %d", got.status)
			}
		})
	}
}
