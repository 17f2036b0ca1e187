package registration

import (
	"regexp"
	"strings"
	"unicode"
)

// What begins a hash, in the spelling of crypt(3) and PHC ("$id$"), of LDAP and Dovecot ("{SCHEME}"), of web frameworks ("name$")
// and of databases. The names are those in use; any other name counts when enough stands behind it, see minHashTail.
var (
	cryptStart = regexp.MustCompile(`^\$(?:[12][abxy]?|2[abxy]|[3567]|8|9|y|gy|sm3|md5|sha1|apr1|P|H|S|C|K4|argon2[a-z]*|scrypt|pbkdf2[a-z0-9-]*|bcrypt[a-z0-9-]*|p5k2|shiro1|plaintext|base64)\$|^\$md5,rounds=`)
	otherCrypt = regexp.MustCompile(`^\$[A-Za-z0-9_.,=-]{1,32}\$`)
	ldapStart  = regexp.MustCompile(`(?i)^\{(?:S?(?:SHA|MD[45])[0-9-]*(?:\.(?:HEX|B64))?|CRYPT|(?:MD5|SHA[0-9]*|BLF|DES)-CRYPT|ARGON2[A-Z]*|BCRYPT|SCRYPT|` +
		`PBKDF2[A-Z0-9_-]*|SCRAM-[A-Z0-9-]+|PLAIN(?:-TRUNC)?|CLEAR(?:TEXT)?|NTLM|LANMAN|SASL|X-[A-Z-]+|HMAC-MD5|CRAM-MD5|DIGEST-MD5|RAD-MD5|GRUB[A-Z0-9.-]*)\}`)
	// otherLDAP has what Spring Security ("{pbkdf2@SpringSecurity_v5_8}") and SAP ("{x-issha, 1024}") write, too.
	otherLDAP = regexp.MustCompile(`^\{[A-Za-z][A-Za-z0-9_.@,= -]{1,63}\}`)
	// otherWord is the name of an algorithm as programs write it before a hash, each in its own way.
	otherWord      = regexp.MustCompile(`(?i)^(?:argon2|bcrypt|scrypt|s2|pbkdf2|s?sha-?[0-9]+|md5|hmac-?sha)[a-z0-9_-]*[$:|]`)
	frameworkStart = regexp.MustCompile(`^(?:pbkdf2_sha[0-9]+|pbkdf2:sha[0-9]+(?::[0-9]+)?|scrypt(?::[0-9]+){0,3}|argon2|bcrypt|bcrypt_sha256|` +
		`(?:unsalted_|salted_)?(?:md5|sha1|sha256|sha512)|crypt)\$|^(?:sha1|sha256|md5):[0-9]+:|^grub\.pbkdf2\.`)
	databaseStart = regexp.MustCompile(`^SCRAM-SHA-[0-9]+\$[0-9]+:|^md5[0-9a-f]{32}$|^\*[0-9A-F]{40}$`)
	// digestLine is a line of htdigest: name, realm and the MD5 of both with the password.
	digestLine = regexp.MustCompile(`^[^:\s]{1,255}:[^:]{0,255}:[0-9a-f]{32}$`)
	// lineStart is the name before a hash in a line of htpasswd or shadow.
	lineStart = regexp.MustCompile(`^[^:\s]{1,255}:\s*`)
)

// minHashTail is how much must stand behind an unknown name: people put signs around words in their passwords.
const minHashTail = 20

// IsPasswordHash reports whether text is meant to be a password hash rather than a password, whether or not it is one that
// CheckPassword can use: a hash that is taken for a password lets in everybody who has seen the hash.
func IsPasswordHash(text string) bool {
	text = withoutWrapping(text)
	if startsHash(text) || startsHash(strings.TrimLeft(text, "!*")) && strings.IndexByte("!*", (text + " ")[0]) >= 0 {
		return true
	}
	return isHashLine(text)
}

// withoutWrapping takes away what editors, shells and files put around a text: blanks of every kind, quotation marks, a byte order mark.
func withoutWrapping(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`\u200b\ufeff", r) })
}

// isHashLine reports whether text is a line of htpasswd or shadow, with the name before the hash.
func isHashLine(text string) bool {
	if digestLine.MatchString(text) {
		return true
	}
	name := lineStart.FindString(text)
	rest := strings.TrimLeft(text[len(name):], "!*")
	return name != "" && startsHash(rest)
}

func startsHash(text string) bool {
	for _, start := range []*regexp.Regexp{cryptStart, ldapStart, frameworkStart, databaseStart} {
		if start.MatchString(text) {
			return true
		}
	}
	for _, start := range []*regexp.Regexp{otherCrypt, otherLDAP, otherWord} {
		if name := start.FindString(text); name != "" && len(text)-len(name) >= minHashTail && !strings.ContainsAny(text[len(name):], " \t") {
			return true
		}
	}
	return false
}
