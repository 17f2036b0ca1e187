package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// serveRevocation makes a token of the client worthless (RFC 7009). A refresh token and a JWT access token take everything
// with them that came from the same login; an opaque access token goes alone. A token that is worthless already, or never
// was one, gets the same answer as one that is revoked.
func (p *Provider) serveRevocation(w http.ResponseWriter, r *http.Request) error {
	client, params, err := p.readTokenOf(w, r)
	if err != nil {
		return err
	}
	value := params.Get("token")
	if refresh, ok := readRefreshToken(value); ok {
		err = p.revokeRefresh(r.Context(), client, refresh)
	} else {
		err = p.revokeAccess(r.Context(), client, value)
	}
	if err != nil {
		return err
	}
	header := w.Header()
	header["Cache-Control"] = noStore
	header["Content-Length"] = zeroLength
	w.WriteHeader(http.StatusOK)
	return nil
}

// revokeRefresh takes also a token that was exchanged before: whoever gives it back wants the login to end.
func (p *Provider) revokeRefresh(ctx context.Context, client *registration.Client, token refreshToken) error {
	grant, err := p.store.Grant(ctx, token.grantID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read grant: %w", err)
	case grant.Refresh.Handle == (store.Handle{}) || !token.issued(&grant.Refresh.Key):
		return nil
	case grant.Client.ID != client.ClientID:
		return errForeignToken
	case grant.Client != storedAs(client):
		return nil
	}
	return p.revokeGrant(ctx, client, &grant)
}

// errForeignToken refuses to revoke what belongs to another client (RFC 7009 section 2.1).
var errForeignToken = invalidGrant("the token was issued to another client")

func (p *Provider) revokeAccess(ctx context.Context, client *registration.Client, value string) error {
	a, err := p.findAccess(ctx, value)
	switch {
	case errors.Is(err, errToken):
		return nil
	case err != nil:
		return err
	case a.Client.ID != client.ClientID:
		return errForeignToken
	case !a.issuedTo(client):
		return nil
	case a.Handle != store.Handle{}:
		if err := p.store.DeleteAccessToken(ctx, a.Handle); err != nil {
			return fmt.Errorf("revoke access token: %w", err)
		}
		p.recordRevocation(ctx, client, a.grant)
		return nil
	case !p.now().Before(a.ExpiresAt):
		return nil
	case a.grant == nil:
		return &oidc.Error{Code: oidc.CodeUnsupportedTokenType, Description: "a JWT access token of a client that acts for itself cannot be revoked; it expires soon"}
	}
	return p.revokeGrant(ctx, client, a.grant)
}

func (p *Provider) revokeGrant(ctx context.Context, client *registration.Client, grant *store.Grant) error {
	if err := p.store.DeleteGrant(ctx, grant.ID); err != nil {
		return fmt.Errorf("revoke grant: %w", err)
	}
	p.recordRevocation(ctx, client, grant)
	return nil
}
