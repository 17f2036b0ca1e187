package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// ProofRequest is what a DPoP proof is sent with.
type ProofRequest struct {
	Method string
	// URL is that of the endpoint, as the discovery document names it, without query.
	URL string
	// AccessToken is the token that is used; empty at the token endpoint.
	AccessToken string
}

// proofClaims are the payload of a DPoP proof (RFC 9449 section 4.2).
type proofClaims struct {
	ID              string           `json:"jti"`
	Method          string           `json:"htm"`
	URL             string           `json:"htu"`
	IssuedAt        *jwt.NumericDate `json:"iat"`
	AccessTokenHash string           `json:"ath"`
}

// Proof is what makes a DPoP proof good for one time only.
type Proof struct {
	ID string
	// ExpiresAt is when it is no longer good, whatever the clocks say.
	ExpiresAt time.Time
}

// ReadProof reads the payload of a DPoP proof, whose signature is proven (RFC 9449 section 4.3). The error is an *Error.
func ReadProof(payload []byte, r ProofRequest, now time.Time) (Proof, error) {
	var claims proofClaims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return Proof{}, proofError("has claims that are not well-formed")
	}
	switch {
	case claims.ID == "" || len(claims.ID) > maxJTI:
		return Proof{}, proofError("must have a jti of at most 512 bytes")
	case claims.Method != r.Method:
		return Proof{}, proofError("is for another method (htm)")
	case !sameEndpoint(claims.URL, r.URL):
		return Proof{}, proofError("is for another URL (htu)")
	case claims.IssuedAt == nil:
		return Proof{}, proofError("must have iat")
	case claims.IssuedAt.Time().After(now.Add(ClockSkew)):
		return Proof{}, proofError("is of the future (iat)")
	case claims.IssuedAt.Time().Before(now.Add(-MaxProofAge)):
		return Proof{}, proofError("is too old (iat)")
	case r.AccessToken != "" && !hashes(claims.AccessTokenHash, r.AccessToken):
		return Proof{}, proofError("is for another access token (ath)")
	}
	return Proof{ID: claims.ID, ExpiresAt: claims.IssuedAt.Time().Add(MaxProofAge + time.Second)}, nil
}

func proofError(what string) error {
	return &Error{CodeInvalidDPoPProof, "the DPoP proof " + what}
}

// hashes tells whether hash is the "ath" of a token (RFC 9449 section 4.2).
func hashes(hash, token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare([]byte(hash), []byte(base64.RawURLEncoding.EncodeToString(sum[:]))) == 1
}

// sameEndpoint compares two URLs without query and fragment, as RFC 9449 section 4.3 asks: after normalization by syntax and
// scheme (RFC 3986 sections 6.2.2 and 6.2.3), but without resolving . and .. , which no endpoint has.
func sameEndpoint(given, endpoint string) bool {
	if given == endpoint {
		return true
	}
	g, errGiven := url.Parse(given)
	e, errEndpoint := url.Parse(endpoint)
	if errGiven != nil || errEndpoint != nil || g.User != nil || g.Opaque != "" {
		return false
	}
	slash := func(u *url.URL) bool { return strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") }
	return g.Scheme == e.Scheme && // which url.Parse has lowered
		hostOf(g) == hostOf(e) && g.Path == e.Path && !slash(g) && !slash(e)
}

// hostOf returns host and port, in lower case and without the port that the scheme has anyway.
func hostOf(u *url.URL) string {
	port := u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}
