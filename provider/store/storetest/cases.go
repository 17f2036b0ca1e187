package storetest

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func sessionCases() map[string]func(*testing.T, store.Store) {
	get := func(t *testing.T, s store.Store, name string) store.Session {
		t.Helper()
		got, err := s.Session(t.Context(), session(name).Handle)
		must(t, "Session "+name, err)
		return got
	}
	return map[string]func(*testing.T, store.Store){
		"a session comes back as it was stored": func(t *testing.T, s store.Store) {
			bare := store.Session{Handle: store.HandleOf("bare"), ID: "sid", Subject: "subject", AuthTime: now, LastSeenAt: now, ExpiresAt: now}
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			must(t, "CreateSession bare", s.CreateSession(t.Context(), bare))
			mustEqual(t, "Session", get(t, s, "a"), session("a"))
			got, err := s.Session(t.Context(), bare.Handle)
			must(t, "Session bare", err)
			mustEqual(t, "Session bare", got, bare)
		},
		"times are kept to the microsecond in UTC": func(t *testing.T, s store.Store) {
			in := session("a")
			in.AuthTime = time.Date(2026, 7, 8, 9, 10, 11, 987654321, time.FixedZone("east", 3*3600))
			in.LastSeenAt = time.Time{}
			must(t, "CreateSession", s.CreateSession(t.Context(), in))
			want := in
			want.AuthTime = time.Date(2026, 7, 8, 6, 10, 11, 987654000, time.UTC)
			mustEqual(t, "Session", get(t, s, "a"), want)
		},
		"an unknown session is not found": func(t *testing.T, s store.Store) {
			_, err := s.Session(t.Context(), session("a").Handle)
			mustBe(t, "Session", err, store.ErrNotFound)
		},
		"a second session with one handle is refused and the first stays": func(t *testing.T, s store.Store) {
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			other := session("b")
			other.Handle = session("a").Handle
			if s.CreateSession(t.Context(), other) == nil {
				t.Fatal("CreateSession with a handle that exists succeeded")
			}
			mustEqual(t, "Session", get(t, s, "a"), session("a"))
		},
		"what callers do with their lists later does not matter": func(t *testing.T, s store.Store) {
			in := session("a")
			must(t, "CreateSession", s.CreateSession(t.Context(), in))
			in.AuthMethods[0] = "changed"
			out := get(t, s, "a")
			mustEqual(t, "Session after its input was changed", out, session("a"))
			out.AuthMethods[0] = "changed"
			mustEqual(t, "Session after its output was changed", get(t, s, "a"), session("a"))
		},
		"a session's last use moves forward and never back": func(t *testing.T, s store.Store) {
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			must(t, "TouchSession", s.TouchSession(t.Context(), session("a").Handle, now.Add(5*time.Minute)))
			must(t, "TouchSession", s.TouchSession(t.Context(), session("a").Handle, now.Add(3*time.Minute)))
			want := session("a")
			want.LastSeenAt = now.Add(5 * time.Minute)
			mustEqual(t, "Session", get(t, s, "a"), want)
		},
		"using a session that is gone does not bring it back": func(t *testing.T, s store.Store) {
			must(t, "TouchSession", s.TouchSession(t.Context(), session("a").Handle, now))
			_, err := s.Session(t.Context(), session("a").Handle)
			mustBe(t, "Session", err, store.ErrNotFound)
		},
		"a deleted session is gone and others stay": func(t *testing.T, s store.Store) {
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			must(t, "CreateSession", s.CreateSession(t.Context(), session("b")))
			must(t, "DeleteSession", s.DeleteSession(t.Context(), session("a").Handle))
			must(t, "DeleteSession again", s.DeleteSession(t.Context(), session("a").Handle))
			_, err := s.Session(t.Context(), session("a").Handle)
			mustBe(t, "Session", err, store.ErrNotFound)
			mustEqual(t, "the other session", get(t, s, "b"), session("b"))
		},
	}
}

func consentCases() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"a consent comes back as it was stored": func(t *testing.T, s store.Store) {
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			got, err := s.Consent(t.Context(), "subject-a", "client-a")
			must(t, "Consent", err)
			mustEqual(t, "Consent", got, consent("a"))
		},
		"a consent is of one subject to one client": func(t *testing.T, s store.Store) {
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			for _, pair := range [][2]string{{"subject-a", "client-b"}, {"subject-b", "client-a"}, {"subject-a", ""}} {
				_, err := s.Consent(t.Context(), pair[0], pair[1])
				mustBe(t, "Consent of "+pair[0]+" to "+pair[1], err, store.ErrNotFound)
			}
		},
		"a new consent takes the place of the old": func(t *testing.T, s store.Store) {
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			want := consent("a")
			want.Scopes, want.GrantedAt = []string{"openid"}, now.Add(time.Hour)
			must(t, "PutConsent", s.PutConsent(t.Context(), want))
			got, err := s.Consent(t.Context(), "subject-a", "client-a")
			must(t, "Consent", err)
			mustEqual(t, "Consent", got, want)
		},
	}
}

func codeCases() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"a code comes back as it was stored": func(t *testing.T, s store.Store) {
			bare := store.Code{
				Handle: store.HandleOf("bare"), GrantID: "g", ClientID: "c", Subject: "s", SessionID: "i",
				RedirectURI: "https://app.example.com", AuthTime: now, ExpiresAt: now,
			}
			create(t, s, "a")
			must(t, "CreateCode bare", s.CreateCode(t.Context(), bare))
			for _, want := range []store.Code{code("a"), bare} {
				got, redeemed, err := s.Code(t.Context(), want.Handle)
				must(t, "Code", err)
				mustEqual(t, "Code", got, want)
				mustEqual(t, "redeemed", redeemed, false)
			}
		},
		"reading a code does not redeem it": func(t *testing.T, s store.Store) {
			create(t, s, "a")
			_, _, err := s.Code(t.Context(), code("a").Handle)
			must(t, "Code", err)
			redeem(t, s, "a")
		},
		"an unknown code is neither found nor redeemed": func(t *testing.T, s store.Store) {
			_, _, err := s.Code(t.Context(), code("a").Handle)
			mustBe(t, "Code", err, store.ErrNotFound)
			mustBe(t, "RedeemCode", s.RedeemCode(t.Context(), code("a").Handle, token("a"), keepUntil), store.ErrNotFound)
			_, err = s.AccessToken(t.Context(), token("a").Handle)
			mustBe(t, "AccessToken", err, store.ErrNotFound)
		},
		"a second code with one handle is refused and the first stays": func(t *testing.T, s store.Store) {
			create(t, s, "a")
			redeem(t, s, "a")
			if s.CreateCode(t.Context(), code("a")) == nil {
				t.Fatal("CreateCode with a handle that exists succeeded")
			}
			_, redeemed, err := s.Code(t.Context(), code("a").Handle)
			must(t, "Code", err)
			mustEqual(t, "redeemed", redeemed, true)
		},
		"redeeming stores the access token": func(t *testing.T, s store.Store) {
			create(t, s, "a")
			redeem(t, s, "a")
			got, err := s.AccessToken(t.Context(), token("a").Handle)
			must(t, "AccessToken", err)
			mustEqual(t, "AccessToken", got, token("a"))
			c, redeemed, err := s.Code(t.Context(), code("a").Handle)
			must(t, "Code", err)
			mustEqual(t, "redeemed", redeemed, true)
			mustEqual(t, "the redeemed code", c, code("a"))
		},
		"a redeemed code is refused and stores no token": func(t *testing.T, s store.Store) {
			create(t, s, "a")
			redeem(t, s, "a")
			mustBe(t, "RedeemCode", s.RedeemCode(t.Context(), code("a").Handle, token("b"), keepUntil), store.ErrCodeRedeemed)
			_, err := s.AccessToken(t.Context(), token("b").Handle)
			mustBe(t, "AccessToken of the replay", err, store.ErrNotFound)
			_, err = s.AccessToken(t.Context(), token("a").Handle)
			must(t, "AccessToken of the first", err)
		},
		"a code whose token cannot be stored stays unredeemed": func(t *testing.T, s store.Store) {
			create(t, s, "a", "b")
			redeem(t, s, "a")
			if s.RedeemCode(t.Context(), code("b").Handle, token("a"), keepUntil) == nil {
				t.Fatal("RedeemCode with a token that exists succeeded")
			}
			_, redeemed, err := s.Code(t.Context(), code("b").Handle)
			must(t, "Code", err)
			mustEqual(t, "redeemed", redeemed, false)
			redeem(t, s, "b")
		},
	}
}

func revocationCases() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"revoking a grant deletes its tokens and no others": func(t *testing.T, s store.Store) {
			create(t, s, "a", "b", "c", "z")
			redeem(t, s, "b", "z")
			for _, name := range []string{"a", "c"} {
				shared := token(name)
				shared.GrantID = "grant-m"
				must(t, "RedeemCode", s.RedeemCode(t.Context(), code(name).Handle, shared, keepUntil))
			}
			must(t, "RevokeGrant", s.RevokeGrant(t.Context(), "grant-m"))
			for _, name := range []string{"a", "c"} {
				_, err := s.AccessToken(t.Context(), token(name).Handle)
				mustBe(t, "AccessToken "+name, err, store.ErrNotFound)
			}
			must(t, "AccessToken b", tokenError(t, s, "b"))
			must(t, "AccessToken z", tokenError(t, s, "z"))
			_, redeemed, err := s.Code(t.Context(), code("a").Handle)
			must(t, "Code a", err)
			mustEqual(t, "the code of a revoked grant is still known as redeemed", redeemed, true)
		},
		"revoking an unknown grant is no error": func(t *testing.T, s store.Store) {
			must(t, "RevokeGrant", s.RevokeGrant(t.Context(), "nothing"))
		},
	}
}
