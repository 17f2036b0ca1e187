package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// serveConsent asks whether the application may know what it wants to know.
func (p *Provider) serveConsent(w http.ResponseWriter, r *http.Request) error {
	a, b, err := p.consentRequest(r)
	if err != nil {
		return err
	}
	if b == nil {
		p.redirect(w, p.base+oidc.PathAuthorization+"?"+a.queryWithProof())
		return nil
	}
	return p.render(w, r, http.StatusOK, web.Consent{
		Application:  applicationOf(a.client),
		Action:       p.base + pathConsent + "?" + a.queryWithProof(),
		Token:        p.formToken(w, r, a.consentPurpose(), b),
		Person:       personOf(b.user),
		Username:     b.user.Username,
		Shared:       p.sharedWith(a, b.user),
		OtherAccount: p.base + pathLogin + "?" + a.query,
		ReturnHost:   hostOf(a.to.URI),
	})
}

// consentPurpose names what the consent page of a request asks, for its form's token: an answer to this question is none to
// another, neither to another request nor to this one after the client has been registered for more.
func (a *authorization) consentPurpose() string {
	return strings.Join([]string{
		pathConsent, a.query, strings.Join(a.disclosed, " "), strings.Join(a.claims.Names(), " "), strings.Join(a.resources(), " "),
	}, "\x00")
}

// consentRequest returns the authorization request and who is logged in for it. The browser is nil when the person has to
// log in first, which the authorization endpoint sees to.
func (p *Provider) consentRequest(r *http.Request) (*authorization, *browser, error) {
	a, err := p.readAuthorization(r)
	if err != nil {
		return nil, nil, err
	}
	b, err := p.currentBrowser(r)
	if err != nil {
		return nil, nil, err
	}
	if a.Prompt(oidc.PromptNone) || p.needsLogin(a, b) {
		return a, nil, nil
	}
	return a, b, nil
}

// serveConsentPost takes the person's decision: a code for the client, or access_denied.
func (p *Provider) serveConsentPost(w http.ResponseWriter, r *http.Request, fields oidc.Parameters) error {
	a, b, err := p.consentRequest(r)
	if err != nil {
		return err
	}
	if b == nil {
		p.redirect(w, p.base+oidc.PathAuthorization+"?"+a.query)
		return nil
	}
	if err := p.checkForm(r, fields, a.consentPurpose(), b); err != nil {
		return err
	}
	refusal, err := p.refusalOf(a.client, b.user)
	if err != nil {
		return a.fail(err)
	}
	decision := fields.Get("decision")
	switch {
	case decision != decisionAllow && decision != decisionDeny:
		return &pageError{status: http.StatusBadRequest, text: "form", again: r.URL.RequestURI()}
	case decision == decisionAllow && refusal != nil:
		p.recordRefusal(r, a, b, refusal)
		return p.serveRefusal(w, r, a, b, refusal)
	case decision == decisionAllow:
		if err := p.rememberConsent(r, a, b); err != nil {
			return a.fail(err)
		}
		p.recordDecision(r.Context(), auditConsentGranted, a, b)
		return p.issueCode(w, r, a, b)
	}
	if err := p.useUp(r.Context(), a.stored); err != nil {
		return a.fail(err)
	}
	if refusal != nil {
		return a.fail(refusal.forClient())
	}
	p.recordDecision(r.Context(), auditConsentDenied, a, b)
	return a.fail(&oidc.Error{Code: oidc.CodeAccessDenied, Description: "the person did not agree"})
}

// What a person decides on the consent page.
const (
	decisionAllow = "allow"
	decisionDeny  = "deny"
)

// needsConsent tells whether the person has to be asked. A client for which the administrator has agreed (consent Never)
// never asks, whatever prompt says.
//
// offline_access takes an explicit yes (OpenID Connect Core section 11), which each way to get it is: the page, which names it;
// a yes that is remembered; or the administrator's. Where nobody can be asked it is left out of the request.
func (p *Provider) needsConsent(r *http.Request, a *authorization, b *browser) (bool, error) {
	switch {
	case a.client.Consent == registration.ConsentNever:
		return false, nil
	case a.client.Consent == registration.ConsentAlways, a.Prompt(oidc.PromptConsent):
		return true, nil
	case a.client.Public() && !strings.HasPrefix(a.to.URI, "https://"):
		// Any program on the person's machine can claim such a redirect URI (RFC 8252 section 8.6): what was agreed with
		// one must not be given to another without a word.
		return true, nil
	}
	given, err := p.store.Consent(r.Context(), b.Subject, storedAs(a.client))
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read consent: %w", err)
	}
	if a.Prompt(oidc.PromptNone) && !slices.Contains(given.Scopes, oidc.ScopeOfflineAccess) {
		a.leaveOut(oidc.ScopeOfflineAccess)
	}
	for _, word := range a.agreement() {
		if !covers(given.Scopes, word) {
			return true, nil
		}
	}
	return false, nil
}

// leaveOut takes a scope that is not granted out of a request.
func (a *authorization) leaveOut(scope string) {
	is := func(s string) bool { return s == scope }
	a.scopes, a.disclosed = slices.DeleteFunc(slices.Clone(a.scopes), is), slices.DeleteFunc(slices.Clone(a.disclosed), is)
}

func (p *Provider) recordDecision(ctx context.Context, event auditEvent, a *authorization, b *browser) {
	p.record(ctx, event, slog.String("sub", b.Subject), slog.String("session_id", b.ID), slog.String("client_id", a.client.ClientID),
		slog.String("scope", strings.Join(a.scopes, " ")))
}

// rememberConsent stores what the person agreed to, together with what they agreed to before.
func (p *Provider) rememberConsent(r *http.Request, a *authorization, b *browser) error {
	return p.addConsent(r.Context(), a.client, b.Subject, a.agreement())
}

// addConsent remembers that a person has agreed to something, see agreement, where the client's registration lets anything be remembered.
func (p *Provider) addConsent(ctx context.Context, client *registration.Client, subject string, agreed []string) error {
	if client.Consent == registration.ConsentAlways {
		return nil
	}
	before, err := p.store.Consent(ctx, subject, storedAs(client))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read consent: %w", err)
	}
	scopes := slices.Clone(agreed)
	for _, scope := range before.Scopes {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	err = p.store.PutConsent(ctx, store.Consent{
		Subject: subject, Client: storedAs(client), Scopes: scopes, GrantedAt: p.now(),
	})
	if err != nil {
		return fmt.Errorf("store consent: %w", err)
	}
	return nil
}

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Host
}

// sharedResources stands among what is shared for the services that tokens may be for.
const sharedResources = "resources"

// sharedWith returns, in words, what a client gets to know of a person by its request.
func (p *Provider) sharedWith(a *authorization, u *registration.User) []web.Shared {
	shared := make([]web.Shared, 0, len(a.disclosed))
	for _, scope := range oidc.Scopes() {
		switch {
		case slices.Contains(a.scopes, scope):
			shared = append(shared, web.Shared{Scope: scope, Value: sharedValue(scope, u)})
		case slices.Contains(a.disclosed, scope):
			shared = append(shared, web.Shared{Scope: scope, Value: requestedValue(scope, a.claims, u)})
		}
	}
	if own := p.ownValues(a.client, a.disclosed, u); own != "" {
		shared = append(shared, web.Shared{Scope: "own", Value: own})
	}
	// Scopes of resource servers have no words here but their names.
	others := slices.DeleteFunc(slices.Clone(a.scopes), func(s string) bool { return slices.Contains(oidc.Scopes(), s) })
	if len(others) > 0 {
		shared = append(shared, web.Shared{Scope: "other", Value: strings.Join(others, " ")})
	}
	if uris := a.resources(); len(uris) > 0 {
		shared = append(shared, web.Shared{Scope: sharedResources, Value: strings.Join(uris, " ")})
	}
	return shared
}

// ownValues returns the claims of the client's registration, with their values, as far as they are told with some scopes.
func (p *Provider) ownValues(client *registration.Client, scopes []string, u *registration.User) string {
	var values []string
	var c claims
	c.apply(p.ownClaims(client, u), scopes, u)
	for _, claim := range c.own {
		var text string
		if json.Unmarshal(claim.value, &text) != nil {
			text = string(claim.value)
		}
		values = append(values, claim.name+": "+text)
	}
	return strings.Join(values, ", ")
}

// requestedValue returns what a client gets to know that has requested single claims of a scope.
func requestedValue(scope string, requested *oidc.ClaimsRequest, u *registration.User) string {
	if scope != oidc.ScopeProfile {
		return sharedValue(scope, u) // a line of a few words, whichever of its claims are requested
	}
	all, values := claimsOf(u, "", []string{scope}), []string{}
	for _, name := range requested.Names() {
		if value, ok := all.get(name).(string); ok && value != "" {
			values = append(values, value)
		}
	}
	return strings.Join(values, ", ")
}

func sharedValue(scope string, u *registration.User) string {
	switch scope {
	case oidc.ScopeProfile:
		return personOf(u)
	case oidc.ScopeEmail:
		return u.Email
	case oidc.ScopePhone:
		return u.PhoneNumber
	case oidc.ScopeAddress:
		return addressLine(u.Address)
	case oidc.ScopeGroups:
		return strings.Join(u.Groups, ", ")
	default:
		return ""
	}
}

func addressLine(a *registration.Address) string {
	if a == nil {
		return ""
	}
	if a.Formatted != "" {
		return a.Formatted
	}
	parts := []string{a.StreetAddress, strings.TrimSpace(a.PostalCode + " " + a.Locality), a.Region, a.Country}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}
