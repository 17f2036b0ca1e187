package storetest

import (
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func grantCases() cases {
	return cases{
		"a grant comes back as it was stored": func(t *testing.T, s store.Store) {
			strange, full := grant("strange"), redeemed("full")
			strange.Code.Nonce, strange.Claims = odd, `{"id_token":{"acr":{"value":"`+odd+`"}}}`
			full.Refresh = refresh("full", 3)
			for _, name := range []string{"a", "strange", "full"} {
				must(t, "CreateSession", s.CreateSession(t.Context(), session(name)))
			}
			for _, want := range []store.Grant{grant("a"), bareGrant("bare"), strange, full} {
				must(t, "CreateGrant", s.CreateGrant(t.Context(), want))
				mustHaveGrant(t, s, want)
			}
		},
		"the times of a grant are kept to the microsecond in UTC": func(t *testing.T, s store.Store) {
			in, east := grant("a"), time.FixedZone("east", 3600)
			in.CreatedAt = time.Date(2026, 7, 8, 9, 10, 11, 987654321, east)
			in.Code.ExpiresAt = in.CreatedAt
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			must(t, "CreateGrant", s.CreateGrant(t.Context(), in))
			want := in
			want.CreatedAt = time.Date(2026, 7, 8, 8, 10, 11, 987654000, time.UTC)
			want.Code.ExpiresAt = want.CreatedAt
			mustHaveGrant(t, s, want)
		},
		"an unknown grant is neither found nor redeemed": func(t *testing.T, s store.Store) {
			for _, id := range []string{"", "grant-a", odd} {
				_, err := s.Grant(t.Context(), id)
				mustBe(t, "Grant", err, store.ErrNotFound)
				mustBe(t, "RedeemCode", s.RedeemCode(t.Context(), id, refresh("a", 0), tokenOf("a", "a"), keepUntil), store.ErrNotFound)
				err = s.RotateRefresh(t.Context(), id, refreshHandle("a", 0), refresh("a", 1), tokenOf("a", "a"), keepUntil)
				mustBe(t, "RotateRefresh", err, store.ErrNotFound)
				must(t, "DeleteGrant", s.DeleteGrant(t.Context(), id))
			}
			createGrants(t, s, "a") // so that the token would be found
			mustBe(t, "AccessToken", tokenError(t, s, "a"), store.ErrNotFound)
		},
		"a second grant with one ID is refused and the first stays": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			redeem(t, s, "a")
			mustBe(t, "CreateGrant with an ID that exists", s.CreateGrant(t.Context(), grant("a")), store.ErrUnavailable)
			mustHaveGrant(t, s, redeemed("a"))
		},
		"the grants of a subject are summed up by client and scopes": sumUp,
		"what callers do with the lists of a grant later does not matter": func(t *testing.T, s store.Store) {
			in := grant("a")
			must(t, "CreateSession", s.CreateSession(t.Context(), session("a")))
			must(t, "CreateGrant", s.CreateGrant(t.Context(), in))
			in.Scopes[0], in.Resources[0], in.AuthMethods[0] = "changed", "changed", "changed"
			mustHaveGrant(t, s, grant("a"))
			out, err := s.Grant(t.Context(), in.ID)
			must(t, "Grant", err)
			out.Scopes[0], out.Resources[0], out.AuthMethods[0] = "changed", "changed", "changed"
			mustHaveGrant(t, s, grant("a"))
		},
		"a deleted grant is gone with all that came from it": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a", "b")
			redeem(t, s, "a", "b")
			must(t, "CreateAccessToken", s.CreateAccessToken(t.Context(), *tokenOf("a", "another")))
			must(t, "DeleteGrant", s.DeleteGrant(t.Context(), "grant-a"))
			must(t, "DeleteGrant again", s.DeleteGrant(t.Context(), "grant-a"))
			mustBe(t, "Grant", grantError(t, s, "a"), store.ErrNotFound)
			mustBe(t, "the token", tokenError(t, s, "a"), store.ErrNotFound)
			mustBe(t, "the other token", tokenError(t, s, "another"), store.ErrNotFound)
			err := s.RotateRefresh(t.Context(), "grant-a", refreshHandle("a", 0), refresh("a", 1), nil, keepUntil)
			mustBe(t, "RotateRefresh", err, store.ErrNotFound)
			mustHaveGrant(t, s, redeemed("b"))
			must(t, "the token of another grant", tokenError(t, s, "b"))
		},
		"the grants of a subject can be deleted": testDeleteGrantsOf,
	}
}

func testDeleteGrantsOf(t *testing.T, s store.Store) {
	createGrants(t, s, "a", "b", "c")
	redeem(t, s, "a", "b", "c")
	of := grant("a").Subject
	other := grant("other")
	other.Subject, other.SessionID = of, ""
	must(t, "CreateGrant", s.CreateGrant(t.Context(), other))
	deleted, err := s.DeleteGrantsOf(t.Context(), of)
	must(t, "DeleteGrantsOf", err)
	mustEqual(t, "deleted", deleted, []store.DeletedGrant{
		{ID: "grant-a", Client: grant("a").Client, SessionID: grant("a").SessionID}, {ID: "grant-other", Client: other.Client},
	})
	for _, name := range []string{"a", "other"} {
		mustBe(t, "grant "+name, grantError(t, s, name), store.ErrNotFound)
	}
	mustBe(t, "the token", tokenError(t, s, "a"), store.ErrNotFound)
	for _, name := range []string{"b", "c"} {
		must(t, "the token of somebody else", tokenError(t, s, name))
	}
	for _, subject := range []string{of, "nobody", "\x00\xff"} {
		deleted, err = s.DeleteGrantsOf(t.Context(), subject)
		must(t, "DeleteGrantsOf again", err)
		mustEqual(t, "deleted", len(deleted), 0)
	}
}

func redeemCases() cases {
	return cases{
		"reading a grant does not redeem its code": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			must(t, "Grant", grantError(t, s, "a"))
			redeem(t, s, "a")
		},
		"redeeming stores the tokens and the new end": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			redeem(t, s, "a")
			mustHaveGrant(t, s, redeemed("a"))
			got, g, err := s.AccessToken(t.Context(), token("a").Handle)
			must(t, "AccessToken", err)
			mustEqual(t, "AccessToken", got, token("a"))
			mustEqual(t, "the grant of the token", stored(g), redeemed("a"))
		},
		"redeeming may bring no tokens": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			must(t, "RedeemCode", s.RedeemCode(t.Context(), "grant-a", store.Refresh{}, nil, keepUntil))
			want := redeemed("a")
			want.Refresh = store.Refresh{}
			mustHaveGrant(t, s, want)
			err := s.RotateRefresh(t.Context(), "grant-a", store.Handle{}, refresh("a", 0), nil, keepUntil)
			mustBe(t, "rotating what is not there", err, store.ErrRedeemed)
			mustHaveGrant(t, s, want)
		},
		"a redeemed code is refused and stores no token": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			redeem(t, s, "a")
			err := s.RedeemCode(t.Context(), "grant-a", refresh("b", 0), tokenOf("a", "b"), now)
			mustBe(t, "RedeemCode", err, store.ErrRedeemed)
			mustHaveGrant(t, s, redeemed("a"))
			mustBe(t, "AccessToken of the replay", tokenError(t, s, "b"), store.ErrNotFound)
			must(t, "AccessToken of the first", tokenError(t, s, "a"))
		},
		"a code whose token cannot be stored stays unredeemed": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a", "b")
			redeem(t, s, "a")
			err := s.RedeemCode(t.Context(), "grant-b", refresh("b", 0), tokenOf("b", "a"), keepUntil)
			mustBe(t, "RedeemCode with a token that exists", err, store.ErrUnavailable)
			mustHaveGrant(t, s, grant("b"))
			redeem(t, s, "b")
		},
	}
}

func refreshCases() cases {
	rotate := func(t *testing.T, s store.Store, generation int, tok *store.AccessToken) error {
		t.Helper()
		return s.RotateRefresh(t.Context(), "grant-a", refreshHandle("a", generation-1), refresh("a", generation), tok,
			keepUntil.Add(time.Duration(generation)*time.Hour))
	}
	rotated := func(generation int) store.Grant {
		g := redeemed("a")
		g.Refresh, g.ExpiresAt = refresh("a", generation), keepUntil.Add(time.Duration(generation)*time.Hour)
		return g
	}
	return cases{
		"a rotation puts the new token in the place of the old": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a", "b")
			redeem(t, s, "a", "b")
			must(t, "RotateRefresh", rotate(t, s, 1, tokenOf("a", "second")))
			mustHaveGrant(t, s, rotated(1))
			must(t, "RotateRefresh without an access token", rotate(t, s, 2, nil))
			mustHaveGrant(t, s, rotated(2))
			must(t, "the first token", tokenError(t, s, "a"))
			must(t, "the second token", tokenError(t, s, "second"))
			mustHaveGrant(t, s, redeemed("b"))
		},
		"a token that is not the newest is refused and stores nothing": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			redeem(t, s, "a")
			must(t, "RotateRefresh", rotate(t, s, 1, nil))
			mustBe(t, "RotateRefresh again", rotate(t, s, 1, tokenOf("a", "second")), store.ErrRedeemed)
			mustBe(t, "RotateRefresh from what never was", rotate(t, s, 7, tokenOf("a", "second")), store.ErrRedeemed)
			mustHaveGrant(t, s, rotated(1))
			mustBe(t, "AccessToken", tokenError(t, s, "second"), store.ErrNotFound)
		},
		"a token of another grant is refused": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a", "b")
			redeem(t, s, "a", "b")
			err := s.RotateRefresh(t.Context(), "grant-b", refreshHandle("a", 0), refresh("a", 1), nil, keepUntil)
			mustBe(t, "RotateRefresh", err, store.ErrRedeemed)
			mustHaveGrant(t, s, redeemed("a"))
			mustHaveGrant(t, s, redeemed("b"))
		},
		"a refresh token stays when its access token cannot be stored": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			redeem(t, s, "a")
			mustBe(t, "RotateRefresh with a token that exists", rotate(t, s, 1, tokenOf("a", "a")), store.ErrUnavailable)
			mustHaveGrant(t, s, redeemed("a"))
			must(t, "RotateRefresh", rotate(t, s, 1, nil))
		},
	}
}

func accessTokenCases() cases {
	return cases{
		"an access token comes back as it was stored, with its grant": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			must(t, "CreateAccessToken", s.CreateAccessToken(t.Context(), token("a")))
			got, g, err := s.AccessToken(t.Context(), token("a").Handle)
			must(t, "AccessToken", err)
			mustEqual(t, "AccessToken", got, token("a"))
			mustEqual(t, "its grant", stored(g), grant("a"))
			mustEqual(t, "the session of its grant", g.Session, store.SessionTimes{LastSeenAt: session("a").LastSeenAt, ExpiresAt: session("a").ExpiresAt})
		},
		"a client's own access token has no grant": func(t *testing.T, s store.Store) {
			want := store.AccessToken{Handle: store.HandleOf("own"), Client: store.Client{ID: "client", UID: "uid"}, IssuedAt: now, ExpiresAt: now}
			must(t, "CreateAccessToken", s.CreateAccessToken(t.Context(), want))
			got, g, err := s.AccessToken(t.Context(), want.Handle)
			must(t, "AccessToken", err)
			mustEqual(t, "AccessToken", got, want)
			mustEqual(t, "its grant", g, store.Grant{})
		},
		"a second access token with one handle is refused and the first stays": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a", "b")
			must(t, "CreateAccessToken", s.CreateAccessToken(t.Context(), token("a")))
			mustBe(t, "CreateAccessToken again", s.CreateAccessToken(t.Context(), *tokenOf("b", "a")), store.ErrUnavailable)
			got, _, err := s.AccessToken(t.Context(), token("a").Handle)
			must(t, "AccessToken", err)
			mustEqual(t, "AccessToken", got, token("a"))
		},
		"a deleted access token is gone and its grant stays": func(t *testing.T, s store.Store) {
			createGrants(t, s, "a")
			redeem(t, s, "a")
			must(t, "CreateAccessToken", s.CreateAccessToken(t.Context(), *tokenOf("a", "other")))
			must(t, "DeleteAccessToken", s.DeleteAccessToken(t.Context(), token("a").Handle))
			must(t, "DeleteAccessToken again", s.DeleteAccessToken(t.Context(), token("a").Handle))
			mustBe(t, "AccessToken", tokenError(t, s, "a"), store.ErrNotFound)
			must(t, "the other token", tokenError(t, s, "other"))
			mustHaveGrant(t, s, redeemed("a"))
		},
	}
}
