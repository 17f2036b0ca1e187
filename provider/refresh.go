package provider

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// refreshToken is what a refresh token says: the grant it belongs to, a secret, and a seal that proves that this secret
// was once issued for that grant. The seal tells an old token, whose use means theft, from an invented one.
//
// Each secret is made from the one before it and the grant's key, so that a client whose answer was lost gets the very
// same token again. Neither the stored key nor an old token alone is enough to make it.
type refreshToken struct {
	grantID string
	secret  [sha256.Size]byte
	seal    [sealBytes]byte
}

const (
	sealBytes = 16
	// refreshLength is the length of a refresh token's value.
	refreshLength = store.IDLength + (sha256.Size+sealBytes)*4/3
)

func firstRefreshToken(grantID string) refreshToken {
	t := refreshToken{grantID: grantID}
	_, _ = rand.Read(t.secret[:]) // never fails: the program is stopped instead
	return t
}

// readRefreshToken reads a value. The seal is not checked: that takes the grant's key.
func readRefreshToken(value string) (t refreshToken, ok bool) {
	if len(value) != refreshLength {
		return t, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value[store.IDLength:])
	if err != nil {
		return t, false
	}
	t.grantID = value[:store.IDLength]
	copy(t.seal[:], raw[copy(t.secret[:], raw):])
	return t, true
}

// value returns the token as the client gets it.
func (t refreshToken) value(key *[32]byte) string {
	seal := t.sealWith(key)
	return t.grantID + base64.RawURLEncoding.EncodeToString(append(t.secret[:], seal[:]...))
}

func (t refreshToken) sealWith(key *[32]byte) (seal [sealBytes]byte) {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("seal " + t.grantID))
	mac.Write(t.secret[:])
	copy(seal[:], mac.Sum(nil))
	return seal
}

// issued tells whether the token was issued for the grant that has this key.
func (t refreshToken) issued(key *[32]byte) bool {
	seal := t.sealWith(key)
	return hmac.Equal(seal[:], t.seal[:])
}

// next returns the token that takes the place of t.
func (t refreshToken) next(key *[32]byte) refreshToken {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("next " + t.grantID))
	mac.Write(t.secret[:])
	n := refreshToken{grantID: t.grantID}
	copy(n.secret[:], mac.Sum(nil))
	return n
}
