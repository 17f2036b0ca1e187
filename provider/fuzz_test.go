package provider_test

import (
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
	} {
		f.Add(query)
	}
	handler := issuer.Provider.Handler()
	f.Fuzz(func(t *testing.T, query string) {
		request := httptest.NewRequest(http.MethodGet, "/oauth2/authorize", nil)
		request.URL.RawQuery = query
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		location := answer.Header().Get("Location")
		switch {
		case answer.Code >= 500:
			t.Fatalf("answers %d\n%s", answer.Code, answer.Body)
		case answer.Code != http.StatusSeeOther && location != "":
			t.Fatalf("answers %d with Location %s", answer.Code, location)
		case answer.Code == http.StatusSeeOther && !strings.HasPrefix(location, callback+"?") && !strings.HasPrefix(location, "/login?"):
			t.Fatalf("leads to %s", location)
		}
	})
}
