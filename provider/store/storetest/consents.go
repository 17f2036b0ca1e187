package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func consentCases() cases {
	return cases{
		"a consent comes back as it was stored": func(t *testing.T, s store.Store) {
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			got, err := s.Consent(t.Context(), "subject-a", client("a"))
			must(t, "Consent", err)
			mustEqual(t, "Consent", got, consent("a"))
		},
		"a consent is of one subject to one client": func(t *testing.T, s store.Store) {
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			for _, of := range []store.Consent{
				{Subject: "subject-a", Client: client("b")},
				{Subject: "subject-b", Client: client("a")},
				{Subject: "subject-a"},
				{Subject: "subject-a", Client: store.Client{ID: "client-a"}},
				{Subject: "subject-a", Client: store.Client{ID: "client-a", UID: "uid-b"}},
				{Subject: "subject-a", Client: store.Client{ID: "client-a", UID: odd}},
				{Subject: odd, Client: store.Client{ID: odd, UID: odd}},
			} {
				_, err := s.Consent(t.Context(), of.Subject, of.Client)
				mustBe(t, fmt.Sprintf("Consent of %q to %q", of.Subject, of.Client), err, store.ErrNotFound)
			}
		},
		"a new consent takes the place of the old": func(t *testing.T, s store.Store) {
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			want := consent("a")
			want.Scopes, want.GrantedAt = nil, now.Add(time.Hour)
			must(t, "PutConsent", s.PutConsent(t.Context(), want))
			got, err := s.Consent(t.Context(), "subject-a", client("a"))
			must(t, "Consent", err)
			mustEqual(t, "Consent", got, want)
		},
		"a consent takes the place of one that an earlier client of the same ID was given": func(t *testing.T, s store.Store) {
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
			want := consent("a")
			want.Client.UID, want.Scopes = "another", []string{"openid"}
			must(t, "PutConsent", s.PutConsent(t.Context(), want))
			_, err := s.Consent(t.Context(), "subject-a", client("a"))
			mustBe(t, "Consent to the earlier one", err, store.ErrNotFound)
			got, err := s.ConsentsOf(t.Context(), "subject-a")
			must(t, "ConsentsOf", err)
			mustEqual(t, "ConsentsOf", got, []store.Consent{want})
		},
		"the consents of a subject come newest first": func(t *testing.T, s store.Store) {
			var want []store.Consent
			for i, minute := range []int{2, 9, 4} {
				one := consent(number(i))
				one.Subject, one.GrantedAt = "someone", now.Add(time.Duration(minute)*time.Minute)
				must(t, "PutConsent", s.PutConsent(t.Context(), one))
				want = append(want, one)
			}
			must(t, "PutConsent", s.PutConsent(t.Context(), consent("other")))
			got, err := s.ConsentsOf(t.Context(), "someone")
			must(t, "ConsentsOf", err)
			mustEqual(t, "ConsentsOf", got, []store.Consent{want[1], want[2], want[0]})
			got, err = s.ConsentsOf(t.Context(), "nobody")
			must(t, "ConsentsOf nobody", err)
			mustEqual(t, "consents of nobody", len(got), 0)
		},
		"revoking takes back the consent and every grant of the two, and nothing else": revoke,
		"revoking what was not there is no error": func(t *testing.T, s store.Store) {
			mustRevoke(t, s, "nobody", "nothing", false)
			mustRevoke(t, s, odd, odd, false)
		},
	}
}

func revoke(t *testing.T, s store.Store) {
	of := func(name, subject, clientID string) {
		g, tok := grant(name), token(name)
		g.Subject, g.Client = subject, store.Client{ID: clientID, UID: "uid-of-" + name}
		must(t, "CreateSession", s.CreateSession(t.Context(), session(name)))
		must(t, "CreateGrant", s.CreateGrant(t.Context(), g))
		must(t, "RedeemCode", s.RedeemCode(t.Context(), g.ID, refresh(name, 0), &tok, keepUntil))
	}
	of("first", "subject-a", "client-a")
	of("second", "subject-a", "client-a")
	of("other client", "subject-a", "client-b")
	of("other subject", "subject-b", "client-a")
	other := consent("a")
	other.Client = client("b")
	must(t, "PutConsent", s.PutConsent(t.Context(), consent("a")))
	must(t, "PutConsent", s.PutConsent(t.Context(), other))

	mustRevoke(t, s, "subject-a", "client-a", true)
	_, err := s.Consent(t.Context(), "subject-a", client("a"))
	mustBe(t, "the consent", err, store.ErrNotFound)
	_, err = s.Consent(t.Context(), "subject-a", client("b"))
	must(t, "the consent for another client", err)
	for _, name := range []string{"first", "second"} {
		mustBe(t, "grant "+name, grantError(t, s, name), store.ErrNotFound)
		mustBe(t, "token "+name, tokenError(t, s, name), store.ErrNotFound)
		err := s.RotateRefresh(t.Context(), "grant-"+name, refreshHandle(name, 0), refresh(name, 1), nil, keepUntil)
		mustBe(t, "RotateRefresh "+name, err, store.ErrNotFound)
	}
	for _, name := range []string{"other client", "other subject"} {
		must(t, "grant "+name, grantError(t, s, name))
		must(t, "token "+name, tokenError(t, s, name))
	}
	mustRevoke(t, s, "subject-a", "client-a", false)
	mustRevoke(t, s, "subject-b", "client-a", true) // a grant without a consent
}

func mustRevoke(t *testing.T, s store.Store, subject, clientID string, want bool) {
	t.Helper()
	revoked, err := s.Revoke(t.Context(), subject, clientID)
	must(t, "Revoke", err)
	mustEqual(t, "there was something to revoke", revoked, want)
}
