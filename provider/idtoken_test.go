package provider_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// Every algorithm of a key is good for an independent library.
func TestIDTokenInEveryAlgorithm(t *testing.T) {
	for _, algorithm := range registration.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			issuer := providertest.New(t, providertest.WithAlgorithms(algorithm))
			issuer.AddUser(ada(), password)
			app := issuer.AddClient(appClient())
			token, _ := newRelyingParty(t, issuer, app).login() // which verifies signature, at_hash, iss, aud and exp
			raw, _ := token.Extra("id_token").(string)
			if payload, err := issuer.Registry.Keys().Verify(raw); err != nil || len(payload) == 0 {
				t.Error(err)
			}
		})
	}
}

func TestIDTokenByTheClientsAlgorithm(t *testing.T) {
	issuer, _ := newIssuer(t, providertest.WithAlgorithms("ES256", "EdDSA"))
	client := appClient()
	for algorithm, want := range map[string]string{"": "ES256", "EdDSA": "EdDSA"} {
		client.IDTokenSignedResponseAlg = algorithm
		app := issuer.AddClient(client)
		token, _ := newRelyingParty(t, issuer, app).login()
		raw, _ := token.Extra("id_token").(string)
		if header := decodeSegment(t, raw, 0); header["alg"] != want || header["kid"] == "" || header["typ"] != "JWT" {
			t.Errorf("registered for %q the header is %v", algorithm, header)
		}
	}
}

func decodeSegment(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	decoded := map[string]any{}
	if err := json.Unmarshal(raw, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// A key that is missing costs the client nothing but this answer, and the log says what is missing.
func TestMissingKeyIsAServerErrorThatTheLogExplains(t *testing.T) {
	var log bytes.Buffer
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) { o.Logger = slog.New(slog.NewJSONHandler(&log, nil)) }))
	code := newCode(t, issuer)
	client := appClient()
	client.IDTokenSignedResponseAlg = "RS256"
	issuer.AddClient(client)
	browser := issuer.NewBrowser(t)
	if callback := browser.Authorize(authorizeURL(issuer), "ada", password); callback.Query().Get("error") != "server_error" {
		t.Errorf("before a code is issued the client is told %v", callback)
	}
	log.Reset()
	got := exchange(t, issuer, code)
	if got.status != http.StatusInternalServerError || got.text("error") != "server_error" || strings.Contains(got.raw, "RS256") ||
		!strings.Contains(got.raw, got.header.Get("X-Request-Id")) {
		t.Errorf("answers %d %s", got.status, got.raw)
	}
	if !strings.Contains(log.String(), "no active signing key of RS256") || strings.Count(log.String(), got.header.Get("X-Request-Id")) != 1 {
		t.Errorf("the log is %s", log.String())
	}
	issuer.AddKey("RS256", time.Now())
	if got := exchange(t, issuer, code); got.status != http.StatusOK {
		t.Errorf("with the key: %d %s", got.status, got.raw)
	}
}

// brokenStore cannot read sessions.
type brokenStore struct{ store.Store }

func (brokenStore) Session(context.Context, store.Handle) (store.Session, error) {
	return store.Session{}, errors.New("disk on fire: secret detail")
}

// What fails inside is told without detail: to the client by redirect (RFC 6749 4.1.2.1), to a person on a page.
func TestFaultsAreToldWithoutDetail(t *testing.T) {
	var log bytes.Buffer
	issuer, _ := newIssuer(t, providertest.WithStore(brokenStore{memory.New()}), providertest.WithOptions(func(o *provider.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	}))
	browser := issuer.NewBrowser(t)
	browser.SetCookies(&http.Cookie{Name: "oidc-session-" + cookieSuffix(t, browser, issuer), Value: strings.Repeat("A", 43)})
	page := browser.Get(authorizeURL(issuer, "prompt", "none"))
	if page.Callback == nil || page.Callback.Query().Get("error") != "server_error" || strings.Contains(page.Callback.String(), "fire") {
		t.Errorf("the client is told %v", page.Callback)
	}
	page = browser.Get(issuer.Endpoint("/"))
	if page.Status != http.StatusInternalServerError || strings.Contains(page.Body, "fire") || !strings.Contains(page.Body, page.Header.Get("X-Request-Id")) {
		t.Errorf("the person is told %d\n%s", page.Status, page.Body)
	}
	if strings.Count(log.String(), "disk on fire") != 2 {
		t.Errorf("the log is %s", log.String())
	}
}

// cookieSuffix returns what the issuer's cookies end in.
func cookieSuffix(t *testing.T, browser *providertest.Browser, issuer *providertest.Issuer) string {
	t.Helper()
	browser.Get(issuer.Endpoint("/login"))
	for _, cookie := range browser.Cookies() {
		if _, suffix, ok := strings.Cut(cookie.Name, "oidc-form-"); ok {
			return suffix
		}
	}
	t.Fatal("there is no cookie")
	return ""
}

// OIDC Core 2, 3.1.3.6 and 5.4: what is in an ID token, and what in userinfo (5.3.2).
func TestClaims(t *testing.T) {
	full := registration.User{
		Subject: "24400320", Username: "ada", Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", MiddleName: "King",
		Nickname: "Countess", Profile: "https://example.com/ada", Picture: "https://example.com/ada.png", Website: "https://ada.example",
		Gender: "female", Birthdate: "1815-12-10", Zoneinfo: "Europe/London", Locale: "en-GB", UpdatedAt: 1700000000,
		Email: "ada@example.com", EmailVerified: true, PhoneNumber: "+44 20 5550100",
		Address: &registration.Address{Locality: "London", Country: "UK"}, Groups: []string{"admins", "matrix-users"},
	}
	bare := registration.User{Subject: "1", Username: "ada", Address: &registration.Address{}}
	unverified := registration.User{Subject: "2", Username: "ada", Email: "ada@example.com"}
	profile := map[string]any{
		"sub": "24400320", "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King",
		"nickname": "Countess", "preferred_username": "ada", "profile": "https://example.com/ada", "picture": "https://example.com/ada.png",
		"website": "https://ada.example", "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
		"updated_at": 1700000000.0,
	}
	for name, c := range map[string]struct {
		user  registration.User
		scope string
		want  map[string]any
	}{
		"openid":  {full, "openid", map[string]any{"sub": "24400320"}},
		"profile": {full, "openid profile", profile},
		"email":   {full, "openid email", map[string]any{"sub": "24400320", "email": "ada@example.com", "email_verified": true}},
		"phone":   {full, "openid phone", map[string]any{"sub": "24400320", "phone_number": "+44 20 5550100", "phone_number_verified": false}},
		"address": {full, "openid address", map[string]any{"sub": "24400320", "address": map[string]any{"locality": "London", "country": "UK"}}},
		"groups":  {full, "openid groups", map[string]any{"sub": "24400320", "groups": []any{"admins", "matrix-users"}}},
		"all, of someone of whom nothing is known": {bare, "openid profile email phone address groups", map[string]any{"sub": "1", "preferred_username": "ada"}},
		"email that is not verified":               {unverified, "openid email", map[string]any{"sub": "2", "email": "ada@example.com", "email_verified": false}},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			issuer.AddUser(c.user, password)
			got := exchange(t, issuer, newCode(t, issuer, "scope", c.scope, "nonce", "n-1"))
			info := userinfo(t, issuer, got.text("access_token"))
			if !reflect.DeepEqual(info.body, c.want) {
				t.Errorf("userinfo is %s", info.raw)
			}
			payload := decodeSegment(t, got.text("id_token"), 1)
			protocol := []string{"iss", "aud", "exp", "iat", "auth_time", "nonce", "sid", "at_hash", "acr", "amr"}
			for _, claim := range protocol {
				if payload[claim] == nil {
					t.Errorf("the ID token has no %s", claim)
				}
			}
			maps.DeleteFunc(payload, func(claim string, _ any) bool { return slices.Contains(protocol, claim) })
			if !reflect.DeepEqual(payload, c.want) {
				t.Errorf("the ID token has %v", payload)
			}
		})
	}
}

func TestProtocolClaims(t *testing.T) {
	issuer, app := newIssuer(t)
	rp := newRelyingParty(t, issuer, app)
	browser := issuer.NewBrowser(t)
	_, first := rp.loginIn(browser, oidc.Nonce("nonce-1"))
	issuer.Clock.Advance(5 * time.Minute)
	_, second := rp.loginIn(browser)
	type claims struct {
		AuthTime int64    `json:"auth_time"`
		SID      string   `json:"sid"`
		AMR      []string `json:"amr"`
		AZP      string   `json:"azp"`
	}
	var a, b claims
	if err := errors.Join(first.Claims(&a), second.Claims(&b)); err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{
		"nonce is echoed (OIDC Core 3.1.2.1)":        first.Nonce == "nonce-1" && second.Nonce == "",
		"auth_time is that of the login, not of now": a.AuthTime == b.AuthTime && second.IssuedAt.Unix()-b.AuthTime >= 300,
		"iat is now":                           second.IssuedAt.Sub(first.IssuedAt) >= 5*time.Minute,
		"sid names the browser's session":      a.SID != "" && a.SID == b.SID,
		"amr says pwd (RFC 8176)":              slices.Equal(a.AMR, []string{"pwd"}),
		"aud is the client alone, without azp": slices.Equal(first.Audience, []string{"app"}) && a.AZP == "",
		"exp is after 15 minutes":              first.Expiry.Sub(first.IssuedAt) == 15*time.Minute,
	} {
		if !ok {
			t.Errorf("%s: %+v %+v", name, first, a)
		}
	}
	var other claims
	_, third := rp.login()
	if err := third.Claims(&other); err != nil || other.SID == a.SID {
		t.Errorf("another browser has the sid %q (%v)", other.SID, err)
	}
	_, again := rp.loginIn(browser, oauth2.SetAuthURLParam("prompt", "login"))
	if err := again.Claims(&other); err != nil || other.SID != a.SID || other.AuthTime == a.AuthTime {
		t.Errorf("after logging in again: %+v (%v)", other, err)
	}
}
