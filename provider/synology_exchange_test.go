package provider_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
	"github.com/oidc-operator/oidc-operator/provider/store/sqlite"
	"github.com/oidc-operator/oidc-operator/provider/synologysso"
)

// Each fault of an exchange, which costs the application nothing: the token is good afterwards.
func TestSynologyExchangeFaults(t *testing.T) {
	issuer := synologyIssuer(t)
	other := synologyClient()
	other.ClientID = "other"
	other.SynologySSO = &registration.SynologySSOClient{AppID: strings.Repeat("e", 32), RedirectURIs: []string{appPage}}
	issuer.AddClient(other)
	token := newSSOToken(t, issuer)
	for name, c := range map[string]struct {
		query string
		want  synologysso.Status
	}{
		"no action":            {exchangeOf(token, "action", "").Encode(), synologysso.ParameterError},
		"another action":       {exchangeOf(token, "action", "revoke").Encode(), synologysso.ParameterError},
		"no access_token":      {exchangeOf("").Encode(), synologysso.ParameterError},
		"two access_tokens":    {exchangeOf(token).Encode() + "&access_token=x", synologysso.ParameterError},
		"two app_ids":          {exchangeOf(token).Encode() + "&app_id=" + appID, synologysso.ParameterError},
		"an escape of none":    {exchangeOf(token).Encode() + "&x=%zz", synologysso.ParameterError},
		"a malformed app_id":   {exchangeOf(token, "app_id", "app").Encode(), synologysso.InvalidAppID},
		"an unknown app_id":    {exchangeOf(token, "app_id", strings.Repeat("0", 32)).Encode(), synologysso.InvalidAppID},
		"another's app_id":     {exchangeOf(token, "app_id", strings.Repeat("e", 32)).Encode(), synologysso.InvalidToken},
		"a token that is none": {exchangeOf("ABCDE").Encode(), synologysso.InvalidToken},
		"an unknown token":     {exchangeOf(strings.Repeat("a", 69)).Encode(), synologysso.InvalidToken},
		"a changed token":      {exchangeOf(token[:len(token)-1] + "_").Encode(), synologysso.InvalidToken},
		"a very long token":    {exchangeOf(strings.Repeat("a", 257)).Encode(), synologysso.InvalidToken},
	} {
		answer := fetch(t, issuer, issuer.Endpoint(ssoExchange)+"?"+c.query)
		if want := fmt.Sprintf(`{"success":false,"error":"%s"}`, c.want); answer.raw != want || answer.status != http.StatusOK {
			t.Errorf("%s answers %d %s, want %s", name, answer.status, answer.raw, want)
		}
	}
	if answer := exchangeToken(t, issuer, exchangeOf(token)); !answer.Success {
		t.Errorf("the token is spoilt: %s", answer.raw)
	}
}

// A token is good once, with or without app_id, and a second use is an event.
func TestSynologyTokenIsGoodOnce(t *testing.T) {
	var audit bytes.Buffer
	issuer := synologyIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Audit = provider.NewAuditLogger(&audit) }))
	token := newSSOToken(t, issuer)
	if answer := exchangeToken(t, issuer, exchangeOf(token, "app_id", "")); !answer.Success || !strings.HasPrefix(answer.raw, `{"success":true,"data":{"user_id":`) {
		t.Errorf("the exchange answers %s", answer.raw)
	}
	for range 2 {
		if answer := exchangeToken(t, issuer, exchangeOf(token)); answer.Error != synologysso.InvalidToken {
			t.Errorf("a second exchange answers %s", answer.raw)
		}
	}
	for _, part := range []string{`"event":"token.issued"`, `"grant_type":"synology_sso"`, `"event":"token.reused"`, `"kind":"synology_sso"`} {
		if !strings.Contains(audit.String(), part) {
			t.Errorf("the audit log has no %s", part)
		}
	}
	if strings.Contains(audit.String(), token) || strings.Contains(audit.String(), token[26:]) {
		t.Error("the audit log has the token")
	}
}

// A token is no older than its lifetime, which no setting makes longer than three minutes.
func TestSynologyTokenExpires(t *testing.T) {
	issuer := synologyIssuer(t)
	client := synologyClient()
	client.Lifetimes.AuthorizationCode = registration.Duration(10 * time.Minute)
	issuer.AddClient(client)
	token := newSSOToken(t, issuer)
	issuer.Clock.Advance(3 * time.Minute)
	if answer := exchangeToken(t, issuer, exchangeOf(token)); answer.Error != synologysso.InvalidToken {
		t.Errorf("after three minutes the exchange answers %s", answer.raw)
	}
}

// What happens between login and exchange counts.
func TestSynologyTokenThatIsWorthNothingAnyMore(t *testing.T) {
	for name, happens := range map[string]func(issuer *providertest.Issuer, browser *providertest.Browser){
		"the person is disabled": func(issuer *providertest.Issuer, _ *providertest.Browser) {
			user := ada()
			user.Disabled = true
			issuer.AddUser(user, password)
		},
		"the person is gone": func(issuer *providertest.Issuer, _ *providertest.Browser) { issuer.RemoveUser("ada") },
		"the person has logged out": func(issuer *providertest.Issuer, browser *providertest.Browser) {
			browser.Submit(browser.Get(ssoURL(issuer, fromScript("method", "logout")...)), nil)
		},
		"the person is in no group of the application": func(issuer *providertest.Issuer, _ *providertest.Browser) {
			client := synologyClient()
			client.AllowedGroups = []string{"others"}
			issuer.AddClient(client)
		},
		"the redirect URI is not registered any more": func(issuer *providertest.Issuer, _ *providertest.Browser) {
			client := synologyClient()
			client.SynologySSO.RedirectURIs = []string{"https://new.example.com"}
			issuer.AddClient(client)
		},
		"the application is gone": func(issuer *providertest.Issuer, _ *providertest.Browser) { issuer.RemoveClient("app") },
		"the application is off": func(issuer *providertest.Issuer, _ *providertest.Browser) {
			client := synologyClient()
			client.Disabled = true
			issuer.AddClient(client)
		},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := synologyIssuer(t)
			browser := issuer.NewBrowser(t)
			token := fragmentOf(t, logIntoApp(t, issuer, browser)).Get("access_token")
			happens(issuer, browser)
			if answer := exchangeToken(t, issuer, exchangeOf(token, "app_id", "")); answer.Error != synologysso.InvalidToken || answer.Data != nil {
				t.Errorf("the exchange answers %s", answer.raw)
			}
		})
	}
}

// A token of the one protocol is worth nothing in the other, whatever is put around it.
func TestSynologyTokensAreNoCodes(t *testing.T) {
	issuer := synologyIssuer(t)
	client := synologyClient()
	client.RedirectURIs = append(client.RedirectURIs, appPage)
	app := issuer.AddClient(client)
	token := newSSOToken(t, issuer)
	for _, code := range []string{token, "synology sso token " + token, token + "synology sso token "} {
		response, err := issuer.Client().PostForm(issuer.Endpoint("/oauth2/token"), url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {appPage}, "client_id": {"app"}, "client_secret": {app.Secret},
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close() // its status is all that is looked at
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("as a code it answers %d", response.StatusCode)
		}
	}
	if answer := exchangeToken(t, issuer, exchangeOf(token)); !answer.Success {
		t.Errorf("the token is spoilt: %s", answer.raw)
	}
	if answer := exchangeToken(t, issuer, exchangeOf(newCode(t, issuer), "app_id", "")); answer.Error != synologysso.InvalidToken {
		t.Errorf("a code is exchanged: %s", answer.raw)
	}
}

// Two replicas on one database give one token away once, and know everybody by the same number, also after a restart.
func TestSynologyReplicas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "provider.db")
	open := func() store.Store {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	shared := open()
	one, two := synologyIssuer(t, providertest.WithStore(shared)), synologyIssuer(t, providertest.WithStore(shared))
	var numbers []int64
	for range 5 {
		token := newSSOToken(t, one)
		answers := make([]exchanged, 16)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				issuer := one
				if i%2 == 1 {
					issuer = two
				}
				answers[i] = exchangeToken(t, issuer, exchangeOf(token))
			})
		}
		all.Wait()
		won := 0
		for _, answer := range answers {
			switch {
			case answer.Success:
				won++
				numbers = append(numbers, answer.Data.UserID)
			case answer.Error != synologysso.InvalidToken:
				t.Errorf("an exchange answers %s", answer.raw)
			}
		}
		if won != 1 {
			t.Errorf("%d of %d exchanges of one token succeed", won, len(answers))
		}
	}
	if err := shared.Close(); err != nil {
		t.Fatal(err)
	}
	shared = open()
	t.Cleanup(func() { _ = shared.Close() }) // the test is over
	three := synologyIssuer(t, providertest.WithStore(shared))
	numbers = append(numbers, exchangeToken(t, three, exchangeOf(newSSOToken(t, three))).Data.UserID)
	for _, number := range numbers {
		if number != synologysso.Candidates("sub-ada")[0] {
			t.Errorf("the numbers are %v", numbers)
		}
	}
}

// Somebody whose number another person has is given another one, for good.
func TestSynologyNumbersDoNotCollide(t *testing.T) {
	s := memory.New()
	issuer := synologyIssuer(t, providertest.WithStore(s))
	taken := synologysso.Candidates("sub-ada")[0]
	if _, err := s.UserNumber(t.Context(), "sub-eve", []int64{taken}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if answer := exchangeToken(t, issuer, exchangeOf(newSSOToken(t, issuer))); !answer.Success || answer.Data.UserID != synologysso.Candidates("sub-ada")[1] {
			t.Errorf("the exchange answers %s; %d is taken", answer.raw, taken)
		}
	}
}

// The name is what the client's own claims make of it, and none where they make nothing of it. Another application is told the username.
func TestSynologyNameByExpression(t *testing.T) {
	issuer := synologyIssuer(t)
	client := synologyClient()
	for expression, want := range map[string]string{
		"'DOMAIN\\\\' + user.username": `"user_name":"DOMAIN\\ada"`, "user.groups[7]": `{"success":false,"error":"unknown_error"}`,
	} {
		client.Claims = []registration.Claim{{Name: "preferred_username", Expression: expression}}
		issuer.AddClient(client)
		if answer := exchangeToken(t, issuer, exchangeOf(newSSOToken(t, issuer))); !strings.Contains(answer.raw, want) {
			t.Errorf("%s answers %s, want %s", expression, answer.raw, want)
		}
		// Without app_id nobody knows that it is this client which asks.
		if answer := exchangeToken(t, issuer, exchangeOf(newSSOToken(t, issuer), "app_id", "")); !strings.Contains(answer.raw, `"user_name":"ada"`) {
			t.Errorf("%s without app_id answers %s", expression, answer.raw)
		}
	}
}

// Only the application's own pages may read the answer in a browser.
func TestSynologyExchangeOrigins(t *testing.T) {
	issuer := synologyIssuer(t)
	for origin, want := range map[string]string{
		appPage: appPage, "https://other.example.com:8443": "https://other.example.com:8443", "https://other.example.com": "", "https://evil.example": "", "null": "",
		"https://app.example.com.evil.example": "", "": "",
	} {
		answer := exchangeToken(t, issuer, exchangeOf(newSSOToken(t, issuer)), "Origin", origin)
		if got := answer.header.Get("Access-Control-Allow-Origin"); got != want || !answer.Success || answer.header.Get("Vary") != "Origin" || answer.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("for %q the header is %q: %s", origin, got, answer.raw)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, issuer.Endpoint(ssoExchange), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://evil.example")
	response, err := issuer.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close() // its header is all that is looked at
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a preflight answers %d %v", response.StatusCode, response.Header)
	}
	if script := fetch(t, issuer, issuer.Endpoint(ssoScript), "Origin", "https://evil.example"); script.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("scripts elsewhere may read what they may only run")
	}
}

// Guessing is slow, and told in the protocol's words.
func TestSynologyExchangeIsLimited(t *testing.T) {
	stopped := time.Now()
	issuer := synologyIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Now = func() time.Time { return stopped } }))
	limited := 0
	for range 250 {
		answer := exchangeToken(t, issuer, exchangeOf("ABCDE"))
		if answer.status == http.StatusTooManyRequests {
			limited++
			if answer.Error != synologysso.ServerError || answer.header.Get("Retry-After") == "" {
				t.Fatalf("answers %s %v", answer.raw, answer.header)
			}
		}
	}
	if limited != 50 {
		t.Errorf("%d of 250 exchanges are refused", limited)
	}
	// Whoever has a token is let in, whatever others of the network have tried.
	if answer := exchangeToken(t, issuer, exchangeOf(newSSOToken(t, issuer))); answer.status != http.StatusOK {
		t.Errorf("a token that is good is answered %d %s", answer.status, answer.raw)
	}
}

// absentStore is one whose storage is away.
type absentStore struct{ store.Store }

func (absentStore) Session(context.Context, store.Handle) (store.Session, error) {
	return store.Session{}, store.ErrUnavailable
}

func (absentStore) Grant(context.Context, string) (store.Grant, error) {
	return store.Grant{}, store.ErrUnavailable
}

// While storage is away the script, the person and the application's server are told so.
func TestSynologyWithoutStorage(t *testing.T) {
	issuer := synologyIssuer(t, providertest.WithStore(absentStore{memory.New()}))
	browser := issuer.NewBrowser(t)
	browser.SetCookies(&http.Cookie{Name: sessionCookieName(t, issuer), Value: strings.Repeat("A", 43)})
	page := browser.Get(ssoURL(issuer, fromScript("synossoJSSDKQuery", "true")...))
	if told := messageOf(t, page); page.Status != http.StatusServiceUnavailable || told.values.Get("status") != "server_error" || told.target != appPage {
		t.Errorf("the script is told %v with %d", told, page.Status)
	}
	if page := browser.Get(ssoURL(issuer)); page.Status != http.StatusServiceUnavailable || page.Callback != nil {
		t.Errorf("the page answers %d", page.Status)
	}
	answer := exchangeToken(t, issuer, exchangeOf(strings.Repeat("a", 69)))
	if answer.status != http.StatusServiceUnavailable || answer.raw != `{"success":false,"error":"server_error"}` {
		t.Errorf("the exchange answers %d %s", answer.status, answer.raw)
	}
}

func sessionCookieName(t *testing.T, issuer *providertest.Issuer) string {
	t.Helper()
	session, _ := cookieNames(t, issuer.NewBrowser(t).Get(issuer.Endpoint("/login")).Header)
	return session
}

// The wrong method is told in the protocol's words, too.
func TestSynologyExchangeIsAGet(t *testing.T) {
	issuer := synologyIssuer(t)
	response, err := issuer.Client().PostForm(issuer.Endpoint(ssoExchange), exchangeOf("ABCDE"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close() // its header is all that is looked at
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET" {
		t.Errorf("a POST answers %d %v", response.StatusCode, response.Header)
	}
}
