package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// Bounds of what one request may carry. An authorization request of a chatty client takes about two kilobytes.
const (
	maxQueryBytes = 16 << 10
	maxBodyBytes  = 32 << 10
)

// fieldToken is the name of the hidden field in every form.
const fieldToken = "csrf_token"

// formToken returns the value of a form's hidden field, and sets the cookie that it is made from when the browser has
// none yet. purpose and the session bind it: a token read from one form is no good for another, nor after a new login.
func (p *Provider) formToken(w http.ResponseWriter, r *http.Request, purpose string, b *browser) string {
	secret := p.cookies.value(r, p.cookies.form)
	if secret == "" {
		secret = newSecret()
		p.cookies.set(w, p.cookies.form, secret)
	}
	return formTokenOf(secret, purpose, b)
}

func formTokenOf(secret, purpose string, b *browser) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(purpose))
	if b != nil {
		mac.Write(b.Handle[:])
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// checkForm returns nil when a posted form comes from a page that this provider gave to this very browser.
func (p *Provider) checkForm(r *http.Request, fields oidc.Parameters, purpose string, b *browser) *pageError {
	secret := p.cookies.value(r, p.cookies.form)
	given := fields.Get(fieldToken)
	if secret == "" || subtle.ConstantTimeCompare([]byte(given), []byte(formTokenOf(secret, purpose, b))) != 1 {
		return &pageError{status: http.StatusForbidden, text: "form", again: r.URL.RequestURI()}
	}
	return nil
}

// form wraps the handler of a posted form with a second wall against other sites: what the browser says of the origin.
func (p *Provider) form(serve func(w http.ResponseWriter, r *http.Request, fields oidc.Parameters) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := p.crossSite.Check(r); err != nil {
			return &pageError{status: http.StatusForbidden, text: "form", detail: err.Error()}
		}
		fields, err := readForm(w, r)
		if err != nil {
			return err
		}
		return serve(w, r, fields)
	}
}

// readForm reads an application/x-www-form-urlencoded body within bounds.
func readForm(w http.ResponseWriter, r *http.Request) (oidc.Parameters, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return oidc.Parameters{}, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the body must be application/x-www-form-urlencoded"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return oidc.Parameters{}, err
	}
	if err != nil {
		return oidc.Parameters{}, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the body could not be read to its end"}
	}
	fields, malformed := oidc.ReadParameters(string(body))
	if malformed {
		return oidc.Parameters{}, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the body is not well-formed application/x-www-form-urlencoded"}
	}
	return fields, nil
}

// readQuery reads the query of a request within bounds.
func readQuery(r *http.Request) (p oidc.Parameters, malformed bool, err error) {
	if len(r.URL.RawQuery) > maxQueryBytes {
		return p, false, errQueryTooLong
	}
	p, malformed = oidc.ReadParameters(r.URL.RawQuery)
	return p, malformed, nil
}

var errQueryTooLong = &pageError{status: http.StatusRequestURITooLong, text: "too_large", detail: "the query is longer than 16 KiB"}
