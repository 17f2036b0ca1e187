package registration

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what other systems have hashed with it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math/bits"
	"strconv"
	"strings"

	gocryptscrypt "github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// Bounds of hashes of other kinds, for the reason of those of argon2id. They admit what the usual programs make by default.
const (
	maxBcryptCost = 13
	// maxCryptRounds bounds SHA-crypt; passlib makes 656,000. maxCryptWork bounds rounds times the bytes of a password and of what
	// is hashed with it, since anybody may send a long password.
	maxCryptRounds   = 700_000
	maxCryptWork     = maxCryptRounds * 2 * cryptBlock
	cryptBlock       = 64
	maxPBKDF2Rounds  = 2_000_000
	maxPBKDF2Rounds2 = 700_000 // with SHA-384 and SHA-512, which take longer
	maxScryptMemory  = 128 << 20
	maxScryptWork    = 1 << 20 // N times r times p
	maxForeignSalt   = 128
	minForeignDigest = 16
)

func parseBcrypt(text string) (passwordHash, error) {
	cost, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != 60 {
		return passwordHash{}, errors.New("is not a complete bcrypt hash (60 characters)")
	}
	if cost > maxBcryptCost {
		return passwordHash{}, fmt.Errorf("has bcrypt cost %d; at most %d is accepted", cost, maxBcryptCost)
	}
	return passwordHash{
		kind: fmt.Sprintf("$2b$%02d", cost),
		matches: func(password string) bool {
			return bcrypt.CompareHashAndPassword([]byte(text), []byte(password)) == nil
		},
	}, nil
}

// parseDjangoBcrypt reads Django's bcrypt_sha256, which hashes the hexadecimal SHA-256 of a password.
func parseDjangoBcrypt(text string) (passwordHash, error) {
	h, err := parseBcrypt(strings.TrimPrefix(text, "bcrypt_sha256$"))
	if err != nil {
		return h, err
	}
	inner := h.matches
	h.matches = func(password string) bool {
		sum := sha256.Sum256([]byte(password))
		return inner(hex.EncodeToString(sum[:]))
	}
	return h, nil
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func nobodysBcrypt(kind string) string { return kind + "$" + randomOf(bcryptAlphabet, 53) }

func parseSHACrypt(text string) (passwordHash, error) {
	parts := strings.Split(text, "$") // "", "6", "rounds=5000", salt, key; or without rounds
	rounds, err := shacrypt.IterationsDefaultOmitted, error(nil)
	if len(parts) == 5 {
		digits, ok := strings.CutPrefix(parts[2], "rounds=")
		if rounds, err = strconv.Atoi(digits); !ok || err != nil {
			return passwordHash{}, errors.New("must have the rounds of a SHA-crypt hash as rounds=5000")
		}
		parts = append(parts[:2:2], parts[3:]...)
	}
	length := map[string]int{"5": 43, "6": 86}[parts[1]]
	if len(parts) != 4 || len(parts[3]) != length || len(parts[2]) < 1 || len(parts[2]) > shacrypt.SaltLengthMax {
		return passwordHash{}, fmt.Errorf("is not a complete SHA-crypt hash ($%s$salt$ and %d characters)", parts[1], length)
	}
	if rounds < shacrypt.IterationsMin || rounds > maxCryptRounds {
		return passwordHash{}, fmt.Errorf("must have %d to %d rounds", shacrypt.IterationsMin, maxCryptRounds)
	}
	digest, err := shacrypt.Decode(text)
	if err != nil {
		return passwordHash{}, errors.New("is not a SHA-crypt hash")
	}
	return passwordHash{
		kind: fmt.Sprintf("$%s$rounds=%d", parts[1], rounds), matches: digest.Match,
		longestPassword: min(MaxPasswordBytes, maxCryptWork/rounds-cryptBlock),
	}, nil
}

func nobodysSHACrypt(kind string) string {
	length := 43
	if strings.HasPrefix(kind, "$6$") {
		length = 86
	}
	return kind + "$" + randomOf(bcryptAlphabet, shacrypt.SaltLengthMax) + "$" + randomOf(bcryptAlphabet, length)
}

// parseScrypt reads $scrypt$ln=16,r=8,p=1$salt$key, in unpadded base64.
func parseScrypt(text string) (passwordHash, error) {
	var ln, r, p int
	parts := strings.Split(text, "$")
	if len(parts) != 5 || !scan(parts[2], "ln=%d,r=%d,p=%d", &ln, &r, &p) {
		return passwordHash{}, errors.New("must be an scrypt hash of the form $scrypt$ln=16,r=8,p=1$salt$hash")
	}
	if err := scryptBounds(ln, r, p); err != nil {
		return passwordHash{}, err
	}
	salt, key, err := saltAndKey(base64.RawStdEncoding, parts[3], parts[4])
	if err != nil {
		return passwordHash{}, err
	}
	return passwordHash{
		kind: fmt.Sprintf("$scrypt$ln=%d,r=%d,p=%d", ln, r, p), memoryKiB: r << ln >> 3,
		matches: func(password string) bool {
			got, err := scrypt.Key([]byte(password), salt, 1<<ln, r, p, len(key))
			return err == nil && subtle.ConstantTimeCompare(got, key) == 1
		},
	}, nil
}

func scryptBounds(ln, r, p int) error {
	if ln < 1 || ln > 20 || r < 1 || r > 64 || p < 1 || p > 64 || 128*r<<ln > maxScryptMemory || r*p<<ln > maxScryptWork {
		return errors.New("must have scrypt parameters that take at most 128 MiB and the work of ln=17,r=8,p=1")
	}
	return nil
}

func nobodysScrypt(kind string) string { return kind + "$" + randomBase64(16) + "$" + randomBase64(32) }

// parseYescrypt reads what Linux distributions write: the flavour "j", then the logarithm of N and the block size.
func parseYescrypt(text string) (passwordHash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 5 || len(parts[2]) != 3 || parts[2][0] != 'j' || len(parts[4]) != 43 || len(parts[3]) < 1 || len(parts[3]) > 86 ||
		strings.Trim(parts[2]+parts[3]+parts[4], bcryptAlphabet) != "" {
		return passwordHash{}, errors.New("must be a yescrypt hash of the form $y$j9T$salt$hash")
	}
	ln, r := strings.IndexByte(cryptAlphabet, parts[2][1])+1, strings.IndexByte(cryptAlphabet, parts[2][2])+1
	if err := scryptBounds(ln, r, 1); err != nil {
		return passwordHash{}, err
	}
	digest, err := gocryptscrypt.Decode(text)
	if err != nil {
		return passwordHash{}, errors.New("is not a yescrypt hash")
	}
	return passwordHash{kind: "$y$" + parts[2], memoryKiB: r << ln >> 3, matches: digest.Match}, nil
}

// cryptAlphabet is the order of the digits of crypt's base64.
const cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func nobodysYescrypt(kind string) string {
	// The last digit of 43 holds four bits.
	return kind + "$" + randomOf(cryptAlphabet, 22)[:21] + "." + "$" + randomOf(cryptAlphabet, 42) + "."
}

// digests are the hash functions of PBKDF2 and of salted SHA, by name.
func digestOf(name string) func() hash.Hash {
	switch name {
	case "sha1":
		return sha1.New
	case "sha224":
		return sha256.New224
	case "sha256":
		return sha256.New
	case "sha384":
		return sha512.New384
	case "sha512":
		return sha512.New
	default:
		return nil
	}
}

// parsePBKDF2 reads passlib's $pbkdf2-sha256$rounds$salt$key, in unpadded base64 with a dot in place of the plus.
func parsePBKDF2(text string) (passwordHash, error) {
	parts := strings.Split(text, "$")
	name := "sha1"
	if suffix, ok := strings.CutPrefix(parts[1], "pbkdf2-"); ok {
		name = suffix
	}
	digest := digestOf(name)
	if len(parts) != 5 || digest == nil {
		return passwordHash{}, errors.New("must be a PBKDF2 hash of the form $pbkdf2-sha256$rounds$salt$hash, with SHA-1 or SHA-2")
	}
	rounds, err := strconv.Atoi(parts[2])
	limit := maxPBKDF2Rounds
	if digest().BlockSize() > sha256.BlockSize {
		limit = maxPBKDF2Rounds2
	}
	if err != nil || rounds < 1 || rounds > limit {
		return passwordHash{}, fmt.Errorf("must have 1 to %d rounds", limit)
	}
	salt, key, err := saltAndKey(base64.RawStdEncoding, strings.ReplaceAll(parts[3], ".", "+"), strings.ReplaceAll(parts[4], ".", "+"))
	if err != nil {
		return passwordHash{}, err
	}
	if len(key) > digest().Size() { // each further block is the same work again
		return passwordHash{}, fmt.Errorf("must have a hash of at most %d bytes", digest().Size())
	}
	return passwordHash{kind: "$pbkdf2-" + name + "$" + strconv.Itoa(rounds), matches: func(password string) bool {
		got, err := pbkdf2.Key(digest, password, salt, rounds, len(key))
		return err == nil && subtle.ConstantTimeCompare(got, key) == 1
	}}, nil
}

func nobodysPBKDF2(kind string) string { return kind + "$" + randomBase64(16) + "$" + randomBase64(20) }

// parseSSHA reads {SSHA}, {SSHA256} and {SSHA512} of LDAP: base64 of the digest and the salt.
func parseSSHA(text string) (passwordHash, error) {
	scheme, encoded, _ := strings.Cut(text, "}")
	name := "sha" + strings.TrimPrefix(scheme, "{SSHA")
	if name == "sha" {
		name = "sha1"
	}
	digest := digestOf(name)
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimPrefix(encoded, "$"), "="))
	size := digest().Size()
	if err != nil || len(raw) <= size || len(raw) > size+maxForeignSalt {
		return passwordHash{}, fmt.Errorf("must be %s} and base64 of a digest of %d bytes and its salt", scheme, size)
	}
	return passwordHash{kind: scheme + "}", matches: func(password string) bool {
		h := digest()
		_, _ = h.Write([]byte(password))
		_, _ = h.Write(raw[size:])
		return subtle.ConstantTimeCompare(h.Sum(nil), raw[:size]) == 1
	}}, nil
}

func nobodysSSHA(kind string) string {
	return kind + randomBase64(sha512.Size+16)
}

// canonicalHash returns a hash as one of the parsers reads it: it takes away what LDAP servers, Dovecot and Django write before a
// hash, and rewrites the forms of Django and Werkzeug.
func canonicalHash(text string) (string, error) {
	if scheme, rest, ok := strings.Cut(text, "}"); ok && strings.HasPrefix(scheme, "{") {
		return canonicalScheme(strings.ToUpper(scheme[1:]), rest)
	}
	name, rest, _ := strings.Cut(text, "$")
	method, parameters, _ := strings.Cut(name, ":")
	switch {
	case name == "argon2", name == "bcrypt":
		return "$" + strings.TrimPrefix(rest, "$"), nil
	case strings.HasPrefix(name, "pbkdf2_"): // Django
		return fromTextSalt("$pbkdf2-"+strings.TrimPrefix(name, "pbkdf2_"), rest, base64.StdEncoding.DecodeString)
	case name == "scrypt": // Django: N$salt$r$p$key
		parts := strings.Split(rest, "$")
		if len(parts) != 5 {
			return "", errors.New("must be an scrypt hash of Django, scrypt$N$salt$r$p$hash")
		}
		settings, err := scryptSettings(parts[0], parts[2], parts[3])
		if err != nil {
			return "", err
		}
		return fromTextSalt("$scrypt", settings+"$"+parts[1]+"$"+parts[4], base64.StdEncoding.DecodeString)
	case method == "scrypt": // Werkzeug: scrypt:N:r:p$salt$key
		parts := strings.Split(parameters, ":")
		if len(parts) != 3 {
			return "", errors.New("must be an scrypt hash of Werkzeug, scrypt:N:r:p$salt$hash")
		}
		settings, err := scryptSettings(parts[0], parts[1], parts[2])
		if err != nil {
			return "", err
		}
		return fromTextSalt("$scrypt", settings+"$"+rest, hex.DecodeString)
	case method == "pbkdf2": // Werkzeug: pbkdf2:sha256:rounds$salt$key
		digest, rounds, _ := strings.Cut(parameters, ":")
		return fromTextSalt("$pbkdf2-"+digest, rounds+"$"+rest, hex.DecodeString)
	}
	return text, nil
}

// canonicalScheme reads what stands behind a scheme of LDAP (RFC 2307) or Dovecot.
func canonicalScheme(scheme, rest string) (string, error) {
	switch {
	case strings.HasPrefix(scheme, "SSHA"):
		return "{" + scheme + "}" + rest, nil
	case scheme == "CRYPT", strings.HasPrefix(scheme, "ARGON2"), scheme == "BLF-CRYPT", scheme == "BCRYPT",
		scheme == "SHA256-CRYPT", scheme == "SHA512-CRYPT":
		return rest, nil
	case strings.HasPrefix(scheme, "PBKDF2"):
		return "$" + strings.ToLower(scheme) + "$" + strings.TrimPrefix(rest, "$"), nil
	}
	return "", errors.New("must be a hash of one of the kinds " + HashKinds)
}

// fromTextSalt rewrites settings$salt$key, where the salt is what stands there and not an encoding of it.
func fromTextSalt(name, rest string, decode func(string) ([]byte, error)) (string, error) {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return "", errors.New("is not a complete hash of Django or Werkzeug")
	}
	key, err := decode(parts[2])
	if err != nil {
		return "", errors.New("is not a complete hash of Django or Werkzeug")
	}
	encoding := base64.RawStdEncoding
	return name + "$" + parts[0] + "$" + encoding.EncodeToString([]byte(parts[1])) + "$" + encoding.EncodeToString(key), nil
}

func scryptSettings(n, r, p string) (string, error) {
	cost, err := strconv.Atoi(n)
	if err != nil || cost < 2 || cost&(cost-1) != 0 {
		return "", errors.New("must have an scrypt N that is a power of two")
	}
	return fmt.Sprintf("ln=%d,r=%s,p=%s", bits.TrailingZeros(uint(cost)), r, p), nil
}

// scan reports whether the whole of text has a format, as fmt.Sprintf would write it.
func scan(text, format string, into ...*int) bool {
	arguments, values := make([]any, len(into)), make([]any, len(into))
	for i := range into {
		arguments[i] = into[i]
	}
	if _, err := fmt.Sscanf(text, format, arguments...); err != nil {
		return false
	}
	for i := range into {
		values[i] = *into[i]
	}
	return fmt.Sprintf(format, values...) == text
}

// saltAndKey decodes the two parts that most hashes end with.
func saltAndKey(encoding *base64.Encoding, saltText, keyText string) (salt, key []byte, err error) {
	salt, errSalt := encoding.DecodeString(saltText)
	key, errKey := encoding.DecodeString(keyText)
	if errSalt != nil || errKey != nil || len(salt) < 1 || len(salt) > maxForeignSalt || len(key) < minForeignDigest || len(key) > sha512.Size {
		return nil, nil, fmt.Errorf("must have a salt of 1 to %d bytes and a hash of %d to %d bytes in base64", maxForeignSalt, minForeignDigest, sha512.Size)
	}
	return salt, key, nil
}

func randomBase64(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails: the program is stopped instead
	return base64.RawStdEncoding.EncodeToString(raw)
}

// randomOf returns random characters of an alphabet of 64.
func randomOf(alphabet string, length int) string {
	text := make([]byte, length)
	_, _ = rand.Read(text) // never fails: the program is stopped instead
	for i, b := range text {
		text[i] = alphabet[b%64]
	}
	return string(text)
}
