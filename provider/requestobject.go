package provider

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// maxRequestObject is the length of the longest request object, in bytes: it has to fit into a query.
const maxRequestObject = 12 << 10

// openAuthorization proves an authorization request that may hold a request object (RFC 9101, OpenID Connect Core section 6.1), which
// is read for grace after its expiry.
func (p *Provider) openAuthorization(r *http.Request, params oidc.Parameters, malformed bool, grace time.Duration) (*authorization, error) {
	client, err := p.provenClient(params)
	if err != nil {
		return nil, err
	}
	assembled, object, err := p.openRequestObject(r, client, params, grace)
	if err != nil {
		return nil, p.failBeside(client, params, err)
	}
	if object == nil {
		return p.checkAuthorization(params, malformed)
	}
	preferLanguages(r, web.ReadLocales(assembled.Get("ui_locales")))
	a, err := p.checkAuthorization(assembled, malformed)
	if err != nil {
		return nil, err
	}
	a.objectExpiresAt = object.ExpiresAt
	return a, nil
}

// failBeside tells the client of a request object that is none, where what stands beside it proves where to (RFC 9101 section 7).
func (p *Provider) failBeside(client *registration.Client, beside oidc.Parameters, cause error) error {
	redirectURI, err := provenRedirect(beside, client)
	if err != nil {
		return cause
	}
	to, err := oidc.ReadReturnAddress(beside, redirectURI)
	if err != nil {
		cause = err
	}
	return (&authorization{client: client, to: to}).fail(cause)
}

// objectExpired reports whether it is too late to begin with the request.
func (a *authorization) objectExpired(now time.Time) bool {
	return !a.objectExpiresAt.IsZero() && !now.Before(a.objectExpiresAt)
}

// openPushed returns the parameters of a pushed request, assembled from its request object (RFC 9126 section 3).
func (p *Provider) openPushed(r *http.Request, client *registration.Client, request url.Values) (url.Values, error) {
	assembled, object, err := p.openRequestObject(r, client, oidc.ParametersOf(request), 0)
	if err != nil || object == nil {
		return request, err
	}
	// Once more without what only a query may hold.
	if request, err = url.ParseQuery(assembled.Encode(clientParameters...)); err != nil {
		return nil, fmt.Errorf("read assembled parameters: %w", err)
	}
	request.Set("client_id", client.ClientID)
	return request, nil
}

// openRequestObject returns the parameters of a request, assembled from its request object and what stands beside it. Without a
// request object it returns the parameters as they are, and no object. The error is an *oidc.Error, or a fault.
func (p *Provider) openRequestObject(
	r *http.Request, client *registration.Client, params oidc.Parameters, grace time.Duration,
) (oidc.Parameters, *oidc.RequestObject, error) {
	token := params.Get("request")
	switch {
	case params.Repeated("request") != "":
		return params, nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "request is sent more than once"}
	case token == "" && client.RequireSignedRequestObject:
		return params, nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "this client must send its authorization requests as signed request objects (RFC 9101)"}
	case token == "":
		return params, nil, nil
	case params.Get("request_uri") != "": // OpenID Connect Core section 6.2, RFC 9101 section 5
		return params, nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "request and request_uri must not be sent together"}
	}
	payload, err := p.verifyRequestObject(r, client, token)
	if err != nil {
		return params, nil, err
	}
	rules := oidc.RequestObjectRules{Issuer: p.issuer, ClientID: client.ClientID, Required: client.RequireSignedRequestObject, Grace: grace}
	object, err := oidc.ReadRequestObject(payload, rules, p.now())
	if err != nil {
		return params, nil, err
	}
	// Where plain requests are accepted, too, a signature keeps nobody from sending another request: what stands beside the object then
	// takes nothing away from it.
	params, err = oidc.Assemble(params, object, client.RequireSignedRequestObject)
	return params, object, err
}

// verifyRequestObject returns the payload of a request object, which is signed by the client or, where the client may send that,
// unsigned (RFC 9101 section 6.2, OpenID Connect Dynamic Client Registration section 2: request_object_signing_alg).
func (p *Provider) verifyRequestObject(r *http.Request, client *registration.Client, token string) ([]byte, error) {
	if err := oidc.CheckRequestObjectForm(token, maxRequestObject); err != nil {
		return nil, err
	}
	algorithm := client.RequestObjectSigningAlg
	if payload, unsigned := keys.UnsignedRequestObject(token); unsigned {
		if client.RequireSignedRequestObject || algorithm != "" && algorithm != oidc.AlgorithmNone {
			return nil, &oidc.Error{Code: oidc.CodeInvalidRequestObject, Description: "this client must sign its request objects"}
		}
		return payload, nil
	}
	switch {
	case algorithm == oidc.AlgorithmNone:
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequestObject, Description: "this client is registered for unsigned request objects (alg none)"}
	case !client.HasKeys():
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequestObject, Description: "this client has no keys to verify a request object with; register jwks or jwks_uri"}
	}
	payload, err := p.verifyByKeysOf(r.Context(), client, func(set *jose.JSONWebKeySet) ([]byte, error) {
		return keys.VerifyRequestObject(token, algorithm, set)
	})
	if errors.Is(err, keys.ErrUnverified) {
		return nil, &oidc.Error{
			Code:        oidc.CodeInvalidRequestObject,
			Description: "the request object is not signed by one of the client's keys, or not with the algorithm that the client is registered for",
		}
	}
	return payload, err
}
