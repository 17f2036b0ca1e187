package registration_test

import (
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// foreignHashes are hashes of "open sesame" by other programs: libxcrypt, OpenSSL and Python's hashlib.
func foreignHashes() map[string]string {
	return map[string]string{
		"SHA-256 crypt":           "$5$saltsalt$yrhPKxCqiWcCE9h0g86j6Ugz7SDFdFm.BjU.d8RaQnC",
		"SHA-256 crypt, rounds":   "$5$rounds=1000$saltsalt$nKsyTQBmKz4GdCft0Sv/FbzLiu0y3wFdEXOzudLQLJ5",
		"SHA-512 crypt":           "$6$saltsalt$e/5XKibXPLqVcfjpD.ouauaJrAOL5V0uo80Lt7n7EbRdRiCx3HbQ90yjOHr.G0T.mx79PEMRy8nmtr0qSYhQp1",
		"SHA-512 crypt, rounds":   "$6$rounds=2000$saltsalt$jPedHngBXcBEZfTb.sMfNkhJU2jnnd52RWqoTwTF2hQKzOTJNz7NW5Tjt60cGvcuCOn8wpECtbkFrKkf6APCY0",
		"crypt of LDAP":           "{CRYPT}$5$rounds=1000$saltsalt$nKsyTQBmKz4GdCft0Sv/FbzLiu0y3wFdEXOzudLQLJ5",
		"crypt of Dovecot":        "{SHA256-CRYPT}$5$rounds=1000$saltsalt$nKsyTQBmKz4GdCft0Sv/FbzLiu0y3wFdEXOzudLQLJ5",
		"yescrypt":                "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$6JlLzEdKMvGk83Zgd3owplAejssJr2SFlJFlOc7i54A",
		"yescrypt, small":         "$y$j75$saltsalt$4r23Ja.bWt2eh8ftPtYPeuGW9RLxoj8WxeDLVNbfhH4",
		"bcrypt":                  "$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy",
		"bcrypt of Dovecot":       "{BLF-CRYPT}$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy",
		"bcrypt of Django":        "bcrypt$$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy",
		"bcrypt_sha256 of Django": "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuIPWOBg.HjADY8iviTyCCT/RhQ86ZWAi",
		"PBKDF2":                  "$pbkdf2-sha256$29000$..9zYWx0LXNhbHQtMTZi$HN8dtcvnNNU567SraUgXYXnEE6Fs42/O89IY6N2AhMc",
		"PBKDF2 with SHA-512":     "$pbkdf2-sha512$25000$..9zYWx0LXNhbHQtMTZi$kU.rbRcuxuLl/pi1oe8kPKtkcFv0Nbi6omZsjnK9vpG5cwLWuuREXhH6W8MIU75pV/PlECf4/P/hlhNb1XQxcA",
		"PBKDF2 with SHA-1":       "$pbkdf2$13100$..9zYWx0LXNhbHQtMTZi$lSakLhDPmveOF1HYQTubwlWdAPw",
		"PBKDF2 of LDAP":          "{PBKDF2-SHA256}10000$..9zYWx0LXNhbHQtMTZi$b8BLr0tU7t0f25nG.rkDSV.DZzAsdIXjTY2JwgpHohg",
		"PBKDF2 of Django":        "pbkdf2_sha256$10000$seasalt$53CE3l8nPE6EQNayo6kuyb4jUdwlaruTrbSh+20bVic=",
		"PBKDF2 of Django, SHA-1": "pbkdf2_sha1$10000$seasalt$0HolL8ZswpeGWj7yf/qqId47kq4=",
		"PBKDF2 of Werkzeug":      "pbkdf2:sha256:10000$seasalt$e77084de5f273c4e8440d6b2a3a92ec9be2351dc256abb93adb4a1fb6d1b5627",
		"scrypt":                  "$scrypt$ln=10,r=8,p=1$++9zYWx0LXNhbHQtMTZi$x32HbtyL+CztfbAWgZi3jOwCtOWmyRG4Ag4GKzoMo8s",
		"scrypt of Django":        "scrypt$1024$seasalt$8$1$56iu4sUNKGUil27GlCnfLW/cFwMfMhEs3N8UHXaAUNUOGta++IQNCQ3whhar6QJgCHC/syuGLk7W7HvVUzn/vQ==",
		"scrypt of Werkzeug":      "scrypt:1024:8:1$seasalt$e7a8aee2c50d286522976ec69429df2d6fdc17031f32112cdcdf141d768050d50e1ad6bef8840d090df08616abe902600870bfb32b862e4ed6ec7bd55339ffbd",
		"SSHA":                    "{SSHA}hN5uxFJUEWCPg56kk42tnVCdJ61zYWx0",
		"SSHA in small letters":   "{ssha}hN5uxFJUEWCPg56kk42tnVCdJ61zYWx0",
		"SSHA256":                 "{SSHA256}mawpkfNze21cebJxTyol+4rI1K6KHfRAoSr3QayjlFtzYWx0c2FsdA==",
		"SSHA512":                 "{SSHA512}TzmHsU+2RTZKyuEYUDTMTa/yswdSJkG/WoyGfXl+6nYqZKxv/YWt5ajHcxdbKF8baD03yrl39H7N68iANYvodXNhbHRzYWx0",
	}
}

// A hash that another program has made is good for its password and no other, and rejecting costs the same for nobody's.
func TestForeignHashes(t *testing.T) {
	for name, hash := range foreignHashes() {
		t.Run(name, func(t *testing.T) {
			if !registration.IsPasswordHash(hash) {
				t.Error("it is taken for a password")
			}
			if err := registration.ValidatePasswordHash(hash); err != nil {
				t.Fatal(err)
			}
			if !registration.CheckPassword(hash, "open sesame") {
				t.Error("its password is refused")
			}
			for _, wrong := range []string{"", "open sesam", "open sesame ", hash, strings.Repeat("open sesame", 200)} {
				if registration.CheckPassword(hash, wrong) {
					t.Errorf("%q is accepted", wrong)
				}
			}
			nobodys := registration.NobodysHash(registration.HashKind(hash))
			if err := registration.ValidatePasswordHash(nobodys); err != nil || registration.HashKind(nobodys) != registration.HashKind(hash) ||
				registration.HashWeight(nobodys) != registration.HashWeight(hash) || registration.CheckPassword(nobodys, "open sesame") {
				t.Errorf("nobody's hash is %s: %v", nobodys, err)
			}
		})
	}
}

// What looks like a hash and cannot be used is refused, never taken for the password that it is a hash of.
func TestHashesThatAreRefused(t *testing.T) {
	const tail = "$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for name, c := range map[string]struct{ hash, want string }{
		"Apache's MD5":             {"$apr1$saltsalt$HIDXe7D36X22w1CH4M1cQ.", "one of the kinds argon2id, bcrypt"},
		"MD5 crypt":                {"$1$saltsalt$Yo6tRKYGO/jWyb1etwHDS/", "one of the kinds"},
		"phpass":                   {"$P$B12345678abcdefghijklmnopqrstuv", "one of the kinds"},
		"a line of htpasswd":       {"bob:$apr1$saltsalt$HIDXe7D36X22w1CH4M1cQ.", "whole line of htpasswd"},
		"one that would be good":   {"bob:$2y$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy", "whole line of htpasswd"},
		"a line of shadow":         {"bob:$5$saltsalt$yrhPKxCqiWcCE9h0g86j6Ugz7SDFdFm.BjU.d8RaQnC:19000:0:99999:7:::", "whole line of htpasswd"},
		"a locked line of shadow":  {"bob:!$5$saltsalt$yrhPKxCqiWcCE9h0g86j6Ugz7SDFdFm.BjU.d8RaQnC:19000:0:99999:7:::", "whole line of htpasswd"},
		"a locked hash":            {"!$5$saltsalt$yrhPKxCqiWcCE9h0g86j6Ugz7SDFdFm.BjU.d8RaQnC", "one of the kinds"},
		"SHA of htpasswd":          {"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "one of the kinds"},
		"a password in LDAP":       {"{CLEARTEXT}open sesame", "one of the kinds"},
		"argon2i":                  {"$argon2i$v=19$m=19456,t=2,p=1" + tail, "one of the kinds"},
		"an unknown kind":          {"$newhash$v=1" + tail, "one of the kinds"},
		"an unknown scheme":        {"{NEWHASH}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "one of the kinds"},
		"Spring's PBKDF2":          {"{pbkdf2@SpringSecurity_v5_8}5d923b44a6d129f3ddf3e3c8d29412723dcbde72445e8ef6", "one of the kinds"},
		"SAP's":                    {"{x-isSHA512, 15000}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "one of the kinds"},
		"a name without $":         {"argon2id$v=19$m=65536,t=3,p=4" + tail, "one of the kinds"},
		"a name with colons":       {"SCRYPT:16384:8:1:MTIz:AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "one of the kinds"},
		"Java's name":              {"PBKDF2WithHmacSHA256:2048:c2FsdHNhbHQ:AAAAAAAAAAAA", "one of the kinds"},
		"pbkdf2 with a hyphen":     {"pbkdf2-sha256$27500" + tail, "one of the kinds"},
		"behind a byte order mark": {"\ufeff$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy", "blanks"},
		"behind another blank":     {"\u00a0$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy", "blanks"},
		"a line with a blank":      {"bob: $5$saltsalt$yrhPKxCqiWcCE9h0g86j6Ugz7SDFdFm.BjU.d8RaQnC", "whole line of htpasswd"},
		"PostgreSQL's":             {"SCRAM-SHA-256$4096:c2FsdA==$AAAA:BBBB", "one of the kinds"},
		"MySQL's":                  {"*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "one of the kinds"},
		"unsalted of Django":       {"md5$$5f4dcc3b5aa765d61d8327deb882cf99", "one of the kinds"},
		"a beginning":              {"$6$", "not a complete SHA-crypt hash"},
		"half a hash":              {"$6$saltsalt$e/5XKibXPLqVcfjpD", "not a complete SHA-crypt hash"},
		"half a hash of Django":    {"pbkdf2_sha256$10000$seasalt", "not a complete hash"},
		"in quotation marks":       {"'$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy'", "quotation marks"},
		"with a blank":             {" $2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy", "blanks"},
		"a line of htdigest":       {"bob:realm:939e7578ed9e3c518a452acee763bce9", "whole line of htpasswd"},
		"too many rounds":          {"$6$rounds=999999999$saltsalt$" + strings.Repeat("a", 86), "rounds"},
		"too much PBKDF2":          {"pbkdf2_sha256$99999999$seasalt$53CE3l8nPE6EQNayo6kuyb4jUdwlaruTrbSh+20bVic=", "2000000 rounds"},
		"too much PBKDF2-SHA512":   {"$pbkdf2-sha512$900000$c2FsdHNhbHQ$" + strings.Repeat("A", 86), "700000 rounds"},
		"too long PBKDF2":          {"$pbkdf2-sha1$1000$c2FsdHNhbHQ$" + strings.Repeat("A", 86), "at most 20 bytes"},
		"too much memory":          {"$scrypt$ln=20,r=8,p=1" + tail, "128 MiB"},
		"too much work":            {"$scrypt$ln=10,r=64,p=64" + tail, "the work of"},
		"too much of yescrypt":     {"$y$jFT$saltsalt$" + strings.Repeat("a", 43), "128 MiB"},
		"too long":                 {"{SSHA}" + strings.Repeat("A", 600), "longer than 512"},
	} {
		t.Run(name, func(t *testing.T) {
			if !registration.IsPasswordHash(c.hash) {
				t.Error("it is taken for a password")
			}
			err := registration.ValidatePasswordHash(c.hash)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "saltsalt") {
				t.Errorf("got error %v, want %q", err, c.want)
			}
			if registration.CheckPassword(c.hash, c.hash) {
				t.Error("it is its own password")
			}
		})
	}
}

// Spring Security writes the kind before a hash, with the version of its settings.
func TestHashOfSpringSecurity(t *testing.T) {
	for _, prefix := range []string{"{argon2}", "{argon2@SpringSecurity_v5_8}"} {
		hash := prefix + registration.HashPassword("open sesame")
		if !registration.IsPasswordHash(hash) || !registration.CheckPassword(hash, "open sesame") || registration.CheckPassword(hash, hash) {
			t.Errorf("%s: it is not verified", prefix)
		}
	}
}

// What people and programs choose as passwords is none of it.
func TestPasswordsThatAreNoHashes(t *testing.T) {
	for _, password := range []string{
		"correct horse battery staple", "$ecret$money", "$1,000,000 for a horse", "{braces} are fine", "{JSON} or not", "a:b", "name:pass:word", "*****", "!important!",
		"$100$ and a very long sentence behind it", "5f4dcc3b5aa765d61d8327deb882cf99", "6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090",
		"postgres://user:password@host/db", "argon2id is a hash", "scrypt", "sha256: nobody remembers that one", "{noop} is what Spring calls it", "md5:short", "dGhpcyBpcyBiYXNlNjQgYW5kIG5vIGhhc2g=", "${ENV_VARIABLE_NOT_SET}",
	} {
		if registration.IsPasswordHash(password) {
			t.Errorf("%q is taken for a hash", password)
		}
	}
}
