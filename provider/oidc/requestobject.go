package oidc

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// AlgorithmNone is the algorithm of an unsigned request object (RFC 7518 section 3.6).
const AlgorithmNone = "none"

// MaxRequestObjectAge is how far in the future a request object may expire where the client must sign: for so long whoever gets hold
// of it can use it.
const MaxRequestObjectAge = time.Hour

// RequestObject is what a request object says (RFC 9101 section 4, OpenID Connect Core section 6.1).
type RequestObject struct {
	// Parameters are those of the authorization request, without what only the JWT needs.
	Parameters url.Values
	// ExpiresAt is when it is no longer good, whatever the clocks say; zero means never.
	ExpiresAt time.Time
}

// RequestObjectRules are what a request object is held against.
type RequestObjectRules struct {
	Issuer, ClientID string
	// Required: the client may send no request that it has not signed. Then the object must say for whom and until when it is good, or
	// one that was made once would be good for ever, and at every provider where the client has this ID.
	Required bool
	// Grace is for how long after its expiry an object is still read, for pages that a request has led to in time.
	Grace time.Duration
}

// jwtClaims are the members of a request object that are no parameters (RFC 9101 section 4).
var jwtClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// ReadRequestObject reads the payload of a request object, whose signature, if it needs one, is proven. The error is an *Error.
func ReadRequestObject(payload []byte, rules RequestObjectRules, now time.Time) (*RequestObject, error) {
	var claims jwt.Claims
	members := map[string]json.RawMessage{}
	if json.Unmarshal(payload, &claims) != nil || json.Unmarshal(payload, &members) != nil {
		return nil, requestObjectError("must be a JWT whose payload is one JSON object with well-formed claims")
	}
	if err := checkRequestClaims(&claims, rules, now); err != nil {
		return nil, err
	}
	object := &RequestObject{Parameters: url.Values{}}
	if claims.Expiry != nil {
		object.ExpiresAt = claims.Expiry.Time().Add(ClockSkew)
	}
	for name, value := range members {
		if slices.Contains(jwtClaims, name) {
			continue
		}
		values, ok := parameterValues(name, value)
		if !ok {
			return nil, requestObjectError("must have its members as texts, numbers or, where the parameter is JSON, as objects")
		}
		object.Parameters[name] = values
	}
	switch {
	case object.Parameters.Has("request") || object.Parameters.Has("request_uri"):
		return nil, requestObjectError("must not hold request or request_uri (RFC 9101 section 4)")
	case object.Parameters.Has("client_id") && object.Parameters.Get("client_id") != rules.ClientID,
		rules.Required && !object.Parameters.Has("client_id"):
		return nil, requestObjectError("must have the client_id of the request as client_id (RFC 9101 section 6.3)")
	}
	return object, nil
}

// checkRequestClaims checks what a JWT says of itself (RFC 9101 sections 4, 6.1 and 10.8, RFC 7519 section 4.1).
func checkRequestClaims(claims *jwt.Claims, rules RequestObjectRules, now time.Time) error {
	switch {
	case claims.Issuer != "" && claims.Issuer != rules.ClientID:
		return requestObjectError("must have the client ID as iss, or no iss")
	case claims.Subject == rules.ClientID:
		// RFC 9101 section 10.8: else it could be sent as the client's assertion, or an assertion as a request.
		return requestObjectError("must not have the client ID as sub, as client assertions have")
	case len(claims.Audience) > 0 && !slices.Contains(claims.Audience, rules.Issuer), rules.Required && len(claims.Audience) == 0:
		return requestObjectError("must have the issuer identifier of this provider as aud")
	case rules.Required && claims.Expiry == nil:
		return requestObjectError("must have exp")
	case claims.Expiry != nil && !now.Before(claims.Expiry.Time().Add(ClockSkew+rules.Grace)):
		return ErrRequestObjectExpired
	case rules.Required && claims.Expiry.Time().After(now.Add(MaxRequestObjectAge+ClockSkew)):
		return requestObjectError("must expire within one hour")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(ClockSkew)):
		return requestObjectError("is not good yet (nbf)")
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(now.Add(ClockSkew)):
		return requestObjectError("is of the future (iat)")
	}
	return nil
}

// ErrRequestObjectExpired is an *Error.
var ErrRequestObjectExpired = requestObjectError("has expired")

func requestObjectError(what string) error {
	return &Error{CodeInvalidRequestObject, "the request object " + what}
}

// parameterValues returns a member of a request object as it would stand in a query: numbers and truth values as text, objects (claims)
// as JSON. Only resource may have several values (RFC 8707 section 2).
func parameterValues(name string, value json.RawMessage) (values []string, ok bool) {
	value = bytes.TrimSpace(value)
	var text string
	switch {
	case len(value) == 0:
		return nil, false
	case value[0] == '"':
		if json.Unmarshal(value, &text) != nil {
			return nil, false
		}
		return []string{text}, true
	case value[0] == '{', value[0] == 't', value[0] == 'f':
		return []string{string(value)}, true
	case value[0] == '[':
		if name != "resource" || json.Unmarshal(value, &values) != nil {
			return nil, false
		}
		return values, true
	case value[0] == 'n':
		return nil, false
	}
	return numberText(string(value))
}

// numberText returns a number of JSON as a parameter has it, such as max_age. One with a fraction or an exponent comes back as it is, and is
// judged like the same text in a query.
func numberText(number string) ([]string, bool) {
	if _, err := strconv.ParseFloat(number, 64); err != nil {
		return nil, false
	}
	return []string{number}, true
}

// Assemble returns the parameters of an authorization request with a request object. client_id and response_type must be the same on both
// sides, where they are on both (OpenID Connect Core section 6.1, RFC 9101 section 5). Of everything else the object's value counts.
//
// What is only beside the object counts too (OpenID Connect Core section 6.3.3), unless onlyInside: then the client must sign all that it asks for, and
// nobody may add anything (RFC 9101 section 6.3). The error is an *Error.
func Assemble(beside Parameters, object *RequestObject, onlyInside bool) (Parameters, error) {
	for _, name := range []string{"client_id", "response_type"} {
		if outer := beside.Get(name); outer != "" && object.Parameters.Has(name) && object.Parameters.Get(name) != outer {
			return Parameters{}, &Error{CodeInvalidRequestObject, name + " is another in the request object than beside it"}
		}
	}
	values := url.Values{}
	for name, v := range beside.values {
		if !onlyInside || name == "client_id" {
			values[name] = v
		}
	}
	for name, v := range object.Parameters {
		values[name] = v
	}
	values.Del("request")
	return ParametersOf(values), nil
}

// RequestObjectAlgorithms lists what a request object may be signed with, for clients that sign with algorithms.
func RequestObjectAlgorithms(algorithms []string) []string {
	return append([]string{AlgorithmNone}, algorithms...)
}

// CheckRequestObjectForm returns an *Error for what cannot be a request object of this provider's, before anything of it is read.
func CheckRequestObjectForm(token string, maxBytes int) error {
	switch {
	case len(token) > maxBytes:
		return requestObjectError("must not be longer than " + strconv.Itoa(maxBytes) + " bytes")
	case strings.Count(token, ".") == 4: // RFC 7516 section 7.1
		return requestObjectError("must be signed or unsigned; encrypted ones are not supported")
	case strings.Count(token, ".") != 2:
		return requestObjectError("must be a JWT: three parts with dots between")
	}
	return nil
}
