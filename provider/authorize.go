package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// authorization is an authorization request whose client, redirect URI and parameters are proven.
type authorization struct {
	*oidc.AuthorizationRequest
	client      *registration.Client
	redirectURI string
	// scopes are those of the request that the client is registered for.
	scopes []string
	// hintSubject is whom id_token_hint names, or empty.
	hintSubject string
	// query is the request as it travels through the pages, in one certain order and without proof.
	query string
	// proof is what a login that this very request asked for has put into the query.
	proof string
}

// fieldProof is the parameter that tells that the person has logged in for this request.
const fieldProof = "login_proof"

// proofLifetime is how long a login counts as made for the request that asked for it: the time to read the consent page.
const proofLifetime = 10 * time.Minute

// fail makes an error that is told to the client.
func (a *authorization) fail(cause error) error {
	return &redirectError{cause: cause, redirectURI: a.redirectURI, state: a.State}
}

// serveAuthorize answers an authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2): with a
// code when the person is logged in and has agreed, else by sending the browser to the page that is missing.
func (p *Provider) serveAuthorize(w http.ResponseWriter, r *http.Request) error {
	a, err := p.readAuthorization(r)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	if err != nil {
		return a.fail(err)
	}
	if b != nil && a.hintSubject != "" && a.hintSubject != b.Subject && a.provenBy(b.secret) {
		return a.fail(&oidc.Error{Code: oidc.CodeLoginRequired, Description: "somebody else has logged in than id_token_hint names"})
	}
	if p.needsLogin(a, b) {
		if a.Prompt(oidc.PromptNone) {
			return a.fail(&oidc.Error{Code: oidc.CodeLoginRequired, Description: "the person has to log in"})
		}
		p.redirect(w, p.base+pathLogin+"?"+a.query)
		return nil
	}
	needed, err := p.needsConsent(r, a, b)
	if err != nil {
		return a.fail(err)
	}
	if needed {
		if a.Prompt(oidc.PromptNone) {
			return a.fail(&oidc.Error{Code: oidc.CodeConsentRequired, Description: "the person has to agree"})
		}
		p.redirect(w, p.base+pathConsent+"?"+a.queryWithProof())
		return nil
	}
	return p.issueCode(w, r, a, b)
}

// serveAuthorizePost takes an authorization request as a form (OpenID Connect Core section 3.1.2.1). It comes from
// another site, so that the browser sends no cookies with it; it does when it asks again with GET.
func (p *Provider) serveAuthorizePost(w http.ResponseWriter, r *http.Request) error {
	return p.repeatAsGet(w, r, oidc.PathAuthorization)
}

func (p *Provider) repeatAsGet(w http.ResponseWriter, r *http.Request, path string) error {
	fields, err := readForm(w, r)
	if err != nil {
		return err
	}
	query := fields.Encode()
	if len(query) > maxQueryBytes {
		return errQueryTooLong
	}
	p.redirect(w, p.base+path+"?"+query)
	return nil
}

// readAuthorization reads the authorization request in a query. Until client and redirect URI are proven, errors are
// pages; after that they go to the client.
func (p *Provider) readAuthorization(r *http.Request) (*authorization, error) {
	params, malformed, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	a := &authorization{proof: params.Get(fieldProof), query: params.Encode(fieldProof)}
	if a.client, err = p.provenClient(params); err != nil {
		return nil, err
	}
	if a.redirectURI, err = provenRedirect(params, a.client); err != nil {
		return nil, err
	}
	fail := func(cause error) error {
		return &redirectError{cause: cause, redirectURI: a.redirectURI, state: params.Get("state")}
	}
	if malformed {
		return nil, fail(&oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the query is not well-formed application/x-www-form-urlencoded"})
	}
	if a.AuthorizationRequest, err = oidc.ReadAuthorization(params); err != nil {
		return nil, fail(err)
	}
	if a.CodeChallenge == "" && (a.client.RequirePKCE || a.client.Public()) {
		return nil, fail(&oidc.Error{Code: oidc.CodeInvalidRequest, Description: "this client must send a code_challenge (PKCE, S256)"})
	}
	if a.hintSubject, err = p.hintedSubject(params.Get("id_token_hint")); err != nil {
		return nil, fail(err)
	}
	a.scopes = oidc.GrantedScopes(a.Scopes, a.client.Scopes())
	return a, nil
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

func provenRedirect(params oidc.Parameters, client *registration.Client) (string, error) {
	given := params.Get("redirect_uri")
	if given == "" {
		return "", &pageError{status: http.StatusBadRequest, text: "redirect_missing"}
	}
	for _, registered := range client.RedirectURIs {
		if oidc.MatchRedirectURI(registered, given, client.Public()) {
			return given, nil
		}
	}
	return "", &pageError{
		status: http.StatusBadRequest, text: "redirect_unregistered", args: []any{applicationOf(client).Name},
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

// hintedSubject returns whom an id_token_hint names. Expired hints count: they tell who it was.
func (p *Provider) hintedSubject(hint string) (string, error) {
	if hint == "" {
		return "", nil
	}
	claims, err := p.readHint(hint)
	if err != nil {
		return "", &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "id_token_hint is not an ID token of this provider"}
	}
	return claims.Subject, nil
}

// hint is what is read of an ID token that comes back as id_token_hint.
type hint struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	SessionID string `json:"sid"`
}

func (p *Provider) readHint(token string) (hint, error) {
	var h hint
	payload, err := p.registry.Keys().Verify(token)
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(payload, &h); err != nil {
		return h, fmt.Errorf("read id_token_hint: %w", err)
	}
	if h.Issuer != p.issuer {
		return h, errors.New("id_token_hint is of another issuer")
	}
	return h, nil
}

// needsLogin tells whether the person has to log in before this request can go on.
func (p *Provider) needsLogin(a *authorization, b *browser) bool {
	if b == nil || a.hintSubject != "" && a.hintSubject != b.Subject {
		return true
	}
	age := p.now().Sub(b.AuthTime)
	wanted := a.asksForLogin() || a.MaxAge >= 0 && age > a.MaxAge
	return wanted && (age > proofLifetime || !a.provenBy(b.secret))
}

func (a *authorization) asksForLogin() bool {
	return a.Prompt(oidc.PromptLogin) || a.Prompt(oidc.PromptSelectAccount)
}

// provenBy tells whether the login with this cookie was made for this request. Without such a proof a request that asks
// for a login would ask again after each one. Only the provider and this browser know the cookie, and each login makes a
// new one, so that no other site and no earlier login can bring the proof.
func (a *authorization) provenBy(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(a.proof), []byte(proofOf(secret, a.query))) == 1
}

func proofOf(secret, query string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("login for " + query))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (a *authorization) queryWithProof() string {
	if a.proof == "" {
		return a.query
	}
	return a.query + "&" + fieldProof + "=" + url.QueryEscape(a.proof)
}

// needsConsent tells whether the person has to be asked. A client for which the administrator has agreed (consent Never)
// never asks, whatever prompt says.
func (p *Provider) needsConsent(r *http.Request, a *authorization, b *browser) (bool, error) {
	switch {
	case a.client.Consent == registration.ConsentNever:
		return false, nil
	case a.client.Consent == registration.ConsentAlways, a.Prompt(oidc.PromptConsent):
		return true, nil
	case a.client.Public() && !strings.HasPrefix(a.redirectURI, "https://"):
		// Any program on the person's machine can claim such a redirect URI (RFC 8252 section 8.6): what was agreed with
		// one must not be given to another without a word.
		return true, nil
	}
	given, err := p.store.Consent(r.Context(), b.Subject, a.client.ClientID)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read consent: %w", err)
	}
	for _, scope := range a.scopes {
		if !slices.Contains(given.Scopes, scope) {
			return true, nil
		}
	}
	return false, nil
}

// issueCode sends the browser back to the client with a code (RFC 6749 section 4.1.2, RFC 9207).
func (p *Provider) issueCode(w http.ResponseWriter, r *http.Request, a *authorization, b *browser) error {
	if _, ok := p.registry.Keys().Signer(a.client.IDTokenSignedResponseAlg); !ok {
		// Told now rather than after a code that could not be redeemed.
		return a.fail(fmt.Errorf("sign for client %s: %w", a.client.ClientID, errNoKey))
	}
	now := p.now()
	expiresAt := now.Add(time.Duration(p.lifetimes(a.client).AuthorizationCode))
	id := store.NewID(now)
	code := newCode(id)
	err := p.store.CreateGrant(r.Context(), store.Grant{
		ID:          id,
		ClientID:    a.client.ClientID,
		Subject:     b.Subject,
		SessionID:   b.ID,
		Scopes:      a.scopes,
		AuthTime:    b.AuthTime,
		AuthMethods: b.AuthMethods,
		CreatedAt:   now,
		ExpiresAt:   expiresAt,
		Code: store.Code{
			Handle: store.HandleOf(code), RedirectURI: a.redirectURI, Nonce: a.Nonce, CodeChallenge: a.CodeChallenge, ExpiresAt: expiresAt,
		},
	})
	if err != nil {
		return a.fail(fmt.Errorf("create grant: %w", err))
	}
	p.redirect(w, oidc.AnswerURL(a.redirectURI, "code", code, "state", a.State, "iss", p.issuer))
	return nil
}
