package registration

import (
	"encoding/json"
	"fmt"
	"time"
)

// UseResolution is how exactly SecretUses tells times: one that is used all the time makes one change each.
const UseResolution = time.Minute

// SecretUses tells, by client ID and secret ID, in which minute a client proved itself with a secret for the last time.
type SecretUses map[string]map[string]time.Time

// ParseSecretUses reads the annotation AnnotationSecretUses.
func ParseSecretUses(text string) (SecretUses, error) {
	var uses SecretUses
	if text == "" {
		return nil, nil //nolint:nilnil // an annotation that is not there means that there are none
	}
	if err := json.Unmarshal([]byte(text), &uses); err != nil {
		return nil, fmt.Errorf("read annotation %s: %w", AnnotationSecretUses, err)
	}
	return uses, nil
}

// String returns the annotation AnnotationSecretUses; it is empty when there are none.
func (u SecretUses) String() string {
	if len(u) == 0 {
		return ""
	}
	text, err := json.Marshal(u) // in the order of the keys, so that equal uses make equal texts
	if err != nil {
		return "" // a time beyond the year 9999
	}
	return string(text)
}

// UnknownUses tells of which secrets that are not in SecretUses the use is not known, because a replica remembers a bounded number of clients.
type UnknownUses struct {
	// Owners has, by the namespace of the client's owner, the last minute in which a use may have been forgotten.
	Owners map[string]time.Time `json:"owners,omitempty"`
	// Others is that minute for every namespace.
	Others time.Time `json:"others,omitzero"`
}

// ParseUnknownUses reads the annotation AnnotationUnknownUses.
func ParseUnknownUses(text string) (UnknownUses, error) {
	var unknown UnknownUses
	if text == "" {
		return unknown, nil
	}
	if err := json.Unmarshal([]byte(text), &unknown); err != nil {
		return unknown, fmt.Errorf("read annotation %s: %w", AnnotationUnknownUses, err)
	}
	return unknown, nil
}

// String returns the annotation AnnotationUnknownUses; it is empty when every use is known.
func (u UnknownUses) String() string {
	if len(u.Owners) == 0 && u.Others.IsZero() {
		return ""
	}
	text, err := json.Marshal(u)
	if err != nil {
		return ""
	}
	return string(text)
}

// Since returns until when a secret of a client of owner may have been used unnoticed, or zero.
func (u UnknownUses) Since(owner string) time.Time {
	if of := u.Owners[owner]; of.After(u.Others) {
		return of
	}
	return u.Others
}
