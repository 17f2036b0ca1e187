package provider_test

import (
	"net/http"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
)

// Nothing of a person who was disabled comes back to life with them, also what nobody has tried to use meanwhile.
func TestDisabledPeopleLoseWhatTheyHad(t *testing.T) {
	audit := &stream{}
	issuer, _ := newIssuer(t, withAudit(audit))
	issuer.AddClient(refreshingClient())
	bob := ada()
	bob.Username, bob.Email = "bob", "bob@example.com"
	issuer.AddUser(bob, password)
	browser, other := loggedIn(t, issuer), issuer.NewBrowser(t)
	other.Authorize(authorizeURL(issuer), "bob", password)
	tokens := exchange(t, issuer, newCode(t, issuer, "scope", "openid offline_access"))
	disabled := ada()
	disabled.Disabled = true
	again := func() {
		issuer.AddUser(disabled, password)
		purge(t, issuer)
		issuer.AddUser(ada(), password)
		purge(t, issuer)
	}
	again()
	if isIn(issuer, browser) || !isIn(issuer, other) {
		t.Error("the session is alive again, or that of somebody else has ended")
	}
	if got := refreshed(t, issuer, tokens.text("refresh_token")); got.text("error") != "invalid_grant" {
		t.Errorf("the refresh token answers %d %s", got.status, got.raw)
	}
	if got := userinfo(t, issuer, tokens.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("the access token answers %d", got.status)
	}
	ended, revoked := audit.records(t, "session.ended"), audit.records(t, "grant.revoked")
	if len(ended) != 2 || ended[0]["reason"] != "disabled" || ended[0]["sub"] != "sub-ada" || len(revoked) != 1 ||
		revoked[0]["reason"] != "disabled" || revoked[0]["client_id"] != "app" || revoked[0]["grant_id"] == "" || revoked[0]["session_id"] == "" {
		t.Errorf("the records are %v, %v", ended, revoked)
	}
	browser = loggedIn(t, issuer)
	again()
	if isIn(issuer, browser) {
		t.Error("the second time, the session is alive again")
	}
}

func purge(t *testing.T, issuer *providertest.Issuer) {
	t.Helper()
	if _, err := issuer.Provider.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
}
