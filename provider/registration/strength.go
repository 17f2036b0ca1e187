package registration

import (
	"errors"
	"math"
	"strings"
)

const (
	// minSecretBits is what a client secret from elsewhere must hold: nobody has to remember it.
	minSecretBits = 128
	// minDistinct is how many different characters it must have at least: 32 times the same letter is no secret.
	minDistinct = 8
)

// ValidateForeignSecret returns nil for a client secret from elsewhere that is fit for use: printable ASCII (RFC 6749 appendix
// A.2), at most MaxPasswordBytes, and, estimated from its length and the kinds of its characters, 128 bits or more. An estimate
// from the length finds what is too short, not what is easy to guess. The error tells nothing of the secret.
func ValidateForeignSecret(secret string) error {
	if secret == "" {
		return errors.New("is empty")
	}
	if strings.TrimRight(secret, "\r\n") != secret {
		return errors.New("ends with a line break, which would be part of the client secret; write it without one, as echo -n does")
	}
	if strings.TrimSpace(secret) != secret {
		return errors.New("begins or ends with a space, which would be part of the client secret; remove it")
	}
	if IsPasswordHash(secret) {
		return errors.New("looks like a hash of a client secret; the client secret itself is needed, which the application sends")
	}
	distinct := map[rune]bool{}
	for _, r := range secret {
		if r < ' ' || r > '~' {
			return errors.New("must consist of printable ASCII characters")
		}
		distinct[r] = true
	}
	if len(secret) > MaxPasswordBytes {
		return errors.New("must not be longer than 1024 characters")
	}
	if len(distinct) < minDistinct || float64(len(secret))*math.Log2(float64(alphabetOf(secret))) < minSecretBits {
		return errors.New("is too weak: by its length and the kinds of its characters it holds fewer than 128 bits; " +
			"use at least 22 random letters and digits, such as openssl rand -hex 32 makes")
	}
	return nil
}

// alphabetOf returns how many characters there are of the kinds that occur in secret.
func alphabetOf(secret string) int {
	size, rest := 0, secret
	for _, class := range []string{"0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHIJKLMNOPQRSTUVWXYZ"} {
		if strings.ContainsAny(rest, class) {
			size += len(class)
			rest = strings.Map(func(r rune) rune {
				if strings.ContainsRune(class, r) {
					return -1
				}
				return r
			}, rest)
		}
	}
	if rest != "" {
		size += 32
	}
	return size
}
