package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func TestCheckChoice(t *testing.T) {
	user := &registration.User{Username: "ada.lovelace", Name: "Ada Lovelace", Email: "ada@analytical-engines.example"}
	for password, want := range map[string]error{
		"correct horse battery staple":  nil,
		"zwölf Häuser am Fluss":         nil,
		"gT7#kQp2vLx9":                  nil,
		"lovelace of the mountains":     nil,
		"my secret garden is green":     nil,
		"elf zeichen":                   identity.ErrPasswordShort,
		"äöüäöüäöüäö":                   identity.ErrPasswordShort, // 11 characters in 22 bytes
		strings.Repeat("ab cd ef", 129): identity.ErrPasswordLong,
		"Password1234":                  identity.ErrPasswordCommon,
		"P@ssw0rd!2026":                 identity.ErrPasswordCommon,
		"Willkommen123":                 identity.ErrPasswordCommon,
		"123456789012":                  identity.ErrPasswordCommon,
		"qwertzuiopü+":                  identity.ErrPasswordCommon,
		"abcdefghijkl":                  identity.ErrPasswordCommon,
		"aaaaaaaaaaaaaaaa":              identity.ErrPasswordCommon,
		"121212121212121":               identity.ErrPasswordCommon,
		"Summer2026!!":                  identity.ErrPasswordCommon,
		"ada.lovelace":                  identity.ErrPasswordName,
		"Ada.Lovelace1":                 identity.ErrPasswordName,
		"lovelace1815":                  identity.ErrPasswordName,
		"Analytical-Engines.example":    identity.ErrPasswordName,
	} {
		if err := identity.CheckChoice(user, password); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", password, err, want)
		}
	}
}
