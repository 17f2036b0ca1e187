package controllers

import (
	"crypto/sha256"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// madeSecrets keeps, for each OIDCClient, what must be the same in the next reconcile and stands nowhere yet. What is lost of it
// with the operator is made anew.
type madeSecrets struct {
	mu sync.Mutex
	of map[types.NamespacedName]*madeSecret
}

// madeSecret is used by one reconcile at a time.
type madeSecret struct {
	uid types.UID
	// fresh is a client secret that the application has not been given yet, or "".
	fresh string
	// hashes are those that were made of client secrets or found to fit them, by a digest of the secret: making and comparing
	// argon2id hashes is costly, and each is another one.
	hashes map[[sha256.Size]byte]string
}

// maxHashes bounds madeSecret.hashes. It is more than a registration holds.
const maxHashes = 2 * maxSecrets

func newMadeSecrets() *madeSecrets {
	return &madeSecrets{of: map[types.NamespacedName]*madeSecret{}}
}

// client returns what is kept for an OIDCClient, and not for an earlier one of the same name.
func (m *madeSecrets) client(c client.Object) *madeSecret {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := client.ObjectKeyFromObject(c)
	if kept := m.of[key]; kept != nil && kept.uid == c.GetUID() {
		return kept
	}
	m.of[key] = &madeSecret{uid: c.GetUID()}
	return m.of[key]
}

func (m *madeSecrets) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, key)
}

// find returns the index of the registered secret that value is, or -1. It compares with costly hashes last.
func (m *madeSecret) find(value string, registered []registration.ClientSecret) int {
	if value == "" || len(value) > registration.MaxPasswordBytes {
		return -1
	}
	sum := sha256.Sum256([]byte(value))
	for i, s := range registered {
		if m.hashes[sum] == s.Hash || !costly(s.Hash) && registration.CheckSecret(s.Hash, value) {
			return i
		}
	}
	for i, s := range registered {
		if costly(s.Hash) && registration.CheckSecret(s.Hash, value) {
			m.remember(sum, s.Hash)
			return i
		}
	}
	return -1
}

// hash returns a hash of value: a plain one of a secret that was generated, a costly one of any other.
func (m *madeSecret) hash(value string, generated bool) string {
	if generated {
		return registration.HashSecret(value)
	}
	sum := sha256.Sum256([]byte(value))
	if m.hashes[sum] == "" {
		m.remember(sum, registration.HashPassword(value))
	}
	return m.hashes[sum]
}

func (m *madeSecret) remember(sum [sha256.Size]byte, hash string) {
	if m.hashes == nil || len(m.hashes) >= maxHashes {
		m.hashes = map[[sha256.Size]byte]string{}
	}
	m.hashes[sum] = hash
}

func costly(hash string) bool {
	return strings.HasPrefix(hash, "$")
}
