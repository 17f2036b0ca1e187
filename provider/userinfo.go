package provider

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// errToken is what is said of every access token that is not good, whatever the reason.
var errToken = &oidc.Error{Code: oidc.CodeInvalidToken, Description: "the access token is unknown, expired or revoked"}

// serveUserinfo answers with the claims that an access token is good for (OpenID Connect Core section 5.3).
func (p *Provider) serveUserinfo(w http.ResponseWriter, r *http.Request) error {
	value, err := bearerToken(r)
	if err != nil {
		return err
	}
	token, grant, err := p.store.AccessToken(r.Context(), store.HandleOf(value))
	if errors.Is(err, store.ErrNotFound) {
		return errToken
	}
	if err != nil {
		return fmt.Errorf("read access token: %w", err)
	}
	client, known := p.registry.Client(token.ClientID)
	if !p.now().Before(token.ExpiresAt) || !known || client.Disabled || token.GrantID == "" {
		return errToken
	}
	user, err := p.grantor(r.Context(), client, &grant)
	if errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidGrant}) {
		return errToken
	}
	if err != nil {
		return err
	}
	subject, err := p.subjectOf(client, user)
	if err != nil {
		return err
	}
	p.respondJSON(w, http.StatusOK, claimsFor(inUserinfo, client, user, subject, token.Scopes, &grant))
	return nil
}

// bearerToken returns the access token of a request (RFC 6750 section 2.1). Tokens in a body or query are not read: they
// end up in logs.
func bearerToken(r *http.Request) (string, error) {
	headers := r.Header["Authorization"]
	if len(headers) == 0 {
		return "", errNoToken
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoToken
	}
	if token = strings.TrimLeft(token, " "); token == "" || len(headers) > 1 {
		return "", &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the Authorization header must be Bearer and one access token"}
	}
	return token, nil
}
