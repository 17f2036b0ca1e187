package keys

import (
	"crypto/rsa"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Type is the "typ" in the header of a token: what the token is for. A token is good for nothing else, so that an ID token
// never passes for an access token, nor the other way round (RFC 8725 section 3.11).
type Type string

// The types of what a provider signs.
const (
	// TypeJWT is that of ID tokens and of signed userinfo, which have none of their own.
	TypeJWT Type = "JWT"
	// TypeAccessToken is that of RFC 9068 section 2.1.
	TypeAccessToken Type = "at+jwt"
	// TypeLogoutToken is that of OpenID Connect Back-Channel Logout section 2.4.
	TypeLogoutToken Type = "logout+jwt"
	// TypeLogoutProof is that of what stands in for an ID token while a logout request travels from a form to the query.
	TypeLogoutProof Type = "logout-proof+jwt"
)

func types() []Type { return []Type{TypeJWT, TypeAccessToken, TypeLogoutToken, TypeLogoutProof} }

// Signer signs with one private key. It is safe for concurrent use.
type Signer struct {
	algorithm string
	keyID     string
	jose      map[Type]jose.Signer
	turns     turns
}

func newSigner(private *jose.JSONWebKey, t turns) (*Signer, error) {
	if key, ok := private.Key.(*rsa.PrivateKey); ok {
		// A key that was read from a JWK is not prepared, and crypto/rsa would prepare it anew for each signature, which
		// takes a tenth of the time of signing.
		key.Precompute()
	}
	s := &Signer{algorithm: private.Algorithm, keyID: private.KeyID, jose: map[Type]jose.Signer{}, turns: t}
	for _, typ := range types() {
		signer, err := jose.NewSigner(
			jose.SigningKey{Algorithm: jose.SignatureAlgorithm(private.Algorithm), Key: private},
			(&jose.SignerOptions{}).WithType(jose.ContentType(typ)),
		)
		if err != nil {
			return nil, fmt.Errorf("make a signer of key %s: %w", private.KeyID, err)
		}
		s.jose[typ] = signer
	}
	return s, nil
}

// Alg returns the JWS algorithm, such as "RS256".
func (s *Signer) Alg() string { return s.algorithm }

// KeyID returns the kid that is in the header of what the signer signs.
func (s *Signer) KeyID() string { return s.keyID }

// Sign returns payload as a JWS of TypeJWT, see SignAs.
func (s *Signer) Sign(payload []byte) (string, error) { return s.SignAs(TypeJWT, payload) }

// SignAs returns payload as a JWS in compact serialization (RFC 7515 section 7.1) with alg, kid and typ in its header.
func (s *Signer) SignAs(typ Type, payload []byte) (string, error) {
	signer, known := s.jose[typ]
	if !known {
		return "", fmt.Errorf("sign with key %s: %q is no type of token", s.keyID, typ)
	}
	s.turns.take()
	defer s.turns.giveBack()
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", s.keyID, err)
	}
	return jws.CompactSerialize()
}
