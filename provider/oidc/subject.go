package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/google/uuid"
)

// PairwiseSubject returns the subject by which the clients of one sector, and no others, know a person (OpenID Connect
// Core section 8.1). salt must stay secret and the same: without it nobody can tell whether two such subjects are one person.
func PairwiseSubject(salt, sector, subject string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(sector + "\x00" + subject)) // neither a host name nor a subject holds a zero byte
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// PairwiseSession returns the "sid" by which the clients of one sector, and no others, know a session, whose 16 bytes are its name here. Without that, clients
// of two sectors could tell by it that two of their subjects are one person (OpenID Connect Core sections 8.1 and 17.3). Nothing is stored:
// SessionOfPairwise leads back. salt is that of PairwiseSubject.
func PairwiseSession(salt, sector string, session [16]byte) string {
	var sid [16]byte
	sessionCipher(salt, sector).Encrypt(sid[:], session[:])
	return base64.RawURLEncoding.EncodeToString(sid[:])
}

// SessionOfPairwise returns the session of a sid that PairwiseSession has made. ok is false for a text that it cannot have made; one that it has
// made for another sector leads to a session that does not exist.
func SessionOfPairwise(salt, sector, sid string) (session [16]byte, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sid)
	if err != nil || len(raw) != len(session) {
		return session, false
	}
	sessionCipher(salt, sector).Decrypt(session[:], raw)
	return session, true
}

// sessionCipher is a permutation of session names that only this provider knows, another for each sector. One block holds a name, which never comes
// twice, so that no mode of operation is needed.
func sessionCipher(salt, sector string) cipher.Block {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte("\x00sid\x00" + sector)) // no sector begins with a zero byte, so that no subject is made from the same
	block, err := aes.NewCipher(mac.Sum(nil)[:16])
	if err != nil { // never: a key of 16 bytes is one of AES
		panic(err)
	}
	return block
}

// LooksLikeSubject reports whether a text has the form of what PairwiseSubject or SubjectUUID make of people. Whose it would be, if anybody's, cannot be
// looked up: each sector has others.
func LooksLikeSubject(text string) bool {
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(text); err == nil && len(raw) == sha256.Size {
		return true
	}
	parsed, err := uuid.Parse(text)
	return err == nil && parsed.String() == text && parsed.Version() == 5
}

// SubjectUUID returns the UUID of a subject: the subject itself where it is one, else a UUID (RFC 9562 section 5.5) made from
// the issuer and the subject.
func SubjectUUID(issuer, subject string) string {
	if parsed, err := uuid.Parse(subject); err == nil && parsed.String() == subject {
		return subject
	}
	return uuid.NewSHA1(uuid.NewSHA1(uuid.NameSpaceURL, []byte(issuer)), []byte(subject)).String()
}
