package registration

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// FoldUsername returns the form in which two usernames are compared (UsernameCaseMapped of RFC 8265): without blanks around
// it, in lower case, of the ordinary width, and composed: "Ada" and "ada", and the two ways to write "ü", are one person. A name
// with characters that the RFC does not admit is folded in the same way and compared as it is.
func FoldUsername(username string) string {
	if plainASCII(username) { // nearly every one, at each login
		return strings.ToLower(username)
	}
	trimmed := strings.TrimSpace(username)
	if folded, err := precis.UsernameCaseMapped.String(trimmed); err == nil {
		return folded
	}
	return norm.NFC.String(strings.ToLower(width.Fold.String(trimmed)))
}

func plainASCII(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// PreparePassword returns the form of a password that is hashed (OpaqueString of RFC 8265): composed, and with the ordinary
// blank in place of others, so that it does not matter which keyboard it was typed on. One with characters that the RFC does not
// admit, such as line breaks and the joiners in some emoji, is composed and otherwise hashed as it is. What is longer than any
// password may be is left alone.
func PreparePassword(password string) string {
	if !utf8.ValidString(password) || len(password) > MaxPasswordBytes {
		return password
	}
	if prepared, err := precis.OpaqueString.String(password); err == nil {
		return prepared
	}
	return norm.NFC.String(password)
}

// PasswordForms returns the forms in which a password may have been hashed, the one of today first. The second, as it was typed, is
// for hashes from elsewhere and from before there were prepared ones; usually it is the same and left out.
func PasswordForms(password string) []string {
	prepared := PreparePassword(password)
	if prepared == password {
		return []string{password}
	}
	return []string{prepared, password}
}
