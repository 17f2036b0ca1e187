package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// What VerifyAssertion, VerifyRequestObject and VerifyProof refuse. The errors tell nothing of what was sent.
var (
	// ErrUnknownKey: none of the client's keys has the kid. The client may have new ones.
	ErrUnknownKey = errors.New("no key of the client has the kid")
	// ErrUnverified: everything else.
	ErrUnverified = errors.New("signature, algorithm or type is wrong")
)

// Bounds of what others sign: beyond them checking a signature costs more than any client needs.
const (
	maxForeignBytes  = 8 << 10
	maxVerifyRSABits = 8192
)

// typeProof is the typ of a DPoP proof (RFC 9449 section 4.2).
const typeProof = "dpop+jwt"

// assertionTypes are what the typ of a client assertion may be. RFC 7523 wants none; a token made for something else is no assertion.
func assertionTypes() []string { return []string{"", "jwt", "client-authentication+jwt"} }

// requestObjectTypes are what the typ of a request object may be (RFC 9101 section 10.8).
func requestObjectTypes() []string { return []string{"", "jwt", "oauth-authz-req+jwt"} }

// VerifyAssertion returns the payload of an assertion (RFC 7523 section 3) that one of a client's keys signed.
func VerifyAssertion(token string, set *jose.JSONWebKeySet) (payload []byte, err error) {
	jws, err := parseForeign(token)
	if err != nil {
		return nil, err
	}
	return verifyByClient(jws, assertionTypes(), set)
}

// VerifyRequestObject returns the payload of a request object (RFC 9101 section 6.2) that one of a client's keys signed with an algorithm;
// an empty one stands for any. The caller bounds the token's length.
func VerifyRequestObject(token, algorithm string, set *jose.JSONWebKeySet) (payload []byte, err error) {
	jws, err := parseSigned(token)
	if err != nil {
		return nil, err
	}
	if algorithm != "" && jws.Signatures[0].Protected.Algorithm != algorithm {
		return nil, ErrUnverified
	}
	return verifyByClient(jws, requestObjectTypes(), set)
}

// UnsignedRequestObject returns the payload of a request object that says that it has no signature (RFC 7519 section 6), and has none.
// unsigned is false for every other token: nothing is proven of what it says.
func UnsignedRequestObject(token string) (payload []byte, unsigned bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[2] != "" {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return nil, false
	}
	header := map[string]any{}
	if err := json.Unmarshal(raw, &header); err != nil || header["alg"] != "none" || header["crit"] != nil || header["b64"] != nil {
		return nil, false
	}
	typ, text := header["typ"].(string)
	if header["typ"] != nil && !text || !slices.Contains(requestObjectTypes(), shortType(typ)) {
		return nil, false
	}
	payload, err = base64.RawURLEncoding.DecodeString(parts[1])
	return payload, err == nil
}

// shortType returns a typ as it is compared: the prefix may be left out (RFC 7515 section 4.1.9).
func shortType(typ string) string { return strings.TrimPrefix(strings.ToLower(typ), "application/") }

// verifyByClient returns the payload that one of a client's keys signed. A kid in the header must name that key; without one,
// every key that the algorithm fits is tried. Keys in the header count for nothing.
func verifyByClient(jws *jose.JSONWebSignature, types []string, set *jose.JSONWebKeySet) (payload []byte, err error) {
	header := jws.Signatures[0].Protected
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	if !slices.Contains(types, shortType(typ)) {
		return nil, ErrUnverified
	}
	err = ErrUnknownKey
	for i := range set.Keys {
		key := &set.Keys[i]
		if header.KeyID != "" && key.KeyID != header.KeyID {
			continue
		}
		err = ErrUnverified
		if key.Algorithm != "" && key.Algorithm != header.Algorithm || !fits(key.Key, header.Algorithm) {
			continue
		}
		if payload, verifyErr := jws.Verify(key.Key); verifyErr == nil {
			return payload, nil
		}
	}
	if header.KeyID == "" {
		return nil, ErrUnknownKey // which may be among the client's new ones
	}
	return nil, err
}

// VerifyProof returns the payload of a DPoP proof (RFC 9449 section 4.2) that the key in its header signed, and the RFC
// 7638 thumbprint of that key: SHA-256, base64url.
func VerifyProof(proof string) (payload []byte, thumbprint string, err error) {
	jws, err := parseForeign(proof)
	if err != nil {
		return nil, "", err
	}
	header := jws.Signatures[0].Protected
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	if key := header.JSONWebKey; !strings.EqualFold(typ, typeProof) || key == nil || !key.IsPublic() || !fits(key.Key, header.Algorithm) {
		return nil, "", ErrUnverified
	}
	if payload, err = jws.Verify(header.JSONWebKey.Key); err != nil {
		return nil, "", ErrUnverified
	}
	if thumbprint, err = registration.Thumbprint(header.JSONWebKey); err != nil {
		return nil, "", ErrUnverified
	}
	return payload, thumbprint, nil
}

// parseForeign reads what somebody else has signed.
func parseForeign(token string) (*jose.JSONWebSignature, error) {
	if len(token) > maxForeignBytes {
		return nil, ErrUnverified
	}
	return parseSigned(token)
}

// parseSigned reads a compact JWS of one of registration.Algorithms, none of which is "none" or a MAC. No header that must
// be understood (RFC 7515 section 4.1.11) is.
func parseSigned(token string) (*jose.JSONWebSignature, error) {
	algorithms := make([]jose.SignatureAlgorithm, 0, len(registration.Algorithms()))
	for _, a := range registration.Algorithms() {
		algorithms = append(algorithms, jose.SignatureAlgorithm(a))
	}
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, ErrUnverified
	}
	extra := jws.Signatures[0].Protected.ExtraHeaders
	typ, typed := extra[jose.HeaderType]
	if _, text := typ.(string); typed && !text || extra["crit"] != nil || extra["b64"] != nil {
		return nil, ErrUnverified
	}
	return jws, nil
}

// fits tells whether a public key is of the kind that an algorithm needs, and of a size that may be used.
func fits(key any, algorithm string) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return (strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")) &&
			bits >= registration.MinRSABits && bits <= maxVerifyRSABits
	case *ecdsa.PublicKey:
		curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
		return curves[algorithm] == key.Curve
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	default:
		return false
	}
}
