package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// logoutParameters are those of OpenID Connect RP-Initiated Logout section 2, none of which may stand twice.
var logoutParameters = []string{
	"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales", fieldLogoutProof,
}

// logout is a request of an application to end the session, with everything in it proven. logout_hint is accepted and not
// needed: a browser holds one login here, and nobody else's is ended.
type logout struct {
	// client is nil when the request does not say whose it is.
	client *registration.Client
	// hint is what the ID token says, nil without one.
	hint *hint
	// returnTo is where the browser goes afterwards, with state; empty means the logged-out page.
	returnTo string
	// query is the request without what it was proven with.
	query   string
	locales string
}

// readLogoutQuery reads the parameters of a logout request from the query.
func readLogoutQuery(r *http.Request) (oidc.Parameters, error) {
	params, malformed, err := readQuery(r)
	if err != nil {
		return params, err
	}
	if malformed {
		return params, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the query is not well-formed application/x-www-form-urlencoded"}
	}
	return params, nil
}

// readLogout proves a logout request (OpenID Connect RP-Initiated Logout sections 2 and 3). Nobody is ever sent to a URI
// that is not registered.
func (p *Provider) readLogout(params oidc.Parameters) (*logout, error) {
	if name := params.Repeated(logoutParameters...); name != "" {
		return nil, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: name + " is sent more than once"}
	}
	l := &logout{locales: params.Get("ui_locales")}
	clientID := params.Get("client_id")
	hinted, audience, err := p.readLogoutHint(params)
	if err != nil || clientID != "" && audience != "" && clientID != audience {
		return nil, &pageError{status: http.StatusBadRequest, text: "logout_hint", again: p.base + pathHome}
	}
	l.hint = hinted
	if clientID == "" && hinted != nil {
		clientID = audience
	}
	if client, known := p.registry.Client(clientID); known && !client.Disabled {
		l.client = client
	}
	uri, state := params.Get("post_logout_redirect_uri"), params.Get("state")
	if clientID == "" {
		// Nothing that was validated says whose it is, so that nobody is sent there (section 3): the person is asked, and ends on our page.
		uri = ""
	}
	if uri != "" {
		if l.client == nil || !slices.Contains(l.client.PostLogoutRedirectURIs, uri) {
			return nil, &pageError{
				status: http.StatusBadRequest, text: "logout_redirect", again: p.base + pathHome,
				detail: "post_logout_redirect_uri of client " + shorten(clientID) + ": " + shorten(uri),
			}
		}
		l.returnTo = oidc.AnswerURL(uri, "state", state)
	}
	l.query = l.encode(uri, state)
	return l, nil
}

// encode returns the request as it travels through the pages. The ID token stays behind: what a person confirms needs no
// further proof.
func (l *logout) encode(uri, state string) string {
	query := url.Values{}
	if l.client != nil {
		query.Set("client_id", l.client.ClientID)
	}
	for name, value := range map[string]string{"post_logout_redirect_uri": uri, "state": state, "ui_locales": l.locales} {
		if value != "" && (uri != "" || name != "state") {
			query.Set(name, value)
		}
	}
	return query.Encode()
}

// readLogoutHint returns what an id_token_hint says, however long ago it has expired, and whom it was issued to. One whose
// signing key is gone, or never was ours, cannot be proven, so that there is no hint: nothing that it says is used, but that
// its audience must be the client_id, if there is one (OpenID Connect RP-Initiated Logout sections 2 and 4).
func (p *Provider) readLogoutHint(params oidc.Parameters) (h *hint, audience string, err error) {
	token := params.Get("id_token_hint")
	if token == "" {
		return p.readLogoutProof(params.Get(fieldLogoutProof))
	}
	read, err := p.readHint(token)
	if !errors.Is(err, keys.ErrKeyGone) {
		return &read, read.Audience, err
	}
	claimed, err := p.readClaimedHint(token)
	if err != nil {
		return nil, "", err
	}
	return nil, claimed.Audience, nil
}

// provenFor tells whether the application that asks belongs to the session of this browser.
func (p *Provider) provenFor(l *logout, b *browser) bool {
	if l.hint == nil || l.client == nil || p.sessionOf(l.client, l.hint.SessionID) != b.ID {
		return false
	}
	subject, err := p.subjectOf(l.client, b.user)
	return err == nil && subject == l.hint.Subject
}

// fieldLogoutProof is the parameter that tells what an ID token in a form has proven.
const fieldLogoutProof = "logout_proof"

// logoutProofLifetime is the time for a browser to follow a redirect.
const logoutProofLifetime = time.Minute

// logoutProof stands in for an ID token that came in a form: nothing of the person, and soon over.
type logoutProof struct {
	hint
	Expiry int64 `json:"exp"`
}

// queryWithLogoutProof returns the request with a proof of its hint.
func (p *Provider) queryWithLogoutProof(l *logout) (string, error) {
	if l.hint == nil {
		return l.query, nil
	}
	signer, ok := p.registry.Keys().Signer("")
	if !ok {
		return "", errNoKey
	}
	payload, err := json.Marshal(logoutProof{*l.hint, p.now().Add(logoutProofLifetime).Unix()})
	if err != nil {
		return "", fmt.Errorf("marshal logout proof: %w", err)
	}
	proof, err := signer.SignAs(keys.TypeLogoutProof, payload)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(l.query+"&"+fieldLogoutProof+"="+proof, "&"), nil
}

// readLogoutProof returns what a proof says. One that is not good any more says nothing, so that the person confirms.
func (p *Provider) readLogoutProof(token string) (h *hint, audience string, err error) {
	if token == "" {
		return nil, "", nil
	}
	payload, err := p.registry.Keys().VerifyAs(keys.TypeLogoutProof, token)
	if err != nil {
		return nil, "", nil //nolint:nilerr // see above
	}
	var proof logoutProof
	if err := json.Unmarshal(payload, &proof); err != nil || proof.Issuer != p.issuer || !p.now().Before(time.Unix(proof.Expiry, 0)) {
		return nil, "", nil //nolint:nilerr // see above
	}
	return &proof.hint, proof.Audience, nil
}
