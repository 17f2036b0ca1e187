package oidc

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
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
	}
	_, err = ParseURI(uri)
	return err
}

// MaxResources is how many resource indicators one request may hold.
const MaxResources = 16

// ReadResources returns the resource indicators of a request (RFC 8707 section 2), each once. The error is an *Error.
func ReadResources(p Parameters) ([]string, error) {
	var resources []string
	for _, uri := range p.All("resource") {
		if len(resources) > MaxResources {
			break
		}
		if err := ValidateResource(uri); err != nil {
			return nil, &Error{CodeInvalidTarget, "resource " + err.Error()}
		}
		if !slices.Contains(resources, uri) {
			resources = append(resources, uri)
		}
	}
	if len(resources) > MaxResources {
		return nil, &Error{CodeInvalidTarget, "resource must not be sent more than " + strconv.Itoa(MaxResources) + " times"}
	}
	return resources, nil
}
