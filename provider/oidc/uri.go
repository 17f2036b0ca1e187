package oidc

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxURI is how many bytes a registered URI may have.
const maxURI = 2048

// ParseURI reads an absolute URI (RFC 3986 section 4.3 with an optional fragment). url.Parse takes more: letters outside of ASCII, quotes, and
// brackets anywhere, which end up in Location headers, in generated files and on pages. The error says what to write in their place,
// and does not repeat the URI.
func ParseURI(uri string) (*url.URL, error) {
	switch {
	case uri == "":
		return nil, errors.New("must not be empty")
	case len(uri) > maxURI:
		return nil, errors.New("must not be longer than 2048 characters")
	case strings.ContainsAny(uri, " \t\r\n\\"):
		return nil, errors.New("must not contain spaces, line breaks or backslashes")
	}
	if err := checkCharacters(uri); err != nil {
		return nil, err
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("must be an absolute URI, such as https://app.example.com/callback")
	}
	if scheme, _, _ := strings.Cut(uri, ":"); scheme != u.Scheme {
		return nil, errors.New("must have its scheme in lower case, such as https: (redirect URIs are compared character for character)")
	}
	return u, checkAuthority(u)
}

// checkCharacters refuses what no URI holds (RFC 3986 section 2).
func checkCharacters(uri string) error {
	for i := range len(uri) {
		c := uri[i]
		switch {
		case c >= 0x80:
			return errors.New("must be written in ASCII: the host in punycode, such as xn--bcher-kva.example for bücher.example, and the rest percent-encoded, such as %C3%BC for ü")
		case c <= ' ' || c == 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return errors.New("must not contain the characters \" < > \\ ^ ` { | } or control characters; percent-encode them, such as %22 for \"")
		case c == '%' && (i+2 >= len(uri) || !isHex(uri[i+1]) || !isHex(uri[i+2])):
			return errors.New("must have two hexadecimal digits after each %; write %25 for the character % itself")
		}
	}
	return nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// checkAuthority checks host and port of an http or https URI, and that brackets stand around an IPv6 address only (RFC 3986
// section 3.2.2; RFC 1123 section 2.1 for names, and the underscore that some networks have in theirs).
func checkAuthority(u *url.URL) error {
	if strings.ContainsAny(u.EscapedPath()+u.Opaque, "[]") {
		return errors.New("must not contain the characters [ ] but around an IPv6 address; percent-encode them as %5B and %5D")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil
	}
	if port := u.Port(); strings.HasSuffix(u.Host, ":") {
		return errors.New("must have a port after the colon, or no colon")
	} else if number, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || number == 0) {
		return errors.New("must have a port from 1 to 65535")
	}
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		if address, err := netip.ParseAddr(host); err != nil || !address.Is6() || address.Zone() != "" {
			return errors.New("must have an IPv6 address without a zone between [ and ]")
		}
		return nil
	}
	if !isHostName(host) {
		return errors.New("must have a host name of letters, digits and hyphens between its dots, such as app.example.com")
	}
	return nil
}

// isHostName reports whether host is a name of at most 253 characters or an IPv4 address; a dot at the end makes a name absolute.
func isHostName(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
