package conformance_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// device begins a login on a device without a browser (RFC 8628 section 3.1) and checks the answer (section 3.2).
func (p *party) device(fields ...string) reply {
	p.t.Helper()
	r := p.post("device_authorization_endpoint", fields...)
	if r.status != http.StatusOK {
		p.t.Fatalf("answers %d %s", r.status, r.raw)
	}
	r.checkJSON(p.t)
	for _, name := range []string{"device_code", "user_code", "verification_uri"} {
		if r.text(name) == "" {
			p.t.Errorf("%s is missing", name)
		}
	}
	if lifetime, _ := r.body["expires_in"].(float64); lifetime < 60 {
		p.t.Errorf("expires_in is %v", r.body["expires_in"])
	}
	if !strings.HasPrefix(r.text("verification_uri"), shared.issuer) || strings.Contains(r.text("verification_uri"), r.text("user_code")) {
		p.t.Errorf("verification_uri is %s", r.text("verification_uri"))
	}
	if complete := r.text("verification_uri_complete"); complete != "" && !strings.Contains(complete, url.QueryEscape(r.text("user_code"))) {
		p.t.Errorf("verification_uri_complete is %s", complete)
	}
	return r
}

// poll asks for the tokens (section 3.4), as soon as that is polite.
func (p *party) poll(begun reply) reply {
	p.t.Helper()
	interval, _ := begun.body["interval"].(float64)
	if interval == 0 {
		interval = 5 // section 3.2
	}
	time.Sleep(time.Duration(interval)*time.Second + 100*time.Millisecond)
	return p.token("grant_type", registration.GrantDeviceCode, "device_code", begun.text("device_code"))
}

// decide goes through the pages of the person until there is none left to fill in.
func (p *party) decide(target, userCode, decision string) *providertest.Page {
	p.t.Helper()
	page := p.browser.Get(target)
	for range 6 {
		var fields url.Values
		switch {
		case page.Status != http.StatusOK || page.Form == nil:
			return page
		case page.Asks("password"):
			fields = url.Values{"username": {username}, "password": {password}}
		case page.Asks("decision"):
			fields = url.Values{"decision": {decision}}
		case page.Asks("user_code"):
			fields = url.Values{"user_code": {userCode}}
		default:
			return page
		}
		page = p.browser.Submit(page, fields)
	}
	p.t.Fatalf("the pages go in circles at %s:\n%s", page.URL, page.Body)
	return nil
}

// RFC 8628: a login on a device without a browser.
func TestDeviceFlow(t *testing.T) {
	t.Parallel()
	for name, module := range map[string]func(*testing.T, *party){
		"agreed": func(t *testing.T, p *party) {
			begun := p.device("scope", "openid email offline_access")
			p.token("grant_type", registration.GrantDeviceCode, "device_code", begun.text("device_code")).
				fails(t, http.StatusBadRequest, "authorization_pending")
			p.decide(begun.text("verification_uri"), strings.ToLower(begun.text("user_code")), "allow")
			got := p.redeemed(p.poll(begun))
			if got.claims["email"] == nil && userinfo(t, got.access).text("email") == "" {
				t.Error("there is no e-mail address")
			}
			if got.refresh != "" {
				p.refreshed(got, p.refresh(got.refresh))
			}
			p.poll(begun).fails(t, http.StatusBadRequest, "invalid_grant", "expired_token")
		},
		"agreed, with the code in the address": func(_ *testing.T, p *party) {
			begun := p.device("scope", "openid")
			if target := begun.text("verification_uri_complete"); target != "" {
				p.decide(target, begun.text("user_code"), "allow")
				p.redeemed(p.poll(begun))
			}
		},
		"denied": func(t *testing.T, p *party) {
			begun := p.device("scope", "openid")
			p.decide(begun.text("verification_uri"), begun.text("user_code"), "deny")
			p.poll(begun).fails(t, http.StatusBadRequest, "access_denied")
		},
		"asked too often": func(t *testing.T, p *party) {
			begun := p.device("scope", "openid")
			once := func() reply {
				return p.token("grant_type", registration.GrantDeviceCode, "device_code", begun.text("device_code"))
			}
			once().fails(t, http.StatusBadRequest, "authorization_pending")
			once().fails(t, http.StatusBadRequest, "slow_down")
		},
		"device code of another client": func(t *testing.T, p *party) {
			begun := p.device("scope", "openid")
			p.decide(begun.text("verification_uri"), begun.text("user_code"), "allow")
			p.as("node").token("grant_type", registration.GrantDeviceCode, "device_code", begun.text("device_code")).
				fails(t, http.StatusBadRequest, "invalid_grant")
		},
		"unknown device code": func(t *testing.T, p *party) {
			p.token("grant_type", registration.GrantDeviceCode, "device_code", "nothing").fails(t, http.StatusBadRequest, "invalid_grant", "expired_token")
		},
		"client that may not": func(t *testing.T, p *party) {
			p.as("oidf-1").post("device_authorization_endpoint", "scope", "openid").fails(t, http.StatusBadRequest, "unauthorized_client")
		},
		"unknown client": func(t *testing.T, _ *party) {
			send(t, newForm(t, shared.endpoint(t, "device_authorization_endpoint"), url.Values{"client_id": {"nobody"}})).
				fails(t, http.StatusUnauthorized, "invalid_client")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module(t, newParty(t, "television"))
		})
	}
}
