package provider_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// What a person has authorized ends for good when an administrator gives them another password, disables or deletes them, and does not come
// back with them.
func TestGrantEndsWithItsPerson(t *testing.T) {
	disabled := ada()
	disabled.Disabled = true
	for name, c := range map[string]struct {
		end, undo func(issuer *providertest.Issuer)
		reason    string
	}{
		"another password": {
			func(i *providertest.Issuer) { i.AddUser(ada(), another) }, func(*providertest.Issuer) {}, "credential",
		},
		"disabled": {
			func(i *providertest.Issuer) { i.AddUser(disabled, password) }, func(i *providertest.Issuer) { i.AddUser(ada(), password) }, "disabled",
		},
		"gone": {func(i *providertest.Issuer) { i.RemoveUser("ada") }, func(i *providertest.Issuer) { i.AddUser(ada(), password) }, "gone"},
		"deleted and made anew": {
			func(i *providertest.Issuer) { i.RemoveUser("ada"); i.AddUser(ada(), another) }, func(*providertest.Issuer) {}, "credential",
		},
	} {
		t.Run(name, func(t *testing.T) {
			audit := &stream{}
			issuer, _ := newIssuer(t, withAudit(audit))
			issuer.AddClient(refreshingClient())
			unused := newCode(t, issuer, "scope", "openid offline_access")
			first := exchange(t, issuer, newCode(t, issuer, "scope", "openid offline_access"))
			grantID := first.text("refresh_token")[:store.IDLength]
			if got := introspected(t, issuer, first.text("refresh_token")); got.body["active"] != true {
				t.Fatalf("introspection answers %s", got.raw)
			}
			c.end(issuer)
			for _, token := range []string{first.text("refresh_token"), first.text("access_token")} {
				if got := introspected(t, issuer, token); got.body["active"] != false {
					t.Errorf("introspection answers %s", got.raw)
				}
			}
			if got := userinfo(t, issuer, first.text("access_token")); got.status != http.StatusUnauthorized {
				t.Errorf("userinfo answers %d %s", got.status, got.raw)
			}
			for what, got := range map[string]answer{"code": exchange(t, issuer, unused), "refresh token": refreshed(t, issuer, first.text("refresh_token"))} {
				if got.status != http.StatusBadRequest || got.text("error") != "invalid_grant" {
					t.Errorf("the %s answers %d %s", what, got.status, got.raw)
				}
			}
			if _, err := issuer.Store.Grant(t.Context(), grantID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the grant: %v", err)
			}
			records := audit.records(t, "grant.revoked")
			if len(records) != 2 {
				t.Fatalf("the records are %v", records)
			}
			for _, r := range records {
				if r["reason"] != c.reason || r["sub"] != "sub-ada" || r["client_id"] != "app" || r["session_id"] == "" || r["request_id"] == "" {
					t.Errorf("the record is %v", r)
				}
			}
			c.undo(issuer)
			if got := refreshed(t, issuer, first.text("refresh_token")); got.text("error") != "invalid_grant" {
				t.Errorf("afterwards the refresh token answers %d %s", got.status, got.raw)
			}
		})
	}
}

// A device holds what it was given by a person, and loses it with them.
func TestDeviceGrantEndsWithItsPerson(t *testing.T) {
	issuer, _ := newIssuer(t)
	g := store.Grant{
		ID: store.NewID(issuer.Clock.Now()), Client: store.Client{ID: "app"}, Subject: "sub-ada", Scopes: []string{"openid"},
		CreatedAt: issuer.Clock.Now(), ExpiresAt: issuer.Clock.Now().AddDate(1, 0, 0),
	}
	token := store.AccessToken{Handle: store.HandleOf("token"), GrantID: g.ID, Client: store.Client{ID: "app"}, Scopes: g.Scopes, IssuedAt: g.CreatedAt, ExpiresAt: g.ExpiresAt}
	if err := errors.Join(issuer.Store.CreateGrant(t.Context(), g), issuer.Store.CreateAccessToken(t.Context(), token)); err != nil {
		t.Fatal(err)
	}
	if got := userinfo(t, issuer, "token"); got.status != http.StatusUnauthorized {
		t.Errorf("a grant of which nobody knows what the person proved themselves with answers %d %s", got.status, got.raw)
	}
}

// A password that people change themselves ends no application's own access, as the page says.
func TestOwnPasswordChangeLeavesOfflineAccess(t *testing.T) {
	issuer, first := newRefreshing(t, "openid offline_access")
	if page := changePassword(issuer, loggedIn(t, issuer), password, another, another); page.Status != http.StatusOK {
		t.Fatalf("answers %d\n%s", page.Status, page.Body)
	}
	if got := refreshed(t, issuer, first.text("refresh_token")); got.status != http.StatusOK {
		t.Errorf("the refresh token answers %d %s", got.status, got.raw)
	}
}

// A code and a refresh token take one read and one write, with all that is known of session and person.
func TestExchangeReadsOnce(t *testing.T) {
	counting := &countingStore{}
	issuer, _ := newIssuer(t, withCounting(counting))
	issuer.AddClient(refreshingClient())
	for _, scope := range []string{"openid", "openid offline_access"} {
		code := newCode(t, issuer, "scope", scope)
		counting.reset()
		tokens := exchange(t, issuer, code)
		if reads, writes := counting.calls(); reads != 1 || writes != 1 {
			t.Errorf("a code with %s takes %d reads and %d writes", scope, reads, writes)
		}
		counting.reset()
		refreshed(t, issuer, tokens.text("refresh_token"))
		if reads, writes := counting.calls(); reads != 1 || writes != 1 {
			t.Errorf("a refresh with %s takes %d reads and %d writes", scope, reads, writes)
		}
	}
}
