package provider

import (
	"context"
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
		Token:        p.formToken(w, r, pathConsent, b),
		Person:       personOf(b.user),
		Username:     b.user.Username,
		Shared:       sharedWith(a.scopes, b.user),
		OtherAccount: p.base + pathLogin + "?" + a.query,
		ReturnHost:   hostOf(a.redirectURI),
	})
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
	if err := p.checkForm(r, fields, pathConsent, b); err != nil {
		return err
	}
	switch fields.Get("decision") {
	case "allow":
		if err := p.rememberConsent(r, a, b); err != nil {
			return a.fail(err)
		}
		p.recordDecision(r.Context(), auditConsentGranted, a, b)
		return p.issueCode(w, r, a, b)
	case "deny":
		p.recordDecision(r.Context(), auditConsentDenied, a, b)
		return a.fail(&oidc.Error{Code: oidc.CodeAccessDenied, Description: "the person did not agree"})
	default:
		return &pageError{status: http.StatusBadRequest, text: "form", again: r.URL.RequestURI()}
	}
}

func (p *Provider) recordDecision(ctx context.Context, event auditEvent, a *authorization, b *browser) {
	p.record(ctx, event, slog.String("sub", b.Subject), slog.String("session_id", b.ID), slog.String("client_id", a.client.ClientID),
		slog.String("scope", strings.Join(a.scopes, " ")))
}

// rememberConsent stores what the person agreed to, together with what they agreed to before.
func (p *Provider) rememberConsent(r *http.Request, a *authorization, b *browser) error {
	if a.client.Consent == registration.ConsentAlways {
		return nil
	}
	before, err := p.store.Consent(r.Context(), b.Subject, a.client.ClientID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read consent: %w", err)
	}
	scopes := slices.Clone(a.scopes)
	for _, scope := range before.Scopes {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	err = p.store.PutConsent(r.Context(), store.Consent{
		Subject: b.Subject, ClientID: a.client.ClientID, Scopes: scopes, GrantedAt: p.now(),
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

// sharedWith returns, in words, what a client gets to know of a person by its scopes.
func sharedWith(scopes []string, u *registration.User) []web.Shared {
	shared := make([]web.Shared, 0, len(scopes))
	for _, scope := range oidc.Scopes() {
		if slices.Contains(scopes, scope) {
			shared = append(shared, web.Shared{Scope: scope, Value: sharedValue(scope, u)})
		}
	}
	return shared
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
