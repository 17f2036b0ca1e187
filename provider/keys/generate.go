package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Generate makes a private key for one of registration.Algorithms. rsaBits is the size of an RSA modulus, from
// registration.MinRSABits to 4096, and ignored for other keys; zero means registration.MinRSABits.
// It returns the key ID (RFC 7638 thumbprint, SHA-256, base64url) and the private JSON Web Key (RFC 7517) with kid, use and alg.
func Generate(algorithm string, rsaBits int) (kid string, privateJWK json.RawMessage, err error) {
	key, err := generate(algorithm, rsaBits)
	if err != nil {
		return "", nil, err
	}
	return marshalPrivate(key, algorithm)
}

func marshalPrivate(key any, algorithm string) (kid string, privateJWK json.RawMessage, err error) {
	jwk := jose.JSONWebKey{Key: key, Algorithm: algorithm, Use: "sig"}
	if jwk.KeyID, err = registration.Thumbprint(&jwk); err != nil {
		return "", nil, err
	}
	data, err := jwk.MarshalJSON()
	if err != nil {
		return "", nil, fmt.Errorf("marshal %s key: %w", algorithm, err)
	}
	return jwk.KeyID, data, nil
}

func generate(algorithm string, rsaBits int) (any, error) {
	switch algorithm {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		if rsaBits == 0 {
			rsaBits = registration.MinRSABits
		}
		if rsaBits < registration.MinRSABits || rsaBits > maxRSABits {
			return nil, fmt.Errorf("rsa key size must be between %d and %d bits", registration.MinRSABits, maxRSABits)
		}
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	default:
		return nil, fmt.Errorf("algorithm %q is not one of %v", algorithm, registration.Algorithms())
	}
}

// maxRSABits bounds what one signature may cost: 4096 bits take about seven times as long as 2048.
const maxRSABits = 4096
