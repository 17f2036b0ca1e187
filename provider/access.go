package provider

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/mail"
	"net/url"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// refusal says why a client is not for a person.
type refusal struct {
	// reason names the text "denied.<reason>", and stands in the audit record.
	reason      string
	description string
}

func (f *refusal) forClient() error {
	return &oidc.Error{Code: oidc.CodeAccessDenied, Description: f.description}
}

// refusalOf returns why a person cannot log in to a client, or nil when they can.
func (p *Provider) refusalOf(client *registration.Client, user *registration.User) (*refusal, error) {
	if f := p.notFor(client, user); f != nil {
		return f, nil
	}
	var unknowable *subjectError
	switch _, err := p.subjectOf(client, user); {
	case errors.As(err, &unknowable):
		return &refusal{unknowable.reason, unknowable.description}, nil
	case err != nil:
		return nil, err
	}
	return nil, nil //nolint:nilnil // nothing is refused
}

// notFor returns why a client is not for a person by its groups and its rule, or nil when it is. A rule that fails lets nobody in.
func (p *Provider) notFor(client *registration.Client, user *registration.User) *refusal {
	inGroup := func(group string) bool { return slices.Contains(user.Groups, group) }
	if len(client.AllowedGroups) > 0 && !slices.ContainsFunc(client.AllowedGroups, inGroup) {
		return &refusal{"group", "the person is in none of the groups that the client is for"}
	}
	if client.AccessRule == "" {
		return nil
	}
	var allowed bool
	var err error
	p.evaluations.do(client, func() {
		allowed, err = client.EvaluateAccess(client.ExpressionInput(user.ForExpressions(), p.now()))
	})
	switch {
	case err != nil:
		p.expressions.note(client, useAccess, "", err)
		return &refusal{"undecided", "the rule of the client has no result for the person"}
	case !allowed:
		return &refusal{"rule", "the rule of the client does not let the person in"}
	}
	return nil
}

// errNotFor is what the token endpoint says of a person whom a client is not for any more.
var errNotFor = invalidGrant("the person may no longer use this client")

// recordLostAccess tells that an exchange was refused to somebody who had logged in to the client before.
func (p *Provider) recordLostAccess(ctx context.Context, client *registration.Client, grant *store.Grant) {
	reason := ""
	if user, known := p.registry.UserBySubject(grant.Subject); known {
		if f := p.notFor(client, user); f != nil {
			reason = f.reason
		}
	}
	p.record(ctx, auditAccessDenied, append(aboutGrant(grant), slog.String("client_id", client.ClientID), slog.String("reason", reason))...)
}

// contactsOf returns whom the page about a refusal names.
func contactsOf(client *registration.Client) []web.Contact {
	var contacts []web.Contact
	for _, text := range client.Contacts {
		contact := web.Contact{Text: text}
		address, err := mail.ParseAddress(text)
		page, parseErr := url.Parse(text)
		switch {
		case err == nil && address.Address == text:
			contact.URL = "mailto:" + text
		case parseErr == nil && page.Scheme == "https" && page.Host != "":
			contact.URL = text
		}
		contacts = append(contacts, contact)
	}
	return contacts
}

func (p *Provider) recordRefusal(r *http.Request, a *authorization, b *browser, f *refusal) {
	p.record(r.Context(), auditAccessDenied, slog.String("sub", b.Subject), slog.String("session_id", b.ID),
		slog.String("client_id", a.client.ClientID), slog.String("reason", f.reason))
}

// serveRefusal tells a person that the application is not for them. They can come as somebody else, or go back to the
// application, which is then told (RFC 6749 section 4.1.2.1).
func (p *Provider) serveRefusal(w http.ResponseWriter, r *http.Request, a *authorization, b *browser, f *refusal) error {
	return p.render(w, r, http.StatusForbidden, web.Denied{
		Application:  applicationOf(a.client),
		Reason:       f.reason,
		Contacts:     contactsOf(a.client),
		Action:       p.base + pathConsent + "?" + a.queryWithProof(),
		Token:        p.formToken(w, r, a.consentPurpose(), b),
		Person:       personOf(b.user),
		Username:     b.user.Username,
		OtherAccount: p.base + pathLogin + "?" + a.query,
	})
}
