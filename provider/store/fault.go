package store

import "errors"

// ErrNewerSchema says that the storage was written by a newer program, which this one must not touch. It does not wrap ErrUnavailable, because
// waiting does not help.
var ErrNewerSchema = errors.New("storage was written by a newer program")

// FaultKind says what sort of thing is wrong with storage.
type FaultKind int

// The kinds of faults.
const (
	// FaultOther is neither of the others.
	FaultOther FaultKind = iota
	// FaultUnreachable: the database cannot be reached, refuses this program, or takes no changes now.
	FaultUnreachable
	// FaultFull: the volume of the database is full.
	FaultFull
	// FaultOpening: opening takes long, and has not failed.
	FaultOpening
)

// Fault says why storage is unavailable.
type Fault struct {
	Kind FaultKind
	// Message says it to an administrator, for example "refuses connections", of a database. It holds no credentials and nothing that a
	// server or a stranger has written.
	Message string
	// Detail is for the log and may be longer; "" means Message.
	Detail string
}

// Error implements error.
func (f *Fault) Error() string {
	if f.Detail != "" {
		return ErrUnavailable.Error() + ": " + f.Detail
	}
	return ErrUnavailable.Error() + ": " + f.Message
}

// Is reports that a Fault is an ErrUnavailable.
func (f *Fault) Is(target error) bool { return target == ErrUnavailable }
