package oidc

// Error is an error of the protocol, in the words that a relying party or its administrator reads.
type Error struct {
	// Code is one of the Code constants: the "error" parameter.
	Code string
	// Description is the "error_description" parameter: printable ASCII without quotes or backslashes (RFC 6749 section 5.2).
	Description string
}

// Error returns "code: description".
func (e *Error) Error() string { return e.Code + ": " + e.Description }

// Is makes errors.Is(err, &Error{Code: c}) tell whether err is of code c.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && (t.Description == "" || t.Description == e.Description)
}

// The error codes.
const (
	// RFC 6749 sections 4.1.2.1 and 5.2.
	CodeInvalidRequest          = "invalid_request"
	CodeInvalidClient           = "invalid_client"
	CodeInvalidGrant            = "invalid_grant"
	CodeUnauthorizedClient      = "unauthorized_client"
	CodeUnsupportedGrantType    = "unsupported_grant_type"
	CodeUnsupportedResponseType = "unsupported_response_type"
	CodeInvalidScope            = "invalid_scope"
	CodeAccessDenied            = "access_denied"
	CodeServerError             = "server_error"
	CodeTemporarilyUnavailable  = "temporarily_unavailable"
	// RFC 6750 section 3.1.
	CodeInvalidToken      = "invalid_token"
	CodeInsufficientScope = "insufficient_scope"
	// RFC 7009 section 2.2.1.
	CodeUnsupportedTokenType = "unsupported_token_type"
	// RFC 8707 section 2.
	CodeInvalidTarget = "invalid_target"
	// RFC 8628 section 3.5.
	CodeAuthorizationPending = "authorization_pending"
	CodeSlowDown             = "slow_down"
	CodeExpiredToken         = "expired_token"
	// RFC 9449 section 5.
	CodeInvalidDPoPProof = "invalid_dpop_proof"
	// OpenID Connect Core section 3.1.2.6.
	CodeLoginRequired          = "login_required"
	CodeConsentRequired        = "consent_required"
	CodeRequestNotSupported    = "request_not_supported"
	CodeRequestURINotSupported = "request_uri_not_supported"
	// CodeRegistrationNotSupported is of section 3.1.2.6, too.
	CodeRegistrationNotSupported = "registration_not_supported"
	// CodeInvalidRequestObject is of section 3.1.2.6 and of RFC 9101 section 7.
	CodeInvalidRequestObject = "invalid_request_object"
	// CodeUnmetAuthentication is of OpenID Connect Core Unmet Authentication Requirements section 2.
	CodeUnmetAuthentication = "unmet_authentication_requirements"
)
