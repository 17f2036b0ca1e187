package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func consentIssuer(t *testing.T, mode string) *providertest.Issuer {
	t.Helper()
	issuer, _ := newIssuer(t)
	client := appClient()
	client.Consent = mode
	issuer.AddClient(client)
	return issuer
}

func loginPage(t *testing.T, issuer *providertest.Issuer, browser *providertest.Browser, changed ...string) *providertest.Page {
	t.Helper()
	return browser.Submit(browser.Get(authorizeURL(issuer, changed...)), url.Values{"username": {"ada"}, "password": {password}})
}

// OIDC Core 3.1.2.4: when the person is asked.
func TestWhenConsentIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		mode   string
		before string // scopes agreed to before, or empty
		scope  string
		prompt string
		asked  bool
	}{
		"Always, the first time":              {registration.ConsentAlways, "", "openid", "", true},
		"Always, again":                       {registration.ConsentAlways, "openid", "openid", "", true},
		"Remember, the first time":            {registration.ConsentRemember, "", "openid", "", true},
		"Remember, again":                     {registration.ConsentRemember, "openid email", "openid email", "", false},
		"Remember, fewer scopes":              {registration.ConsentRemember, "openid email", "openid", "", false},
		"Remember, more scopes":               {registration.ConsentRemember, "openid", "openid email", "", true},
		"Remember, more that are not granted": {registration.ConsentRemember, "openid", "openid banana", "", false},
		"Remember, prompt consent":            {registration.ConsentRemember, "openid", "openid", "consent", true},
		"unset is Remember":                   {"", "openid", "openid", "", false},
		"Never":                               {registration.ConsentNever, "", "openid email", "", false},
		"Never, prompt consent":               {registration.ConsentNever, "", "openid", "consent", false},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := consentIssuer(t, c.mode)
			browser := issuer.NewBrowser(t)
			if c.before != "" {
				browser.Authorize(authorizeURL(issuer, "scope", c.before), "ada", password)
			} else {
				browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {"ada"}, "password": {password}})
			}
			page := browser.Get(authorizeURL(issuer, "scope", c.scope, "prompt", c.prompt))
			if page.Asks("decision") != c.asked || (page.Callback == nil) != c.asked {
				t.Fatalf("asked: %v, callback %v", page.Asks("decision"), page.Callback)
			}
			if none := browser.Get(authorizeURL(issuer, "scope", c.scope, "prompt", "none")); c.asked && c.prompt == "" &&
				none.Callback.Query().Get("error") != "consent_required" {
				t.Errorf("with prompt none: %s", none.Callback)
			}
		})
	}
}

// What was agreed to earlier is not forgotten when something is added.
func TestConsentGrows(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentRemember)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer, "scope", "openid email"), "ada", password)
	browser.Authorize(authorizeURL(issuer, "scope", "openid groups"), "ada", password)
	if page := browser.Get(authorizeURL(issuer, "scope", "openid email groups")); page.Callback == nil {
		t.Error("asked again for what was agreed to in two parts")
	}
}

func TestConsentIsPerPerson(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentRemember)
	issuer.AddUser(registration.User{Username: "bob"}, password)
	issuer.NewBrowser(t).Authorize(authorizeURL(issuer), "ada", password)
	browser := issuer.NewBrowser(t)
	page := browser.Submit(browser.Get(authorizeURL(issuer)), url.Values{"username": {"bob"}, "password": {password}})
	if !page.Asks("decision") {
		t.Error("bob is not asked because ada was")
	}
}

func TestConsentPageSaysWhatIsShared(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentAlways)
	page := loginPage(t, issuer, issuer.NewBrowser(t), "scope", "openid email profile")
	for _, text := range []string{"Example App", "Ada Lovelace", "ada@example.com", "Your e-mail address", "Your name and profile", "app.example.com"} {
		if !strings.Contains(page.Body, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	client := appClient()
	client.Consent, client.Scope = registration.ConsentAlways, "openid api:read api:write"
	issuer.AddClient(client)
	if other := loginPage(t, issuer, issuer.NewBrowser(t), "scope", "openid api:read"); !strings.Contains(other.Body, "api:read") || strings.Contains(other.Body, "api:write") {
		t.Errorf("the scopes of other APIs are missing:\n%s", other.Body)
	}
	if strings.Contains(page.Body, "groups you belong to") {
		t.Error("the page lists what was not asked for")
	}
}

func TestConsentDecisions(t *testing.T) {
	for name, c := range map[string]struct {
		decision url.Values
		status   int
		code     bool
		err      string
	}{
		"allow":                            {url.Values{"decision": {"allow"}}, http.StatusSeeOther, true, ""},
		"deny (RFC 6749 4.1.2.1)":          {url.Values{"decision": {"deny"}}, http.StatusSeeOther, false, "access_denied"},
		"no decision":                      {nil, http.StatusBadRequest, false, ""},
		"allow and deny":                   {url.Values{"decision": {"allow", "deny"}}, http.StatusBadRequest, false, ""},
		"allow without token (CSRF)":       {url.Values{"decision": {"allow"}, "csrf_token": {""}}, http.StatusForbidden, false, ""},
		"allow with a forged token (CSRF)": {url.Values{"decision": {"allow"}, "csrf_token": {strings.Repeat("A", 43)}}, http.StatusForbidden, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := consentIssuer(t, registration.ConsentRemember)
			browser := issuer.NewBrowser(t)
			page := browser.Submit(loginPage(t, issuer, browser), c.decision)
			if page.Status != c.status {
				t.Fatalf("answers %d\n%s", page.Status, page.Body)
			}
			if page.Callback != nil {
				q := page.Callback.Query()
				if q.Has("code") != c.code || q.Get("error") != c.err || q.Get("state") != "state-1" || q.Get("iss") != issuer.URL {
					t.Errorf("answer is %v", q)
				}
			}
			if asked := browser.Get(authorizeURL(issuer)).Asks("decision"); asked == c.code {
				t.Errorf("asked the next time: %v", asked)
			}
		})
	}
}

// A token read from one form, or in one login, is no good for another.
func TestConsentTokenIsForThisLogin(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentAlways)
	browser := issuer.NewBrowser(t)
	login := browser.Get(authorizeURL(issuer))
	consent := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
	if page := browser.Submit(consent, url.Values{"decision": {"allow"}, "csrf_token": login.Form.Fields["csrf_token"]}); page.Status != http.StatusForbidden {
		t.Errorf("the token of the login form: %d", page.Status)
	}
	home := browser.Get(issuer.Endpoint("/"))
	if page := browser.Submit(consent, url.Values{"decision": {"allow"}, "csrf_token": home.Form.Fields["csrf_token"]}); page.Status != http.StatusForbidden {
		t.Errorf("the token of the logout form: %d", page.Status)
	}
	browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {"ada"}, "password": {password}})
	if page := browser.Submit(consent, url.Values{"decision": {"allow"}}); page.Status != http.StatusForbidden {
		t.Errorf("the token of before another login: %d", page.Status)
	}
}

// Nobody who is not logged in can agree to anything.
func TestConsentWithoutLogin(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentAlways)
	browser := issuer.NewBrowser(t)
	consent := loginPage(t, issuer, browser)
	user := ada()
	user.Disabled = true
	issuer.AddUser(user, password)
	if page := browser.Submit(consent, url.Values{"decision": {"allow"}}); !page.Asks("password") {
		t.Errorf("answers %d, callback %v", page.Status, page.Callback)
	}
}

// RFC 8252 section 8.6: any program on the person's machine can claim a native application's redirect URI, so that what was
// agreed with one is asked again.
func TestNativeApplicationsAskEachTime(t *testing.T) {
	issuer, _ := newIssuer(t)
	const verifierChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // of RFC 7636 appendix B
	issuer.AddClient(registration.Client{
		ClientID: "native", RedirectURIs: []string{"http://127.0.0.1/cb", "https://app.example.com/cb"}, TokenEndpointAuthMethod: registration.AuthMethodNone,
	})
	browser := issuer.NewBrowser(t)
	for name, c := range map[string]struct {
		redirectURI string
		asked       bool
	}{
		"on a loopback port":   {"http://127.0.0.1:6666/cb", true},
		"on a claimed address": {"https://app.example.com/cb", false},
	} {
		t.Run(name, func(t *testing.T) {
			request := authorizeURL(issuer, "client_id", "native", "redirect_uri", c.redirectURI,
				"code_challenge", verifierChallenge, "code_challenge_method", "S256")
			browser.Authorize(request, "ada", password)
			if page := browser.Get(request); page.Asks("decision") != c.asked {
				t.Errorf("asked again: %v", page.Asks("decision"))
			}
		})
	}
}

// What a person agrees to is what the page said: its form is no answer to another request, nor to this one after the client
// was registered for more.
func TestConsentIsForTheRequestThatWasShown(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentRemember)
	client := appClient()
	client.Consent, client.Scope = registration.ConsentRemember, "openid profile"
	issuer.AddClient(client)
	browser := issuer.NewBrowser(t)
	consent := loginPage(t, issuer, browser, "scope", "openid profile email")
	token := url.Values{"decision": {"allow"}, "csrf_token": consent.Form.Fields["csrf_token"]}
	other := browser.Get(authorizeURL(issuer, "scope", "openid profile email", "state", "other"))
	if page := browser.Submit(other, token); page.Status != http.StatusForbidden {
		t.Errorf("the form answers another request: %d", page.Status)
	}
	client.Scope = "openid profile email"
	issuer.AddClient(client)
	if page := browser.Submit(consent, token); page.Status != http.StatusForbidden {
		t.Errorf("the form answers for a scope that the page did not name: %d", page.Status)
	}
}

// After a revocation the person is asked again.
func TestConsentAfterRevocation(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentRemember)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	if _, err := issuer.Store.Revoke(t.Context(), "sub-ada", "app"); err != nil {
		t.Fatal(err)
	}
	if page := browser.Get(authorizeURL(issuer)); !page.Asks("decision") {
		t.Errorf("not asked again: %v", page.Answer())
	}
}

// OpenID Connect Core section 11: offline_access takes a client that is registered for it and a person who has said yes to it.
func TestOfflineAccess(t *testing.T) {
	const with = "openid offline_access"
	for name, c := range map[string]struct {
		mode, registered string
		before           string // scopes agreed to before, or empty
		prompt           string
		asked            bool
		granted          string
	}{
		"the page asks for it":                        {registration.ConsentRemember, with, "", "", true, with},
		"prompt consent, though remembered":           {registration.ConsentRemember, with, with, "consent", true, with},
		"remembered":                                  {registration.ConsentRemember, with, with, "", false, with},
		"remembered, prompt none":                     {registration.ConsentRemember, with, with, "none", false, with},
		"remembered without it":                       {registration.ConsentRemember, with, "openid", "", true, with},
		"remembered without it, prompt none: ignored": {registration.ConsentRemember, with, "openid", "none", false, "openid"},
		"the administrator has agreed":                {registration.ConsentNever, with, "", "", false, with},
		"not registered for it: ignored":              {registration.ConsentRemember, "openid", "openid", "", false, "openid"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := appClient()
			client.Consent, client.Scope = c.mode, c.registered
			client.GrantTypes = []string{registration.GrantCode, registration.GrantRefreshToken}
			issuer.AddClient(client)
			browser := issuer.NewBrowser(t)
			browser.Submit(browser.Get(issuer.Endpoint("/login")), url.Values{"username": {"ada"}, "password": {password}})
			if c.before != "" {
				browser.Authorize(authorizeURL(issuer, "scope", c.before), "ada", password)
			}
			page := browser.Get(authorizeURL(issuer, "scope", with, "prompt", c.prompt))
			if page.Asks("decision") != c.asked {
				t.Fatalf("asked %v, the answer is %v", page.Asks("decision"), page.Answer())
			}
			if c.asked {
				if !strings.Contains(page.Body, "while you are not there") {
					t.Error("the page does not name it")
				}
				page = browser.Submit(page, url.Values{"decision": {"allow"}})
			}
			if got := exchange(t, issuer, page.Answer().Get("code")); got.text("scope") != c.granted {
				t.Errorf("granted is %q", got.text("scope"))
			}
		})
	}
}

// A yes to one claim, of which the page shows no more, is not a yes to the whole scope.
func TestConsentToSingleClaims(t *testing.T) {
	nickname := []string{"claims", `{"userinfo":{"nickname":null}}`}
	for name, c := range map[string]struct {
		then  []string
		asked bool
	}{
		"the same claim":       {nickname, false},
		"the same as ID token": {[]string{"claims", `{"id_token":{"nickname":null}}`}, false},
		"another claim":        {[]string{"claims", `{"userinfo":{"birthdate":null}}`}, true},
		"the scope":            {[]string{"scope", "openid profile"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := consentIssuer(t, registration.ConsentRemember)
			person := ada()
			person.Nickname, person.Birthdate = "Countess", "1815-12-10"
			issuer.AddUser(person, password)
			browser := issuer.NewBrowser(t)
			browser.Submit(loginPage(t, issuer, browser, nickname...), url.Values{"decision": {"allow"}})
			if page := browser.Get(authorizeURL(issuer, c.then...)); page.Asks("decision") != c.asked {
				t.Errorf("asked: %v", !c.asked)
			}
			if page := browser.Get(issuer.Endpoint("/account/applications")); !strings.Contains(page.Body, "Your name and profile") {
				t.Errorf("the account does not tell of it:\n%s", page.Body)
			}
		})
	}
	t.Run("the scope holds its claims", func(t *testing.T) {
		issuer := consentIssuer(t, registration.ConsentRemember)
		browser := issuer.NewBrowser(t)
		browser.Submit(loginPage(t, issuer, browser, "scope", "openid profile"), url.Values{"decision": {"allow"}})
		if page := browser.Get(authorizeURL(issuer, nickname...)); page.Asks("decision") {
			t.Error("asked once more")
		}
	})
}
