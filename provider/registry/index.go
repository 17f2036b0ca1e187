package registry

import (
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Index holds what is registered now. Every method may be called at any time from any goroutine. Reading takes a shared lock for
// one or two map look-ups and allocates nothing. What it returns is shared and must not be changed.
type Index struct {
	logger *slog.Logger

	// writing is held for the whole of a change, also while documents are parsed; mu only while the change becomes visible.
	writing sync.Mutex
	mu      sync.RWMutex
	clients *table[registration.Client]
	users   *table[registration.User]

	// The documents of these kinds that are in force, by name; guarded by writing. Readers see what was made of them.
	signingKeys map[string]parsed[registration.SigningKey]
	settings    map[string]parsed[registration.Settings]
	keySet      atomic.Pointer[keys.Set]
	effective   atomic.Pointer[registration.Settings]
	keyCount    atomic.Int64

	// appIDs are guarded by mu.
	appIDs appIDs
	// hashKinds counts the users by the kind of their password hash; guarded by mu.
	hashKinds map[string]int
	// disabled are the names of the documents of users who are disabled; guarded by mu.
	disabled map[string]bool
	// emails finds users by their e-mail address; guarded by mu.
	emails emails

	refused refusals
	uses    secretUses
	// seed makes the sums of texts differ in every process, so that nobody can make two texts with the same sum.
	seed maphash.Seed
}

// Counts tells how much an Index holds.
type Counts struct {
	// Clients and Users are in force.
	Clients, Users int
	// SigningKeys counts single keys, of every phase.
	SigningKeys int
	// Refused counts documents whose newest version is not in force.
	Refused int
}

// Positions of the keys by which a user is found.
const (
	byUsername = iota
	bySubject
)

// NewIndex returns an index in which nothing is registered. Documents that cannot be used are logged to logger.
func NewIndex(logger *slog.Logger) (*Index, error) {
	x := &Index{
		logger: logger,
		clients: newTable(1, func(c *registration.Client) [maxKeys]string {
			return [maxKeys]string{c.ClientID}
		}),
		users: newTable(2, func(u *registration.User) [maxKeys]string {
			return [maxKeys]string{byUsername: registration.FoldUsername(u.Username), bySubject: u.Subject}
		}),
		signingKeys: map[string]parsed[registration.SigningKey]{},
		settings:    map[string]parsed[registration.Settings]{},
		appIDs:      appIDs{},
		hashKinds:   map[string]int{},
		disabled:    map[string]bool{},
		emails:      emails{},
		refused:     refusals{},
		seed:        maphash.MakeSeed(),
	}
	none, err := keys.NewSet(nil)
	if err != nil {
		return nil, fmt.Errorf("make an empty key set: %w", err)
	}
	x.keySet.Store(none)
	defaults := registration.DefaultSettings()
	x.effective.Store(&defaults)
	return x, nil
}

// Client returns the client with this client ID.
func (x *Index) Client(id string) (*registration.Client, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.clients.find(0, id)
}

// UserByName returns the user with this username, in any case.
func (x *Index) UserByName(username string) (*registration.User, bool) {
	folded := registration.FoldUsername(username)
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.users.find(byUsername, folded)
}

// UserBySubject returns the user with this "sub".
func (x *Index) UserBySubject(subject string) (*registration.User, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.users.find(bySubject, subject)
}

// DisabledSubjects returns the "sub" of every user who is disabled, in no order.
func (x *Index) DisabledSubjects() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var subjects []string
	for name := range x.disabled {
		if e := x.users.byName[name]; e.shadowedBy == "" {
			subjects = append(subjects, e.doc.Subject)
		}
	}
	return subjects
}

// HashKinds returns the kinds of all password hashes, see registration.HashKind.
func (x *Index) HashKinds() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Collect(maps.Keys(x.hashKinds))
}

// Keys returns the signing keys. The set is immutable; a change of the keys makes another one, so that its address tells
// whether anything that was built from it is still up to date. It is never nil.
func (x *Index) Keys() *keys.Set {
	return x.keySet.Load()
}

// Settings returns the settings, with defaults where nothing is set.
func (x *Index) Settings() registration.Settings {
	return *x.effective.Load()
}

// Counts returns how much the index holds.
func (x *Index) Counts() Counts {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return Counts{
		Clients:     x.clients.inForce,
		Users:       x.users.inForce,
		SigningKeys: int(x.keyCount.Load()),
		Refused:     len(x.refused) + x.clients.shadowed() + x.users.shadowed(),
	}
}
