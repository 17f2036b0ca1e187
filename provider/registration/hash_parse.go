package registration

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// HashKinds names, for messages, the kinds of password hashes that CheckPassword can compare a password with.
const HashKinds = "argon2id, bcrypt, scrypt, yescrypt, PBKDF2, SHA-256 and SHA-512 crypt ($5$, $6$), salted SHA ({SSHA}), and those of Django and Werkzeug"

// maxHashLength is the longest text that is read as a hash.
const maxHashLength = 512

// passwordHash is a hash that was understood.
type passwordHash struct {
	// kind is the algorithm and cost, and what nobodysHash makes another hash of.
	kind      string
	memoryKiB int
	// longestPassword bounds what is hashed, where the work grows with it.
	longestPassword int
	matches         func(password string) bool
}

// parser reads the hashes of one kind.
type parser struct {
	// recognizes reports whether a text is meant to be such a hash.
	recognizes func(text string) bool
	parse      func(text string) (passwordHash, error)
	// nobodys returns a hash of a kind that no password has.
	nobodys func(kind string) string
}

func begins(prefixes ...string) func(text string) bool {
	return func(text string) bool {
		for _, prefix := range prefixes {
			if strings.HasPrefix(text, prefix) {
				return true
			}
		}
		return false
	}
}

// parsers returns how to read every kind of hash, in no order: a text is one of one kind at most.
func parsers() []parser {
	return []parser{
		{begins("$argon2id$"), parseArgon, nobodysArgon},
		{begins("$2a$", "$2b$", "$2y$"), parseBcrypt, nobodysBcrypt},
		{begins("bcrypt_sha256$$2"), parseDjangoBcrypt, nil},
		{begins("$5$", "$6$"), parseSHACrypt, nobodysSHACrypt},
		{begins("$scrypt$"), parseScrypt, nobodysScrypt},
		{begins("$y$"), parseYescrypt, nobodysYescrypt},
		{begins("$pbkdf2$", "$pbkdf2-"), parsePBKDF2, nobodysPBKDF2},
		{begins("{SSHA}", "{SSHA256}", "{SSHA384}", "{SSHA512}"), parseSSHA, nobodysSSHA},
	}
}

// parseHash reads a hash in any of its spellings.
func parseHash(hash string) (passwordHash, error) {
	if len(hash) > maxHashLength {
		return passwordHash{}, fmt.Errorf("is longer than %d characters", maxHashLength)
	}
	text, err := canonicalHash(hash)
	if err != nil {
		return passwordHash{}, err
	}
	for _, p := range parsers() {
		if p.recognizes(text) {
			h, err := p.parse(text)
			if h.longestPassword == 0 {
				h.longestPassword = MaxPasswordBytes
			}
			return h, err
		}
	}
	return passwordHash{}, errors.New("must be a hash of one of the kinds " + HashKinds)
}

// NobodysHash returns a hash of a kind that no password has: comparing one with it is work and nothing else.
func NobodysHash(kind string) string {
	for _, p := range parsers() {
		if p.nobodys != nil && p.recognizes(kind+"$") {
			return p.nobodys(kind)
		}
	}
	return ""
}

func parseArgon(hash string) (passwordHash, error) {
	a, err := parseArgon2id(hash)
	if err != nil {
		return passwordHash{}, err
	}
	return passwordHash{
		kind: argonKind(a.memoryKiB, a.passes, a.lanes), memoryKiB: int(a.memoryKiB),
		matches: func(password string) bool {
			key := argon2.IDKey([]byte(password), a.salt, a.passes, a.memoryKiB, a.lanes, uint32(len(a.key))) //nolint:gosec // at most 64, see parseArgon2id
			return subtle.ConstantTimeCompare(key, a.key) == 1
		},
	}, nil
}

func nobodysArgon(kind string) string {
	return kind + "$" + randomBase64(argonSaltBytes) + "$" + randomBase64(argonKeyBytes)
}
