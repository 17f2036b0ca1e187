package registry

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

const (
	// maxUsers bounds of how many clients the uses are remembered: what is reported must fit an annotation.
	maxUsers = 300
	// maxUnknownOwners bounds for how many owners it is remembered that a use was forgotten.
	maxUnknownOwners = 100
)

// secretUses remembers when the secrets of clients were used last that have more than one. The owners of clients have equal shares of the room: one
// who has many clients in a rotation must not make the uses of others unknown. Whatever is not remembered is reported as unknown.
type secretUses struct {
	mu      sync.Mutex
	last    registration.SecretUses
	unknown registration.UnknownUses
}

// NoteSecretUse remembers that client has proved itself with its secret of that ID. It is of interest, and remembered, only while the
// client has several: then somebody waits for one of them to be used no more.
func (x *Index) NoteSecretUse(client *registration.Client, secretID string, now time.Time) {
	if len(client.Secrets) < 2 {
		return
	}
	minute := now.UTC().Truncate(registration.UseResolution)
	u := &x.uses
	u.mu.Lock()
	defer u.mu.Unlock()
	of := u.last[client.ClientID]
	if !of[secretID].Before(minute) {
		return
	}
	if of == nil {
		if !u.unknown.Owners[client.Owner].Before(minute) || !x.makeRoom(client.Owner) {
			u.forget(client.Owner, minute)
			return
		}
		if u.last == nil {
			u.last = registration.SecretUses{}
		}
		of = map[string]time.Time{}
		u.last[client.ClientID] = of
	}
	of[secretID] = minute
}

// makeRoom reports whether another client of owner can be remembered. It may forget one of the owner who has the most. The lock is held.
func (x *Index) makeRoom(owner string) bool {
	u := &x.uses
	if len(u.last) < maxUsers {
		return true
	}
	x.dropUses()
	if len(u.last) < maxUsers {
		return true
	}
	clients := map[string][]string{}
	for id := range u.last {
		if client, known := x.Client(id); known {
			clients[client.Owner] = append(clients[client.Owner], id)
		}
	}
	largest := owner
	for other, ids := range clients {
		if len(ids) > len(clients[largest]) {
			largest = other
		}
	}
	if len(clients[largest]) <= len(clients[owner])+1 {
		return false // nobody has more than this owner would have
	}
	victim := slices.Min(clients[largest])
	for _, used := range u.last[victim] {
		u.forget(largest, used)
	}
	delete(u.last, victim)
	return true
}

// forget notes that a use of a secret of one of owner's clients, in that minute, is not remembered.
func (u *secretUses) forget(owner string, minute time.Time) {
	if u.unknown.Owners == nil {
		u.unknown.Owners = map[string]time.Time{}
	}
	if before, has := u.unknown.Owners[owner]; has && !before.Before(minute) {
		return
	}
	u.unknown.Owners[owner] = minute
	if len(u.unknown.Owners) <= maxUnknownOwners {
		return
	}
	oldest := owner
	for other, at := range u.unknown.Owners {
		if at.Before(u.unknown.Owners[oldest]) {
			oldest = other
		}
	}
	if at := u.unknown.Owners[oldest]; at.After(u.unknown.Others) {
		u.unknown.Others = at
	}
	delete(u.unknown.Owners, oldest)
}

// SecretUses returns when secrets were used last of the clients that have more than one, and of which that is not known.
func (x *Index) SecretUses() (registration.SecretUses, registration.UnknownUses) {
	x.uses.mu.Lock()
	defer x.uses.mu.Unlock()
	x.dropUses()
	found := registration.SecretUses{}
	for id, of := range x.uses.last {
		found[id] = maps.Clone(of)
	}
	return found, registration.UnknownUses{Owners: maps.Clone(x.uses.unknown.Owners), Others: x.uses.unknown.Others}
}

// dropUses forgets the secrets that are gone, and clients that have only one left. The lock is held.
func (x *Index) dropUses() {
	for id, of := range x.uses.last {
		client, known := x.Client(id)
		if !known || len(client.Secrets) < 2 {
			delete(x.uses.last, id)
			continue
		}
		for secret := range of {
			if !holdsSecret(client, secret) {
				delete(of, secret)
			}
		}
	}
}

func holdsSecret(client *registration.Client, id string) bool {
	for _, s := range client.Secrets {
		if s.ID == id {
			return true
		}
	}
	return false
}
