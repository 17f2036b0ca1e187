package registration

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Algorithms lists the JWS algorithms (RFC 7518 section 3.1, RFC 8037) that can sign tokens.
func Algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// Phase is a step in the life of a signing key.
type Phase string

// The phases, in order.
const (
	// PhasePublished: in the JWKS so that relying parties learn it, but not signing yet.
	PhasePublished Phase = "Published"
	// PhaseActive: signing.
	PhaseActive Phase = "Active"
	// PhaseRetiring: in the JWKS so that what it signed can be verified, but not signing any more.
	PhaseRetiring Phase = "Retiring"
)

// SigningKey holds the private keys of one SigningKey resource: keys of one algorithm, each in a phase.
type SigningKey struct {
	// Name is that of the SigningKey, for logs.
	Name string `json:"name"`
	// Algorithm is one of Algorithms.
	Algorithm string `json:"algorithm"`
	// CreatedAt is when the SigningKey was made. The first active key of the oldest one is the provider's default.
	CreatedAt time.Time `json:"created_at"`
	Keys      []Key     `json:"keys"`
}

// Key is one private key.
type Key struct {
	// KeyID is the JWK thumbprint (RFC 7638, SHA-256, base64url) of the public key.
	KeyID       string    `json:"kid"`
	Phase       Phase     `json:"phase"`
	CreatedAt   time.Time `json:"created_at"`
	ActivatedAt time.Time `json:"activated_at,omitzero"`
	RetiresAt   time.Time `json:"retires_at,omitzero"`
	// PrivateJWK is the private key as a JSON Web Key (RFC 7517). Of a retiring key the public half is enough, and its
	// "alg" may be another than the document's: it may come from before a SigningKey of the same name.
	PrivateJWK json.RawMessage `json:"jwk"`
}

// MaxJWKSAge is for how long a relying party may keep the provider's JWKS and metadata without asking again. A key must
// have been published for longer than that before it signs.
const MaxJWKSAge = 5 * time.Minute

// MinRSABits is the smallest RSA modulus that may sign (RFC 7518 section 3.3).
const MinRSABits = 2048

// Thumbprint returns the key ID of a key: its RFC 7638 thumbprint with SHA-256 in base64url.
func Thumbprint(jwk *jose.JSONWebKey) (string, error) {
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", errors.New("key has no RFC 7638 thumbprint")
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// Parse returns the key, having checked that it fits algorithm, that KeyID is its thumbprint, and that it is a private one
// unless it is retiring. Its Algorithm is what it signs, or has signed, with. Errors never contain key material.
func (k *Key) Parse(algorithm string) (*jose.JSONWebKey, error) {
	jwk := &jose.JSONWebKey{}
	if err := jwk.UnmarshalJSON(k.PrivateJWK); err != nil {
		return nil, errors.New("is not a JSON Web Key")
	}
	if !jwk.Valid() || (jwk.IsPublic() && k.Phase != PhaseRetiring) {
		return nil, errors.New("is not a private JSON Web Key")
	}
	if k.Phase == PhaseRetiring && slices.Contains(Algorithms(), jwk.Algorithm) {
		algorithm = jwk.Algorithm
	}
	if err := Fits(jwk.Key, algorithm); err != nil {
		return nil, err
	}
	thumbprint, err := Thumbprint(jwk)
	if err != nil {
		return nil, err
	}
	if k.KeyID != thumbprint {
		return nil, errors.New("has a kid that is not its RFC 7638 thumbprint")
	}
	jwk.KeyID, jwk.Algorithm, jwk.Use = k.KeyID, algorithm, "sig"
	return jwk, nil
}

// Fits says why a private or public key cannot be one of algorithm, or returns nil. The halves of a private one must belong together: a
// JSON Web Key of an elliptic curve (RFC 7518 section 6.2.2) tells both, and what one half signs nobody could verify with another. Those
// of RSA and Ed25519 keys have been compared where they were read.
func Fits(key any, algorithm string) error {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return rsaFits(&k.PublicKey, algorithm)
	case *rsa.PublicKey:
		return rsaFits(k, algorithm)
	case *ecdsa.PrivateKey:
		if err := curveFits(k.Curve, algorithm); err != nil {
			return err
		}
		return pairFits(k)
	case *ecdsa.PublicKey:
		return curveFits(k.Curve, algorithm)
	case ed25519.PrivateKey, ed25519.PublicKey:
		if algorithm != "EdDSA" {
			return errors.New("is an Ed25519 key, which does not fit " + algorithm)
		}
		return nil
	default:
		return errors.New("is of a type that cannot sign tokens")
	}
}

func rsaFits(key *rsa.PublicKey, algorithm string) error {
	if !strings.HasPrefix(algorithm, "RS") && !strings.HasPrefix(algorithm, "PS") {
		return errors.New("is an RSA key, which does not fit " + algorithm)
	}
	if key.N.BitLen() < MinRSABits {
		return errors.New("is an RSA key of less than 2048 bits")
	}
	return nil
}

func curveFits(curve elliptic.Curve, algorithm string) error {
	curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
	if curves[algorithm] != curve {
		return errors.New("is an elliptic curve key of " + curve.Params().Name + ", which does not fit " + algorithm)
	}
	return nil
}

var errUnpaired = errors.New("is a key whose private and public halves do not belong together")

func pairFits(key *ecdsa.PrivateKey) error {
	private, err := key.ECDH()
	if err != nil {
		return errUnpaired // the private half is none of this curve
	}
	public, err := key.PublicKey.ECDH()
	if err != nil || !private.PublicKey().Equal(public) {
		return errUnpaired
	}
	return nil
}

// Validate returns every fault of the document, each as a *FieldError.
func (s *SigningKey) Validate() error {
	var errs []error
	if !slices.Contains(Algorithms(), s.Algorithm) {
		errs = append(errs, invalid("algorithm", "must be one of %s", strings.Join(Algorithms(), " ")))
	}
	seen := map[string]bool{}
	for i := range s.Keys {
		key := &s.Keys[i]
		if _, err := key.Parse(s.Algorithm); err != nil {
			errs = append(errs, invalid(index("keys", i)+".jwk", "%s", err))
		}
		if !slices.Contains([]Phase{PhasePublished, PhaseActive, PhaseRetiring}, key.Phase) {
			errs = append(errs, invalid(index("keys", i)+".phase", "must be Published, Active or Retiring"))
		}
		if seen[key.KeyID] {
			errs = append(errs, invalid(index("keys", i)+".kid", "stands twice"))
		}
		seen[key.KeyID] = true
	}
	return errors.Join(errs...)
}
