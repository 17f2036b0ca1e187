package registration

import (
	"encoding/json"
	"time"
)

// UseResolution is how exactly SecretUses tells times: one that is used all the time makes one change each.
const UseResolution = time.Minute

// SecretUses tells, by client ID and secret ID, in which minute a client proved itself with a secret for the last time.
type SecretUses map[string]map[string]time.Time

// ParseSecretUses reads the annotation AnnotationSecretUses. What it does not understand counts as no use.
func ParseSecretUses(text string) SecretUses {
	var uses SecretUses
	if text == "" || json.Unmarshal([]byte(text), &uses) != nil {
		return nil
	}
	return uses
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
