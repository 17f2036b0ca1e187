package oidc

import (
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

// SubjectUUID returns the UUID of a subject: the subject itself where it is one, else a UUID (RFC 9562 section 5.5) made from
// the issuer and the subject.
func SubjectUUID(issuer, subject string) string {
	if parsed, err := uuid.Parse(subject); err == nil && parsed.String() == subject {
		return subject
	}
	return uuid.NewSHA1(uuid.NewSHA1(uuid.NameSpaceURL, []byte(issuer)), []byte(subject)).String()
}
