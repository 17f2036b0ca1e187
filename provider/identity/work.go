package identity

import (
	"slices"
	"sync"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// work makes every rejected login the same work. Passwords that come from elsewhere are hashed in ways that take other times than
// our own: without this, the time of an answer would tell a person with such a hash from one that does not exist.
//
// The alternative, to give each unknown name the work of one kind picked for it, is cheaper, but tells by and by: a real
// name keeps its kind on every replica and after every restart, and changes it at the first login.
type work struct {
	// own is the kind of new hashes.
	own string

	mu sync.Mutex
	// hashes are what passwords are compared with that belong to nobody, by kind.
	hashes map[string]string
	// stray are kinds of passwords that people have chosen when new ones were hashed in another way.
	stray map[string]bool
}

func newWork(own string) *work {
	return &work{own: own, hashes: map[string]string{}, stray: map[string]bool{}}
}

// decoys returns a hash of each kind in use but that of hash, and the weight for the pool of the heaviest of all.
func (w *work) decoys(registered []string, hash string) (hashes []string, weight int) {
	kind := registration.HashKind(hash)
	w.mu.Lock()
	defer w.mu.Unlock()
	if hash != "" && kind != w.own && !slices.Contains(registered, kind) {
		w.stray[kind] = true
	}
	all := map[string]bool{w.own: true}
	for _, k := range registered {
		all[k] = true
	}
	for k := range w.stray {
		all[k] = true
	}
	weight = 1
	for k := range all {
		if w.hashes[k] == "" {
			w.hashes[k] = registration.NobodysHash(k)
		}
		weight = max(weight, registration.HashWeight(w.hashes[k]))
		if hash == "" || k != kind {
			hashes = append(hashes, w.hashes[k])
		}
	}
	return hashes, weight
}
