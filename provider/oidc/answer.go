package oidc

import (
	"net/url"
	"strings"
)

// AnswerURL returns a redirect URI with parameters added to its query. What the URI's query holds already stays as it
// is (RFC 6749 section 3.1.2). Parameters come in pairs of name and value; those with an empty value are left out.
func AnswerURL(redirectURI string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(redirectURI)
	separator := byte('?')
	if i := strings.IndexByte(redirectURI, '?'); i >= 0 {
		separator = '&'
		if i == len(redirectURI)-1 || strings.HasSuffix(redirectURI, "&") {
			separator = 0
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if separator != 0 {
			b.WriteByte(separator)
		}
		separator = '&'
		b.WriteString(pairs[i])
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}
