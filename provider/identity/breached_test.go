package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// What has become public is guessed first: as it is, and with what people put around it.
func TestCommonPasswordsAreRefused(t *testing.T) {
	for _, password := range []string{
		"1qaz2wsx3edc", "q1w2e3r4t5y6", "LeaveMeAlone", "thisismypassword", "l3av3m3alon3", "Liverpool2024!", "!!chelsea1905", "chel2sea1905!",
		"trustno1trustno1", "liverpoolliverpool",
	} {
		if !breached(password) {
			t.Errorf("%q is admitted", password)
		}
	}
	for _, password := range []string{
		"correct horse battery staple", "violet cactus 47 rivers", "liverpool from the rain", "mXq7vRt2bLw9zKd4", "chelsea 8264-1937-5502", "gr\u00fcne Wolken am Abend",
	} {
		if err := CheckChoice(&registration.User{Username: "ada"}, password); err != nil {
			t.Errorf("%q is refused: %v", password, err)
		}
	}
	refused := 0
	for n := range 10_000 {
		sum := sha256.Sum256(fmt.Append(nil, n))
		if breached(hex.EncodeToString(sum[:8])) {
			refused++
		}
	}
	if refused > 20 {
		t.Errorf("%d of 10,000 random ones are refused", refused)
	}
}

// The search relies on the order.
func TestCommonPasswordsAreSorted(t *testing.T) {
	if n := len(commonPasswords) / commonDigest; len(commonPasswords)%commonDigest != 0 || n < 100_000 || n > 120_000 {
		t.Fatalf("there are %d bytes", len(commonPasswords))
	}
	for i := commonDigest; i < len(commonPasswords); i += commonDigest {
		if bytes.Compare(commonPasswords[i-commonDigest:i], commonPasswords[i:i+commonDigest]) >= 0 {
			t.Fatalf("entry %d is not after the one before", i/commonDigest)
		}
	}
}
