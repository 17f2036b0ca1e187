package registration

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Argon2id cost of new password hashes: 19 MiB, two passes, one lane (RFC 9106; the smallest setting that OWASP lists).
const (
	argonMemoryKiB = 19 * 1024
	argonPasses    = 2
	argonLanes     = 1
	argonSaltBytes = 16
	argonKeyBytes  = 32
)

// Bounds of hashes that come from elsewhere: a login, also one with a wrong password, must not take all of a provider's
// memory or time. They admit what the common libraries make by default.
const (
	maxArgonMemoryKiB = 128 * 1024
	maxArgonPasses    = 10
	maxArgonLanes     = 8
	// maxArgonWork bounds memory times passes: eight times the work of a hash of our own.
	maxArgonWork = 8 * argonMemoryKiB * argonPasses
)

// MaxPasswordBytes is the longest password that is accepted. A longer one never matches.
const MaxPasswordBytes = 1024

const sha256Prefix = "sha256:"

// HashSecret returns "sha256:<base64url>" of a client secret. A plain hash is enough for what has 190 bits of entropy or
// more, and only for that; hash what a person chose with HashPassword.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return sha256Prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// SecretID returns a short name for a secret's hash, fit for status and logs: 10 hexadecimal digits of a digest of the hash.
func SecretID(hash string) string {
	sum := sha256.Sum256([]byte("secret-id:" + hash))
	return hex.EncodeToString(sum[:5])
}

// CheckSecret tells, in constant time, whether secret is the one behind a hash made by HashSecret or HashPassword.
func CheckSecret(hash, secret string) bool {
	if !strings.HasPrefix(hash, sha256Prefix) {
		return CheckPassword(hash, secret)
	}
	return subtle.ConstantTimeCompare([]byte(hash), []byte(HashSecret(secret))) == 1
}

// IsCostly tells whether CheckSecret takes long with a hash: every one but those that HashSecret makes does, however it is spelled.
func IsCostly(hash string) bool { return !strings.HasPrefix(hash, sha256Prefix) }

func validateSecretHash(hash string) error {
	digest, ok := strings.CutPrefix(hash, sha256Prefix)
	if !ok {
		return ValidatePasswordHash(hash)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(digest); err != nil || len(raw) != sha256.Size {
		return errors.New("must be sha256: and 43 characters of base64url, or an argon2id hash")
	}
	return nil
}

// HashPassword returns an argon2id hash of password as a PHC string, with a fresh salt. It takes about 19 MiB of memory
// and tens of milliseconds.
func HashPassword(password string) string {
	salt := make([]byte, argonSaltBytes)
	_, _ = rand.Read(salt) // never fails: the program is stopped instead
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemoryKiB, argonLanes, argonKeyBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemoryKiB, argonPasses, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// CheckPassword reports whether password is the one behind hash, byte by byte. It is false for a malformed hash, and for a
// password of more than MaxPasswordBytes, which costs as much as any other that is wrong.
func CheckPassword(hash, password string) bool {
	h, err := parseHash(hash)
	if err != nil {
		return false
	}
	short := password[:min(len(password), h.longestPassword)]
	return h.matches(short) && len(short) == len(password)
}

// HashWeight returns how much memory checking a hash takes, in multiples of a hash made by HashPassword, rounded up.
func HashWeight(hash string) int {
	h, err := parseHash(hash)
	if err != nil {
		return 1
	}
	return max(1, (h.memoryKiB+argonMemoryKiB-1)/argonMemoryKiB)
}

// HashKind names the algorithm and cost of a password hash: comparing a password with two hashes of one kind is the same work. It
// is empty for what is no hash.
func HashKind(hash string) string {
	h, err := parseHash(hash)
	if err != nil {
		return ""
	}
	return h.kind
}

// OwnHashKind is the kind of the hashes that HashPassword makes.
func OwnHashKind() string { return argonKind(argonMemoryKiB, argonPasses, argonLanes) }

func argonKind(memoryKiB, passes uint32, lanes uint8) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d", argon2.Version, memoryKiB, passes, lanes)
}

// ValidatePasswordHash returns nil for a hash that CheckPassword can compare a password with at a bounded cost.
func ValidatePasswordHash(hash string) error {
	_, err := parseHash(hash)
	switch {
	case err == nil:
		return nil
	case isHashLine(hash):
		return errors.New("is a whole line of htpasswd or shadow; keep only what stands between the first colon and the next")
	case withoutWrapping(hash) != hash:
		return errors.New("has blanks or quotation marks around it; remove them")
	}
	return err
}

type argonHash struct {
	memoryKiB, passes uint32
	lanes             uint8
	salt, key         []byte
}

func parseArgon2id(hash string) (argonHash, error) {
	var a argonHash
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return a, errors.New("must be an argon2id hash of the form $argon2id$v=19$m=...,t=...,p=...$salt$hash")
	}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return a, fmt.Errorf("must have argon2 version v=%d", argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.memoryKiB, &a.passes, &a.lanes); err != nil {
		return a, errors.New("must have argon2id parameters of the form m=19456,t=2,p=1")
	}
	if uint64(a.memoryKiB)*uint64(a.passes) > maxArgonWork {
		return a, fmt.Errorf("must have argon2id parameters with m times t of at most %d", maxArgonWork)
	}
	if a.memoryKiB < 8 || a.memoryKiB > maxArgonMemoryKiB || a.passes < 1 || a.passes > maxArgonPasses || a.lanes < 1 || a.lanes > maxArgonLanes {
		return a, fmt.Errorf("must have argon2id parameters of at most m=%d,t=%d,p=%d", maxArgonMemoryKiB, maxArgonPasses, maxArgonLanes)
	}
	var errSalt, errKey error
	a.salt, errSalt = base64.RawStdEncoding.DecodeString(parts[4])
	a.key, errKey = base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errKey != nil || len(a.salt) < 8 || len(a.salt) > 64 || len(a.key) < 16 || len(a.key) > 64 {
		return a, errors.New("must have an argon2id salt of 8 to 64 bytes and a hash of 16 to 64 bytes in unpadded base64")
	}
	return a, nil
}
