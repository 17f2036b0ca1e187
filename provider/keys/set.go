package keys

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Set is every signing key of a provider at one moment. It never changes; a change of keys is a new Set.
type Set struct {
	jwks       []byte
	algorithms []string
	signers    map[string]*Signer
	first      *Signer
	public     map[string]*jose.JSONWebKey
	counts     map[registration.Phase]int
	all        []Info
	turns      turns
}

// Info is what may be told of a key.
type Info struct {
	KeyID     string
	Algorithm string
	Phase     registration.Phase
}

// NewSet reads every key of docs once. The JWKS holds keys of all phases: published ones so that relying parties know
// them before they sign, retiring ones so that what they signed can still be verified. Where two documents hold the same
// key, that of the older document counts: a kid must not stand in a JWKS twice.
// An error names the document and the key's position, and never contains key material.
func NewSet(docs []registration.SigningKey) (*Set, error) {
	docs = slices.Clone(docs)
	slices.SortStableFunc(docs, func(a, b registration.SigningKey) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), preference(a.Algorithm)-preference(b.Algorithm), cmp.Compare(a.Name, b.Name))
	})
	s := &Set{
		signers: map[string]*Signer{},
		public:  map[string]*jose.JSONWebKey{},
		counts:  map[registration.Phase]int{},
		turns:   newTurns(),
	}
	published := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for d := range docs {
		for k := range docs[d].Keys {
			public, err := s.add(&docs[d].Keys[k], docs[d].Algorithm)
			if err != nil {
				return nil, fmt.Errorf("signing key %s: keys[%d] %w", docs[d].Name, k, err)
			}
			if public != nil {
				published.Keys = append(published.Keys, *public)
			}
		}
	}
	for _, algorithm := range registration.Algorithms() {
		if s.signers[algorithm] != nil {
			s.algorithms = append(s.algorithms, algorithm)
		}
	}
	var err error
	if s.jwks, err = json.Marshal(published); err != nil {
		return nil, fmt.Errorf("marshal JWKS: %w", err)
	}
	return s, nil
}

// preference orders documents from the same second, such as those of one kubectl apply: RS256 first, because every relying
// party must be able to verify it (OpenID Connect Core section 15.1) and some can verify nothing else.
func preference(algorithm string) int {
	return slices.Index(registration.Algorithms(), algorithm)
}

// add takes up one key and returns its public half, or nil when the set has it already.
func (s *Set) add(key *registration.Key, algorithm string) (*jose.JSONWebKey, error) {
	private, err := key.Parse(algorithm)
	if err != nil {
		return nil, err
	}
	algorithm = private.Algorithm
	if s.public[key.KeyID] != nil {
		return nil, nil //nolint:nilnil // nothing to publish is no fault, see NewSet
	}
	public := private.Public()
	s.public[key.KeyID] = &public
	s.counts[key.Phase]++
	s.all = append(s.all, Info{KeyID: key.KeyID, Algorithm: algorithm, Phase: key.Phase})
	if key.Phase != registration.PhaseActive {
		return &public, nil
	}
	signer, err := newSigner(private, s.turns)
	if err != nil {
		return nil, err
	}
	if s.signers[algorithm] == nil {
		s.signers[algorithm] = signer
	}
	if s.first == nil {
		s.first = signer
	}
	return &public, nil
}

// JWKS returns the JSON Web Key Set (RFC 7517 section 5) of the public keys. It must not be changed.
func (s *Set) JWKS() []byte { return s.jwks }

// Algorithms returns the algorithms that can sign now, RS256 first, then in the order of registration.Algorithms.
// It must not be changed.
func (s *Set) Algorithms() []string { return s.algorithms }

// All returns what may be told of the keys, those of the oldest document first. It must not be changed.
func (s *Set) All() []Info { return s.all }

// Count returns how many keys are in a phase.
func (s *Set) Count(phase registration.Phase) int { return s.counts[phase] }

// Signer returns the signer of an algorithm: the first active key of the oldest signing key document that has one. The
// empty algorithm means the provider's default, the first active key of the oldest document, ties going to RS256 and then by name.
// It returns false when there is no active key of that algorithm.
func (s *Set) Signer(algorithm string) (*Signer, bool) {
	if algorithm == "" {
		return s.first, s.first != nil
	}
	signer, ok := s.signers[algorithm]
	return signer, ok
}

var (
	// ErrKeyGone tells that the token may have been signed by a key that is gone, or by anybody.
	ErrKeyGone   = errors.New("token is signed by a key that this provider does not have")
	errSignature = errors.New("token is not signed by a key of this provider")
)

// Verify returns the payload of a JWS of TypeJWT, see VerifyAs.
func (s *Set) Verify(token string) (payload []byte, err error) { return s.VerifyAs(TypeJWT, token) }

// VerifyAs returns the payload of a compact JWS of a type that a key of this set signed, whatever the key's phase. The
// header's kid must name a key and its alg must be that key's own, so that neither "none" nor a MAC keyed with a public key passes.
func (s *Set) VerifyAs(typ Type, token string) (payload []byte, err error) {
	jws, err := parseSigned(token)
	if err != nil {
		return nil, errSignature
	}
	header := jws.Signatures[0].Protected
	key := s.public[header.KeyID]
	if key == nil {
		return nil, ErrKeyGone
	}
	if key.Algorithm != header.Algorithm || header.ExtraHeaders[jose.HeaderType] != string(typ) {
		return nil, errSignature
	}
	if payload, err = jws.Verify(key); err != nil {
		return nil, errSignature
	}
	return payload, nil
}

// Unverified returns the payload of a compact JWS without any check of its signature: what somebody claims, and no more.
func Unverified(token string) (payload []byte, err error) {
	jws, err := parseSigned(token)
	if err != nil {
		return nil, errSignature
	}
	return jws.UnsafePayloadWithoutVerification(), nil
}
