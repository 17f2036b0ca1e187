package provider

import (
	"errors"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// tokenParameters are those of RFC 6749 sections 2.3.1 and 4.1.3 and RFC 7636 section 4.5, none of which may stand twice.
var tokenParameters = []string{"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "scope"}

// tokenAnswer is the JSON of RFC 6749 section 5.1 and OpenID Connect Core section 3.1.3.3.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	// ExpiresIn is in seconds.
	ExpiresIn int64  `json:"expires_in"`
	IDToken   string `json:"id_token"`
	Scope     string `json:"scope"`
}

// serveToken exchanges a grant for tokens (RFC 6749 section 3.2).
func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request) error {
	answer, err := p.exchange(w, r)
	p.metrics.tokens[tokenResult(err)].Inc()
	if err != nil {
		return err
	}
	p.respondJSON(w, http.StatusOK, answer)
	return nil
}

// exchange proves the client and lets the grant answer. Each grant has a file of its own.
func (p *Provider) exchange(w http.ResponseWriter, r *http.Request) (*tokenAnswer, error) {
	params, err := readForm(w, r)
	if err != nil {
		return nil, err
	}
	if name := params.Repeated(tokenParameters...); name != "" {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: name + " is sent more than once"}
	}
	client, err := p.authenticateClient(r, params)
	if err != nil {
		return nil, err
	}
	grant, err := p.grant(params.Get("grant_type"))
	if err != nil {
		return nil, err
	}
	return grant(r.Context(), client, params)
}

func (p *Provider) grant(grantType string) (grantHandler, error) {
	switch grantType {
	case "authorization_code":
		return p.grantCode, nil
	case "":
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "grant_type is missing"}
	default:
		return nil, &oidc.Error{Code: oidc.CodeUnsupportedGrantType, Description: "grant_type must be authorization_code"}
	}
}

// tokenResult returns the value of the result label for an error.
func tokenResult(err error) string {
	if err == nil {
		return "success"
	}
	var known *oidc.Error
	if errors.As(err, &known) {
		for _, result := range tokenResults {
			if result == known.Code {
				return result
			}
		}
	}
	return oidc.CodeServerError
}

// lifetimes returns those of a client.
func (p *Provider) lifetimes(client *registration.Client) registration.Lifetimes {
	return client.Lifetimes.Over(p.registry.Settings().Lifetimes)
}
