package oidc

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ValidateRedirectURI returns nil when a client may register uri as a redirect URI (RFC 6749 section 3.1.2, RFC 9700
// section 2.1): an absolute URI (RFC 3986) without fragment, user info or wildcard; https, or http on a loopback host, or, for a
// public client, a private-use scheme with a dot in it (RFC 8252 section 7.1).
// The error says what is wrong and what would be right, and does not repeat the URI.
func ValidateRedirectURI(uri string, public bool) error {
	switch {
	case strings.Contains(uri, "#"):
		return errors.New("must not have a fragment; remove everything from the # on")
	case strings.Contains(uri, "*"):
		return errors.New("must not contain a wildcard; list each redirect URI in full")
	}
	u, err := ParseURI(uri)
	if err != nil {
		return err
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
		return errors.New("must use https. A private-use scheme, such as com.example.app:/callback, is for a public client (tokenEndpointAuthMethod none); " +
			"an application that keeps a client secret on a server registers an https address of that server, which leads on to its app")
	case !strings.Contains(u.Scheme, "."):
		return errors.New("must use a private-use scheme made of a domain name in reverse, such as com.example.app:/callback")
	}
	return nil
}

// RedirectHost returns the host that a valid redirect URI leads to, in lower case and without port or brackets. That of a private-use
// scheme is the domain name that the scheme spells in reverse (RFC 8252 section 7.1): an app on a device claims the scheme, and what
// follows it means nothing to the device.
func RedirectHost(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	if u.Scheme == "https" || u.Scheme == "http" {
		return strings.ToLower(u.Hostname())
	}
	labels := strings.Split(u.Scheme, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".")
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
