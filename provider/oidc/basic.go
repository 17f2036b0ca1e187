package oidc

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// Credentials are a client ID and a secret as a client sent them.
type Credentials struct {
	ClientID string
	Secret   string
}

// ReadBasic reads the value of an Authorization header of the Basic scheme (RFC 7617). RFC 6749 section 2.3.1 wants ID
// and secret form-urlencoded in it, which many clients do not do; the two readings are returned, the standard's first,
// or only one where they are the same. It returns nil when the value is not Basic credentials.
func ReadBasic(authorization string) []Credentials {
	const scheme = "basic "
	if len(authorization) < len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimLeft(authorization[len(scheme):], " "))
	if err != nil {
		return nil
	}
	id, secret, ok := strings.Cut(string(decoded), ":")
	if !ok || id == "" {
		return nil
	}
	raw := Credentials{ClientID: id, Secret: secret}
	if !strings.ContainsAny(id, "%+") && !strings.ContainsAny(secret, "%+") {
		return []Credentials{raw}
	}
	plainID, errID := url.QueryUnescape(id)
	plainSecret, errSecret := url.QueryUnescape(secret)
	if errID != nil || errSecret != nil {
		return []Credentials{raw}
	}
	return []Credentials{{ClientID: plainID, Secret: plainSecret}, raw}
}
