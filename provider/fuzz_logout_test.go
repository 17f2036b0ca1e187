package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// FuzzLogout: whatever a logout request says, in the query or in a form, it makes the endpoint neither fail nor send the
// browser anywhere but to the registered URI, nor does a form leave an ID token in a URL.
func FuzzLogout(f *testing.F) {
	issuer, _ := newIssuer(f)
	client := appClient()
	client.PostLogoutRedirectURIs = []string{loggedOutURI}
	rp := newRelyingParty(f, issuer, issuer.AddClient(client))
	token, _ := rp.login()
	hint, _ := token.Extra("id_token").(string)
	valid := "client_id=app&state=s&post_logout_redirect_uri=" + url.QueryEscape(loggedOutURI)
	for _, request := range []string{
		"", valid, "id_token_hint=" + hint, valid + "&id_token_hint=" + hint, valid + "&id_token_hint=e30.e30.", "id_token_hint=a.b.c",
		valid + "&logout_proof=" + hint, valid + "&logout_proof=e30.e30.AAAA", "client_id=app&post_logout_redirect_uri=https://evil.example",
		"post_logout_redirect_uri=" + url.QueryEscape(loggedOutURI), valid + "&state=%0d%0aSet-Cookie:a=b", valid + "&ui_locales=de+%00", "%zz",
		valid + "&client_id=other", strings.Replace(valid, "app.example.com", "app.example.com@evil.example", 1),
	} {
		f.Add(request)
	}
	handler := issuer.Provider.Handler()
	f.Fuzz(func(t *testing.T, query string) {
		get := httptest.NewRequest(http.MethodGet, oidc.PathLogout, nil)
		get.URL.RawQuery = query
		post := httptest.NewRequest(http.MethodPost, oidc.PathLogout, strings.NewReader(query))
		post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, request := range []*http.Request{get, post} {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			location := answer.Header().Get("Location")
			if answer.Code >= 500 {
				t.Fatalf("%s answers %d\n%s", request.Method, answer.Code, answer.Body)
			}
			back := location == loggedOutURI || strings.HasPrefix(location, loggedOutURI+"?state=")
			here := request.Method == http.MethodPost && strings.HasPrefix(location, oidc.PathLogout+"?") && !strings.Contains(location, "id_token_hint=")
			if location != "" && !back && !here || strings.ContainsAny(location, "\r\n") {
				t.Fatalf("%s leads to %q", request.Method, location)
			}
		}
	})
}

// FuzzUserCode: what is read as a user code is one, and is read as the same when it is shown.
func FuzzUserCode(f *testing.F) {
	for _, typed := range []string{"WDJB-MJHT", "wdjb mjht", "WDJBMJH", "", "ẞ", "WDJB\x00MJHT", "ＷＤＪＢ-ＭＪＨＴ"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := oidc.ReadUserCode(typed)
		if !ok {
			return
		}
		if again, ok := oidc.ReadUserCode(oidc.ShowUserCode(code)); !ok || again != code || strings.Trim(code, "BCDFGHJKLMNPQRSTVWXZ") != "" {
			t.Fatalf("%q is read as %q", typed, code)
		}
	})
}
