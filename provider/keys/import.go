package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// maxImportBytes bounds what Import reads: an RSA key of 4096 bits takes less than 4 KiB, a chain of certificates beside it more.
const maxImportBytes = 64 << 10

// Import reads a private key that somebody else has made: PEM with PKCS #8 (RFC 5958), PKCS #1 (RFC 8017 appendix A.1.2) or
// SEC 1 (RFC 5915), beside which certificates and parameters may stand, as in a tls.key or a bundle; or a private JSON Web Key (RFC 7517).
// It returns what Generate returns. An error says what the data is and what would be right, as the end of a sentence that
// begins with where the data stands; it never contains any of it.
func Import(data []byte, algorithm string) (kid string, privateJWK json.RawMessage, err error) {
	if len(data) > maxImportBytes {
		return "", nil, fmt.Errorf("has more than %d bytes; put one private key there and nothing else", maxImportBytes)
	}
	var key any
	switch trimmed := bytes.TrimSpace(data); {
	case len(trimmed) == 0:
		return "", nil, errors.New("is empty; put a private key there")
	case trimmed[0] == '{':
		key, err = importJWK(trimmed, algorithm)
	case bytes.HasPrefix(trimmed, []byte("eyJ")):
		err = errEncrypted
	default:
		key, err = importPEM(trimmed)
	}
	if err != nil {
		return "", nil, err
	}
	if err := importable(key, algorithm); err != nil {
		return "", nil, err
	}
	return marshalPrivate(key, algorithm)
}

var (
	errEncrypted = errors.New("is encrypted; decrypt it first, the operator has no passphrase")
	errNoKey     = errors.New("is neither PEM nor a JSON Web Key; put a private key there as PKCS#8, PKCS#1, SEC1 or private JWK")
)

// importPEM returns the one private key among the blocks.
func importPEM(data []byte) (any, error) {
	var key any
	seen := ""
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		seen = block.Type
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, errEncrypted
		}
		var found any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			found, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			found, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			found, err = x509.ParseECPrivateKey(block.Bytes)
		default: // certificates, parameters of a curve
			continue
		}
		if err != nil {
			// The parser's own words may quote the key.
			return nil, fmt.Errorf("has a block %q that is damaged, or of a kind of key that cannot sign tokens", block.Type)
		}
		if key != nil {
			return nil, errors.New("holds more than one private key; leave only one")
		}
		key = found
	}
	switch {
	case key != nil:
		return key, nil
	case strings.HasPrefix(seen, "OPENSSH"):
		return nil, errors.New("is in OpenSSH's format; convert it with: ssh-keygen -p -m PKCS8 -f FILE")
	case seen != "":
		return nil, errors.New("holds no private key, only what else may stand in PEM; put the private key there (of a kubernetes.io/tls Secret the key tls.key)")
	default:
		return nil, errNoKey
	}
}

// importJWK returns the key of a private JWK that is not meant for anything else.
func importJWK(data []byte, algorithm string) (any, error) {
	var kind struct {
		Keys       json.RawMessage `json:"keys"`
		Ciphertext json.RawMessage `json:"ciphertext"`
	}
	if json.Unmarshal(data, &kind) != nil {
		return nil, errNoKey
	}
	if kind.Keys != nil {
		return nil, errors.New("is a set of JSON Web Keys; put only the one private key there")
	}
	if kind.Ciphertext != nil {
		return nil, errEncrypted
	}
	jwk := &jose.JSONWebKey{}
	err := jwk.UnmarshalJSON(data)
	if _, symmetric := jwk.Key.([]byte); symmetric {
		return nil, errors.New("is a symmetric key, which relying parties could sign with themselves; use an asymmetric one")
	}
	if err != nil || !jwk.Valid() {
		return nil, errors.New("is not a valid JSON Web Key of a type that can sign tokens")
	}
	if jwk.IsPublic() {
		return nil, errors.New("is a public JSON Web Key; put the private one there")
	}
	if jwk.Use != "" && jwk.Use != "sig" {
		return nil, errors.New(`is a JSON Web Key whose "use" is not "sig"; use one that is for signing`)
	}
	if jwk.Algorithm != "" && jwk.Algorithm != algorithm {
		return nil, fmt.Errorf(`is a JSON Web Key whose "alg" is not %s; use one for that algorithm`, algorithm)
	}
	return jwk.Key, nil
}

// importable says why a private key must not sign with algorithm, or returns nil.
func importable(key any, algorithm string) error {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < registration.MinRSABits {
			return fmt.Errorf("is an RSA key of %d bits, which is too weak; use one of at least %d", bits, registration.MinRSABits)
		} else if bits > maxRSABits {
			return fmt.Errorf("is an RSA key of %d bits, with which signing takes too long; use one of at most %d", bits, maxRSABits)
		}
		if len(k.Primes) != 2 || k.Validate() != nil {
			return errors.New("is an RSA key whose numbers do not fit each other; use another")
		}
	case *ecdsa.PrivateKey, ed25519.PrivateKey:
	default:
		return errors.New("is of a type that cannot sign tokens; use an RSA, ECDSA or Ed25519 key")
	}
	if err := registration.Fits(key, algorithm); err != nil {
		return fmt.Errorf("%w; use %s", err, wanted(algorithm))
	}
	return nil
}

// wanted names the keys of an algorithm.
func wanted(algorithm string) string {
	switch algorithm {
	case "ES256":
		return "a P-256 key"
	case "ES384":
		return "a P-384 key"
	case "ES512":
		return "a P-521 key"
	case "EdDSA":
		return "an Ed25519 key"
	default:
		return "an RSA key"
	}
}

// Public returns the public half of a private JWK, with kid, use and alg, for what is still to be verified and never to be
// signed with again. A public JWK comes back as it is.
func Public(jwk json.RawMessage) (json.RawMessage, error) {
	key := &jose.JSONWebKey{}
	if err := key.UnmarshalJSON(jwk); err != nil {
		return nil, errors.New("key is not a JSON Web Key")
	}
	public := key.Public()
	if !public.Valid() {
		return nil, errors.New("key has no public half")
	}
	data, err := public.MarshalJSON()
	if err != nil {
		return nil, errors.New("key has no public half")
	}
	return data, nil
}
