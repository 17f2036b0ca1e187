package oidc

import (
	"errors"
	"net/url"
	"strings"
)

// ValidateResource returns nil when uri may be a resource indicator (RFC 8707 section 2): an absolute URI without fragment.
// The error says what is wrong and does not repeat the URI.
func ValidateResource(uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "" || strings.ContainsAny(uri, " \t\r\n"):
		return errors.New("must be an absolute URI, such as https://api.example.com")
	case strings.Contains(uri, "#"):
		return errors.New("must not have a fragment; remove everything from the # on")
	case len(uri) > 2048:
		return errors.New("must not be longer than 2048 characters")
	}
	return nil
}
