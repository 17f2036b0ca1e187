package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// validChallenge tells whether a challenge can be an S256 one: the base64url of 32 bytes (RFC 7636 section 4.2).
func validChallenge(challenge string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	return err == nil && len(raw) == sha256.Size
}

// ValidVerifier tells whether a code_verifier has the form of RFC 7636 section 4.1: 43 to 128 unreserved characters.
func ValidVerifier(verifier string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	for _, c := range []byte(verifier) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

// VerifyChallenge tells, in constant time, whether verifier is the one behind an S256 challenge (RFC 7636 section 4.6).
func VerifyChallenge(challenge, verifier string) bool {
	sum := sha256.Sum256([]byte(verifier))
	var encoded [43]byte
	base64.RawURLEncoding.Encode(encoded[:], sum[:])
	return subtle.ConstantTimeCompare(encoded[:], []byte(challenge)) == 1
}
