package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/synologysso"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// serveSynologyLogin answers a request of Synology SSO Server's protocol: with a token when the person is logged in, may use the
// application and has agreed, else by asking for what is missing, or, where nothing may be shown, by saying that nobody is.
func (p *Provider) serveSynologyLogin(w http.ResponseWriter, r *http.Request) error {
	s, err := p.readSynology(r)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	switch {
	case err != nil:
		return s.fail(err)
	case s.Kind == synologysso.Logout:
		return p.serveSynologyLogout(w, r, s, b)
	case b == nil && s.Kind == synologysso.Query:
		return p.tellNotLogin(w, r, s)
	case b == nil:
		return p.askSynologyLogin(w, s)
	}
	refusal, err := p.refusalOf(s.client, b.user)
	if err != nil {
		return s.fail(err)
	}
	if refusal != nil && s.Kind != synologysso.Query {
		return p.refuseSynology(w, r, s, b, refusal)
	}
	needed, err := p.synologyNeedsConsent(r.Context(), s, b)
	switch {
	case err != nil:
		return s.fail(err)
	case refusal != nil, needed && s.Kind == synologysso.Query:
		return p.tellNotLogin(w, r, s) // a window will tell why
	case needed:
		return p.serveSynologyConsent(w, r, s, b)
	}
	return p.issueSynologyToken(w, r, s, b)
}

// serveSynologyPost takes what a person has decided on a page about such a request.
func (p *Provider) serveSynologyPost(w http.ResponseWriter, r *http.Request, fields oidc.Parameters) error {
	s, err := p.readSynology(r)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	switch {
	case err != nil:
		return s.fail(err)
	case b == nil && s.Kind == synologysso.Logout:
		return p.tellLoggedOut(w, r, s, nil)
	case b == nil:
		p.redirect(w, p.base+s.here())
		return nil
	}
	if err := p.checkForm(r, fields, s.purpose(), b); err != nil {
		return err
	}
	if s.Kind == synologysso.Logout {
		front, err := p.endSession(r.Context(), w, b)
		if err != nil {
			return s.fail(err)
		}
		return p.tellLoggedOut(w, r, s, front)
	}
	return p.decideSynology(w, r, s, b, fields.Get("decision"))
}

func (p *Provider) decideSynology(w http.ResponseWriter, r *http.Request, s *synologyRequest, b *browser, decision string) error {
	refusal, err := p.refusalOf(s.client, b.user)
	switch {
	case err != nil:
		return s.fail(err)
	case decision != decisionAllow && decision != decisionDeny:
		return &pageError{status: http.StatusBadRequest, text: "form", again: r.URL.RequestURI()}
	case decision == decisionDeny && refusal != nil:
		return p.giveUpSynology(w, r, s, synologysso.UnknownError)
	case decision == decisionDeny:
		p.recordSynologyDecision(r.Context(), auditConsentDenied, s, b)
		return p.giveUpSynology(w, r, s, synologysso.StatusNotLogin)
	case refusal != nil:
		return p.refuseSynology(w, r, s, b, refusal)
	}
	if err := p.addConsent(r.Context(), s.client, b.Subject, synologyAgreement()); err != nil {
		return s.fail(err)
	}
	p.recordSynologyDecision(r.Context(), auditConsentGranted, s, b)
	return p.issueSynologyToken(w, r, s, b)
}

// synologyAgreement returns the words for what a person agrees to: the application learns that it is them, and their username.
func synologyAgreement() []string {
	return []string{oidc.ScopeOpenID, claimMark + "preferred_username"}
}

// synologyNeedsConsent tells whether the person has to be asked, as needsConsent does for authorization requests.
func (p *Provider) synologyNeedsConsent(ctx context.Context, s *synologyRequest, b *browser) (bool, error) {
	switch {
	case s.client.Consent == registration.ConsentNever:
		return false, nil
	case s.client.Consent == registration.ConsentAlways, !strings.HasPrefix(s.RedirectURI, "https://"):
		return true, nil // any program on the person's machine can listen there, see needsConsent
	}
	given, err := p.store.Consent(ctx, b.Subject, storedAs(s.client))
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read consent: %w", err)
	}
	for _, word := range synologyAgreement() {
		if !covers(given.Scopes, word) {
			return true, nil
		}
	}
	return false, nil
}

func (p *Provider) serveSynologyConsent(w http.ResponseWriter, r *http.Request, s *synologyRequest, b *browser) error {
	return p.render(w, r, http.StatusOK, web.Consent{
		Application:  applicationOf(s.client),
		Action:       p.base + s.here(),
		Token:        p.formToken(w, r, s.purpose(), b),
		Person:       personOf(b.user),
		Username:     b.user.Username,
		Shared:       []web.Shared{{Scope: oidc.ScopeOpenID}, {Scope: oidc.ScopeProfile, Value: p.synologyName(s.client, b.user)}},
		OtherAccount: p.loginReturning(s.here()),
		ReturnHost:   hostOf(s.RedirectURI),
	})
}

// synologyName returns the name by which a client knows a person: the username, or what the client's own claims make of
// preferred_username. It is empty when they make nothing of it: the username could be somebody else's name there.
func (p *Provider) synologyName(client *registration.Client, user *registration.User) string {
	name := user.Username
	for _, claim := range p.ownClaims(client, user) {
		if claim.name == "preferred_username" {
			name = ""
			_ = json.Unmarshal(claim.value, &name) // what is no text is no name
		}
	}
	return name
}

// refuseSynology tells a person that the application is not for them, as serveRefusal does.
func (p *Provider) refuseSynology(w http.ResponseWriter, r *http.Request, s *synologyRequest, b *browser, f *refusal) error {
	p.record(r.Context(), auditAccessDenied, slog.String("sub", b.Subject), slog.String("session_id", b.ID),
		slog.String("client_id", s.client.ClientID), slog.String("reason", f.reason))
	return p.render(w, r, http.StatusForbidden, web.Denied{
		Application:  applicationOf(s.client),
		Reason:       f.reason,
		Contacts:     contactsOf(s.client),
		Action:       p.base + s.here(),
		Token:        p.formToken(w, r, s.purpose(), b),
		Person:       personOf(b.user),
		Username:     b.user.Username,
		OtherAccount: p.loginReturning(s.here()),
	})
}

func (p *Provider) recordSynologyDecision(ctx context.Context, event auditEvent, s *synologyRequest, b *browser) {
	p.record(ctx, event, slog.String("sub", b.Subject), slog.String("session_id", b.ID), slog.String("client_id", s.client.ClientID),
		slog.String("scope", synologysso.Scope))
}

// maxSynologyToken is the longest that a token may be good for, however long codes are: it has been in a URL.
const maxSynologyToken = 3 * time.Minute

// newSynologyToken returns the value of a grant's token, and its handle. The handle is not that of the value alone, so that neither
// such a token is a code for the token endpoint nor a code such a token.
func newSynologyToken(grantID string) (value string, h store.Handle) {
	value = grantID + newSecret()
	return value, synologyHandle(value)
}

func synologyHandle(value string) store.Handle { return store.HandleOf("synology sso token " + value) }

// issueSynologyToken gives the application a token, which is kept as the code of a grant: good once, by its hash, and bound to the
// client and the redirect URI.
func (p *Provider) issueSynologyToken(w http.ResponseWriter, r *http.Request, s *synologyRequest, b *browser) error {
	now := p.now()
	lifetime := min(time.Duration(p.lifetimes(s.client).AuthorizationCode), maxSynologyToken)
	id := store.NewID(now)
	token, handle := newSynologyToken(id)
	err := p.store.CreateGrant(r.Context(), store.Grant{
		ID: id, Client: storedAs(s.client), Subject: b.Subject, SessionID: b.ID, Credential: b.Credential, Scopes: []string{oidc.ScopeOpenID, oidc.ScopeProfile},
		AuthTime: b.AuthTime, AuthMethods: b.AuthMethods, CreatedAt: now, ExpiresAt: now.Add(lifetime),
		Code: store.Code{Handle: handle, RedirectURI: s.RedirectURI, ExpiresAt: now.Add(lifetime)},
	})
	switch {
	case errors.Is(err, store.ErrNotFound) && s.FromScript(): // the person has just logged out, in another tab or elsewhere
		return p.tellNotLogin(w, r, s)
	case errors.Is(err, store.ErrNotFound):
		return p.askSynologyLogin(w, s)
	case err != nil:
		return s.fail(fmt.Errorf("create grant: %w", err))
	}
	p.trimGrants(r.Context(), b.Subject)
	if s.FromScript() {
		return p.tellScript(w, r, s, web.Message{Text: "login", Data: s.Message(synologysso.StatusLogin, token)})
	}
	p.redirect(w, s.ReturnURL(token))
	return nil
}
