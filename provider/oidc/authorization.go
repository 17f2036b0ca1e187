package oidc

import (
	"slices"
	"strconv"
	"strings"
	"time"
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
}

// Prompt tells whether the request holds a prompt value.
func (r *AuthorizationRequest) Prompt(value string) bool {
	return slices.Contains(r.Prompts, value)
}

// authorizationParameters are those of which none may stand twice. client_id and redirect_uri are checked before.
var authorizationParameters = []string{
	"response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt",
	"max_age", "login_hint", "ui_locales", "request", "request_uri", "id_token_hint", "acr_values", "display", "registration",
}

// maxAuthorizationValue bounds what a request makes us keep: state and nonce travel through every page and the code.
const maxAuthorizationValue = 2048

// ReadAuthorization reads the part of an authorization request that comes after client_id and redirect_uri. The error
// is an *Error for the redirect.
func ReadAuthorization(p Parameters) (*AuthorizationRequest, error) {
	if name := p.Repeated(authorizationParameters...); name != "" {
		return nil, &Error{CodeInvalidRequest, name + " is sent more than once"}
	}
	if p.Get("request") != "" {
		return nil, &Error{CodeRequestNotSupported, "request objects are not supported; send the parameters themselves"}
	}
	if p.Get("request_uri") != "" {
		return nil, &Error{CodeRequestURINotSupported, "request_uri is not supported; send the parameters themselves"}
	}
	switch p.Get("response_type") {
	case "code":
	case "":
		return nil, &Error{CodeInvalidRequest, "response_type is missing; it must be code"}
	default:
		return nil, &Error{CodeUnsupportedResponseType, "response_type must be code"}
	}
	if mode := p.Get("response_mode"); mode != "" && mode != "query" {
		return nil, &Error{CodeInvalidRequest, "response_mode must be query or left out"}
	}
	r := &AuthorizationRequest{
		State:     p.Get("state"),
		Nonce:     p.Get("nonce"),
		LoginHint: p.Get("login_hint"),
		UILocales: strings.Fields(p.Get("ui_locales")),
	}
	if len(r.State) > maxAuthorizationValue || len(r.Nonce) > maxAuthorizationValue {
		return nil, &Error{CodeInvalidRequest, "state and nonce must not be longer than " + strconv.Itoa(maxAuthorizationValue) + " bytes"}
	}
	for _, read := range []func(Parameters) error{r.readScopes, r.readPrompts, r.readMaxAge, r.readChallenge} {
		if err := read(p); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *AuthorizationRequest) readScopes(p Parameters) error {
	for _, s := range strings.Fields(p.Get("scope")) {
		if !slices.Contains(r.Scopes, s) {
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
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return &Error{CodeInvalidRequest, "max_age must be a number of seconds, 0 or more"}
	}
	r.MaxAge = time.Duration(seconds) * time.Second
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

// GrantedScopes returns those of the asked scopes that the client is registered for. The others are left out rather than
// refused (OpenID Connect Core section 3.1.2.1, RFC 6749 section 3.3): many applications ask for more than they need,
// and the token answer tells what was granted.
func GrantedScopes(asked, registered []string) []string {
	granted := make([]string, 0, len(asked))
	for _, s := range asked {
		if slices.Contains(registered, s) {
			granted = append(granted, s)
		}
	}
	return granted
}
