package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Where a client knows people by their e-mail address, nobody gets in with one that is not proven to be theirs, or that somebody else
// has, too: one of them could log in as the other. The person is told, the audit log has it, and so is the client.
func TestEmailSubjectsAreTheirs(t *testing.T) {
	const shared, unverified = "somebody else is registered here with yours", "nobody has confirmed that yours is yours"
	for name, c := range map[string]struct {
		own    registration.User
		others []registration.User
		reason string
		says   string
	}{
		"verified and theirs alone": {
			registration.User{Email: "ada@example.com", EmailVerified: true},
			[]registration.User{{Username: "bob", Email: "bob@example.com", EmailVerified: true}, {Username: "carol"}},
			"", "",
		},
		"not verified": {registration.User{Email: "ada@example.com"}, nil, "email_unverified", unverified},
		"somebody else's, too": {
			registration.User{Email: "ada@example.com", EmailVerified: true},
			[]registration.User{{Username: "bob", Email: "ada@example.com", EmailVerified: true}},
			"email_shared", shared,
		},
		"in another case": {
			registration.User{Email: "ada@example.com", EmailVerified: true},
			[]registration.User{{Username: "bob", Email: "Ada@Example.com", EmailVerified: true}},
			"email_shared", shared,
		},
		"of somebody who has not proven it": {
			registration.User{Email: "ada@example.com", EmailVerified: true},
			[]registration.User{{Username: "bob", Email: "ada@example.com"}},
			"email_shared", shared,
		},
		"of somebody who is disabled": {
			registration.User{Email: "ada@example.com", EmailVerified: true},
			[]registration.User{{Username: "bob", Email: "ada@example.com", Disabled: true}},
			"email_shared", shared,
		},
	} {
		t.Run(name, func(t *testing.T) {
			audit := &stream{}
			issuer, _ := newIssuer(t, withAudit(audit))
			client := appClient()
			client.SubjectMode = registration.SubjectEmail
			issuer.AddClient(client)
			c.own.Username = "ada"
			issuer.AddUser(c.own, password)
			for _, other := range c.others {
				issuer.AddUser(other, password)
			}
			browser := issuer.NewBrowser(t)
			page := loginPage(t, issuer, browser)
			if c.reason == "" {
				if page.Answer().Get("code") == "" {
					t.Fatalf("refused: %d\n%s", page.Status, page.Body)
				}
				return
			}
			if page.Status != http.StatusForbidden || page.Callback != nil || !strings.Contains(page.Body, c.says) {
				t.Fatalf("answers %d\n%s", page.Status, page.Body)
			}
			if records := audit.records(t, "access.denied"); len(records) != 1 || records[0]["reason"] != c.reason || records[0]["client_id"] != "app" {
				t.Errorf("the records are %v", records)
			}
			answer := browser.Submit(page, url.Values{"decision": {"deny"}}).Answer()
			if answer.Get("error") != "access_denied" || strings.Contains(answer.Get("error_description"), "@") {
				t.Errorf("the application is told %v", answer)
			}
		})
	}
}

// It is looked at each time, not at logins alone: what was issued before the address was somebody else's, too, is worth nothing then.
func TestEmailSubjectsThatBecomeShared(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := refreshingClient()
	client.SubjectMode = registration.SubjectEmail
	issuer.AddClient(client)
	code := issuer.NewBrowser(t).Authorize(authorizeURL(issuer, "scope", "openid offline_access"), "ada", password).Query().Get("code")
	tokens := exchange(t, issuer, code)
	if got := userinfo(t, issuer, tokens.text("access_token")); got.text("sub") != "ada@example.com" {
		t.Fatalf("userinfo answers %d %s", got.status, got.raw)
	}
	issuer.AddUser(registration.User{Username: "bob", Email: "ADA@example.com", EmailVerified: true}, password)
	if got := userinfo(t, issuer, tokens.text("access_token")); got.status == http.StatusOK {
		t.Errorf("userinfo answers %s", got.raw)
	}
	if got := refreshed(t, issuer, tokens.text("refresh_token")); got.status == http.StatusOK {
		t.Errorf("the refresh token answers %s", got.raw)
	}
}
