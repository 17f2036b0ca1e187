package registry

import (
	"sync"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// maxUsers bounds of how many clients the uses are remembered: what is reported must fit an annotation.
const maxUsers = 300

// secretUses remembers when the secrets of clients were used last that have more than one.
type secretUses struct {
	mu   sync.Mutex
	last registration.SecretUses
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
		if len(u.last) >= maxUsers {
			x.dropUses()
		}
		if len(u.last) >= maxUsers {
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

// SecretUses returns when secrets were used last of the clients that have more than one.
func (x *Index) SecretUses() registration.SecretUses {
	x.uses.mu.Lock()
	defer x.uses.mu.Unlock()
	x.dropUses()
	found := registration.SecretUses{}
	for id, of := range x.uses.last {
		found[id] = map[string]time.Time{}
		for secret, used := range of {
			found[id][secret] = used
		}
	}
	return found
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
