package provider_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func refreshingClient() registration.Client {
	c := appClient()
	c.Scope = "openid profile email offline_access"
	c.GrantTypes = []string{registration.GrantCode, registration.GrantRefreshToken}
	return c
}

// refreshed exchanges a refresh token.
func refreshed(t testing.TB, issuer *providertest.Issuer, token string, changed ...string) answer {
	t.Helper()
	return exchange(t, issuer, "", append([]string{
		"grant_type", "refresh_token", "refresh_token", token, "code", "", "redirect_uri", "",
	}, changed...)...)
}

func newRefreshing(t *testing.T, scope string) (*providertest.Issuer, answer) {
	t.Helper()
	issuer := providertest.New(t)
	issuer.AddUser(ada(), password)
	issuer.AddClient(refreshingClient())
	first := exchange(t, issuer, newCode(t, issuer, "scope", scope))
	if first.text("refresh_token") == "" {
		t.Fatalf("there is no refresh token: %d %v", first.status, first.text("error"))
	}
	return issuer, first
}

// RFC 6749 section 6, OpenID Connect Core section 12.
func TestRefresh(t *testing.T) {
	issuer, first := newRefreshing(t, "openid profile")
	second := refreshed(t, issuer, first.text("refresh_token"))
	if second.status != 200 || second.text("refresh_token") == "" || second.text("refresh_token") == first.text("refresh_token") {
		t.Fatalf("the first exchange answers %d, %s", second.status, second.text("error"))
	}
	if second.text("id_token") == "" || second.text("scope") != "openid profile" {
		t.Errorf("the answer has scope %q", second.text("scope"))
	}
	if got := userinfo(t, issuer, second.text("access_token")); got.text("sub") != "sub-ada" {
		t.Errorf("userinfo answers %d", got.status)
	}
	issuer.Clock.Advance(time.Minute)
	if third := refreshed(t, issuer, second.text("refresh_token")); third.status != 200 {
		t.Errorf("the second exchange answers %d, %s", third.status, third.text("error"))
	}
}

// RFC 9700 section 4.14.2: a token that is used twice was stolen, and nobody can tell from whom.
func TestRefreshReuseRevokesEverything(t *testing.T) {
	issuer, first := newRefreshing(t, "openid")
	second := refreshed(t, issuer, first.text("refresh_token"))
	issuer.Clock.Advance(11 * time.Second)
	if got := refreshed(t, issuer, first.text("refresh_token")); got.text("error") != "invalid_grant" {
		t.Errorf("the used token answers %d", got.status)
	}
	if got := refreshed(t, issuer, second.text("refresh_token")); got.text("error") != "invalid_grant" {
		t.Errorf("the token that followed answers %d", got.status)
	}
	if got := userinfo(t, issuer, second.text("access_token")); got.status != 401 {
		t.Errorf("the access token that followed answers %d", got.status)
	}
}

// A client whose answer was lost asks again and gets the same token, however often, so that either answer is good.
func TestRefreshAgainAfterALostAnswer(t *testing.T) {
	issuer, first := newRefreshing(t, "openid")
	second := refreshed(t, issuer, first.text("refresh_token"))
	for range 3 {
		issuer.Clock.Advance(3 * time.Second)
		again := refreshed(t, issuer, first.text("refresh_token"))
		if again.status != 200 || again.text("refresh_token") != second.text("refresh_token") {
			t.Fatalf("asking again answers %d %s; want the same refresh token", again.status, again.text("error"))
		}
	}
	if got := refreshed(t, issuer, second.text("refresh_token")); got.status != 200 {
		t.Errorf("the token then answers %d", got.status)
	}
}

// Asking again does not make the time longer in which that is taken for a lost answer: whoever has stolen a token could otherwise keep
// it alive beside its successor.
func TestRefreshAgainIsForATime(t *testing.T) {
	issuer, first := newRefreshing(t, "openid")
	refreshed(t, issuer, first.text("refresh_token"))
	issuer.Clock.Advance(6 * time.Second)
	if got := refreshed(t, issuer, first.text("refresh_token")); got.status != 200 {
		t.Fatalf("asking again answers %d %s", got.status, got.text("error"))
	}
	issuer.Clock.Advance(6 * time.Second)
	if got := refreshed(t, issuer, first.text("refresh_token")); got.text("error") != "invalid_grant" {
		t.Errorf("asking once more answers %d", got.status)
	}
}

// boundClient is a confidential client that signs with a key of its own.
type boundClient struct {
	t      testing.TB
	issuer *providertest.Issuer
	client registration.Client
	secret string
	key    signingKey
}

func newBoundClient(t *testing.T, rotation string) *boundClient {
	t.Helper()
	issuer, _ := newIssuer(t)
	c := &boundClient{t: t, issuer: issuer, client: refreshingClient(), key: newSigningKey(t, "")}
	c.client.DPoPBoundAccessTokens = true
	c.register(rotation)
	return c
}

func (c *boundClient) register(rotation string) {
	c.client.RefreshTokenRotation = rotation
	c.secret = c.issuer.AddClient(c.client).Secret
}

func (c *boundClient) send(form url.Values) answer {
	form.Set("client_id", c.client.ClientID)
	form.Set("client_secret", c.secret)
	return proven(c.t, c.issuer, form, c.key.proof(c.t, c.issuer, "POST", c.issuer.Endpoint(oidc.PathToken), ""))
}

// login returns a refresh token.
func (c *boundClient) login() string {
	c.t.Helper()
	got := c.send(url.Values{
		"grant_type": {"authorization_code"}, "redirect_uri": {callback}, "code_verifier": {verifierOfChallenge},
		"code": {newCode(c.t, c.issuer, "scope", "openid offline_access", "code_challenge", challenge, "code_challenge_method", "S256")},
	})
	if got.text("refresh_token") == "" {
		c.t.Fatalf("there is no refresh token: %d %s", got.status, got.text("error"))
	}
	return got.text("refresh_token")
}

func (c *boundClient) refresh(token string) answer {
	return c.send(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// FAPI 2.0 Security Profile section 5.3.2.1: no rotation for a client whose key keeps a stolen refresh token useless.
func TestRefreshWithoutRotation(t *testing.T) {
	c := newBoundClient(t, registration.RefreshTokenRotationNever)
	token := c.login()
	for i := range 3 {
		c.issuer.Clock.Advance(700 * time.Hour) // less than it may be idle, more than that together
		got := c.refresh(token)
		if got.status != 200 || got.text("refresh_token") != token || got.text("access_token") == "" {
			t.Fatalf("use %d answers %d %s; want the same refresh token", i, got.status, got.text("error"))
		}
	}
	c.issuer.Clock.Advance(100 * time.Hour) // the login is 2200 hours ago
	if got := c.refresh(token); got.text("error") != "invalid_grant" {
		t.Errorf("a refresh token after its absolute lifetime answers %d", got.status)
	}
}

// A client that rotates no more while a lost answer may still be asked for again gets that answer.
func TestRefreshRotationSwitchedOff(t *testing.T) {
	c := newBoundClient(t, registration.RefreshTokenRotationAlways)
	first := c.login()
	second := c.refresh(first).text("refresh_token")
	c.register(registration.RefreshTokenRotationNever)
	for _, token := range []string{first, second, second} {
		if got := c.refresh(token); got.status != 200 || got.text("refresh_token") != second || second == first {
			t.Fatalf("answers %d %s; want the second refresh token", got.status, got.text("error"))
		}
	}
}

// An invented token must not revoke anything: otherwise whoever knows a grant's name could.
func TestInventedRefreshTokenRevokesNothing(t *testing.T) {
	issuer, first := newRefreshing(t, "openid")
	token := []byte(first.text("refresh_token"))
	for i := 30; i < len(token); i += 7 {
		forged := append([]byte{}, token...)
		forged[i] = map[bool]byte{true: 'B', false: 'A'}[forged[i] == 'A']
		if got := refreshed(t, issuer, string(forged)); got.text("error") != "invalid_grant" {
			t.Errorf("an invented token answers %d", got.status)
		}
	}
	if got := refreshed(t, issuer, string(token)); got.status != 200 {
		t.Errorf("the real token answers %d %s", got.status, got.text("error"))
	}
}

func TestRefreshIsRefused(t *testing.T) {
	other := refreshingClient()
	other.ClientID = "other"
	tests := map[string]struct {
		change func(issuer *providertest.Issuer)
		fields []string
		want   string
	}{
		"after it was idle for too long": {
			change: func(issuer *providertest.Issuer) { issuer.Clock.Advance(721 * time.Hour) }, want: "invalid_grant",
		},
		"to another client": {
			change: func(issuer *providertest.Issuer) { issuer.AddClient(other) },
			fields: []string{"client_id", "other", "client_secret", "secret-of-other"}, want: "invalid_grant",
		},
		"for more than was granted": {fields: []string{"scope", "openid email"}, want: "invalid_scope"},
		"to a client that may not any more": {
			change: func(issuer *providertest.Issuer) { issuer.AddClient(appClient()) }, want: "unauthorized_client",
		},
		"for a person who is disabled": {
			change: func(issuer *providertest.Issuer) {
				user := ada()
				user.Disabled = true
				issuer.AddUser(user, password)
			}, want: "invalid_grant",
		},
		"for a person who left the group": {
			change: func(issuer *providertest.Issuer) {
				c := refreshingClient()
				c.AllowedGroups = []string{"staff"}
				issuer.AddClient(c)
			}, want: "invalid_grant",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			issuer, first := newRefreshing(t, "openid profile offline_access")
			if test.change != nil {
				test.change(issuer)
			}
			if got := refreshed(t, issuer, first.text("refresh_token"), test.fields...); got.text("error") != test.want {
				t.Errorf("answers %d %s; want %s", got.status, got.text("error"), test.want)
			}
		})
	}
}

// OpenID Connect Core section 11: without offline_access a refresh token is for as long as the person is logged in.
func TestRefreshEndsWithTheSession(t *testing.T) {
	for scope, want := range map[string]int{"openid": 400, "openid offline_access": 200} {
		t.Run(scope, func(t *testing.T) {
			issuer, first := newRefreshing(t, scope)
			sessions, err := issuer.Store.SessionsOf(t.Context(), "sub-ada")
			if err != nil || len(sessions) != 1 {
				t.Fatalf("there are %d sessions (%v)", len(sessions), err)
			}
			if err := issuer.Store.EndSession(t.Context(), sessions[0].ID, nil); err != nil {
				t.Fatal(err)
			}
			if got := refreshed(t, issuer, first.text("refresh_token")); got.status != want {
				t.Errorf("answers %d %s; want %d", got.status, got.text("error"), want)
			}
		})
	}
}
