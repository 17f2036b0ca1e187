package oidc

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ValidateRedirectURI returns nil when a client may register uri as a redirect URI (RFC 6749 section 3.1.2, RFC 9700
// section 2.1): absolute, without fragment, user info or wildcard; https, or http on a loopback host, or, for a public
// client, a private-use scheme with a dot in it (RFC 8252 section 7.1).
// The error says what is wrong and what would be right, and does not repeat the URI.
func ValidateRedirectURI(uri string, public bool) error {
	switch {
	case uri == "":
		return errors.New("must not be empty")
	case len(uri) > 2048:
		return errors.New("must not be longer than 2048 characters")
	case strings.ContainsAny(uri, " \t\r\n\\"):
		return errors.New("must not contain spaces, line breaks or backslashes")
	case strings.Contains(uri, "#"):
		return errors.New("must not have a fragment; remove everything from the # on")
	case strings.Contains(uri, "*"):
		return errors.New("must not contain a wildcard; list each redirect URI in full")
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return errors.New("must be an absolute URI, such as https://app.example.com/callback")
	}
	if u.User != nil {
		return errors.New("must not contain a user name or password")
	}
	switch {
	case u.Scheme == "https" && u.Hostname() != "":
		return nil
	case u.Scheme == "http" && u.Hostname() != "":
		if IsLoopback(u.Hostname()) {
			return nil
		}
		return errors.New("must use https; http is only for a loopback host (localhost, 127.0.0.1, [::1])")
	case u.Scheme == "http" || u.Scheme == "https":
		return errors.New("must be an absolute URI with a host, such as https://app.example.com/callback")
	case !public:
		return errors.New("must use https; other schemes are only for public clients (tokenEndpointAuthMethod none)")
	case !strings.Contains(u.Scheme, "."):
		return errors.New("must use a private-use scheme made of a domain name in reverse, such as com.example.app:/callback")
	}
	return nil
}

// MatchRedirectURI tells whether given is the registered redirect URI: character for character (RFC 9700 section 2.1),
// except that a native app's http redirect to a loopback IP address may use any port (RFC 8252 section 7.3).
func MatchRedirectURI(registered, given string, public bool) bool {
	if registered == given {
		return true
	}
	if !public {
		return false
	}
	r, rPort, okR := splitLoopbackPort(registered)
	g, gPort, okG := splitLoopbackPort(given)
	return okR && okG && r == g && rPort != gPort
}

// splitLoopbackPort cuts the port out of an http URI whose host is a loopback IP literal.
func splitLoopbackPort(uri string) (rest, port string, ok bool) {
	after, ok := strings.CutPrefix(uri, "http://")
	if !ok {
		return "", "", false
	}
	end := strings.IndexAny(after, "/?#")
	if end < 0 {
		end = len(after)
	}
	host := after[:end]
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", "", false
		}
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.IsLoopback() || addr.Is6() != strings.HasPrefix(after, "[") {
		return "", "", false
	}
	return addr.String() + after[end:], port, true
}

// IsLoopback tells whether a host name without port means this very machine: localhost, a name below it, or a loopback address.
func IsLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}
