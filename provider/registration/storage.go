package registration

import (
	"strings"
	"unicode"
)

// StorageReason is one CamelCase word that says why a replica cannot use its storage.
type StorageReason string

// The reasons that a replica reports.
const (
	// StorageDatabaseUnavailable: the database does not answer.
	StorageDatabaseUnavailable StorageReason = "DatabaseUnavailable"
	// StorageVolumeFull: the volume of the embedded database, or the database's share of it, is full.
	StorageVolumeFull StorageReason = "VolumeFull"
	// StorageFailed: anything else, such as a read error of the volume.
	StorageFailed StorageReason = "StorageFailed"
)

// maxStorageMessage is how many bytes of a message ParseStorageFault keeps.
const maxStorageMessage = 512

// StorageFault tells why a replica cannot use its storage. The zero value means that storage works.
type StorageFault struct {
	Reason StorageReason
	// Message says what failed. It holds no secret, and no part of a database's address that could be one.
	Message string
}

// IsZero reports whether storage works.
func (f StorageFault) IsZero() bool {
	return f == StorageFault{}
}

// String returns the annotation AnnotationStorage: "REASON: message", or "" when storage works.
func (f StorageFault) String() string {
	if f.IsZero() {
		return ""
	}
	return string(f.Reason) + ": " + f.Message
}

// ParseStorageFault reads the annotation AnnotationStorage. A text that does not begin with a known reason is a fault of the reason
// StorageFailed: a replica of another version reports something that is wrong. The message is one line of printable text.
func ParseStorageFault(text string) StorageFault {
	text = strings.TrimSpace(text)
	if text == "" {
		return StorageFault{}
	}
	reason, message, cut := strings.Cut(text, ":")
	f := StorageFault{Reason: StorageReason(reason), Message: message}
	switch f.Reason {
	case StorageDatabaseUnavailable, StorageVolumeFull, StorageFailed:
	default:
		cut = false
	}
	if !cut {
		f = StorageFault{Reason: StorageFailed, Message: text}
	}
	f.Message = oneLine(f.Message)
	return f
}

// oneLine returns text as one line of printable characters, cut off at maxStorageMessage bytes.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), " ")
	text = strings.TrimSpace(text)
	if len(text) > maxStorageMessage {
		text = strings.ToValidUTF8(text[:maxStorageMessage], "") + "…"
	}
	return text
}
