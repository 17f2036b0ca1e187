package identity

import (
	"context"
	"crypto/rand"
	"sync"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Directory finds registered users.
type Directory interface {
	// UserByName returns the user with this username, in any case.
	UserByName(username string) (*registration.User, bool)
}

// Local proves the users of the embedded directory by their passwords.
type Local struct {
	directory Directory
	pool      *Pool
	// nobody is the hash that a password is compared with when there is no user: of the cost that new hashes have.
	nobody func() string
}

// NewLocal returns an Authenticator for the users of a directory, hashing in pool.
func NewLocal(directory Directory, pool *Pool) *Local {
	return &Local{
		directory: directory,
		pool:      pool,
		nobody:    sync.OnceValue(func() string { return registration.HashPassword(rand.Text()) }),
	}
}

// Authenticate compares password with the hash of the user. Every call hashes once, also for unknown and disabled users
// and those without a password, so that neither the answer nor its time tells who exists. The exception is a hash from
// elsewhere: it takes the time of its own parameters.
func (l *Local) Authenticate(ctx context.Context, username, password string) (Identity, error) {
	user, known := l.directory.UserByName(username)
	usable := known && !user.Disabled && user.PasswordHash != ""
	hash := ""
	if usable {
		hash = user.PasswordHash
	}
	var matches bool
	err := l.pool.Do(ctx, registration.HashWeight(hash), func() {
		if !usable {
			hash = l.nobody()
		}
		matches = registration.CheckPassword(hash, password)
	})
	if err != nil {
		return Identity{}, err
	}
	if !usable || !matches {
		return Identity{}, ErrRejected
	}
	return Identity{Subject: user.Subject, Methods: []string{"pwd"}}, nil
}
