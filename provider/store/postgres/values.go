package postgres

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

// The types here are how values of package store are kept in columns. A pointer to a field, converted to a pointer to one of
// them, is what a column is read into.
type (
	// microTime is a time in a bigint; zero is NULL where the column takes that, see optional.
	microTime time.Time
	// microDuration is a duration in a bigint.
	microDuration time.Duration
	// words are a list in a text or bytea.
	words []string
	// plainText and boolean are what they are; NULL, which a join gives for a row that is not there, is zero.
	plainText string
	boolean   bool
	// rawText is text that need not be UTF-8, in a bytea.
	rawText string
	// bytes32 is a handle or a key in a bytea; zero is NULL.
	bytes32 [32]byte
)

// ScanInt64 implements pgtype.Int64Scanner.
func (t *microTime) ScanInt64(v pgtype.Int8) error {
	*t = microTime{}
	if v.Valid {
		*t = microTime(time.UnixMicro(v.Int64).UTC())
	}
	return nil
}

// ScanInt64 implements pgtype.Int64Scanner.
func (d *microDuration) ScanInt64(v pgtype.Int8) error {
	*d = microDuration(time.Duration(v.Int64) * time.Microsecond)
	return nil
}

// ScanText implements pgtype.TextScanner.
func (w *words) ScanText(v pgtype.Text) error {
	*w = nil
	if v.String != "" {
		*w = strings.Split(v.String, " ")
	}
	return nil
}

// ScanBytes implements pgtype.BytesScanner.
func (w *words) ScanBytes(v []byte) error {
	return w.ScanText(pgtype.Text{String: string(v), Valid: true})
}

// ScanText implements pgtype.TextScanner.
func (t *plainText) ScanText(v pgtype.Text) error {
	*t = plainText(v.String)
	return nil
}

// ScanBool implements pgtype.BoolScanner.
func (b *boolean) ScanBool(v pgtype.Bool) error {
	*b = boolean(v.Bool)
	return nil
}

// ScanBytes implements pgtype.BytesScanner.
func (t *rawText) ScanBytes(v []byte) error {
	*t = rawText(v)
	return nil
}

// ScanBytes implements pgtype.BytesScanner.
func (b *bytes32) ScanBytes(v []byte) error {
	*b = bytes32{}
	if v != nil && len(v) != len(b) {
		return errors.New("a handle or key has an unexpected length")
	}
	copy(b[:], v)
	return nil
}

func micros(t time.Time) int64 {
	return t.UnixMicro()
}

// optionalTime is how a time that may be zero is kept.
func optionalTime(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	v := t.UnixMicro()
	return &v
}

// optionalBytes is how a handle or key that may be zero is kept.
func optionalBytes(b [32]byte) []byte {
	if b == [32]byte{} {
		return nil
	}
	return b[:]
}

func list(words []string) string {
	return strings.Join(words, " ")
}

// rawList is how a list is kept whose words strangers choose.
func rawList(words []string) []byte {
	return []byte(list(words))
}

// nameable tells whether there can be a row of that name: the database refuses to look for text that is none.
func nameable(names ...string) bool {
	for _, name := range names {
		if !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0 {
			return false
		}
	}
	return true
}
