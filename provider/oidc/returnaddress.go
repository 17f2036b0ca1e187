package oidc

import "strings"

// The response modes (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1, OAuth 2.0 Form Post Response Mode).
// fragment is not among them: a code in it would be read by scripts that need not know it.
const (
	ResponseModeQuery    = "query"
	ResponseModeFormPost = "form_post"
)

// ResponseModes lists every response mode.
func ResponseModes() []string { return []string{ResponseModeQuery, ResponseModeFormPost} }

// ReturnAddress is where and how a client gets the answer to an authorization request.
type ReturnAddress struct {
	// URI is a redirect URI that is proven.
	URI string
	// Mode is one of the ResponseMode constants.
	Mode string
	// State comes back as it was sent.
	State string
}

// ReadReturnAddress reads response_mode and state. With an error, which is an *Error, the address is the one to which that
// error can be sent.
func ReadReturnAddress(p Parameters, redirectURI string) (ReturnAddress, error) {
	to := ReturnAddress{URI: redirectURI, Mode: ResponseModeQuery, State: p.Get("state")}
	if !echoable(to.State) {
		to.State = "" // what comes back changed is worth less than nothing; ReadAuthorization refuses it
	}
	switch mode := p.Get("response_mode"); mode {
	case "", ResponseModeQuery:
		return to, nil
	case ResponseModeFormPost:
		if !strings.HasPrefix(redirectURI, "https://") && !strings.HasPrefix(redirectURI, "http://") {
			return to, &Error{CodeInvalidRequest, "response_mode form_post needs an http redirect URI: nothing can be posted to a private-use scheme"}
		}
		to.Mode = mode
		return to, nil
	default:
		return to, &Error{CodeInvalidRequest, "response_mode must be " + strings.Join(ResponseModes(), " or ") + ", or left out"}
	}
}
