package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// reregister replaces a client by one of the same ID, which is another one if it has another UID.
func reregister(issuer *providertest.Issuer, client registration.Client, uid string) {
	issuer.RemoveClient(client.ClientID)
	client.UID, client.ClientName = uid, "Registered anew"
	issuer.AddClient(client)
}

// Whoever registers a client ID after somebody else inherits nothing that people have given the earlier client; a client that comes
// back, from a backup, has all of it.
func TestClientRegisteredAnew(t *testing.T) {
	for name, test := range map[string]struct {
		before, after string
		alive         bool
	}{
		"another one":                       {"uid-1", "uid-2", false},
		"the same one":                      {"uid-1", "uid-1", true},
		"another one after one without":     {"", "uid-2", false},
		"one without after another":         {"uid-1", "", false},
		"one without after one without":     {"", "", true},
		"one whose UID begins as another's": {"uid-1", "uid-11", false},
	} {
		for _, format := range []string{registration.FormatOpaque, registration.FormatJWT} {
			t.Run(name+" with tokens "+format, func(t *testing.T) {
				issuer := providertest.New(t)
				issuer.AddUser(ada(), password)
				client := refreshingClient()
				client.UID, client.Consent, client.AccessTokenFormat = test.before, registration.ConsentRemember, format
				client.GrantTypes = append(client.GrantTypes, registration.GrantClientCredentials)
				issuer.AddClient(client)
				browser := issuer.NewBrowser(t)
				authorize := func() (code string, asked bool) {
					page := browser.Get(authorizeURL(issuer, "scope", "openid profile offline_access"))
					if page.Asks("password") {
						page = browser.Submit(page, url.Values{"username": {"ada"}, "password": {password}})
					}
					if asked = page.Asks("decision"); asked {
						page = decide(browser, page, "allow")
					}
					return page.Answer().Get("code"), asked
				}
				code, asked := authorize()
				if !asked {
					t.Fatal("the first time nobody is asked")
				}
				first := exchange(t, issuer, code)
				unused, asked := authorize()
				if asked || unused == "" {
					t.Fatal("the consent was not remembered")
				}
				pushedOnce := push(t, issuer)
				reregister(issuer, client, test.after)

				checkTokens(t, issuer, first, unused, test.alive)
				page := issuer.NewBrowser(t).Get(pushedURL(issuer, pushedOnce.text("request_uri")))
				if page.Asks("password") != test.alive {
					t.Errorf("the pushed request answers %d\n%s", page.Status, page.Body)
				}
				listed := browser.Get(issuer.Endpoint("/account/applications"))
				if strings.Contains(listed.Body, "Registered anew") != test.alive {
					t.Errorf("the account lists\n%s", listed.Body)
				}
				code, asked = authorize()
				if asked == test.alive {
					t.Errorf("is asked to agree: %v", asked)
				}
				if again := exchange(t, issuer, code); again.status != http.StatusOK {
					t.Errorf("a new login answers %d %s", again.status, again.raw)
				}
				if listed = browser.Get(issuer.Endpoint("/account/applications")); !strings.Contains(listed.Body, "Registered anew") {
					t.Errorf("after a new login the account lists\n%s", listed.Body)
				}
			})
		}
	}
}

// checkTokens looks what tokens and a code of the client app are good for.
func checkTokens(t *testing.T, issuer *providertest.Issuer, tokens answer, unused string, alive bool) {
	t.Helper()
	access, refresh := tokens.text("access_token"), tokens.text("refresh_token")
	if got := userinfo(t, issuer, access); (got.status == http.StatusOK) != alive || !alive && got.status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d %s", got.status, got.raw)
	}
	for what, token := range map[string]string{"access": access, "refresh": refresh} {
		if got := introspected(t, issuer, token); (got.body["active"] == true) != alive || !alive && strings.TrimSpace(got.raw) != inactive {
			t.Errorf("introspecting the %s token answers %s", what, got.raw)
		}
	}
	if !alive { // who is asked to revoke what is not theirs any more says that it is gone, and leaves it alone
		for _, token := range []string{access, refresh} {
			if got := post(t, issuer, oidc.PathRevocation, "client_id", "app", "client_secret", "secret-of-app", "token", token); got.status != http.StatusOK {
				t.Errorf("revoking answers %d %s", got.status, got.raw)
			}
		}
	}
	if got := refreshed(t, issuer, refresh); (got.status == http.StatusOK) != alive || !alive && got.text("error") != "invalid_grant" {
		t.Errorf("the refresh token answers %d %s", got.status, got.raw)
	}
	if got := exchange(t, issuer, unused); (got.status == http.StatusOK) != alive || !alive && got.text("error") != "invalid_grant" {
		t.Errorf("the code answers %d %s", got.status, got.raw)
	}
}

// What a client has got for itself is not its successor's either.
func TestOwnTokenOfClientRegisteredAnew(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := workerClient()
	client.UID = "uid-1"
	issuer.AddClient(client)
	token := worked(t, issuer).text("access_token")
	ask := func() answer {
		return post(t, issuer, oidc.PathIntrospection, "client_id", client.ClientID, "client_secret", "secret-of-"+client.ClientID, "token", token)
	}
	if got := ask(); got.body["active"] != true {
		t.Fatalf("before: %s", got.raw)
	}
	reregister(issuer, client, "uid-2")
	if got := ask(); got.body["active"] != false {
		t.Errorf("after: %s", got.raw)
	}
}

// A device that waits, or was let in, is not its client's successor's.
func TestDeviceOfClientRegisteredAnew(t *testing.T) {
	for name, uid := range map[string]string{"another one": "uid-2", "the same one": "uid-1"} {
		t.Run(name, func(t *testing.T) {
			var client registration.Client
			issuer, rp := newDevice(t, func(c *registration.Client) { c.UID = "uid-1"; client = *c })
			waits, allowed := rp.askForCodes(), rp.askForCodes()
			browser, page := openDevice(t, issuer, allowed.VerificationURIComplete, "ada")
			decide(browser, page, "allow")
			client.RedirectURIs = []string{"https://tv.example/callback"}
			reregister(issuer, client, uid)
			alive := uid == "uid-1"
			if page := browser.Get(waits.VerificationURIComplete); strings.Contains(page.Body, "Let Registered anew in?") != alive {
				t.Errorf("the page answers %d\n%s", page.Status, page.Body)
			}
			if got := poll(t, issuer, allowed.DeviceCode); (got.status == http.StatusOK) != alive || !alive && got.text("error") != "invalid_grant" {
				t.Errorf("the poll answers %d %s", got.status, got.raw)
			}
		})
	}
}

// Of the end of a session in which an earlier client took part its successor learns nothing, however the client is told.
func TestLogoutOfClientRegisteredAnew(t *testing.T) {
	for name, uid := range map[string]string{"another one": "uid-2", "the same one": "uid-1"} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			rec, other := answering(t, http.StatusOK), answering(t, http.StatusOK)
			client := appClient()
			client.UID, client.BackchannelLogoutURI, client.FrontchannelLogoutURI = "uid-1", rec.URL, "https://app.example.com/logged-out"
			rp := newRelyingParty(t, issuer, issuer.AddClient(client))
			browser := issuer.NewBrowser(t)
			rp.loginIn(browser)
			chat := addReceiver(t, issuer, "chat", other)
			chat.loginIn(browser)
			reregister(issuer, client, uid)
			page := logOut(issuer, browser)
			issuer.Provider.WakeLogoutNotices()
			eventually(t, func() bool { return len(other.received()) == 1 && waiting(t, issuer) == 0 })
			told := uid == "uid-1"
			if (len(rec.received()) == 1) != told || strings.Contains(page.Body, "https://app.example.com/logged-out") != told {
				t.Errorf("told are %d at the back; the page is\n%s", len(rec.received()), page.Body)
			}
		})
	}
}

// A logout that could not be told before a client ID changed hands is not told afterwards.
func TestNoticeOfClientRegisteredAnew(t *testing.T) {
	issuer, _ := newIssuer(t)
	rec := answering(t, http.StatusServiceUnavailable)
	client := appClient()
	client.UID, client.BackchannelLogoutURI = "uid-1", rec.URL
	rp := newRelyingParty(t, issuer, issuer.AddClient(client))
	browser := issuer.NewBrowser(t)
	rp.loginIn(browser)
	logOut(issuer, browser)
	eventually(t, func() bool { return len(rec.received()) == 1 && waiting(t, issuer) == 1 })
	reregister(issuer, client, "uid-2")
	eventually(t, func() bool {
		issuer.Clock.Advance(time.Minute)
		issuer.Provider.WakeLogoutNotices()
		return waiting(t, issuer) == 0
	})
	if n := len(rec.received()); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}
