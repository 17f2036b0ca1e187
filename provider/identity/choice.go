package identity

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// MinPasswordLength is the fewest characters of a password that a person chooses. There is no rule about which ones: such
// rules make passwords worse (NIST SP 800-63B section 3.1.1.2).
const MinPasswordLength = 12

// What CheckChoice says of a password.
var (
	ErrPasswordShort  = errors.New("password is too short")
	ErrPasswordLong   = errors.New("password is too long")
	ErrPasswordCommon = errors.New("password is one that many people choose")
	ErrPasswordName   = errors.New("password is made of the person's own name")
)

// CheckChoice returns nil when a user may choose this password.
func CheckChoice(user *registration.User, password string) error {
	password = registration.PreparePassword(password)
	switch {
	case utf8.RuneCountInString(password) < MinPasswordLength:
		return ErrPasswordShort
	case len(password) > registration.MaxPasswordBytes:
		return ErrPasswordLong
	case common(password):
		return ErrPasswordCommon
	case ownName(user, password):
		return ErrPasswordName
	case breached(password):
		return ErrPasswordCommon
	}
	return nil
}

// ownName tells whether little is left of a password without what everybody can know of the person.
func ownName(user *registration.User, password string) bool {
	rest := strings.ToLower(password)
	email, domain, _ := strings.Cut(user.Email, "@")
	names := []string{user.Username, user.Email, email, domain, user.GivenName, user.FamilyName, user.Nickname}
	names = append(names, strings.Fields(user.Name)...)
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	found := false
	for _, name := range names {
		if name = strings.ToLower(name); utf8.RuneCountInString(name) >= 3 && strings.Contains(rest, name) {
			rest, found = strings.ReplaceAll(rest, name, ""), true
		}
	}
	return found && utf8.RuneCountInString(letters(rest)) < minOwnLetters && !differs(rest)
}

// minOwnLetters is how many letters a password must have beside names and words that everybody tries.
const minOwnLetters = 4

// common tells whether a password is among the first that are guessed: made of one of a few words, or of a row of characters,
// with some figures and signs around.
func common(password string) bool {
	plain := unleet.Replace(strings.ToLower(password))
	if !differs(plain) || row(strings.ToLower(password)) {
		return true
	}
	rest := letters(plain)
	found := false
	for _, word := range commonWords() {
		if strings.Contains(rest, word) {
			rest, found = strings.ReplaceAll(rest, word, ""), true
		}
	}
	return found && utf8.RuneCountInString(rest) < minOwnLetters
}

// unleet undoes the signs that people write in place of letters.
var unleet = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t")

func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, text)
}

// minDifferent is how many different characters a password must have.
const minDifferent = 5

func differs(text string) bool {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen) >= minDifferent
}

// row tells whether nearly every character stands beside the one before it, in the alphabet or on a keyboard.
func row(text string) bool {
	runes := []rune(text)
	steps := 0
	for i := 1; i < len(runes); i++ {
		if beside(runes[i-1], runes[i]) {
			steps++
		}
	}
	return steps >= len(runes)-3
}

func beside(a, b rune) bool {
	if a == b || b == a+1 || b == a-1 {
		return true
	}
	for _, keys := range []string{"1234567890", "qwertyuiop", "qwertzuiopü", "asdfghjkl", "zxcvbnm", "yxcvbnm", "azertyuiop", "qsdfghjklm"} {
		i, j := strings.IndexRune(keys, a), strings.IndexRune(keys, b)
		if i >= 0 && j >= 0 && i-j <= 1 && j-i <= 1 {
			return true
		}
	}
	return false
}

// commonWords lead every list of passwords that became public, in the languages of the pages.
func commonWords() []string {
	return []string{
		"administrator", "administration", "password", "passwort", "kennwort", "passwd", "welcome", "willkommen", "letmein", "changeme", "qwertyuiop", "qwertzuiop",
		"qwerty", "qwertz", "asdfgh", "zxcvbn", "iloveyou", "ichliebedich", "sunshine", "princess", "football", "baseball", "superman",
		"batman", "dragon", "monkey", "shadow", "master", "login", "admin", "secret", "geheim", "hallo", "hello", "summer", "winter", "spring",
		"autumn", "sommer", "herbst", "schatz", "test", "user", "default", "company", "abc",
	}
}
