package registration_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func TestCheckPassword(t *testing.T) {
	long := strings.Repeat("x", registration.MaxPasswordBytes+1)
	argon := registration.HashPassword("open sesame")
	bcrypted, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		hash, password string
		want           bool
	}{
		"argon2id":            {argon, "open sesame", true},
		"argon2id, wrong":     {argon, "open barley", false},
		"bcrypt":              {string(bcrypted), "open sesame", true},
		"bcrypt, wrong":       {string(bcrypted), "open barley", false},
		"no hash":             {"", "open sesame", false},
		"password as hash":    {"open sesame", "open sesame", false},
		"argon2id, cut off":   {argon[:len(argon)-20], "open sesame", false},
		"longer than allowed": {registration.HashPassword(long), long, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := registration.CheckPassword(test.hash, test.password); got != test.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}

func TestHashPasswordSalts(t *testing.T) {
	first, second := registration.HashPassword("x"), registration.HashPassword("x")
	if first == second {
		t.Fatal("two hashes of one password are equal")
	}
}

// The bounds keep one login from taking all of a provider's memory or time.
func TestValidatePasswordHash(t *testing.T) {
	const tail = "$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ"
	for name, test := range map[string]struct{ hash, want string }{
		"ours":            {registration.HashPassword("x"), ""},
		"PHP's":           {"$argon2id$v=19$m=65536,t=4,p=1" + tail, ""},
		"Django's":        {"$argon2id$v=19$m=102400,t=2,p=8" + tail, ""},
		"most memory":     {"$argon2id$v=19$m=131072,t=2,p=8" + tail, ""},
		"too much memory": {"$argon2id$v=19$m=131073,t=1,p=1" + tail, "at most"},
		"too much work":   {"$argon2id$v=19$m=131072,t=3,p=1" + tail, "m times t of at most"},
		"too many passes": {"$argon2id$v=19$m=8192,t=11,p=1" + tail, "at most"},
		"too many lanes":  {"$argon2id$v=19$m=19456,t=1,p=9" + tail, "at most"},
		"no passes":       {"$argon2id$v=19$m=19456,t=0,p=1" + tail, "at most"},
		"argon2i":         {"$argon2i$v=19$m=19456,t=2,p=1" + tail, "one of the kinds argon2id"},
		"old version":     {"$argon2id$v=16$m=19456,t=2,p=1" + tail, "v=19"},
		"short salt":      {"$argon2id$v=19$m=19456,t=2,p=1$YQ$YWFhYWFhYWFhYWFhYWFhYQ", "salt of 8 to 64 bytes"},
		"no parameters":   {"$argon2id$v=19$x" + tail, "parameters of the form"},
		"dear bcrypt":     {"$2a$14$" + strings.Repeat("a", 53), "bcrypt cost 14"},
		"short bcrypt":    {"$2a$10$abc", "complete bcrypt hash"},
		"plain":           {"hunter2", "one of the kinds argon2id"},
	} {
		t.Run(name, func(t *testing.T) {
			err := registration.ValidatePasswordHash(test.hash)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
		})
	}
}

func TestCheckSecret(t *testing.T) {
	const secret = "0123456789abcdefghijklmnopqrstuv"
	for name, test := range map[string]struct {
		hash, secret string
		want         bool
	}{
		"generated":         {registration.HashSecret(secret), secret, true},
		"generated, wrong":  {registration.HashSecret(secret), secret[1:], false},
		"brought":           {registration.HashPassword(secret), secret, true},
		"brought, wrong":    {registration.HashPassword(secret), "x", false},
		"empty of an empty": {"", "", false},
		"hash as secret":    {registration.HashSecret(secret), registration.HashSecret(secret), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := registration.CheckSecret(test.hash, test.secret); got != test.want {
				t.Fatalf("got %v", got)
			}
		})
	}
	if id := registration.SecretID(registration.HashSecret(secret)); len(id) != 10 || strings.Contains(registration.HashSecret(secret), id) {
		t.Errorf("secret ID %q is no short name apart from the hash", id)
	}
}

func TestHashWeight(t *testing.T) {
	const tail = "$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ"
	for hash, want := range map[string]int{
		registration.HashPassword("x"):                 1,
		"$argon2id$v=19$m=8192,t=1,p=1" + tail:         1,
		"$argon2id$v=19$m=19457,t=1,p=1" + tail:        2,
		"$argon2id$v=19$m=131072,t=1,p=1" + tail:       7,
		"$2a$10$" + strings.Repeat("a", 53):            1,
		registration.HashSecret("generated elsewhere"): 1,
	} {
		if got := registration.HashWeight(hash); got != want {
			t.Errorf("%s: got %d, want %d", hash, got, want)
		}
	}
}

// A hash that belongs to nobody is of the very kind it was made for, and matches nothing.
func TestHashKinds(t *testing.T) {
	const tail = "$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ"
	for hash, kind := range map[string]string{
		registration.HashPassword("x"):       registration.OwnHashKind(),
		"$argon2id$v=19$m=8,t=3,p=2" + tail:  "$argon2id$v=19$m=8,t=3,p=2",
		"$2a$04$" + strings.Repeat("a", 53):  "$2b$04",
		"$2y$10$" + strings.Repeat("a", 53):  "$2b$10",
		"$argon2i$v=19$m=8,t=3,p=2" + tail:   "",
		registration.HashSecret("no person"): "",
	} {
		if got := registration.HashKind(hash); got != kind {
			t.Errorf("%s is of kind %q", hash, got)
		}
		if kind == "" {
			continue
		}
		nobodys := registration.NobodysHash(kind)
		if err := registration.ValidatePasswordHash(nobodys); err != nil || registration.HashKind(nobodys) != kind || nobodys == registration.NobodysHash(kind) {
			t.Errorf("the hash of nobody for %s is %s: %v", kind, nobodys, err)
		}
		if registration.CheckPassword(nobodys, "") || registration.HashWeight(nobodys) != registration.HashWeight(hash) {
			t.Errorf("the hash of nobody for %s matches, or weighs something else", kind)
		}
	}
	// The comparison must come to its end, and not stop at a salt that cannot be read.
	if err := bcrypt.CompareHashAndPassword([]byte(registration.NobodysHash("$2b$04")), []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Errorf("bcrypt says %v", err)
	}
}
