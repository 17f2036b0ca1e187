package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// Handle is what is stored of a bearer value (a session cookie, an authorization code, a token): 208 bits of its SHA-256, so that
// whoever reads the database cannot use what is in it, behind the time in the value. Rows that are made together then lie
// together, which spares a database with many of them most of its work.
type Handle [32]byte

// timeBytes is how much of a value and of a handle is a time, in milliseconds since 1970.
const timeBytes = 6

// NewValue returns a bearer value of 256 random bits that was made at now.
func NewValue(now time.Time) string {
	var raw [timeBytes + 32]byte
	putTime(raw[:], now)
	_, _ = rand.Read(raw[timeBytes:]) // never fails: the program is stopped instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// HandleOf returns the handle of a bearer value, whoever made it.
func HandleOf(value string) Handle {
	sum := sha256.Sum256([]byte(value))
	const encoded = timeBytes / 3 * 4
	if len(value) > encoded {
		var made [timeBytes]byte
		if _, err := base64.RawURLEncoding.Decode(made[:], []byte(value[:encoded])); err == nil {
			copy(sum[:], made[:])
		}
	}
	return sum
}

// TimeOf returns when the value of a handle was made, to the millisecond, if NewValue made it. Of another value it is any time.
func TimeOf(h Handle) time.Time {
	var ms [8]byte
	copy(ms[8-timeBytes:], h[:timeBytes])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))) //nolint:gosec // 48 bits
}

// FirstHandle returns the first handle that a value of NewValue may have which was made at a time, to the millisecond.
func FirstHandle(t time.Time) (h Handle) {
	putTime(h[:], t)
	return h
}

// IDLength is how many characters NewID returns.
const IDLength = 26

// NewID returns a name that no other call returns, here or elsewhere: 26 of the characters a-z 2-7. It is not secret. Names
// that are made together lie together.
func NewID(now time.Time) string {
	var raw [16]byte
	putTime(raw[:], now)
	_, _ = rand.Read(raw[timeBytes:]) // see NewValue
	return lowerBase32.EncodeToString(raw[:])
}

var lowerBase32 = base32.NewEncoding("234567abcdefghijklmnopqrstuvwxyz").WithPadding(base32.NoPadding)

// IDBytes returns the 16 bytes that a name of NewID stands for. ok is false for any other text.
func IDBytes(id string) (raw [16]byte, ok bool) {
	decoded, err := lowerBase32.DecodeString(id)
	if err != nil || len(decoded) != len(raw) || lowerBase32.EncodeToString(decoded) != id {
		return raw, false
	}
	return [16]byte(decoded), true
}

// IDOf returns the name that stands for 16 bytes.
func IDOf(raw [16]byte) string { return lowerBase32.EncodeToString(raw[:]) }

func putTime(raw []byte, now time.Time) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(now.UnixMilli(), 0)))
	copy(raw, ms[8-timeBytes:])
}
