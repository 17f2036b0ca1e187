package presets

import (
	"fmt"
	"strings"
)

// Alphanumeric are the characters that mean the same with and without form-urlencoding, in YAML, in a shell and in a form.
const Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// SecretForm is what an application takes for a client secret.
type SecretForm struct {
	// Alphabet holds every character that may occur. Those of a secret that is made come from it, too.
	Alphabet string
	// Length is how many characters a secret has that is made. They hold at least 190 bits.
	Length int
	// MaxLength is how many the application is known to take; 0: any number.
	MaxLength int
}

// anySecret is the form of secrets where nothing is known of the application: 32 letters and digits, 190 bits.
func anySecret() SecretForm {
	return SecretForm{Alphabet: Alphanumeric, Length: 32}
}

// Fault returns what is wrong with a secret that exists already, or "". It tells nothing of it but its length.
func (f SecretForm) Fault(secret string) string {
	if f.MaxLength > 0 && len(secret) > f.MaxLength {
		return fmt.Sprintf("it has %d characters and the application is not known to take more than %d", len(secret), f.MaxLength)
	}
	if strings.Trim(secret, f.Alphabet) != "" {
		return "it has characters that the application does not take"
	}
	return ""
}
