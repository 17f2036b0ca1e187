package provider

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// recordTokens tells that tokens were issued. It is on the path of every token, so that it makes no string of its own.
func (p *Provider) recordTokens(ctx context.Context, t *tokenRequest, answer *tokenAnswer) {
	if p.audit == nil {
		p.record(ctx, auditTokenIssued) // counts
		return
	}
	attributes := make([]slog.Attr, 0, 8)
	attributes = append(attributes, slog.String("client_id", t.client.ClientID), slog.String("grant_type", t.params.Get("grant_type")),
		slog.String("scope", answer.Scope))
	if t.grant != nil {
		attributes = append(attributes, aboutGrant(t.grant)...)
	}
	p.record(ctx, auditTokenIssued, attributes...)
}

// recordReuse tells of a second use. kind is what was used twice.
func (p *Provider) recordReuse(ctx context.Context, grant *store.Grant, kind string) {
	p.record(ctx, auditTokenReused, append(aboutGrant(grant), slog.String("client_id", grant.Client.ID), slog.String("kind", kind))...)
}

// recordRevocation tells that a client has given back a token. grant is nil when the client acted for itself.
func (p *Provider) recordRevocation(ctx context.Context, client *registration.Client, grant *store.Grant) {
	attributes := []slog.Attr{slog.String("client_id", client.ClientID)}
	if grant != nil {
		attributes = append(attributes, slog.String("sub", grant.Subject), slog.String("grant_id", grant.ID))
	}
	p.record(ctx, auditTokenRevoked, attributes...)
}

// aboutGrant names a grant. Its ID is not secret: it is the same for all codes and tokens that come from one login.
func aboutGrant(grant *store.Grant) []slog.Attr {
	return []slog.Attr{slog.String("sub", grant.Subject), slog.String("session_id", grant.SessionID), slog.String("grant_id", grant.ID)}
}

// recordRejectedClient names the client only where there is one: what else is in a request was written by a stranger.
func (p *Provider) recordRejectedClient(r *http.Request, params oidc.Parameters) {
	claimed, method := []string{params.Get("client_id")}, registration.AuthMethodNone
	switch header := r.Header.Get("Authorization"); {
	case header != "":
		method = registration.AuthMethodBasic
		for _, reading := range oidc.ReadBasic(header) {
			claimed = append(claimed, reading.ClientID)
		}
	case params.Get("client_assertion") != "":
		claimed, method = append(claimed, oidc.AssertionClient(params.Get("client_assertion"))), registration.AuthMethodPrivateKeyJWT
	case params.Get("client_secret") != "":
		method = registration.AuthMethodPost
	}
	attributes := []slog.Attr{slog.String("method", method)}
	for _, id := range claimed {
		if _, known := p.registry.Client(id); known {
			attributes = append(attributes, slog.String("client_id", id))
			break
		}
	}
	p.record(r.Context(), auditClientRejected, attributes...)
}
