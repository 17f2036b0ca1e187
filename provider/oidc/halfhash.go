package oidc

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"
)

// HalfHash returns the "at_hash" or "c_hash" of a token or code (OpenID Connect Core section 3.1.3.6): the base64url of
// the left half of its hash, by the hash function of the ID token's algorithm. Ed25519 hashes with SHA-512 (RFC 8032).
func HalfHash(algorithm, value string) string {
	var sum []byte
	switch {
	case strings.HasSuffix(algorithm, "256"):
		s := sha256.Sum256([]byte(value))
		sum = s[:]
	case strings.HasSuffix(algorithm, "384"):
		s := sha512.Sum384([]byte(value))
		sum = s[:]
	default:
		s := sha512.Sum512([]byte(value))
		sum = s[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
