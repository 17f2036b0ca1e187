package provider_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// RFC 9110 9.2.1: HEAD changes nothing, also where GET does.
func TestHeadChangesNothing(t *testing.T) {
	issuer, rp := logoutIssuer(t)
	browser := issuer.NewBrowser(t)
	token, _ := rp.loginIn(browser)
	hint, _ := token.Extra("id_token").(string)
	issuer.Clock.Advance(2 * time.Hour) // long enough for a visit to be written down
	before, err := issuer.Store.SessionsOf(t.Context(), "sub-ada")
	if err != nil || len(before) != 1 {
		t.Fatal(before, err)
	}
	for name, c := range map[string]struct {
		target, allow string
		status        int
	}{
		"authorization":     {authorizeURL(issuer), "GET, POST", http.StatusMethodNotAllowed},
		"logout":            {issuer.Endpoint(oidc.PathLogout) + "?id_token_hint=" + hint, "GET, POST", http.StatusMethodNotAllowed},
		"userinfo":          {issuer.Endpoint(oidc.PathUserinfo), "GET, POST", http.StatusMethodNotAllowed},
		"a typed user code": {issuer.Endpoint("/device") + "?user_code=BCDF-GHJK", "GET, POST", http.StatusMethodNotAllowed},
		"the start page":    {issuer.Endpoint("/"), "", http.StatusOK},
		"the account":       {issuer.Endpoint("/account"), "", http.StatusOK},
		"the login page":    {issuer.Endpoint("/login"), "", http.StatusOK},
	} {
		page := browser.Do(newRequest(t, http.MethodHead, c.target, nil))
		if page.Status != c.status || page.Header.Get("Allow") != c.allow || page.Callback != nil {
			t.Errorf("HEAD of %s answers %d, allows %q and leads to %v", name, page.Status, page.Header.Get("Allow"), page.Callback)
		}
	}
	after, err := issuer.Store.SessionsOf(t.Context(), "sub-ada")
	if err != nil || len(after) != 1 || !after[0].LastSeenAt.Equal(before[0].LastSeenAt) {
		t.Errorf("the session was %v and is %v (%v)", before, after, err)
	}
}
