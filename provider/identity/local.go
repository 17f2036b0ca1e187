package identity

import (
	"context"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Directory finds registered users.
type Directory interface {
	// UserByName returns the user with this username, in any case.
	UserByName(username string) (*registration.User, bool)
	// HashKinds returns the kinds of all registered password hashes, see registration.HashKind.
	HashKinds() []string
}

// LocalOptions make a Local. Hash and Check may be nil, the others not.
type LocalOptions struct {
	Directory Directory
	Passwords Passwords
	// Pool is where passwords are hashed.
	Pool *Pool
	Now  func() time.Time
	// Hash makes the hash of a new password; nil means registration.HashPassword.
	Hash func(password string) string
	// Check compares a password with a hash; nil means registration.CheckPassword.
	Check func(hash, password string) bool
}

// Local proves the users of the embedded directory by their passwords, and lets them choose others.
type Local struct {
	LocalOptions
	work *work
}

// NewLocal returns an Authenticator for the users of a directory.
func NewLocal(o LocalOptions) *Local {
	own := registration.OwnHashKind()
	if o.Hash == nil {
		o.Hash = registration.HashPassword
	} else {
		own = registration.HashKind(o.Hash(""))
	}
	if o.Check == nil {
		o.Check = registration.CheckPassword
	}
	return &Local{LocalOptions: o, work: newWork(own)}
}

// Authenticate compares password with the hash of the user. Neither the answer to a wrong one nor the work for it tells who
// exists: when somebody is rejected, one hash of each kind in use has been computed, whatever the kind of the user's own,
// and whether or not there is such a user, enabled and with a password.
//
// A password that is right, but hashed in another way than new ones, is hashed anew for the next time.
func (l *Local) Authenticate(ctx context.Context, username, password string) (Identity, error) {
	user, known := l.Directory.UserByName(username)
	if !known {
		user = &registration.User{}
	}
	hash, err := CurrentHash(ctx, l.Passwords, user)
	if err != nil {
		return Identity{}, err
	}
	if user.Disabled {
		hash = ""
	}
	if err := l.verify(ctx, hash, password); err != nil {
		return Identity{}, err
	}
	if registration.HashKind(hash) != l.work.own {
		if err := l.upgrade(ctx, user, hash, password); err != nil {
			return Identity{}, err
		}
	}
	return Identity{Subject: user.Subject, Methods: []string{"pwd"}, Credential: nameOf(hash)}, nil
}

// verify returns nil when password is the one behind hash, and ErrRejected when it is not or there is none. It runs in the pool
// as one piece, so that nobody waits twice.
func (l *Local) verify(ctx context.Context, hash, password string) error {
	decoys, weight := l.work.decoys(l.Directory.HashKinds(), hash)
	matches := false
	err := l.Pool.Do(ctx, weight, func() {
		if hash != "" && l.Check(hash, password) {
			matches = true
			return
		}
		for _, decoy := range decoys {
			l.Check(decoy, password)
		}
	})
	if err == nil && !matches {
		err = ErrRejected
	}
	return err
}
