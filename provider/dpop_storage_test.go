package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// Anybody can make proofs. Only those of requests that come with something worth having are written down, each once.
func TestProofsOfStrangersAreNotStored(t *testing.T) {
	counting := &countingStore{}
	issuer, _ := newIssuer(t, withCounting(counting))
	public := refreshingClient()
	public.ClientID, public.TokenEndpointAuthMethod = "public", registration.AuthMethodNone
	public.GrantTypes = append(public.GrantTypes, registration.GrantDeviceCode)
	issuer.AddClient(public)
	key, stranger := newSigningKey(t, ""), newSigningKey(t, "")
	target := issuer.Endpoint(oidc.PathToken)
	form := func(pairs ...string) url.Values {
		f := url.Values{"client_id": {"public"}}
		for i := 0; i+1 < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		return f
	}
	newForm := func() url.Values {
		code := newCode(t, issuer, "client_id", "public", "scope", "openid offline_access", "code_challenge", challenge, "code_challenge_method", "S256")
		return form("grant_type", "authorization_code", "redirect_uri", callback, "code", code, "code_verifier", verifierOfChallenge)
	}
	code := newForm()
	tokens := proven(t, issuer, newForm(), key.proof(t, issuer, "POST", target, ""))
	if tokens.status != http.StatusOK {
		t.Fatalf("answers %d %s", tokens.status, tokens.raw)
	}
	refresh := tokens.text("refresh_token")
	wrong := func(f url.Values, name, value string) url.Values {
		all := url.Values{}
		for k, v := range f {
			all[k] = v
		}
		all.Set(name, value)
		return all
	}
	counting.reset()
	for name, f := range map[string]url.Values{
		"no code":                   form("grant_type", "authorization_code"),
		"an invented code":          wrong(code, "code", store.NewID(issuer.Clock.Now())+strings.Repeat("A", 43)),
		"a code with another end":   wrong(code, "code", code.Get("code")[:store.IDLength]+strings.Repeat("A", 43)),
		"a wrong verifier":          wrong(code, "code_verifier", strings.Repeat("a", 43)),
		"no refresh token":          form("grant_type", "refresh_token"),
		"an unreadable token":       form("grant_type", "refresh_token", "refresh_token", "nonsense"),
		"an invented refresh token": form("grant_type", "refresh_token", "refresh_token", refresh[:store.IDLength]+strings.Repeat("A", 64)),
		"an invented device code":   form("grant_type", registration.GrantDeviceCode, "device_code", "nonsense"),
		"an unknown client":         wrong(code, "client_id", "nobody"),
		"a wrong secret":            {"grant_type": {"authorization_code"}, "code": {"x"}, "client_id": {"app"}, "client_secret": {"wrong"}},
		"another grant type":        form("grant_type", "password"),
	} {
		if got := proven(t, issuer, f, stranger.proof(t, issuer, "POST", target, "")); got.status == http.StatusOK {
			t.Errorf("%s answers %s", name, got.raw)
		}
	}
	access := tokens.text("access_token")
	userinfoURL := issuer.Endpoint(oidc.PathUserinfo)
	atUserinfo(t, issuer, "DPoP", access, stranger.proof(t, issuer, "GET", userinfoURL, access))
	atUserinfo(t, issuer, "DPoP", "invented", stranger.proof(t, issuer, "GET", userinfoURL, "invented"))
	if n := counting.proofs.Load(); n != 0 {
		t.Errorf("%d proofs of strangers are stored", n)
	}
	proof := key.proof(t, issuer, "POST", target, "")
	if got := proven(t, issuer, code, proof); got.status != http.StatusOK {
		t.Fatalf("the code answers %d %s", got.status, got.raw)
	}
	if n := counting.proofs.Load(); n != 1 {
		t.Errorf("%d proofs are stored", n)
	}
	// Whoever has overheard the request and sends it again revokes nothing.
	if got := proven(t, issuer, code, proof); got.text("error") != "invalid_dpop_proof" {
		t.Errorf("the same request again: %d %s", got.status, got.raw)
	}
	if got := proven(t, issuer, form("grant_type", "refresh_token", "refresh_token", refresh), proof); got.text("error") != "invalid_dpop_proof" {
		t.Errorf("the proof with another grant: %d %s", got.status, got.raw)
	}
}
