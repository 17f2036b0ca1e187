package registration

import (
	"strings"
	"testing"
)

func TestValidateForeignSecret(t *testing.T) {
	for name, test := range map[string]struct {
		secret, fault string
	}{
		"32 hexadecimal digits":    {"0123456789abcdef0123456789abcdef", ""},
		"31 hexadecimal digits":    {"0123456789abcdef0123456789abcde", "too weak"},
		"22 letters and digits":    {"aB3dE6gH9jK2mN5pQ8sT1v", ""},
		"21 letters and digits":    {"aB3dE6gH9jK2mN5pQ8sT1", "too weak"},
		"20 of every kind":         {"aB3-E6gH9jK2mN5pQ8s_", ""},
		"39 digits":                {"123456789012345678901234567890123456789", ""},
		"38 digits":                {"12345678901234567890123456789012345678", "too weak"},
		"a word":                   {"correct horse", "too weak"},
		"64 times the same":        {strings.Repeat("x", 64), "too weak"},
		"nothing":                  {"", "is empty"},
		"a line break at the end":  {"0123456789abcdef0123456789abcdef\n", "line break"},
		"a space at the end":       {"0123456789abcdef0123456789abcdef ", "space"},
		"a line break within":      {"0123456789abcdef\n0123456789abcdef", "printable ASCII"},
		"letters of other scripts": {"0123456789abcdef0123456789abcdefä", "printable ASCII"},
		"as long as possible":      {strings.Repeat("0123456789abcdef", 64), ""},
		"too long":                 {strings.Repeat("0123456789abcdef", 64) + "0", "longer than 1024"},
	} {
		t.Run(name, func(t *testing.T) {
			err := ValidateForeignSecret(test.secret)
			if test.fault == "" && err != nil {
				t.Fatal(err)
			}
			if test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
				t.Fatalf("got %v, want %q", err, test.fault)
			}
			if err != nil && test.secret != "" && strings.Contains(err.Error(), test.secret) {
				t.Fatal("the message holds the secret")
			}
		})
	}
}

func TestSecretUses(t *testing.T) {
	uses := SecretUses{"b": {"2": {}}, "a": {"1": {}}}
	if got, err := ParseSecretUses(uses.String()); err != nil || got.String() != uses.String() || got.String() == "" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := ParseSecretUses(""); err != nil || len(got) != 0 {
		t.Errorf("without the annotation: %v, %v", got, err)
	}
	for _, text := range []string{"{", "[]", `{"a":1}`} {
		if got, err := ParseSecretUses(text); err == nil {
			t.Errorf("%s: got %v", text, got)
		}
		if got, err := ParseUnknownUses(text); text != `{"a":1}` && err == nil {
			t.Errorf("%s: got %v", text, got)
		}
	}
	if SecretUses(nil).String() != "" {
		t.Error("no uses make no annotation")
	}
}
