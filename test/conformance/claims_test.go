package conformance_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// scopeClaims are the claims that OpenID Connect Core section 5.4 gives to a scope.
func scopeClaims() map[string][]string {
	return map[string][]string{
		"profile": {
			"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender",
			"birthdate", "zoneinfo", "locale", "updated_at",
		},
		"email":   {"email", "email_verified"},
		"address": {"address"},
		"phone":   {"phone_number", "phone_number_verified"},
	}
}

// OpenID Connect Core section 5.4: userinfo has the claims of the granted scopes, and no others.
func TestBasicScopes(t *testing.T) {
	t.Parallel()
	modules := map[string]func(*testing.T, *party){}
	for name, scope := range map[string]string{
		"scope openid": "openid", "scope profile": "openid profile", "scope email": "openid email", "scope address": "openid address",
		"scope phone": "openid phone", "all scopes": "openid address email phone profile", "another order of scopes": "email openid",
	} {
		modules[name] = func(t *testing.T, p *party) {
			t.Helper()
			got := p.login("scope", scope)
			claims := userinfo(t, got.access)
			if claims.status != http.StatusOK || claims.text("sub") != got.claims["sub"] {
				t.Fatalf("userinfo answers %d %s", claims.status, claims.raw)
			}
			claims.checkJSON(t)
			checkClaims(t, claims.body, strings.Fields(scope))
		}
	}
	inBothModes(t, modules)
}

func checkClaims(t *testing.T, claims map[string]any, scopes []string) {
	t.Helper()
	wanted := map[string]bool{"sub": true}
	for _, scope := range scopes {
		for _, name := range scopeClaims()[scope] {
			wanted[name] = true
			if claims[name] == nil {
				t.Errorf("the claim %s is missing", name)
			}
		}
	}
	for name, value := range claims {
		if !wanted[name] {
			t.Errorf("the claim %s was not asked for", name)
		}
		checkClaimType(t, name, value)
	}
}

// checkClaimType checks a claim against the table of OpenID Connect Core section 5.1.
func checkClaimType(t *testing.T, name string, value any) {
	t.Helper()
	ok := false
	switch name {
	case "email_verified", "phone_number_verified":
		_, ok = value.(bool)
	case "updated_at":
		var number float64
		number, ok = value.(float64)
		ok = ok && number == float64(int64(number))
	case "address":
		var members map[string]any
		members, ok = value.(map[string]any)
		for _, member := range []string{"formatted", "street_address", "locality", "region", "postal_code", "country"} {
			text, isText := members[member].(string)
			ok = ok && isText && text != ""
		}
	default:
		var text string
		text, ok = value.(string)
		ok = ok && text != ""
	}
	if !ok {
		t.Errorf("the claim %s is %v", name, value)
	}
}

// OpenID Connect Core section 5.5: claims that are requested one by one.
func TestBasicClaimsParameter(t *testing.T) {
	t.Parallel()
	inBothModes(t, map[string]func(*testing.T, *party){
		"essential name in userinfo": func(t *testing.T, p *party) {
			got := p.login("claims", `{"userinfo":{"name":{"essential":true}}}`)
			if userinfo(t, got.access).text("name") == "" {
				t.Error("name is not in userinfo")
			}
			if got.claims["name"] != nil {
				t.Error("name is in the ID token")
			}
		},
		"essential name in the ID token": func(t *testing.T, p *party) {
			got := p.login("claims", `{"id_token":{"name":{"essential":true}}}`)
			if got.claims["name"] == nil {
				t.Error("name is not in the ID token")
			}
			if userinfo(t, got.access).text("name") != "" {
				t.Error("name is in userinfo")
			}
		},
		"essential auth_time": func(t *testing.T, p *party) {
			if p.login("claims", `{"id_token":{"auth_time":{"essential":true}}}`).claims["auth_time"] == nil {
				t.Error("auth_time is not there")
			}
		},
		"unknown claim": func(_ *testing.T, p *party) {
			p.login("claims", `{"userinfo":{"shoe_size":null,"name#de":null},"else":1}`)
		},
		"sub of somebody else": func(_ *testing.T, p *party) {
			p.login()
			p.fails(p.open("prompt", "none", "claims", `{"id_token":{"sub":{"value":"somebody-else"}}}`), "login_required", "access_denied", "invalid_request")
		},
		"acr that cannot be": func(_ *testing.T, p *party) {
			page := p.open("claims", `{"id_token":{"acr":{"essential":true,"values":["gold"]}}}`)
			p.fails(page, "unmet_authentication_requirements", "access_denied", "invalid_request")
		},
		"no JSON": func(_ *testing.T, p *party) { p.fails(p.open("claims", `{"userinfo":`), "invalid_request") },
	})
}

// OpenID Connect Core section 5.3.1 and RFC 6750 section 2: the ways to send an access token, and section 3: the refusals.
func TestUserinfo(t *testing.T) {
	t.Parallel()
	token := newParty(t, "oidf-1").login("scope", "openid email").access
	target := shared.endpoint(t, "userinfo_endpoint")
	request := func(method, query, body, authorization string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, target+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		return r
	}
	inForm := url.Values{"access_token": {token}}.Encode()
	for name, c := range map[string]struct {
		request *http.Request
		status  int
		code    string
	}{
		"get":                          {request(http.MethodGet, "", "", "Bearer "+token), http.StatusOK, ""},
		"get, scheme in lower case":    {request(http.MethodGet, "", "", "bearer "+token), http.StatusOK, ""},
		"post, header":                 {request(http.MethodPost, "", "", "Bearer "+token), http.StatusOK, ""},
		"post, body":                   {request(http.MethodPost, "", inForm, ""), http.StatusOK, ""},
		"query":                        {request(http.MethodGet, "?"+inForm, "", ""), http.StatusUnauthorized, ""},
		"header and body":              {request(http.MethodPost, "", inForm, "Bearer "+token), http.StatusBadRequest, "invalid_request"},
		"no token":                     {request(http.MethodGet, "", "", ""), http.StatusUnauthorized, ""},
		"token that is unknown":        {request(http.MethodGet, "", "", "Bearer nothing"), http.StatusUnauthorized, "invalid_token"},
		"token with a letter changed":  {request(http.MethodGet, "", "", "Bearer "+token+"A"), http.StatusUnauthorized, "invalid_token"},
		"client secret for a token":    {request(http.MethodGet, "", "", "Basic b2lkZjpvaWRm"), http.StatusUnauthorized, ""},
		"get with the token in a body": {request(http.MethodGet, "", inForm, ""), http.StatusUnauthorized, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := send(t, c.request)
			if r.status != c.status {
				t.Fatalf("answers %d %s", r.status, r.raw)
			}
			challenge := r.header.Get("WWW-Authenticate")
			switch {
			case c.status == http.StatusOK:
				r.checkJSON(t)
				if r.text("email") == "" || r.text("sub") == "" {
					t.Errorf("answers %s", r.raw)
				}
			case !strings.HasPrefix(challenge, "Bearer "):
				t.Errorf("the challenge is %q", challenge)
			case c.code != "" && !strings.Contains(challenge, `error="`+c.code+`"`):
				t.Errorf("the challenge is %q", challenge)
			case c.code == "" && strings.Contains(challenge, "error="):
				// RFC 6750 section 3.1: nothing is said of an error to somebody who has sent no token.
				t.Errorf("the challenge is %q", challenge)
			}
		})
	}
}

// OpenID Connect Core section 5.3.2: userinfo is a signed token for a client that is registered for it.
func TestUserinfoSigned(t *testing.T) {
	t.Parallel()
	p := newParty(t, "es256")
	got := p.login("scope", "openid email")
	r := userinfo(t, got.access)
	if kind := r.header.Get("Content-Type"); r.status != http.StatusOK || kind != "application/jwt" {
		t.Fatalf("answers %d %s: %s", r.status, kind, r.raw)
	}
	header, claims := verify(t, r.raw)
	if header.Algorithm != "ES256" || claims["iss"] != shared.issuer || claims["aud"] != p.app.ClientID || claims["sub"] != got.claims["sub"] || claims["email"] == nil {
		t.Errorf("%s signs %v", header.Algorithm, claims)
	}
}
