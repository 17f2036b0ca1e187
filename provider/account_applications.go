package provider

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// maxAuthorizations bounds what is read for the page: applications, each with every set of scopes and resources that it has asked for.
const maxAuthorizations = 1000

// authorizedBy returns the applications that a person has let in: those they have agreed with, and those for which the
// administrator has agreed and that can still get something.
func (p *Provider) authorizedBy(ctx context.Context, user *registration.User) ([]web.Authorized, error) {
	consents, err := p.store.ConsentsOf(ctx, user.Subject)
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	authorizations, err := p.store.AuthorizationsOf(ctx, user.Subject, p.now(), maxAuthorizations)
	if err != nil {
		return nil, fmt.Errorf("read authorizations: %w", err)
	}
	found, scopesOf, resourcesOf := map[string]*web.Authorized{}, map[string][]string{}, map[string][]string{}
	add := func(of store.Client, since, used time.Time, scopes, resources []string) {
		if p.reregistered(of) {
			return // somebody else has the ID now, to whom nothing was given
		}
		clientID := of.ID
		a := found[clientID]
		if a == nil {
			a = &web.Authorized{ClientID: clientID, Since: since, Application: web.Application{Name: clientID}}
			if client, known := p.registry.Client(clientID); known {
				a.Application = applicationOf(client)
			}
			found[clientID] = a
		}
		if since.Before(a.Since) {
			a.Since = since
		}
		a.LastUsed = later(a.LastUsed, used)
		scopesOf[clientID] = append(scopesOf[clientID], scopes...)
		resourcesOf[clientID] = append(resourcesOf[clientID], resources...)
	}
	for _, c := range consents {
		scopes, resources := splitWords(c.Scopes)
		add(c.Client, c.GrantedAt, time.Time{}, scopes, resources)
	}
	for _, a := range authorizations {
		add(a.Client, a.Since, a.LastUsed, a.Scopes, a.Resources)
	}
	all := make([]web.Authorized, 0, len(found))
	for clientID, a := range found {
		a.Shared = namesOf(scopesOf[clientID], resourcesOf[clientID])
		all = append(all, *a)
	}
	slices.SortFunc(all, func(x, y web.Authorized) int {
		if c := strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)); c != 0 {
			return c
		}
		return strings.Compare(x.ClientID, y.ClientID)
	})
	return all, nil
}

// namesOf returns scopes and resources in words, each once; scopes of resource servers have none but their names.
func namesOf(scopes, resources []string) []web.Shared {
	var names []web.Shared
	for _, scope := range oidc.Scopes() {
		if slices.Contains(scopes, scope) {
			names = append(names, web.Shared{Scope: scope})
		}
	}
	others := slices.DeleteFunc(scopes, func(s string) bool { return slices.Contains(oidc.Scopes(), s) })
	if slices.Sort(others); len(others) > 0 {
		names = append(names, web.Shared{Scope: "other", Value: strings.Join(slices.Compact(others), " ")})
	}
	if slices.Sort(resources); len(resources) > 0 {
		names = append(names, web.Shared{Scope: sharedResources, Value: strings.Join(slices.Compact(resources), " ")})
	}
	return names
}

// serveApplications lists the applications that a person has let in.
func (p *Provider) serveApplications(w http.ResponseWriter, r *http.Request, b *browser) error {
	applications, err := p.authorizedBy(r.Context(), b.user)
	if err != nil {
		return err
	}
	return p.render(w, r, http.StatusOK, web.Applications{
		Account: p.base + pathAccount, Done: doneOf(r),
		Action: p.base + pathAccountApplications, Token: p.formToken(w, r, pathAccountApplications, b),
		Applications: applications,
	})
}

// serveApplicationsPost takes back what a person has agreed to with an application, and all that it got for that.
func (p *Provider) serveApplicationsPost(w http.ResponseWriter, r *http.Request, b *browser, fields oidc.Parameters) error {
	clientID := fields.Get("client_id")
	// The client's own session goes on, and is still told when the person logs out.
	revoked, err := p.store.Revoke(r.Context(), b.Subject, clientID)
	if err != nil {
		return fmt.Errorf("revoke consent: %w", err)
	}
	if revoked {
		p.record(r.Context(), auditConsentRevoked, slog.String("sub", b.Subject), slog.String("session_id", b.ID), slog.String("client_id", clientID))
	}
	p.redirect(w, p.base+pathAccountApplications+"?"+fieldDone+"="+doneRevoked)
	return nil
}
