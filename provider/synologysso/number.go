package synologysso

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Bounds of a number. Applications keep them in columns of 32 bits with a sign; those below are of accounts that a system
// makes for itself.
const (
	minNumber = 1024
	maxNumber = 1<<31 - 1
)

// candidates is how many numbers are tried. With a million people each is taken at one in two thousand.
const candidates = 16

// Candidates returns the numbers that a subject can have, the first choice first. They are made from the subject, so that storage
// that was lost gives nearly everybody the number they had.
func Candidates(subject string) []int64 {
	numbers := make([]int64, candidates)
	for i := range numbers {
		sum := sha256.Sum256(fmt.Appendf(nil, "synology sso user %d %s", i, subject))
		numbers[i] = minNumber + int64(binary.BigEndian.Uint64(sum[:])%(maxNumber-minNumber+1))
	}
	return numbers
}
