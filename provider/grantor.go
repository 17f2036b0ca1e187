package provider

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// What has become of the person behind a session or a grant, which is then over for good. The audit log tells it.
const (
	personGone     = "gone"
	personDisabled = "disabled"
	// personReset: an administrator has set another password since.
	personReset = "credential"
)

// person returns the person of a subject, or why nothing counts any more that began with a credential of theirs. What a person
// chooses as a password is another matter: see docs/accounts.md.
func (p *Provider) person(subject, credential string) (user *registration.User, reason string) {
	user, known := p.registry.UserBySubject(subject)
	switch {
	case !known:
		return nil, personGone
	case user.Disabled:
		return nil, personDisabled
	case identity.Credential(user) != credential:
		return nil, personReset
	}
	return user, ""
}

// holderOf returns the person behind a grant, or why it is over for good.
func (p *Provider) holderOf(grant *store.Grant) (user *registration.User, reason string) {
	return p.person(grant.Subject, grant.Credential)
}

// discard deletes a grant that is over for good, so that it does not come back to life with its person, and returns what its client is
// told.
func (p *Provider) discard(ctx context.Context, grant *store.Grant, reason string) error {
	if err := p.store.DeleteGrant(ctx, grant.ID); err != nil {
		return fmt.Errorf("revoke grant: %w", err)
	}
	p.record(ctx, auditGrantRevoked, append(aboutGrant(grant), slog.String("client_id", grant.Client.ID), slog.String("reason", reason))...)
	return errHolder
}

// errHolder does not tell the client what has become of the person.
var errHolder = invalidGrant("the person has to log in again")

// grantor returns the person behind a grant, or invalid_grant when the grant is worth nothing now: the person may not log in or
// use the client, or the session has ended to which the grant belongs. A code always belongs to its session; what it was exchanged for
// does unless it has offline_access (OpenID Connect Core section 11).
func (p *Provider) grantor(client *registration.Client, grant *store.Grant) (*registration.User, error) {
	user, reason := p.holderOf(grant)
	if reason != "" {
		return nil, errHolder
	}
	if p.notFor(client, user) != nil {
		return nil, errNotFor
	}
	outlives := grant.Code.Redeemed && slices.Contains(grant.Scopes, oidc.ScopeOfflineAccess)
	switch {
	case grant.SessionID == "" || outlives || p.lasts(grant.Session):
		return user, nil
	case grant.Session == store.SessionTimes{}:
		return nil, invalidGrant("the person has logged out")
	}
	return nil, invalidGrant("the person's session has ended")
}
