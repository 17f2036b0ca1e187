package provider

import (
	"context"
	"errors"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// errClient is what a client is told that cannot be proven, whatever the reason: unknown, disabled, wrong secret.
var errClient = &oidc.Error{Code: oidc.CodeInvalidClient, Description: "the client is unknown or its secret is wrong"}

// authenticateClient proves which client sends a request (RFC 6749 section 2.3).
func (p *Provider) authenticateClient(r *http.Request, params oidc.Parameters) (*registration.Client, error) {
	client, err := p.proveClient(r, params)
	if errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidClient}) {
		p.recordRejectedClient(r, params)
	}
	return client, err
}

// clientParameters are those by which a client proves itself. None may stand twice.
var clientParameters = []string{"client_id", "client_secret", "client_assertion", "client_assertion_type"}

// proveClient takes client_secret_basic, client_secret_post, private_key_jwt or, of a public client, only its client_id.
func (p *Provider) proveClient(r *http.Request, params oidc.Parameters) (*registration.Client, error) {
	header := r.Header["Authorization"]
	bodyID, bodySecret := params.Get("client_id"), params.Get("client_secret")
	asserts := params.Get("client_assertion") != "" || params.Get("client_assertion_type") != ""
	repeated := params.Repeated(clientParameters...)
	switch {
	case repeated != "":
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: repeated + " is sent more than once"}
	case len(header) > 1:
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the Authorization header is sent more than once"}
	case len(header) == 1 && (bodySecret != "" || asserts), bodySecret != "" && asserts: // RFC 6749 section 2.3
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "use one way of client authentication, not two"}
	case asserts:
		return p.authenticateAssertion(r, params)
	case len(header) == 1:
		return p.authenticateBasic(r.Context(), header[0], bodyID)
	case bodyID == "":
		return nil, &oidc.Error{Code: oidc.CodeInvalidClient, Description: "client authentication is missing"}
	}
	client, err := p.usableClient(bodyID)
	if err != nil {
		return nil, err
	}
	if bodySecret == "" {
		if !client.Public() {
			return nil, &oidc.Error{Code: oidc.CodeInvalidClient, Description: "this client must authenticate with its secret or its key"}
		}
		return client, nil
	}
	if err := allowsMethod(client, registration.AuthMethodPost); err != nil {
		return nil, err
	}
	return client, p.checkSecret(r.Context(), client, bodySecret)
}

func (p *Provider) authenticateBasic(ctx context.Context, header, bodyID string) (*registration.Client, error) {
	readings := oidc.ReadBasic(header)
	if len(readings) == 0 {
		return nil, &oidc.Error{Code: oidc.CodeInvalidClient, Description: "the Authorization header must be Basic with client ID and secret"}
	}
	var err error
	for _, c := range readings {
		var client *registration.Client
		if client, err = p.usableClient(c.ClientID); err != nil {
			continue
		}
		if bodyID != "" && bodyID != client.ClientID {
			return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "client_id differs from the one in the Authorization header"}
		}
		if c.Secret == "" && client.Public() {
			// An empty secret is none, in the header as in the form (RFC 6749 section 2.3.1): some libraries always send the header.
			return client, nil
		}
		if err := allowsMethod(client, registration.AuthMethodBasic); err != nil {
			return nil, err
		}
		if err = p.checkSecret(ctx, client, c.Secret); err == nil {
			return client, nil
		}
	}
	return nil, err
}

// usableClient says of an unknown client the same as of a wrong secret. That it says so sooner where the secret of a known one is
// hashed at length tells a client ID, which is no secret: it is in every authorization request.
func (p *Provider) usableClient(id string) (*registration.Client, error) {
	client, known := p.registry.Client(id)
	if !known || client.Disabled {
		return nil, errClient
	}
	return client, nil
}

func allowsMethod(client *registration.Client, method string) error {
	if registered := client.TokenEndpointAuthMethod; registered != registration.AuthMethodAny && registered != method {
		return &oidc.Error{Code: oidc.CodeInvalidClient, Description: "this client must authenticate with " + registered}
	}
	return nil
}

// checkSecret compares with every secret that is in force: while a client's secret is being rotated there are two.
func (p *Provider) checkSecret(ctx context.Context, client *registration.Client, secret string) error {
	now := p.now()
	for _, s := range client.Secrets {
		if !s.NotAfter.IsZero() && !now.Before(s.NotAfter) {
			continue
		}
		matches := false
		if registration.IsCostly(s.Hash) {
			var err error
			if matches, err = p.checkHashedSecret(ctx, client, s.Hash, secret); err != nil {
				return err
			}
		} else {
			matches = registration.CheckSecret(s.Hash, secret)
		}
		if matches {
			p.registry.NoteSecretUse(client, s.ID, now)
			return nil
		}
	}
	return errClient
}
