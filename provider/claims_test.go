package provider_test

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// told returns the names of the claims about a person that are in a document, but for sub.
func told(document map[string]any) []string {
	protocol := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "sid", "at_hash", "acr", "amr"}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(document)), func(name string) bool { return slices.Contains(protocol, name) })
}

// OpenID Connect Core section 5.5: claims that are requested one by one are told where they are requested, and only those
// that the client could have by a scope.
func TestClaimsParameter(t *testing.T) {
	for name, c := range map[string]struct {
		registered, scope, claims string
		idToken, userinfo         []string
	}{
		"in userinfo":                 {"", "openid", `{"userinfo":{"email":null,"name":{"essential":true}}}`, nil, []string{"email", "name"}},
		"in the ID token":             {"", "openid", `{"id_token":{"email_verified":null}}`, []string{"email_verified"}, nil},
		"beside a scope":              {"", "openid email", `{"userinfo":{"groups":null}}`, []string{"email", "email_verified"}, []string{"email", "email_verified", "groups"}},
		"within a scope":              {"", "openid email", `{"userinfo":{"email":null}}`, []string{"email", "email_verified"}, []string{"email", "email_verified"}},
		"not registered for":          {"openid profile", "openid", `{"userinfo":{"email":null,"nickname":null}}`, nil, []string{"nickname"}},
		"with the value it has":       {"", "openid", `{"userinfo":{"email":{"value":"ada@example.com"}}}`, nil, []string{"email"}},
		"with one of several values":  {"", "openid", `{"userinfo":{"groups":{"values":[["b"],["admins"]]}}}`, nil, []string{"groups"}},
		"with another value (5.5.1)":  {"", "openid", `{"userinfo":{"email":{"value":"bob@example.com"},"name":null}}`, nil, []string{"name"}},
		"a number with its value":     {"", "openid", `{"userinfo":{"updated_at":{"value":1700000000}}}`, nil, []string{"updated_at"}},
		"an address":                  {"", "openid", `{"id_token":{"address":{"essential":true}}}`, []string{"address"}, nil},
		"essential, and not known":    {"", "openid", `{"userinfo":{"website":{"essential":true}}}`, nil, nil},
		"nothing that is understood":  {"", "openid", `{"userinfo":{"shoe_size":null}}`, nil, nil},
		"sub and auth_time, as ever":  {"", "openid", `{"userinfo":{"sub":null},"id_token":{"auth_time":{"essential":true}}}`, nil, nil},
		"another acr, only as a wish": {"", "openid", `{"id_token":{"acr":{"values":["gold"]}}}`, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			user := ada()
			user.Nickname, user.UpdatedAt, user.Groups, user.Address = "Countess", 1700000000, []string{"admins"}, &registration.Address{Country: "UK"}
			issuer.AddUser(user, password)
			client := appClient()
			client.Scope = c.registered
			issuer.AddClient(client)
			got := exchange(t, issuer, newCode(t, issuer, "scope", c.scope, "claims", c.claims))
			idToken := decodeSegment(t, got.text("id_token"), 1)
			if names := told(idToken); !slices.Equal(names, c.idToken) {
				t.Errorf("the ID token tells %v", names)
			}
			if idToken["auth_time"] == nil || idToken["acr"] != oidc.ACRPassword {
				t.Errorf("the ID token has auth_time %v and acr %v", idToken["auth_time"], idToken["acr"])
			}
			info := userinfo(t, issuer, got.text("access_token"))
			if names := told(info.body); !slices.Equal(names, c.userinfo) || info.text("sub") != "sub-ada" {
				t.Errorf("userinfo tells %v", info.raw)
			}
		})
	}
}

// What a client is no longer registered for it is not told any more, however it has asked.
func TestClaimsEndWithTheRegistration(t *testing.T) {
	issuer, _ := newIssuer(t)
	token := exchange(t, issuer, newCode(t, issuer, "claims", `{"userinfo":{"email":null,"name":null}}`)).text("access_token")
	client := appClient()
	client.Scope = "openid profile"
	issuer.AddClient(client)
	if names := told(userinfo(t, issuer, token).body); !slices.Equal(names, []string{"name"}) {
		t.Errorf("userinfo tells %v", names)
	}
}

// Claims that are requested one by one take the same consent as their scope: the page names them, and what was agreed to
// before does not cover them.
func TestClaimsTakeConsent(t *testing.T) {
	issuer := consentIssuer(t, registration.ConsentRemember)
	user := ada()
	user.Birthdate, user.Nickname = "1815-12-10", "Countess"
	issuer.AddUser(user, password)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	claims := []string{"claims", `{"userinfo":{"email":null},"id_token":{"birthdate":null}}`}
	if none := browser.Get(authorizeURL(issuer, append(claims, "prompt", "none")...)); none.Answer().Get("error") != "consent_required" {
		t.Errorf("with prompt none: %v", none.Answer())
	}
	page := browser.Get(authorizeURL(issuer, claims...))
	for _, text := range []string{"Your e-mail address", "ada@example.com", "Your name and profile", "1815-12-10"} {
		if !strings.Contains(page.Body, text) {
			t.Errorf("the page does not say %q:\n%s", text, page.Body)
		}
	}
	if strings.Contains(page.Body, "Countess") || !page.Asks("decision") {
		t.Error("the page names what is not requested, or does not ask")
	}
	browser.Submit(page, url.Values{"decision": {"allow"}})
	if again := browser.Get(authorizeURL(issuer, claims...)); again.Answer().Get("code") == "" {
		t.Error("it is asked again")
	}
}

// OpenID Connect Core section 3.1.2.2: with a sub that is requested nobody else's answer is sent.
func TestRequestedSubject(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddUser(registration.User{Username: "bob"}, password)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	for name, c := range map[string]struct {
		claims, err string
	}{
		"who is logged in":        {`{"id_token":{"sub":{"value":"sub-ada"}}}`, ""},
		"somebody else":           {`{"id_token":{"sub":{"value":"sub-bob"}}}`, "login_required"},
		"somebody who is unknown": {`{"id_token":{"sub":{"value":"nobody"}}}`, "login_required"},
		"one of two":              {`{"id_token":{"sub":{"values":["sub-bob","sub-ada"]}}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := browser.Get(authorizeURL(issuer, "prompt", "none", "claims", c.claims)).Answer(); got.Get("error") != c.err {
				t.Errorf("the answer is %v", got)
			}
		})
	}
	bob := []string{"claims", `{"id_token":{"sub":{"value":"sub-bob"}}}`}
	login := browser.Get(authorizeURL(issuer, bob...))
	if !login.Asks("password") {
		t.Fatalf("nobody is asked who they are: %v", login.Answer())
	}
	if page := browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}}); page.Answer().Get("error") != "login_required" {
		t.Errorf("when ada logs in again: %v", page.Answer())
	}
	if page := browser.Submit(browser.Get(authorizeURL(issuer, bob...)), url.Values{"username": {"bob"}, "password": {password}}); page.Answer().Get("code") == "" {
		t.Errorf("when bob logs in: %v", page.Answer())
	}
}

// OpenID Connect Core section 5.5.1.1 and Unmet Authentication Requirements section 2: an essential acr is met or refused,
// one of acr_values is a wish.
func TestACR(t *testing.T) {
	issuer, _ := newIssuer(t)
	for name, c := range map[string]struct {
		changed []string
		err     string
	}{
		"none is asked for":               {nil, ""},
		"acr_values of this login":        {[]string{"acr_values", oidc.ACRPassword}, ""},
		"acr_values of another":           {[]string{"acr_values", "gold silver"}, ""},
		"essential, of this login":        {[]string{"claims", `{"id_token":{"acr":{"essential":true,"values":["` + oidc.ACRPassword + `"]}}}`}, ""},
		"essential, of another":           {[]string{"claims", `{"id_token":{"acr":{"essential":true,"values":["gold"]}}}`}, "unmet_authentication_requirements"},
		"essential, of another, one":      {[]string{"claims", `{"id_token":{"acr":{"essential":true,"value":"gold"}}}`}, "unmet_authentication_requirements"},
		"not essential, of another":       {[]string{"claims", `{"id_token":{"acr":{"values":["gold"]}}}`}, ""},
		"essential, prompt none, another": {[]string{"prompt", "none", "claims", `{"id_token":{"acr":{"essential":true,"value":"gold"}}}`}, "unmet_authentication_requirements"},
	} {
		t.Run(name, func(t *testing.T) {
			got := loginOrAnswer(t, issuer, c.changed...).Answer()
			if got.Get("error") != c.err || got.Has("code") != (c.err == "") {
				t.Fatalf("the answer is %v", got)
			}
			if c.err != "" {
				return
			}
			idToken := decodeSegment(t, exchange(t, issuer, got.Get("code")).text("id_token"), 1)
			if acr, ok := idToken["acr"].(string); !ok || !slices.Contains(metadata(t, issuer).ACRValuesSupported, acr) {
				t.Errorf("acr is %v", idToken["acr"])
			}
		})
	}
}

// What "sub" is for each subject mode (OpenID Connect Core section 8), in the ID token, userinfo and hints alike.
func TestSubjectModes(t *testing.T) {
	const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
	salted := registration.Settings{PairwiseSalt: "a-salt-of-more-than-22-characters"}
	for name, c := range map[string]struct {
		mode, subject, want string
		settings            registration.Settings
	}{
		"unset":                      {"", "", "sub-ada", registration.Settings{}},
		"Public":                     {registration.SubjectPublic, "", "sub-ada", registration.Settings{}},
		"Pairwise":                   {registration.SubjectPairwise, "", oidc.PairwiseSubject(salted.PairwiseSalt, "app.example.com", "sub-ada"), salted},
		"Username":                   {registration.SubjectUsername, "", "ada", registration.Settings{}},
		"Email":                      {registration.SubjectEmail, "", "ada@example.com", registration.Settings{}},
		"UserUUID of a UUID":         {registration.SubjectUserUUID, uuid, uuid, registration.Settings{}},
		"UserUUID of something else": {registration.SubjectUserUUID, "", "", registration.Settings{}},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			issuer.SetSettings(c.settings)
			user := ada()
			user.Subject = c.subject
			issuer.AddUser(user, password)
			client := appClient()
			client.SubjectMode = c.mode
			issuer.AddClient(client)
			if c.want == "" {
				c.want = oidc.SubjectUUID(issuer.URL, "sub-ada")
			}
			browser := issuer.NewBrowser(t)
			got := exchange(t, issuer, browser.Authorize(authorizeURL(issuer), "ada", password).Query().Get("code"))
			idToken := got.text("id_token")
			if sub := decodeSegment(t, idToken, 1)["sub"]; sub != c.want {
				t.Errorf("the ID token is for %v", sub)
			}
			if sub := userinfo(t, issuer, got.text("access_token")).text("sub"); sub != c.want {
				t.Errorf("userinfo is of %v", sub)
			}
			claims := `{"id_token":{"sub":{"value":"` + c.want + `"}}}`
			if answer := browser.Get(authorizeURL(issuer, "prompt", "none", "id_token_hint", idToken, "claims", claims)).Answer(); answer.Get("code") == "" {
				t.Errorf("the hint and the claim of the same person: %v", answer)
			}
		})
	}
}

// Two sectors know one person by two names that nobody can compare, two clients of one sector by one.
func TestPairwiseSubjectsDiffer(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.SetSettings(registration.Settings{PairwiseSalt: "a-salt-of-more-than-22-characters"})
	subject := func(clientID, redirectURI, sector string) string {
		app := issuer.AddClient(registration.Client{
			ClientID: clientID, RedirectURIs: []string{redirectURI}, SectorIdentifier: sector, SubjectMode: registration.SubjectPairwise, Consent: registration.ConsentNever,
		})
		_, idToken := newRelyingParty(t, issuer, app).login()
		return idToken.Subject
	}
	a, b := subject("a", "https://a.example/cb", ""), subject("b", "https://b.example/cb", "")
	same, shared := subject("c", "https://a.example/other", ""), subject("d", "https://d.example/cb", "a.example")
	if a == b || a != same || a != shared || strings.Contains(a, "ada") {
		t.Errorf("subjects are %s %s %s %s", a, b, same, shared)
	}
}

// Where a client cannot know this person, the person is told; where it cannot know anybody, the log tells.
func TestImpossibleSubjects(t *testing.T) {
	for name, c := range map[string]struct {
		mode string
		user registration.User
		page bool
		err  string
	}{
		"Email of somebody without":        {registration.SubjectEmail, registration.User{Username: "ada"}, true, "access_denied"},
		"Email that is not of ASCII":       {registration.SubjectEmail, registration.User{Username: "ada", Email: "ädä@example.com"}, true, "access_denied"},
		"Username that is not of ASCII":    {registration.SubjectUsername, registration.User{Subject: "1", Username: "ädä"}, true, "access_denied"},
		"Pairwise without a salt":          {registration.SubjectPairwise, registration.User{Username: "ada"}, false, "server_error"},
		"Username, of whoever has no mail": {registration.SubjectUsername, registration.User{Username: "ada"}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := providertest.New(t, providertest.WithAlgorithms("ES256"))
			issuer.AddUser(c.user, password)
			client := appClient()
			client.SubjectMode = c.mode
			issuer.AddClient(client)
			browser := issuer.NewBrowser(t)
			login := browser.Get(authorizeURL(issuer))
			page := browser.Submit(login, url.Values{"username": {c.user.Username}, "password": {password}})
			if (page.Callback == nil) != c.page {
				t.Fatalf("answers %d, callback %v", page.Status, page.Callback)
			}
			if c.page {
				if page.Status != 403 || !strings.Contains(page.Body, "Example App") {
					t.Errorf("the page is %d\n%s", page.Status, page.Body)
				}
				page = browser.Submit(page, url.Values{"decision": {"deny"}})
			}
			if got := page.Answer(); got.Get("error") != c.err {
				t.Errorf("the application is told %v", got)
			}
		})
	}
}
