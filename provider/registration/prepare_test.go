package registration_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// RFC 8265 section 3.3: names that look alike are one. What was one name before there was a rule stays one.
func TestFoldUsername(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"itself":                       {"ada", "ada", true},
		"capitals":                     {"Ada", "aDA", true},
		"blanks around it":             {" ada\t", "ada", true},
		"another blank around it":      {"\u00a0ada\u3000", "ada", true},
		"composed and decomposed":      {"j\u00fcrgen", "ju\u0308rgen", true},
		"in capitals":                  {"J\u00dcRGEN", "ju\u0308rgen", true},
		"two marks in another order":   {"a\u0323\u0302", "\u1ead", true},
		"full width":                   {"\uff41\uff44\uff41", "ada", true},
		"Korean, decomposed":           {"\u1112\u1161\u11ab", "\ud55c", true},
		"Greek with a final sigma":     {"\u03a3\u039f\u03a6\u039f\u03a3", "\u03c3\u03bf\u03c6\u03bf\u03c2", false},
		"not admitted, in capitals":    {"Ada\u2605", "aDA\u2605", true},
		"not admitted, decomposed":     {"ju\u0308\u2605", "j\u00fc\u2605", true},
		"Ethiopic, and other caseless": {"\u12a0\u12f3", "\u12a0\u12f3", true},
		"an e-mail address":            {"Ada@Example.com", "ada@example.com", true},
		"another letter":               {"ada", "ado", false},
		"with an accent":               {"andre", "andr\u00e9", false},
		"a blank within":               {"ada b", "adab", false},
		"sharp s":                      {"stra\u00dfe", "strasse", false},
		"Cyrillic that looks alike":    {"ada", "\u0430da", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := registration.FoldUsername(c.a) == registration.FoldUsername(c.b); got != c.same {
				t.Errorf("%q and %q: %v", registration.FoldUsername(c.a), registration.FoldUsername(c.b), got)
			}
			for _, text := range []string{c.a, c.b} {
				if folded := registration.FoldUsername(text); registration.FoldUsername(folded) != folded {
					t.Errorf("%q changes when it is folded again", folded)
				}
			}
		})
	}
	// The names of registrations are made of it: they must not change for what people have.
	for _, username := range []string{"ada", "ada.lovelace", "ada+test@example.com", "j\u00fcrgen", "o'neill", "a_b-c~d!e#f$g%h&i*j", "1815", "\u0430\u0434\u0430"} {
		if got := registration.FoldUsername(strings.ToUpper(username)); got != username {
			t.Errorf("%q is folded to %q", username, got)
		}
	}
}

// RFC 8265 section 4.2. Nothing that could be a password is refused, and nothing but its spelling changes.
func TestPasswordForms(t *testing.T) {
	for name, c := range map[string]struct {
		password string
		want     []string
	}{
		"plain":           {"Correct Horse!", []string{"Correct Horse!"}},
		"blanks around":   {" secret ", []string{" secret "}},
		"composed":        {"Gr\u00fc\u00dfe", []string{"Gr\u00fc\u00dfe"}},
		"decomposed":      {"Gru\u0308\u00dfe", []string{"Gr\u00fc\u00dfe", "Gru\u0308\u00dfe"}},
		"another blank":   {"a\u00a0b", []string{"a b", "a\u00a0b"}},
		"a line break":    {"a\nb", []string{"a\nb"}},
		"a joiner":        {"u\u0308\U0001f469\u200d\U0001f4bb", []string{"\u00fc\U0001f469\u200d\U0001f4bb", "u\u0308\U0001f469\u200d\U0001f4bb"}},
		"no text":         {"a\xffb", []string{"a\xffb"}},
		"nothing":         {"", []string{""}},
		"full width kept": {"\uff41", []string{"\uff41"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := registration.PasswordForms(c.password); !slices.Equal(got, c.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}
