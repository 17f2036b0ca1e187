package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
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

// RFC 6750 2 and 2.2, OpenID Connect Core 5.3.1: the token in a posted form, and in one way only.
func TestUserinfoByForm(t *testing.T) {
	issuer, _ := newIssuer(t)
	token := exchange(t, issuer, newCode(t, issuer)).text("access_token")
	for name, c := range map[string]struct {
		method string
		query  string
		form   url.Values
		header []string
		status int
		err    string
	}{
		"in the form":                      {"POST", "", url.Values{"access_token": {token}}, nil, 200, ""},
		"in the form, not good":            {"POST", "", url.Values{"access_token": {"AAAA"}}, nil, 401, "invalid_token"},
		"in the form, twice":               {"POST", "", url.Values{"access_token": {token, token}}, nil, 400, "invalid_request"},
		"in form and header":               {"POST", "", url.Values{"access_token": {token}}, []string{"Authorization", "Bearer " + token}, 400, "invalid_request"},
		"in query and header":              {"GET", "?access_token=" + token, nil, []string{"Authorization", "Bearer " + token}, 400, "invalid_request"},
		"in query and form":                {"POST", "?access_token=" + token, url.Values{"access_token": {token}}, nil, 400, "invalid_request"},
		"in the body of a GET":             {"GET", "", url.Values{"access_token": {token}}, nil, 401, "invalid_token"},
		"in a body of another type":        {"POST", "", url.Values{"access_token": {token}}, []string{"Content-Type", "text/plain"}, 401, "invalid_token"},
		"in the header, with another form": {"POST", "", url.Values{"a": {"b"}}, []string{"Authorization", "Bearer " + token}, 200, ""},
		"a form without it":                {"POST", "", url.Values{"a": {"b"}}, nil, 401, "invalid_token"},
		"a form that is too long":          {"POST", "", url.Values{"access_token": {strings.Repeat("A", 40<<10)}}, nil, 413, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, c.method, issuer.Endpoint(oidc.PathUserinfo)+c.query, c.form)
			for i := 0; i+1 < len(c.header); i += 2 {
				r.Header.Set(c.header[i], c.header[i+1])
			}
			if got := send(t, issuer, r); got.status != c.status || got.text("error") != c.err {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
}

// OpenID Connect Core 5.3.2: a client that is registered for it gets a JWT, by which it can prove who told it.
func TestSignedUserinfo(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithAlgorithms("ES256", "EdDSA"))
	client := appClient()
	client.UserinfoSignedResponseAlg = "EdDSA"
	app := issuer.AddClient(client)
	rp := newRelyingParty(t, issuer, app, "email")
	token, _ := rp.login()
	info, err := rp.provider.UserInfo(rp.ctx, rp.config.TokenSource(rp.ctx, token)) // which verifies the signature
	if err != nil {
		t.Fatal(err)
	}
	if info.Subject != "sub-ada" || info.Email != "ada@example.com" {
		t.Errorf("userinfo is %+v", info)
	}
	got := userinfo(t, issuer, token.AccessToken)
	if got.header.Get("Content-Type") != "application/jwt" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("answers with %v", got.header)
	}
	claims := decodeSegment(t, got.raw, 1)
	if claims["iss"] != issuer.URL || claims["aud"] != "app" || claims["sub"] != "sub-ada" || decodeSegment(t, got.raw, 0)["alg"] != "EdDSA" {
		t.Errorf("the claims are %v", claims)
	}
	client.UserinfoSignedResponseAlg = "RS256" // for which there is no key
	issuer.AddClient(client)
	if got := userinfo(t, issuer, token.AccessToken); got.status != http.StatusInternalServerError || got.text("error") != "server_error" {
		t.Errorf("without a key: %d %s", got.status, got.raw)
	}
}

// RFC 8707 2: a token for one resource is no good at another, and userinfo is another.
func TestUserinfoIsAResource(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := appClient()
	client.Resources = []string{"https://api.example.com", issuer.URL, issuer.Endpoint(oidc.PathUserinfo)}
	for _, format := range []string{registration.FormatOpaque, registration.FormatJWT} {
		client.AccessTokenFormat = format
		issuer.AddClient(client)
		for resource, want := range map[string]int{"": 200, client.Resources[0]: 401, client.Resources[1]: 200, client.Resources[2]: 200} {
			token := exchange(t, issuer, newCode(t, issuer), "resource", resource).text("access_token")
			if got := userinfo(t, issuer, token); got.status != want {
				t.Errorf("a token (%s) for %q answers %d", format, resource, got.status)
			}
		}
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
