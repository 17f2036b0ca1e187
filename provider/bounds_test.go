package provider_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// A user gets any number of codes; the oldest that are not redeemed give way, and so do the oldest refresh tokens.
func TestAUserKeepsTheNewestGrants(t *testing.T) {
	issuer, _ := newIssuer(t)
	client := appClient()
	client.GrantTypes = []string{registration.GrantCode, registration.GrantRefreshToken}
	issuer.AddClient(client)
	issuer.Provider.ShrinkBounds(5)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	codeOf := func() string { return browser.Get(authorizeURL(issuer)).Answer().Get("code") }
	there := func(code string) bool {
		_, err := issuer.Store.Grant(t.Context(), code[:store.IDLength])
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	var families, codes []string
	for range 8 {
		families = append(families, codeOf())
		if got := exchange(t, issuer, families[len(families)-1]); got.text("refresh_token") == "" {
			t.Fatalf("no refresh token: %s", got.raw)
		}
		issuer.Clock.Advance(time.Millisecond)
	}
	for range 8 {
		codes = append(codes, codeOf())
		issuer.Clock.Advance(time.Millisecond)
	}
	for i := range 8 {
		if got := there(families[i]); got != (i >= 3) {
			t.Errorf("refresh token %d is there: %t", i, got)
		}
		if got := there(codes[i]); got != (i >= 3) {
			t.Errorf("code %d is there: %t", i, got)
		}
	}
	if got := exchange(t, issuer, codes[7]); got.status != http.StatusOK {
		t.Errorf("the newest code: %s", got.raw)
	}
	if got := exchange(t, issuer, codes[0]); got.text("error") != "invalid_grant" {
		t.Errorf("the oldest code: %s", got.raw)
	}
	if limitReached(t, issuer, "grants") == 0 {
		t.Error("no metric tells of it")
	}
}

// A user logs in any number of times; the sessions that were not used for the longest end.
func TestAUserKeepsTheSessionsUsedLast(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.Provider.ShrinkBounds(3)
	var sessions []store.Session
	for range 6 {
		browser := issuer.NewBrowser(t)
		browser.Authorize(authorizeURL(issuer), "ada", password)
		session, err := issuer.Store.Session(t.Context(), store.HandleOf(sessionCookie(t, browser).Value))
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, session)
		issuer.Clock.Advance(time.Second)
	}
	for i, session := range sessions {
		if _, err := issuer.Store.SessionByID(t.Context(), session.ID); (err == nil) != (i >= 3) {
			t.Errorf("session %d: %v", i, err)
		}
	}
	if limitReached(t, issuer, "sessions") == 0 {
		t.Error("no metric tells of it")
	}
}

// A client gets any number of tokens for itself; the oldest give way.
func TestAClientKeepsItsNewestTokens(t *testing.T) {
	issuer, _ := newIssuer(t)
	issuer.AddClient(workerClient())
	issuer.Provider.ShrinkBounds(4)
	var tokens []string
	for range 9 {
		got := post(t, issuer, oidc.PathToken, "grant_type", "client_credentials", "client_id", "worker", "client_secret", "secret-of-worker")
		if got.status != http.StatusOK {
			t.Fatalf("answers %s", got.raw)
		}
		tokens = append(tokens, got.text("access_token"))
		issuer.Clock.Advance(10 * time.Millisecond)
	}
	for i, token := range tokens {
		_, _, err := issuer.Store.AccessToken(t.Context(), store.HandleOf(token))
		if i != 4 && (err == nil) != (i > 4) { // that one was issued at the moment from which on they are kept
			t.Errorf("token %d: %v", i, err)
		}
	}
	if limitReached(t, issuer, "client_tokens") == 0 {
		t.Error("no metric tells of it")
	}
}

// The ID of each assertion is remembered until it expires. A client that signs too many is told, and those that were used before count for
// nothing, whoever sends them.
func TestAssertionsThatMustBeRemembered(t *testing.T) {
	issuer, _ := newIssuer(t)
	key := newSigningKey(t, "k")
	issuer.AddClient(signingClient(t, key))
	issuer.Provider.ShrinkBounds(1)
	ask := func(assertion string) answer {
		return post(t, issuer, oidc.PathToken, "grant_type", "client_credentials", "client_assertion_type", oidc.AssertionTypeJWT, "client_assertion", assertion)
	}
	first := key.sign(t, assertionClaims(issuer), nil)
	if got := ask(first); got.status != http.StatusOK {
		t.Fatalf("answers %s", got.raw)
	}
	for range 100 {
		if got := ask(first); got.text("error") != "invalid_client" {
			t.Fatalf("a replay is answered %s", got.raw)
		}
	}
	accepted := 0
	var last answer
	for accepted < 100 {
		if last = ask(key.sign(t, assertionClaims(issuer), nil)); last.status != http.StatusOK {
			break
		}
		accepted++
	}
	if last.status != http.StatusServiceUnavailable || last.text("error") != "temporarily_unavailable" || last.header.Get("Retry-After") == "" || accepted < 2 {
		t.Errorf("after %d: %d %s", accepted, last.status, last.raw)
	}
	issuer.Clock.Advance(time.Minute)
	if got := ask(key.sign(t, assertionClaims(issuer), nil)); got.status != http.StatusOK {
		t.Errorf("later: %s", got.raw)
	}
}

// Failed logins of any number of names do not fill the storage. The purge deletes what is beyond the total.
func TestFailedLoginsHaveATotal(t *testing.T) {
	const kept = 50
	issuer, _ := newIssuer(t)
	issuer.Provider.ShrinkBounds(kept)
	now := issuer.Clock.Now()
	for i := range kept + 700 {
		if _, err := issuer.Store.AddFailure(t.Context(), store.HandleOf(fmt.Sprint(i)), now, now.Add(time.Hour+time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	deleted := 0
	for range 3 {
		n, err := issuer.Provider.Purge(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		deleted += n
	}
	if deleted != 700 || limitReached(t, issuer, "failures") == 0 {
		t.Errorf("%d were deleted", deleted)
	}
	for i, want := range map[int]bool{0: false, 699: false, 700: true, kept + 699: true} {
		if f, err := issuer.Store.Failures(t.Context(), store.HandleOf(fmt.Sprint(i)), now); err != nil || (f.Count > 0) != want {
			t.Errorf("failure %d: %v, %v", i, f, err)
		}
	}
}
