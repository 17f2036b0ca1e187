package oidc

import (
	"crypto/rand"
	"strings"
)

// userCodeLetters are those of RFC 8628 section 6.1: no vowels, so that no code is a word, and no digits to mistake for letters.
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// userCodeLength makes 20^8 codes, 34 bits.
const userCodeLength = 8

// NewUserCode returns a user code (RFC 8628 section 3.2) as it is stored: eight letters.
func NewUserCode() string {
	code := make([]byte, 0, userCodeLength)
	for len(code) < userCodeLength {
		var raw [2 * userCodeLength]byte
		_, _ = rand.Read(raw[:]) // never fails: the program is stopped instead
		for _, c := range raw {
			// Each letter must be as likely as any other, and 256 is no multiple of 20.
			if c < 240 && len(code) < userCodeLength {
				code = append(code, userCodeLetters[int(c)%len(userCodeLetters)])
			}
		}
	}
	return string(code)
}

// ReadUserCode returns the code that a person has typed, however they write it: in small letters, with or without dashes
// and spaces. It returns false when it cannot be a code.
func ReadUserCode(typed string) (code string, ok bool) {
	const limit = 64 // of what is read at all
	if len(typed) > limit {
		return "", false
	}
	var b strings.Builder
	for _, c := range strings.ToUpper(typed) {
		switch {
		case strings.ContainsRune(userCodeLetters, c):
			b.WriteRune(c)
		case !strings.ContainsRune(" \t-–—_.", c):
			return "", false
		}
	}
	return b.String(), b.Len() == userCodeLength
}

// ShowUserCode returns a code as people read it: WDJB-MJHT.
func ShowUserCode(code string) string {
	return code[:len(code)/2] + "-" + code[len(code)/2:]
}
