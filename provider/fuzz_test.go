package provider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzCookies: no Cookie header logs anybody in, passes a form or makes the provider fail.
func FuzzCookies(f *testing.F) {
	issuer, _ := newIssuer(f)
	session, form := cookieNames(f, issuer.NewBrowser(f).Get(issuer.Endpoint("/login")).Header)
	for _, header := range []string{
		session + "=", session + "=" + strings.Repeat("A", 43), session + "=" + strings.Repeat("A", 9000), session + `="a b"; ` + session + "=c",
		form + "=" + strings.Repeat("A", 43), form + "=a; " + form + "=b", "=;;,=\x00", "\"", strings.Repeat("a=b; ", 500),
	} {
		f.Add(header)
	}
	handler := issuer.Provider.Handler()
	f.Fuzz(func(t *testing.T, header string) {
		home := httptest.NewRequest(http.MethodGet, "/", nil)
		home.Header["Cookie"] = []string{header}
		page := httptest.NewRecorder()
		handler.ServeHTTP(page, home)
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "You are not logged in") {
			t.Fatalf("the start page answers %d\n%s", page.Code, page.Body)
		}
		fields := url.Values{"username": {"ada"}, "password": {password}, "csrf_token": {"guess"}}
		login := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(fields.Encode()))
		login.Header["Cookie"] = []string{header}
		login.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, login)
		if answer.Code != http.StatusForbidden || answer.Header().Get("Set-Cookie") != "" {
			t.Fatalf("the login form answers %d", answer.Code)
		}
	})
}

// cookieNames returns the names of the session's and the forms' cookie.
func cookieNames(t testing.TB, header http.Header) (session, form string) {
	t.Helper()
	response := http.Response{Header: header}
	for _, cookie := range response.Cookies() {
		return strings.Replace(cookie.Name, "oidc-form-", "oidc-session-", 1), cookie.Name
	}
	t.Fatal("the login page sets no cookie")
	return "", ""
}

// FuzzAuthorize: no query makes the authorization endpoint fail or send the browser anywhere but to the registered
// redirect URI and the pages of the provider.
func FuzzAuthorize(f *testing.F) {
	issuer, _ := newIssuer(f)
	_, valid, _ := strings.Cut(authorizeURL(issuer), "?")
	for _, query := range []string{
		valid, valid + "&prompt=none", valid + "&client_id=app", valid + "&redirect_uri=https://evil.example", "client_id=app&redirect_uri=//evil.example",
		strings.Replace(valid, "app.example.com", "app.example.com@evil.example", 1), valid + "&state=%0d%0aSet-Cookie:a=b", valid + ";a=b", "%zz",
		valid + "&response_mode=form_post&prompt=none", valid + "&response_mode=form_post&scope=&state=%3C/form%3E%22", valid + "&response_mode=form_post%00",
		valid + "&claims=" + url.QueryEscape(`{"id_token":{"acr":{"essential":true,"value":"x"}},"userinfo":{"email":{"values":[1]}}}`),
		valid + "&resource=https://api.example&resource=a%23", valid + "&dpop_jkt=" + challenge, valid + "&max_age=0&display=wap&ui_locales=de+fr",
		"client_id=app&request_uri=urn:ietf:params:oauth:request_uri:AAAA", valid + "&id_token_hint=e30.e30.", valid + "&request_uri=https://evil.example",
	} {
		f.Add(query)
	}
	handler := issuer.Provider.Handler()
	f.Fuzz(func(t *testing.T, query string) {
		request := httptest.NewRequest(http.MethodGet, "/oauth2/authorize", nil)
		request.URL.RawQuery = query
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		checkAuthorizeAnswer(t, answer)
	})
}

// checkAuthorizeAnswer tells when a stranger's request at the authorization endpoint has led where none may.
func checkAuthorizeAnswer(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	location := answer.Header().Get("Location")
	switch {
	case answer.Code >= 500:
		t.Fatalf("answers %d\n%s", answer.Code, answer.Body)
	case answer.Code == http.StatusOK && !strings.Contains(answer.Body.String(), `action="`+callback+`"`):
		t.Fatalf("answers with a page that posts elsewhere\n%s", answer.Body)
	case answer.Code == http.StatusOK && strings.Count(answer.Body.String(), "<script") != 1:
		t.Fatalf("answers with a page that has been written into\n%s", answer.Body)
	case answer.Code != http.StatusSeeOther && location != "":
		t.Fatalf("answers %d with Location %s", answer.Code, location)
	case answer.Code == http.StatusSeeOther && !strings.HasPrefix(location, callback+"?") && !strings.HasPrefix(location, "/login?"):
		t.Fatalf("leads to %s", location)
	}
}

// FuzzPushedRequest: whatever a client pushes is refused as JSON or kept, and what is kept leads to the login page or to the
// registered redirect URI.
func FuzzPushedRequest(f *testing.F) {
	issuer, _ := newIssuer(f)
	valid := authorizeQuery(issuer)
	for _, body := range []string{
		valid, valid + "&prompt=none", valid + "&request_uri=urn:ietf:params:oauth:request_uri:x", valid + "&request=e30.e30.", valid + "&client_id=app",
		valid + "&response_mode=form_post&prompt=none", strings.Replace(valid, "app.example.com", "evil.example", 1), valid + "&state=a;b", "%zz", "",
		valid + "&login_proof=AAAA", valid + "&resource=a&resource=b", valid + "&claims=%7B", "client_id=other&redirect_uri=" + callback,
	} {
		f.Add(body)
	}
	handler := issuer.Provider.Handler()
	f.Fuzz(func(t *testing.T, body string) {
		request := httptest.NewRequest(http.MethodPost, "/oauth2/par", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Authorization", basic("app", "secret-of-app"))
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		var document struct {
			RequestURI string `json:"request_uri"`
			Error      string `json:"error"`
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
			t.Fatalf("answers %d %s", answer.Code, answer.Body)
		}
		if answer.Code != http.StatusCreated {
			if answer.Code >= 500 || document.Error == "" || document.RequestURI != "" {
				t.Fatalf("answers %d %s", answer.Code, answer.Body)
			}
			return
		}
		follow := httptest.NewRecorder()
		target := "/oauth2/authorize?" + url.Values{"client_id": {"app"}, "request_uri": {document.RequestURI}}.Encode()
		handler.ServeHTTP(follow, httptest.NewRequest(http.MethodGet, target, nil))
		if follow.Code == http.StatusBadRequest {
			t.Fatalf("what was taken is refused\n%s", follow.Body)
		}
		checkAuthorizeAnswer(t, follow)
	})
}
