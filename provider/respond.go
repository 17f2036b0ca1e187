package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// pageError is shown to a person as a page of its own.
type pageError struct {
	status int
	// text names the texts "error.<text>.title", ".what" and ".help" of package web.
	text string
	// args fill the placeholders of .what.
	args []any
	// detail is a technical line for whoever looks after the application.
	detail string
	// again is where the person can start over; empty when there is no such place.
	again string
}

// Error returns the name of the page and its detail.
func (e *pageError) Error() string { return "page " + e.text + ": " + e.detail }

// redirectError is told to the client by sending the browser back (RFC 6749 section 4.1.2.1), at once or when the person says so. It is
// made only after client and redirect URI are proven.
type redirectError struct {
	cause error
	to    oidc.ReturnAddress
	// client is whose redirect URI it is.
	client *registration.Client
	// silent says that the request is one that no page may answer (prompt=none).
	silent bool
}

// Error returns the cause.
func (e *redirectError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *redirectError) Unwrap() error { return e.cause }

var (
	// errStarting: the registrations are not read yet.
	errStarting = &pageError{status: http.StatusServiceUnavailable, text: "starting", detail: "registrations are not read yet"}
	// errNoKey: nothing can be signed.
	errNoKey = &pageError{status: http.StatusServiceUnavailable, text: "no_key", detail: "no signing key is active"}
	// errNoToken: a request to a protected resource without any token gets a challenge without an error (RFC 6750 section 3.1).
	errNoToken = errors.New("request has no access token")
)

// retryAfter is how many seconds a client should wait when the provider is busy or starting.
const retryAfter = 2

// respondError answers a request that failed. It alone decides what becomes of an error. What it does not know is a fault
// of the provider: told without detail, logged with the request's ID.
func (p *Provider) respondError(w http.ResponseWriter, r *http.Request, to audience, err error) {
	var redirect *redirectError
	var synology *synologyError
	switch {
	case errors.As(err, &redirect):
		p.redirectWithError(w, r, redirect)
		return
	case errors.As(err, &synology):
		p.respondSynologyError(w, r, synology)
		return
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		w.WriteHeader(statusClientGone) // nobody reads it; the metrics do
		return
	}
	switch to {
	case forPeople:
		p.respondPage(w, r, p.asPageError(w, r, err))
	case forClients, forResources:
		p.respondJSONError(w, r, to, err)
	case forSynology:
		p.respondExchangeError(w, r, err)
	}
}

// statusClientGone is counted, never seen: the browser has gone away.
const statusClientGone = 499

func (p *Provider) logFault(w http.ResponseWriter, r *http.Request, err error) {
	traceFault(r, err)
	p.logger.ErrorContext(r.Context(), "request failed", "request_id", requestID(w), "method", r.Method, "path", r.URL.Path, "error", err)
}

func (p *Provider) recovered(w *recorder, r *http.Request, rt route, fault any) {
	p.logger.ErrorContext(r.Context(), "request panicked", "request_id", requestID(w), "path", r.URL.Path,
		"fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	if w.status == 0 {
		p.respondError(w, r, rt.audience, &oidc.Error{Code: oidc.CodeServerError})
	}
}

// redirectWithError sends the browser back to the client with an error.
func (p *Provider) redirectWithError(w http.ResponseWriter, r *http.Request, e *redirectError) {
	var known *oidc.Error
	ask := p.asksBeforeReturn(r, e)
	if ask && !errors.As(e.cause, &known) {
		p.respondPage(w, r, p.asPageError(w, r, e.cause)) // which has nothing to do with the application
		return
	}
	if errors.Is(e.cause, store.ErrUnavailable) {
		p.logFault(w, r, e.cause)
		known = &oidc.Error{Code: oidc.CodeTemporarilyUnavailable, Description: "storage is unavailable; try again soon"}
	} else if !errors.As(e.cause, &known) {
		p.logFault(w, r, e.cause)
		known = &oidc.Error{Code: oidc.CodeServerError, Description: "the provider failed; its log has request " + requestID(w)}
	}
	send := p.answer
	if ask {
		send = p.offerReturn(e.client, known)
	}
	if err := send(w, r, e.to, "error", known.Code, "error_description", known.Description); err != nil {
		p.logFault(w, r, err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// redirect sends the browser elsewhere with 303, which unlike 302 and 307 never repeats a form's body there (RFC 9700 section 4.12).
func (p *Provider) redirect(w http.ResponseWriter, location string) {
	header := w.Header()
	header.Set("Location", location)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

// asPageError finds the page that tells a person of an error.
func (p *Provider) asPageError(w http.ResponseWriter, r *http.Request, err error) *pageError {
	var page *pageError
	var protocol *oidc.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &page):
		return page
	case errors.Is(err, store.ErrUnavailable):
		p.logFault(w, r, err)
		return &pageError{status: http.StatusServiceUnavailable, text: "unavailable", again: againFor(r)}
	case errors.Is(err, identity.ErrBusy):
		return &pageError{status: http.StatusServiceUnavailable, text: "busy", again: r.URL.RequestURI()}
	case errors.As(err, &tooLarge):
		return &pageError{status: http.StatusRequestEntityTooLarge, text: "too_large", detail: fmt.Sprintf("the limit is %d bytes", tooLarge.Limit)}
	case errors.Is(err, errUnavailable) && errors.As(err, &protocol): // the application has done nothing wrong
		return &pageError{status: http.StatusServiceUnavailable, text: "busy", detail: protocol.Error(), again: againFor(r)}
	case errors.As(err, &protocol) && protocol.Code != oidc.CodeServerError:
		return &pageError{status: http.StatusBadRequest, text: "request", detail: protocol.Error()}
	case !errors.As(err, &protocol):
		p.logFault(w, r, err)
	}
	return &pageError{status: http.StatusInternalServerError, text: "fault", again: againFor(r)}
}

func againFor(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	return ""
}

func (p *Provider) respondPage(w http.ResponseWriter, r *http.Request, e *pageError) {
	if e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	page := web.Error{Text: e.text, Args: e.args, Detail: e.detail, Again: e.again, RequestID: requestID(w)}
	if err := p.render(w, r, e.status, page); err != nil {
		p.logFault(w, r, err)
		http.Error(w, http.StatusText(e.status), e.status)
	}
}

// errorAnswer is the JSON of RFC 6749 section 5.2.
type errorAnswer struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (p *Provider) respondJSONError(w http.ResponseWriter, r *http.Request, to audience, err error) {
	status, answer := p.asJSONError(w, r, err)
	if to == forResources && answer.Error == oidc.CodeInvalidDPoPProof {
		status = http.StatusUnauthorized // RFC 9449 section 7.1; at the token endpoint it is 400
	}
	switch {
	case errors.Is(err, errNoToken):
		w.Header()["Www-Authenticate"] = challenges(r, p.issuer, nil)
	case to == forResources && status < http.StatusInternalServerError:
		w.Header()["Www-Authenticate"] = challenges(r, p.issuer, &answer)
	case status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="`+p.issuer+`"`)
	case status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	p.respondJSON(w, status, answer)
}

func (p *Provider) asJSONError(w http.ResponseWriter, r *http.Request, err error) (int, errorAnswer) {
	var page *pageError
	var protocol *oidc.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errNoToken):
		return http.StatusUnauthorized, errorAnswer{oidc.CodeInvalidToken, "send the access token in the Authorization header"}
	case errors.As(err, &page) && page.status == http.StatusMethodNotAllowed:
		return page.status, errorAnswer{oidc.CodeInvalidRequest, "the method must be one of " + w.Header().Get("Allow")}
	case errors.As(err, &page):
		return page.status, errorAnswer{oidc.CodeTemporarilyUnavailable, page.detail}
	case errors.Is(err, store.ErrUnavailable):
		p.logFault(w, r, err)
		return http.StatusServiceUnavailable, errorAnswer{oidc.CodeTemporarilyUnavailable, "storage is unavailable; try again soon"}
	case errors.Is(err, identity.ErrBusy):
		return http.StatusServiceUnavailable, errorAnswer{oidc.CodeTemporarilyUnavailable, "too many requests are waiting; try again soon"}
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, errorAnswer{oidc.CodeInvalidRequest, "the request body is too large"}
	case errors.As(err, &protocol) && protocol.Code != oidc.CodeServerError:
		return jsonStatus(protocol.Code), errorAnswer{protocol.Code, protocol.Description}
	case !errors.As(err, &protocol):
		p.logFault(w, r, err)
	}
	return http.StatusInternalServerError, errorAnswer{oidc.CodeServerError, "the provider failed; its log has request " + requestID(w)}
}

func jsonStatus(code string) int {
	switch code {
	case oidc.CodeInvalidClient, oidc.CodeInvalidToken:
		return http.StatusUnauthorized
	case oidc.CodeInsufficientScope:
		return http.StatusForbidden
	case oidc.CodeTemporarilyUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

var (
	noStore    = []string{"no-store"}
	noCache    = []string{"no-cache"}
	jsonType   = []string{"application/json"}
	jwtType    = []string{"application/jwt"}
	zeroLength = []string{"0"}
)

// respondJSON answers with a document that must not be kept (RFC 6749 section 5.1).
func (p *Provider) respondJSON(w http.ResponseWriter, status int, document any) {
	body, err := json.Marshal(document)
	if err != nil { // no document of ours can fail to marshal; a change that makes one fail shows in every test
		panic(fmt.Sprintf("marshal answer: %v", err))
	}
	p.respondBody(w, status, jsonType, body)
}

func (p *Provider) respondBody(w http.ResponseWriter, status int, contentType []string, body []byte) {
	header := w.Header()
	header["Cache-Control"] = noStore
	header["Pragma"] = noCache
	header["Content-Type"] = contentType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that nobody is there any more
}
