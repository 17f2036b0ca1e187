package oidc

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The values of the prompt parameter (OpenID Connect Core section 3.1.2.1).
const (
	PromptNone          = "none"
	PromptLogin         = "login"
	PromptConsent       = "consent"
	PromptSelectAccount = "select_account"
)

// Prompts lists the values of prompt that are understood. One browser holds one login, so that select_account asks
// the person to log in, as login does.
func Prompts() []string {
	return []string{PromptNone, PromptLogin, PromptConsent, PromptSelectAccount}
}

// Displays lists the values of display (OpenID Connect Core section 3.1.2.1). The pages fit every kind of window, so that
// none of them changes anything, and no other value is an error (section 15.1).
func Displays() []string {
	return []string{"page", "popup", "touch", "wap"}
}

// AuthorizationRequest is an authentication request (OpenID Connect Core section 3.1.2.1) of the code flow that keeps
// all rules which do not depend on who asks.
type AuthorizationRequest struct {
	// Scopes are those asked for, known or not, each once, in the order in which they were sent.
	Scopes []string
	State  string
	Nonce  string
	// CodeChallenge is the S256 challenge (RFC 7636 section 4.3), or empty.
	CodeChallenge string
	Prompts       []string
	// MaxAge is the longest time since the last login; negative when there is no such limit.
	MaxAge    time.Duration
	LoginHint string
	UILocales []string
	// Claims is the claims parameter; nil when there is none, or none of it is understood.
	Claims *ClaimsRequest
	// Resources are the resource indicators (RFC 8707 section 2), each once, in the order in which they were sent.
	Resources []string
	// KeyThumbprint is dpop_jkt (RFC 9449 section 10), or empty.
	KeyThumbprint string
}

// Prompt tells whether the request holds a prompt value.
func (r *AuthorizationRequest) Prompt(value string) bool {
	return slices.Contains(r.Prompts, value)
}

// authorizationParameters are those of which none may stand twice. client_id and redirect_uri are checked before. resource
// is not among them: it may (RFC 8707 section 2).
var authorizationParameters = []string{
	"response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt",
	"max_age", "login_hint", "ui_locales", "request", "request_uri", "id_token_hint", "acr_values", "display", "registration",
	"claims", "claims_locales", "dpop_jkt",
}

// MaxLoginHint is how many bytes of a login_hint can be a username. A longer one is no error, since a hint is only that, and helps nobody.
const MaxLoginHint = 255

// AuthorizationParameters lists every parameter of an authorization request that has a meaning here.
func AuthorizationParameters() []string {
	return slices.Concat([]string{"client_id", "redirect_uri", "resource"}, authorizationParameters)
}

// maxLengths bound in bytes what a request makes us keep, through every page and some of it with the code. What is not here has bounds
// of its own, must be equal to something that is registered, or is not kept when it is long (login_hint).
var maxLengths = []struct {
	name  string
	bytes int
}{
	{"state", maxAuthorizationValue},
	{"nonce", maxAuthorizationValue},
	{"scope", 4096},
	{"id_token_hint", 8192},
	{"acr_values", 1024},
	{"ui_locales", 512},
	{"claims_locales", 512},
	{"prompt", 128},
	{"max_age", 64},
	{"display", 64},
	{"response_type", 128},
	{"response_mode", 64},
	{"code_challenge_method", 64},
}

const maxAuthorizationValue = 2048

// checkLengths names the first parameter that is too long.
func checkLengths(p Parameters) error {
	for _, limit := range maxLengths {
		if len(p.Get(limit.name)) > limit.bytes {
			return &Error{CodeInvalidRequest, limit.name + " must not be longer than " + strconv.Itoa(limit.bytes) + " bytes"}
		}
	}
	return nil
}

// ReadAuthorization reads the part of an authorization request that comes after client_id, redirect_uri and
// response_mode. A request object is read before, see Assemble. own are claims of the client's own, as in ReadClaims. The error is an *Error for the client.
func ReadAuthorization(p Parameters, own ...string) (*AuthorizationRequest, error) {
	if name := p.Repeated(authorizationParameters...); name != "" {
		return nil, &Error{CodeInvalidRequest, name + " is sent more than once"}
	}
	if err := checkLengths(p); err != nil {
		return nil, err
	}
	if err := refuseUnsupported(p); err != nil {
		return nil, err
	}
	r := &AuthorizationRequest{
		State:     p.Get("state"),
		Nonce:     p.Get("nonce"),
		LoginHint: p.Get("login_hint"),
		UILocales: strings.Fields(p.Get("ui_locales")),
	}
	if !echoable(r.State) || !echoable(r.Nonce) {
		return nil, &Error{CodeInvalidRequest, "state and nonce must be text in UTF-8 without control characters"}
	}
	for _, read := range []func(Parameters) error{
		r.readScopes, r.readPrompts, r.readMaxAge, r.readChallenge, r.readResources, r.readKeyThumbprint,
		func(p Parameters) error { return r.readClaims(p, own) },
	} {
		if err := read(p); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// refuseUnsupported refuses what would have to be followed and cannot be (OpenID Connect Core sections 3.1.2.6 and 6).
func refuseUnsupported(p Parameters) error {
	switch {
	case p.Get("request_uri") != "":
		return &Error{CodeRequestURINotSupported, "request_uri must be one of the pushed authorization request endpoint"}
	case p.Get("registration") != "":
		return &Error{CodeRegistrationNotSupported, "the registration parameter is not supported"}
	}
	switch p.Get("response_type") {
	case "code":
		return nil
	case "":
		return &Error{CodeInvalidRequest, "response_type is missing; it must be code"}
	default:
		return &Error{CodeUnsupportedResponseType, "response_type must be code"}
	}
}

// echoable tells whether a text comes back to the client as it was sent: a browser changes line breaks in the fields of a form,
// and JSON cannot hold what is not UTF-8.
func echoable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

func (r *AuthorizationRequest) readScopes(p Parameters) error {
	seen := map[string]bool{} // a stranger sends as many as fit into a request
	for _, s := range strings.Fields(p.Get("scope")) {
		if !seen[s] {
			seen[s] = true
			r.Scopes = append(r.Scopes, s)
		}
	}
	if !slices.Contains(r.Scopes, ScopeOpenID) {
		return &Error{CodeInvalidScope, "scope must hold openid"}
	}
	return nil
}

func (r *AuthorizationRequest) readPrompts(p Parameters) error {
	r.Prompts = strings.Fields(p.Get("prompt"))
	for _, prompt := range r.Prompts {
		if !slices.Contains(Prompts(), prompt) {
			return &Error{CodeInvalidRequest, "prompt must be made of " + strings.Join(Prompts(), ", ")}
		}
	}
	if r.Prompt(PromptNone) && len(r.Prompts) > 1 {
		return &Error{CodeInvalidRequest, "prompt none cannot stand with another value"}
	}
	return nil
}

func (r *AuthorizationRequest) readMaxAge(p Parameters) error {
	r.MaxAge = -1
	text := p.Get("max_age")
	if text == "" {
		return nil
	}
	// A number that is too large for a machine is one of seconds all the same, and longer than any login lasts.
	seconds, err := strconv.ParseUint(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return &Error{CodeInvalidRequest, "max_age must be a number of seconds, 0 or more"}
	}
	r.MaxAge = time.Duration(min(seconds, uint64(math.MaxInt64/time.Second))) * time.Second
	return nil
}

func (r *AuthorizationRequest) readChallenge(p Parameters) error {
	challenge, method := p.Get("code_challenge"), p.Get("code_challenge_method")
	switch {
	case challenge == "" && method == "":
		return nil
	case challenge == "":
		return &Error{CodeInvalidRequest, "code_challenge is missing beside code_challenge_method"}
	case method == "" || method == "plain":
		// RFC 7636 section 4.3: an omitted method means plain, which gives a challenge that reveals the verifier.
		return &Error{CodeInvalidRequest, "code_challenge_method must be S256; plain is not accepted"}
	case method != "S256":
		return &Error{CodeInvalidRequest, "code_challenge_method must be S256"}
	case !validChallenge(challenge):
		return &Error{CodeInvalidRequest, "code_challenge must be the base64url SHA-256 of the verifier: 43 characters without padding"}
	}
	r.CodeChallenge = challenge
	return nil
}

// maxClaims bounds what a request makes us keep with each grant, in bytes.
const maxClaims = 8 << 10

func (r *AuthorizationRequest) readClaims(p Parameters, own []string) error {
	text := p.Get("claims")
	switch {
	case text == "":
		return nil
	case len(text) > maxClaims:
		return &Error{CodeInvalidRequest, "claims must not be longer than " + strconv.Itoa(maxClaims) + " bytes"}
	}
	var err error
	r.Claims, err = ReadClaims(text, own...)
	return err
}

func (r *AuthorizationRequest) readResources(p Parameters) (err error) {
	r.Resources, err = ReadResources(p)
	return err
}

// readKeyThumbprint reads the base64url of a SHA-256 (RFC 7638 section 3).
func (r *AuthorizationRequest) readKeyThumbprint(p Parameters) error {
	thumbprint := p.Get("dpop_jkt")
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(thumbprint); thumbprint != "" && (err != nil || len(raw) != 32) {
		return &Error{CodeInvalidRequest, "dpop_jkt must be the base64url SHA-256 thumbprint of a key: 43 characters without padding"}
	}
	r.KeyThumbprint = thumbprint
	return nil
}

// GrantedScopes returns those of the asked scopes that the client is registered for, each once. The others are left out rather than
// refused (OpenID Connect Core section 3.1.2.1, RFC 6749 section 3.3): many applications ask for more than they need,
// and the token answer tells what was granted.
func GrantedScopes(asked, registered []string) []string {
	granted := make([]string, 0, min(len(asked), len(registered)))
	for _, s := range asked {
		if slices.Contains(registered, s) && !slices.Contains(granted, s) {
			granted = append(granted, s)
		}
	}
	return granted
}
