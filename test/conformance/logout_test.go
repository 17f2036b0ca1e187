package conformance_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/net/html"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
)

// leave sends the browser to the end session endpoint.
func (p *party) leave(fields ...string) *providertest.Page {
	p.t.Helper()
	q := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		q.Set(fields[i], fields[i+1])
	}
	return p.browser.Get(shared.endpoint(p.t, "end_session_endpoint") + "?" + q.Encode())
}

// gone checks whether the session is over: a request that may not ask anybody anything gets an error.
func (p *party) gone(wanted bool) {
	p.t.Helper()
	got := p.answer(p.open("prompt", "none")).Get("error")
	if (got == "login_required") != wanted {
		p.t.Errorf("after the logout a silent request gets error %q", got)
	}
}

// back checks that the browser was sent to the post-logout redirect URI with nothing but state.
func (p *party) back(page *providertest.Page, state string) {
	p.t.Helper()
	if page.Callback == nil {
		p.t.Fatalf("the browser is not sent back but shows %s with status %d:\n%s", page.URL, page.Status, page.Body)
	}
	wanted := p.app.PostLogoutRedirectURIs[0]
	if state != "" {
		wanted += "?" + url.Values{"state": {state}}.Encode()
	}
	if got := page.Callback.String(); got != wanted {
		p.t.Errorf("the browser is sent to %s", got)
	}
}

// stays checks that the browser was sent nowhere, but shown a page.
func (p *party) stays(page *providertest.Page, status int) {
	p.t.Helper()
	if page.Callback != nil || page.Status != status {
		p.t.Errorf("answers %d, callback %v", page.Status, page.Callback)
	}
	if continueTo(page) != "" {
		p.t.Errorf("the page leads to %s", continueTo(page))
	}
}

// OpenID Connect RP-Initiated Logout sections 2 to 4, by the modules of the Foundation's plan.
func TestRPInitiatedLogout(t *testing.T) {
	t.Parallel()
	const state = "xyz+&=%20 ä"
	uri := shared.apps["oidf-1"].PostLogoutRedirectURIs[0]
	for name, module := range map[string]func(*testing.T, *party, tokens){
		"valid": func(_ *testing.T, p *party, got tokens) {
			p.back(p.leave("id_token_hint", got.id, "post_logout_redirect_uri", uri, "state", state), state)
			p.gone(true)
		},
		"valid, by post": func(t *testing.T, p *party, got tokens) {
			form := url.Values{"id_token_hint": {got.id}, "post_logout_redirect_uri": {uri}, "state": {state}}
			p.back(p.browser.Do(newForm(t, shared.endpoint(t, "end_session_endpoint"), form)), state)
			p.gone(true)
		},
		"long state": func(_ *testing.T, p *party, got tokens) {
			long := strings.Repeat("0123456789abcdef", 8)
			p.back(p.leave("id_token_hint", got.id, "post_logout_redirect_uri", uri, "state", long), long)
		},
		"no state": func(_ *testing.T, p *party, got tokens) {
			p.back(p.leave("id_token_hint", got.id, "post_logout_redirect_uri", uri), "")
			p.gone(true)
		},
		"unknown parameter and locales": func(_ *testing.T, p *party, got tokens) {
			p.back(p.leave("id_token_hint", got.id, "post_logout_redirect_uri", uri, "ui_locales", "se de", "logout_hint", username, "extra", "1"), "")
		},
		"no parameters": func(_ *testing.T, p *party, _ tokens) { p.confirm(p.leave()); p.gone(true) },
		"only state":    func(_ *testing.T, p *party, _ tokens) { p.confirm(p.leave("state", state)); p.gone(true) },
		"no redirect": func(_ *testing.T, p *party, got tokens) {
			p.stays(p.leave("id_token_hint", got.id, "state", state), http.StatusOK)
			p.gone(true)
		},
		"no hint": func(_ *testing.T, p *party, _ tokens) {
			// Nobody says whose the URI is: the person is asked, and goes nowhere.
			p.confirm(p.leave("post_logout_redirect_uri", uri, "state", state))
			p.gone(true)
		},
		"client_id and no hint": func(_ *testing.T, p *party, _ tokens) {
			// Nobody is logged out unasked; whoever agrees goes back to the application.
			page := p.leave("client_id", p.app.ClientID, "post_logout_redirect_uri", uri, "state", state)
			p.stays(page, http.StatusOK)
			p.gone(false)
			p.back(p.browser.Submit(page, nil), state)
			p.gone(true)
		},
		"client_id of another client": func(_ *testing.T, p *party, got tokens) {
			p.stays(p.leave("id_token_hint", got.id, "client_id", "oidf-2", "post_logout_redirect_uri", uri), http.StatusBadRequest)
			p.gone(false)
		},
		"bad hint": func(_ *testing.T, p *party, _ tokens) {
			p.stays(p.leave("id_token_hint", "fake", "post_logout_redirect_uri", uri, "state", state), http.StatusBadRequest)
			p.gone(false)
		},
		"hint with alg none": func(_ *testing.T, p *party, got tokens) {
			p.stays(p.leave("id_token_hint", withoutSignature(got.id), "post_logout_redirect_uri", uri, "state", state), http.StatusBadRequest)
			p.gone(false)
		},
		"hint signed by somebody else": func(t *testing.T, p *party, got tokens) {
			// One whose key nobody knows may be of a key that is gone by now: it proves nothing, and the person is asked.
			forged := sign(t, signerKey(), nil, got.claims)
			page := p.leave("id_token_hint", forged, "post_logout_redirect_uri", uri, "state", state)
			p.stays(page, page.Status)
			p.gone(false)
			if page.Form == nil {
				t.Fatalf("nobody is asked:\n%s", page.Body)
			}
			p.stays(p.browser.Submit(page, nil), http.StatusOK)
			p.gone(true)
		},
		"hint signed by somebody else with a kid of ours": func(t *testing.T, p *party, got tokens) {
			header, _ := verify(t, got.id)
			forged := sign(t, signerKey(), map[jose.HeaderKey]any{"kid": header.KeyID}, got.claims)
			p.stays(p.leave("id_token_hint", forged, "post_logout_redirect_uri", uri, "state", state), http.StatusBadRequest)
			p.gone(false)
		},
		"bad redirect": func(_ *testing.T, p *party, got tokens) {
			p.stays(p.leave("id_token_hint", got.id, "post_logout_redirect_uri", "https://attacker.example.com/", "state", state), http.StatusBadRequest)
		},
		"query added to redirect": func(_ *testing.T, p *party, got tokens) {
			p.stays(p.leave("id_token_hint", got.id, "post_logout_redirect_uri", uri+"?foo=bar", "state", state), http.StatusBadRequest)
		},
		"parameter twice": func(_ *testing.T, p *party, got tokens) {
			q := url.Values{"id_token_hint": {got.id}, "post_logout_redirect_uri": {uri, "https://attacker.example.com/"}}
			p.stays(p.browser.Get(shared.endpoint(p.t, "end_session_endpoint")+"?"+q.Encode()), http.StatusBadRequest)
		},
		"hint of an earlier session": func(_ *testing.T, p *party, got tokens) {
			// The application of an earlier login asks; the person of this one decides.
			p.login("prompt", "login")
			page := p.leave("id_token_hint", got.id, "post_logout_redirect_uri", uri)
			if page.Callback != nil {
				p.gone(true) // it was the same session, continued
				return
			}
			p.back(p.browser.Submit(page, nil), "")
		},
		"already logged out": func(_ *testing.T, p *party, got tokens) {
			p.leave("id_token_hint", got.id)
			p.back(p.leave("id_token_hint", got.id, "post_logout_redirect_uri", uri, "state", state), state)
		},
		"tokens of the session end": testTokensEnd,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, "oidf-1")
			module(t, p, p.login())
		})
	}
}

// confirm checks that the person is asked, who then says yes and is told that they are logged out.
func (p *party) confirm(page *providertest.Page) {
	p.t.Helper()
	p.stays(page, http.StatusOK)
	if page.Form == nil {
		p.t.Fatalf("nobody is asked:\n%s", page.Body)
	}
	p.gone(false)
	p.stays(p.browser.Submit(page, nil), http.StatusOK)
}

// A person's logout ends access tokens of the session; a refresh token for offline_access outlives it (OpenID Connect Core
// section 11).
func testTokensEnd(t *testing.T, p *party, got tokens) {
	offline := p.offline()
	p.leave("id_token_hint", offline.id, "post_logout_redirect_uri", p.app.PostLogoutRedirectURIs[0])
	userinfo(t, got.access).fails(t, http.StatusUnauthorized, "invalid_token")
	p.refreshed(offline, p.refresh(offline.refresh))
}

// element returns the first element with this name and, where one is given, this attribute.
func element(page *providertest.Page, name, attribute, value string) map[string]string {
	// Without scripts, so that what is for such browsers (noscript) is there.
	root, err := html.ParseWithOptions(strings.NewReader(page.Body), html.ParseOptionEnableScripting(false))
	if err != nil {
		return nil
	}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode || node.Data != name {
			continue
		}
		found := map[string]string{}
		for _, a := range node.Attr {
			found[a.Key] = a.Val
		}
		if attribute == "" || found[attribute] == value {
			return found
		}
	}
	return nil
}

// continueTo returns where a page goes by itself after a while.
func continueTo(page *providertest.Page) string {
	_, target, _ := strings.Cut(element(page, "meta", "http-equiv", "refresh")["content"], "url=")
	return target
}

// OpenID Connect Front-Channel Logout sections 2 and 3: the browser loads a page of every client of the session, with iss
// and sid, and goes on.
func TestFrontChannelLogout(t *testing.T) {
	t.Parallel()
	p := newParty(t, "oidf-frontchannel")
	got := p.login()
	uri, state := p.app.PostLogoutRedirectURIs[0], "state-of-the-logout"
	page := p.leave("id_token_hint", got.id, "post_logout_redirect_uri", uri, "state", state)
	if page.Status != http.StatusOK || page.Callback != nil {
		t.Fatalf("answers %d, callback %v", page.Status, page.Callback)
	}
	source, err := url.Parse(element(page, "iframe", "", "")["src"])
	if err != nil {
		t.Fatal(err)
	}
	q := source.Query()
	source.RawQuery = ""
	if source.String() != p.app.FrontchannelLogoutURI || q.Get("iss") != shared.issuer || q.Get("sid") != got.claims["sid"] || len(q) != 2 {
		t.Errorf("the frame is %s with %v", source, q)
	}
	if target := continueTo(page); target != uri+"?state="+state {
		t.Errorf("the page goes on to %q", target)
	}
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-src "+shared.site.server.URL) {
		t.Errorf("the policy %q does not let the frame load", csp)
	}
	p.gone(true)
}

// OpenID Connect Back-Channel Logout sections 2.4 to 2.6: the client's server is told by a signed token.
func TestBackChannelLogout(t *testing.T) {
	t.Parallel()
	p := newParty(t, "oidf-backchannel")
	got := p.login()
	// Another client of the session asks for the logout: it reaches this one all the same.
	other := p.as("oidf-1")
	hint := other.login()
	if hint.claims["sid"] != got.claims["sid"] {
		t.Errorf("one session is called %v and %v", got.claims["sid"], hint.claims["sid"])
	}
	other.back(other.leave("id_token_hint", hint.id, "post_logout_redirect_uri", other.app.PostLogoutRedirectURIs[0], "state", "s"), "s")
	told := shared.site.await(t, func(n notice) bool {
		return strings.HasSuffix(n.path, "/backchannel_logout") && tokenSays(t, n, "sid") == got.claims["sid"]
	})
	if len(told.form) != 1 || told.contentType != "application/x-www-form-urlencoded" {
		t.Errorf("%s is sent as %s", told.form, told.contentType)
	}
	header, claims := verify(t, told.form.Get("logout_token"))
	if kind := header.ExtraHeaders["typ"]; kind != "logout+jwt" || header.Algorithm != "RS256" {
		t.Errorf("typ is %v, alg %s", kind, header.Algorithm)
	}
	if claims["iss"] != shared.issuer || claims["aud"] != p.app.ClientID || claims["sub"] != got.claims["sub"] || claims["sid"] != got.claims["sid"] {
		t.Errorf("the claims are %v", claims)
	}
	now := time.Now().Unix()
	iat, exp := seconds(t, claims, "iat"), seconds(t, claims, "exp")
	if iat > now+1 || iat < now-60 || exp <= now || exp > iat+120 {
		t.Errorf("iat is %d, exp is %d", iat, exp)
	}
	events, _ := claims["events"].(map[string]any)
	event, isObject := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	if len(events) != 1 || !isObject || len(event) != 0 {
		t.Errorf("events is %v", claims["events"])
	}
	if id, _ := claims["jti"].(string); id == "" {
		t.Error("there is no jti")
	}
	if _, there := claims["nonce"]; there {
		t.Error("there is a nonce")
	}
	p.gone(true)
}

// tokenSays returns a claim of a logout token.
func tokenSays(t *testing.T, n notice, claim string) any {
	t.Helper()
	_, claims := verify(t, n.form.Get("logout_token"))
	return claims[claim]
}
