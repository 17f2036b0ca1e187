package provider

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
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
	if !mayUse(client, user) {
		return &refusal{"group", "the person is in none of the groups that the client is for"}, nil
	}
	var known *oidc.Error
	switch _, err := p.subjectOf(client, user); {
	case errors.As(err, &known):
		return &refusal{"subject", known.Description}, nil
	case err != nil:
		return nil, err
	}
	return nil, nil //nolint:nilnil // nothing is refused
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
		Action:       p.base + pathConsent + "?" + a.queryWithProof(),
		Token:        p.formToken(w, r, a.consentPurpose(), b),
		Person:       personOf(b.user),
		Username:     b.user.Username,
		OtherAccount: p.base + pathLogin + "?" + a.query,
	})
}
