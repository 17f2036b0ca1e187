package oidc

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// AssertionTypeJWT is the only client_assertion_type (RFC 7523 section 2.2).
const AssertionTypeJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Bounds of the times in what clients sign.
const (
	// ClockSkew is by how much a client's clock may differ from the provider's.
	ClockSkew = 30 * time.Second
	// MaxAssertionAge is how far in the future an assertion may expire: for so long it must be remembered.
	MaxAssertionAge = time.Hour
	// MaxProofAge is how long after it was made a DPoP proof is good. It is longer than a request takes, because the clocks of
	// people's devices are not exact.
	MaxProofAge = 5 * time.Minute
	// maxJTI is how long the name of an assertion or proof may be, in bytes.
	maxJTI = 512
)

// AssertionClient returns the client that an assertion says it is of, or "". Nothing is proven by that.
func AssertionClient(assertion string) string {
	_, rest, _ := strings.Cut(assertion, ".")
	payload, _, _ := strings.Cut(rest, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return ""
	}
	var claims jwt.Claims
	if err := json.Unmarshal(decoded, &claims); err != nil {
		return ""
	}
	return claims.Subject
}

// Assertion is what makes a client assertion good for one time only.
type Assertion struct {
	ID string
	// ExpiresAt is when it is no longer good, whatever the clocks say.
	ExpiresAt time.Time
}

// ReadAssertion reads the payload of a client assertion, whose signature is proven (RFC 7523 section 3, OpenID Connect Core
// section 9). Each of its audiences must be one of audiences: with an assertion that is also for somebody else, somebody
// else could come here as the client. The error is an *Error.
func ReadAssertion(payload []byte, clientID string, audiences []string, now time.Time) (Assertion, error) {
	var claims jwt.Claims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return Assertion{}, assertionError("is not a JWT with well-formed claims")
	}
	foreign := func(audience string) bool { return !slices.Contains(audiences, audience) }
	switch {
	case claims.Issuer != clientID || claims.Subject != clientID:
		return Assertion{}, assertionError("must have the client ID as iss and sub")
	case len(claims.Audience) == 0 || slices.ContainsFunc(claims.Audience, foreign):
		return Assertion{}, assertionError("must have the issuer identifier of this provider, and nothing else, as aud")
	case claims.Expiry == nil:
		return Assertion{}, assertionError("must have exp")
	case !now.Before(claims.Expiry.Time().Add(ClockSkew)):
		return Assertion{}, assertionError("has expired")
	case claims.Expiry.Time().After(now.Add(MaxAssertionAge + ClockSkew)):
		return Assertion{}, assertionError("must expire within one hour")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(ClockSkew)):
		return Assertion{}, assertionError("is not good yet (nbf)")
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(now.Add(ClockSkew)):
		return Assertion{}, assertionError("is of the future (iat)")
	case claims.ID == "" || len(claims.ID) > maxJTI:
		return Assertion{}, assertionError("must have a jti of at most 512 bytes")
	}
	return Assertion{ID: claims.ID, ExpiresAt: claims.Expiry.Time().Add(ClockSkew)}, nil
}

// CheckSoleAudience returns an *Error unless a client assertion is for the issuer, as a text and not in a list (FAPI 2.0 Security Profile
// section 5.3.2.1): the issuer of another provider, to which the client was misled, can then never be in it.
func CheckSoleAudience(payload []byte, issuer string) error {
	var claims struct {
		Audience any `json:"aud"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Audience != issuer {
		return assertionError("must have the issuer identifier of this provider as aud: one text, and no list")
	}
	return nil
}

func assertionError(what string) error {
	return &Error{CodeInvalidClient, "the client assertion " + what}
}
