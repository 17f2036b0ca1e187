package controllers

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// keyRing is what a SigningKey's Secret holds: the document, which the provider reads, and beside it what the operator
// must not forget. Both are written at once, so that no crash and no lost write comes between them.
type keyRing struct {
	document registration.SigningKey
	memory   keyMemory
}

// keyMemory is what the operator remembers of a SigningKey. It is in the Secret and not in status, because a status write
// may get lost when the rotation that it tells of did not.
type keyMemory struct {
	// Owner is the UID of the SigningKey. Another one of the same name has no right to a key that was to be deleted with it.
	Owner types.UID `json:"owner,omitempty"`
	// RotateHandled is the value of v1alpha1.AnnotationRotate that was answered last.
	RotateHandled string `json:"rotateHandled,omitempty"`
	// ServedAt is since when every provider replica has had the published key, or zero.
	ServedAt time.Time `json:"servedAt,omitzero"`
	// RetainAfter is for how long a key is still to be known when the SigningKey, and its spec with it, is gone.
	RetainAfter registration.Duration `json:"retainAfter,omitzero"`
	// Imported are the key IDs in the document that came from spec.import.
	Imported []string `json:"imported,omitempty"`
	// Used are the key IDs of keys that were in the JWKS and are gone, the latest last.
	Used []string `json:"used,omitempty"`
}

// memoryFile is the key of the Secret's data that holds a keyMemory. The provider does not look at it.
const memoryFile = "memory.json"

// maxUsedKeyIDs bounds what is remembered: with one rotation a day, the keys of more than a year.
const maxUsedKeyIDs = 400

// readKeyRing returns what a Secret holds.
func readKeyRing(secret *corev1.Secret) (*keyRing, error) {
	ring := &keyRing{}
	if err := json.Unmarshal(secret.Data[registration.KindSigningKey.File()], &ring.document); err != nil {
		return nil, errors.New("it holds no document") // whose parse error would quote it
	}
	if memory := secret.Data[memoryFile]; memory != nil && json.Unmarshal(memory, &ring.memory) != nil {
		return nil, fmt.Errorf("what it holds under %s is not what the operator wrote", memoryFile)
	}
	return ring, nil
}

// data returns what the Secret is to hold.
func (r *keyRing) data() (map[string][]byte, error) {
	document, err := json.Marshal(r.document)
	if err != nil {
		return nil, fmt.Errorf("encode signing key: %w", err)
	}
	memory, err := json.Marshal(r.memory)
	if err != nil {
		return nil, fmt.Errorf("encode memory of signing key: %w", err)
	}
	return map[string][]byte{registration.KindSigningKey.File(): document, memoryFile: memory}, nil
}

func (r *keyRing) clone() *keyRing {
	c := *r
	c.document.Keys = slices.Clone(r.document.Keys)
	c.memory.Used = slices.Clone(r.memory.Used)
	c.memory.Imported = slices.Clone(r.memory.Imported)
	return &c
}

// in returns the first key that is in a phase, or nil.
func (r *keyRing) in(phase registration.Phase) *registration.Key {
	for i := range r.document.Keys {
		if r.document.Keys[i].Phase == phase {
			return &r.document.Keys[i]
		}
	}
	return nil
}

// find returns the key with that ID, or nil.
func (r *keyRing) find(keyID string) *registration.Key {
	for i := range r.document.Keys {
		if r.document.Keys[i].KeyID == keyID {
			return &r.document.Keys[i]
		}
	}
	return nil
}

// drop takes a key out of the document. One that could have signed, or whose JWKS somebody may have read, is remembered as used.
func (r *keyRing) drop(keyID string, used bool) {
	r.document.Keys = slices.DeleteFunc(r.document.Keys, func(k registration.Key) bool { return k.KeyID == keyID })
	r.memory.Imported = slices.DeleteFunc(r.memory.Imported, func(id string) bool { return id == keyID })
	if !used || slices.Contains(r.memory.Used, keyID) {
		return
	}
	r.memory.Used = append(r.memory.Used, keyID)
	if excess := len(r.memory.Used) - maxUsedKeyIDs; excess > 0 {
		r.memory.Used = slices.Delete(r.memory.Used, 0, excess)
	}
}
