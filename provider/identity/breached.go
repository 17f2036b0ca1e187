package identity

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// commonPasswords are the 100,000 passwords that are most common among those that became public, and 12,461 in all of 12 characters or more: the
// sorted first bytes of their digests. hack/commonpasswords makes it and says from what.
//
//go:embed commonpasswords.bin
var commonPasswords []byte

// commonDigest is how many bytes of a digest there are. One in 40,000 other passwords has those of a listed one.
const commonDigest = 4

// listed reports whether a text in lower case is one of the common passwords.
func listed(text string) bool {
	sum := sha256.Sum256([]byte(text))
	n := len(commonPasswords) / commonDigest
	i := sort.Search(n, func(i int) bool {
		return bytes.Compare(commonPasswords[i*commonDigest:(i+1)*commonDigest], sum[:commonDigest]) >= 0
	})
	return i < n && bytes.Equal(commonPasswords[i*commonDigest:(i+1)*commonDigest], sum[:commonDigest])
}

// What is put around a common password so that it is long enough: as many characters at most, and the shortest that is looked for.
const (
	maxDecoration = 8
	minListed     = 5
)

// breached reports whether a password is a common one, with signs in place of letters, several times over, or with figures and signs around.
func breached(password string) bool {
	plain := strings.ToLower(password)
	for _, text := range []string{plain, unleet.Replace(plain)} {
		core := strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
		if listed(text) || decorated(text, core) || decorated(text, letters(text)) {
			return true
		}
	}
	for times := 2; times <= 4; times++ {
		if part := plain[:len(plain)/times]; len(part) >= minListed && strings.Repeat(part, times) == plain && listed(part) {
			return true
		}
	}
	return false
}

func decorated(text, core string) bool {
	length := utf8.RuneCountInString(core)
	return length >= minListed && utf8.RuneCountInString(text)-length <= maxDecoration && listed(core)
}
