package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// authorization is an authorization request whose client, redirect URI and parameters are proven.
type authorization struct {
	*oidc.AuthorizationRequest
	client *registration.Client
	to     oidc.ReturnAddress
	// scopes are those of the request that the client is registered for.
	scopes []string
	// claims are those requested one by one that the client is registered for; nil when there are none.
	claims *oidc.ClaimsRequest
	// disclosed are the scopes that the person has to agree to: scopes, and those to which claims belong.
	disclosed []string
	// hint is what id_token_hint says; nil when there is none.
	hint *hint
	// query is the request as it travels through the pages, in one certain order and without proof.
	query string
	// proof is what a login that this very request asked for has put into the query.
	proof string
	// stored is where the request is kept when the query only refers to it; nil when the query is all of it.
	stored *storedRequest
	// params are the parameters of the request, those of its request object among them.
	params oidc.Parameters
	// objectExpiresAt is when its request object is no longer good; zero without one.
	objectExpiresAt time.Time
}

// fail makes an error that is told to the client.
func (a *authorization) fail(cause error) error {
	return &redirectError{cause: cause, to: a.to, client: a.client, silent: a.AuthorizationRequest != nil && a.Prompt(oidc.PromptNone)}
}

// readAuthorization reads the authorization request in a query. Until client and redirect URI are proven, errors are
// pages; after that they go to the client.
func (p *Provider) readAuthorization(r *http.Request) (*authorization, error) {
	params, malformed, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	query, proof := params.Encode(fieldProof), params.Get(fieldProof)
	var stored *storedRequest
	var a *authorization
	if reference, ok := strings.CutPrefix(params.Get("request_uri"), requestURIPrefix); ok {
		// What else is in the query counts for nothing (RFC 9126 section 4, RFC 9101 section 6.3).
		clientID := params.Get("client_id")
		if stored, err = p.storedRequest(r.Context(), clientID, reference); err != nil {
			return nil, err
		}
		query, params = stored.query(clientID), stored.params
		preferLanguages(r, web.ReadLocales(params.Get("ui_locales")))
		a, err = p.checkAuthorization(params, malformed)
	} else {
		a, err = p.openAuthorization(r, params, malformed, storedLifetime)
	}
	if err != nil {
		return nil, err
	}
	if a.client.RequirePushedRequests && !stored.wasPushed() {
		return nil, a.fail(&oidc.Error{Code: oidc.CodeInvalidRequest, Description: "this client must push its authorization requests (RFC 9126)"})
	}
	a.query, a.proof, a.stored = query, proof, stored
	return a, nil
}

// checkAuthorization proves the parameters of an authorization request, however they were sent. Those of a request object are
// assembled before.
func (p *Provider) checkAuthorization(params oidc.Parameters, malformed bool) (*authorization, error) {
	client, err := p.provenClient(params)
	if err != nil {
		return nil, err
	}
	redirectURI, err := provenRedirect(params, client)
	if err != nil {
		return nil, err
	}
	a := &authorization{client: client, params: params}
	if a.to, err = oidc.ReadReturnAddress(params, redirectURI); err != nil {
		return nil, a.fail(err)
	}
	if malformed {
		return nil, a.fail(&oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the query is not well-formed application/x-www-form-urlencoded"})
	}
	own := client.OwnClaims()
	if a.AuthorizationRequest, err = oidc.ReadAuthorization(params, own...); err != nil {
		return nil, a.fail(err)
	}
	if a.hint, err = p.readHintOf(params, client); err != nil {
		return nil, a.fail(err)
	}
	if err := a.checkForClient(); err != nil {
		return nil, a.fail(err)
	}
	registered := client.Scopes()
	a.scopes = oidc.GrantedScopes(a.Scopes, registered)
	a.claims = a.Claims.Granted(registered, own...)
	a.disclosed = a.scopes
	for _, name := range a.claims.Names() {
		if scope := oidc.ScopeOfClaim(name); scope != "" && !slices.Contains(a.disclosed, scope) {
			a.disclosed = append(slices.Clip(a.disclosed), scope)
		}
	}
	return a, nil
}

// checkForClient checks what depends on the client's registration.
func (a *authorization) checkForClient() error {
	switch {
	case !a.client.MayUse(registration.GrantCode):
		return &oidc.Error{Code: oidc.CodeUnauthorizedClient, Description: "this client is not registered for the grant type authorization_code"}
	case a.CodeChallenge == "" && (a.client.RequirePKCE || a.client.Public()):
		return &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "this client must send a code_challenge (PKCE, S256)"}
	case !slices.ContainsFunc(oidc.ACRValues(), a.Claims.AllowsACR):
		return errUnmetAuthentication
	}
	for _, resource := range a.Resources {
		if !slices.Contains(a.client.Resources, resource) {
			return &oidc.Error{Code: oidc.CodeInvalidTarget, Description: "resource is not one that this client is registered for"}
		}
	}
	return nil
}

func (p *Provider) provenClient(params oidc.Parameters) (*registration.Client, error) {
	id := params.Get("client_id")
	if id == "" {
		return nil, &pageError{status: http.StatusBadRequest, text: "client_missing"}
	}
	client, known := p.registry.Client(id)
	if !known {
		return nil, &pageError{status: http.StatusBadRequest, text: "client_unknown", args: []any{shorten(id)}}
	}
	if client.Disabled {
		return nil, &pageError{status: http.StatusBadRequest, text: "client_disabled", args: []any{applicationOf(client).Name}}
	}
	return client, nil
}

// The names of the pages about a redirect URI.
const (
	pageRedirectMissing      = "redirect_missing"
	pageRedirectUnregistered = "redirect_unregistered"
)

func provenRedirect(params oidc.Parameters, client *registration.Client) (string, error) {
	given := params.Get("redirect_uri")
	if given == "" {
		return "", &pageError{status: http.StatusBadRequest, text: pageRedirectMissing}
	}
	for _, registered := range client.RedirectURIs {
		if oidc.MatchRedirectURI(registered, given, client.Public()) {
			return given, nil
		}
	}
	return "", &pageError{
		status: http.StatusBadRequest, text: pageRedirectUnregistered, args: []any{applicationOf(client).Name},
		detail: "redirect_uri of client " + client.ClientID + ": " + shorten(given),
	}
}

// shorten keeps what a stranger wrote from filling a page.
func shorten(text string) string {
	const limit = 200
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// hint is what is read of an ID token that comes back as id_token_hint.
type hint struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	SessionID string `json:"sid"`
}

// readHintOf reads the id_token_hint of an authorization request, or nil. Expired hints count: they tell who it was. So does one of the
// client itself whose key is gone: an application that kept it over a rotation of keys must not be shut out for that. It cannot be
// proven, but all that a hint does is to keep the answer for others back, which the claims parameter can ask for without any proof.
func (p *Provider) readHintOf(params oidc.Parameters, client *registration.Client) (*hint, error) {
	token := params.Get("id_token_hint")
	if token == "" {
		return nil, nil //nolint:nilnil // a request without a hint is no error
	}
	h, err := p.readHint(token)
	if errors.Is(err, keys.ErrKeyGone) {
		if h, err = p.readClaimedHint(token); err == nil && h.Audience != client.ClientID {
			err = errors.New("id_token_hint of another client cannot be proven")
		}
	}
	if err != nil || h.Subject == "" {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "id_token_hint is not an ID token of this provider"}
	}
	return &h, nil
}

func (p *Provider) readHint(token string) (hint, error) {
	payload, err := p.registry.Keys().Verify(token)
	if err != nil {
		return hint{}, err
	}
	return p.parseHint(payload)
}

// readClaimedHint returns what an ID token says without a proof of it.
func (p *Provider) readClaimedHint(token string) (hint, error) {
	payload, err := keys.Unverified(token)
	if err != nil {
		return hint{}, err
	}
	return p.parseHint(payload)
}

func (p *Provider) parseHint(payload []byte) (h hint, err error) {
	if err := json.Unmarshal(payload, &h); err != nil {
		return hint{}, fmt.Errorf("read id_token_hint: %w", err)
	}
	if h.Issuer != p.issuer {
		return hint{}, errors.New("id_token_hint is of another issuer")
	}
	return h, nil
}
