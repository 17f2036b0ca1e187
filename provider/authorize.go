package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// fieldProof is the parameter that tells that the person has logged in for this request.
const fieldProof = "login_proof"

// proofLifetime is how long a login counts as made for the request that asked for it: the time to read the consent page.
const proofLifetime = 10 * time.Minute

// serveAuthorize answers an authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2): with a
// code when the person is logged in and has agreed, else by sending the browser to the page that is missing.
func (p *Provider) serveAuthorize(w http.ResponseWriter, r *http.Request) error {
	if err := checkNavigation(r); err != nil {
		return err
	}
	a, err := p.readAuthorization(r)
	if err != nil {
		return err
	}
	b, err := p.currentBrowser(r)
	if err != nil {
		return a.fail(err)
	}
	loggedInForIt := b != nil && a.provenBy(b.secret)
	if a.stored.stale(p.now()) && !loggedInForIt {
		return errStoredRequest
	}
	if a.objectExpired(p.now()) && !loggedInForIt {
		return a.fail(oidc.ErrRequestObjectExpired)
	}
	if loggedInForIt && !p.isFor(a, b.user) {
		return a.fail(&oidc.Error{Code: oidc.CodeLoginRequired, Description: "somebody else has logged in than the request names"})
	}
	if p.needsLogin(a, b) {
		if a.Prompt(oidc.PromptNone) {
			return a.fail(&oidc.Error{Code: oidc.CodeLoginRequired, Description: "the person has to log in"})
		}
		p.redirect(w, p.base+pathLogin+"?"+a.query)
		return nil
	}
	return p.authorize(w, r, a, b)
}

// authorize goes on with a request once it is known who it is.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request, a *authorization, b *browser) error {
	refusal, err := p.refusalOf(a.client, b.user)
	if err != nil {
		return a.fail(err)
	}
	if refusal != nil {
		p.recordRefusal(r, a, b, refusal)
		if a.Prompt(oidc.PromptNone) {
			return a.fail(refusal.forClient())
		}
		return p.serveRefusal(w, r, a, b, refusal)
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

// needsLogin tells whether the person has to log in before this request can go on.
func (p *Provider) needsLogin(a *authorization, b *browser) bool {
	if b == nil || !p.isFor(a, b.user) {
		return true
	}
	age := p.now().Sub(b.AuthTime)
	wanted := a.asksForLogin() || a.MaxAge >= 0 && age > a.MaxAge
	return wanted && (age > proofLifetime || !a.provenBy(b.secret))
}

// asksForLogin tells whether the person has to log in however short ago they did. A max_age of 0 asks for that, too (OpenID
// Connect Core section 3.1.2.1).
func (a *authorization) asksForLogin() bool {
	return a.Prompt(oidc.PromptLogin) || a.Prompt(oidc.PromptSelectAccount) || a.MaxAge == 0
}

// wantsProof tells whether a login for this request must be told from any other.
func (a *authorization) wantsProof() bool {
	return a.asksForLogin() || a.MaxAge >= 0 || a.namesPerson() || a.stored != nil || !a.objectExpiresAt.IsZero()
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

// issueCode sends the browser back to the client with a code (RFC 6749 section 4.1.2, RFC 9207).
func (p *Provider) issueCode(w http.ResponseWriter, r *http.Request, a *authorization, b *browser) error {
	if _, ok := p.registry.Keys().Signer(a.client.IDTokenSignedResponseAlg); !ok {
		// Told now rather than after a code that could not be redeemed.
		return a.fail(fmt.Errorf("sign for client %s: %w", a.client.ClientID, errNoKey))
	}
	if !a.Claims.AllowsACR(oidc.ACROf(b.AuthMethods)) {
		return a.fail(errUnmetAuthentication)
	}
	if err := p.useUp(r.Context(), a.stored); err != nil {
		return a.fail(err)
	}
	now := p.now()
	expiresAt := now.Add(time.Duration(p.lifetimes(a.client).AuthorizationCode))
	id := store.NewID(now)
	code := newCode(id)
	err := p.store.CreateGrant(r.Context(), store.Grant{
		ID:          id,
		Client:      storedAs(a.client),
		Subject:     b.Subject,
		SessionID:   b.ID,
		Credential:  b.Credential,
		Scopes:      a.scopes,
		Resources:   a.Resources,
		Claims:      a.claims.Encode(),
		AuthTime:    b.AuthTime,
		AuthMethods: b.AuthMethods,
		CreatedAt:   now,
		ExpiresAt:   expiresAt,
		Code: store.Code{
			Handle: store.HandleOf(code), RedirectURI: a.to.URI, Nonce: a.Nonce, CodeChallenge: a.CodeChallenge,
			KeyThumbprint: a.KeyThumbprint, ExpiresAt: expiresAt,
		},
	})
	switch {
	case errors.Is(err, store.ErrNotFound): // in another tab, or elsewhere
		return a.fail(&oidc.Error{Code: oidc.CodeLoginRequired, Description: "the person has just logged out"})
	case err != nil:
		return a.fail(fmt.Errorf("create grant: %w", err))
	}
	p.trimGrants(r.Context(), b.Subject)
	return p.answer(w, r, a.to, "code", code)
}

// errUnmetAuthentication: the client insists on a way of logging in that there is not here (OpenID Connect Core section
// 5.5.1.1, OpenID Connect Core Unmet Authentication Requirements section 2).
var errUnmetAuthentication = &oidc.Error{
	Code: oidc.CodeUnmetAuthentication, Description: "the claims parameter has an essential acr that a login here does not have",
}

// serveAuthorizePost takes an authorization request as a form (OpenID Connect Core section 3.1.2.1). It comes from
// another site, so that the browser sends no cookies with it; it does when it asks again with GET.
func (p *Provider) serveAuthorizePost(w http.ResponseWriter, r *http.Request) error {
	if err := checkNavigation(r); err != nil {
		return err
	}
	fields, err := readForm(w, r)
	if err != nil {
		return err
	}
	query := fields.Encode()
	if len(query) > longQuery && fields.Get("request_uri") == "" {
		kept, err := p.keepLongRequest(r, fields)
		switch {
		case err == nil:
			query = kept
		case !errors.Is(err, errUnavailable) || len(query) > maxQueryBytes:
			return err
		} // else it travels in the URL, which many proxies take, rather than not at all
	}
	if len(query) > maxQueryBytes {
		return errQueryTooLong
	}
	p.redirect(w, p.base+oidc.PathAuthorization+"?"+query)
	return nil
}

// isFor tells whether a request may be answered for a person: id_token_hint and the claims parameter can name somebody
// (OpenID Connect Core section 3.1.2.2). A client knows people by what the "sub" is for it.
func (p *Provider) isFor(a *authorization, user *registration.User) bool {
	if a.hint != nil {
		client, known := p.registry.Client(a.hint.Audience)
		if !known {
			return false
		}
		if subject, err := p.subjectOf(client, user); err != nil || subject != a.hint.Subject {
			return false
		}
	}
	if !a.Claims.NamesSubject() {
		return true
	}
	subject, err := p.subjectOf(a.client, user)
	return err == nil && a.Claims.AllowsSubject(subject)
}

// namesPerson tells whether a request is for one certain person.
func (a *authorization) namesPerson() bool {
	return a.hint != nil || a.Claims.NamesSubject()
}
