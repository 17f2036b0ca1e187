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
// A password that is right, but hashed in another way than new ones, or as it was typed and not in its prepared form, is hashed
// anew for the next time.
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
	form, err := l.verify(ctx, hash, password)
	if err != nil {
		return Identity{}, err
	}
	if registration.HashKind(hash) != l.work.own || form != registration.PreparePassword(password) {
		if err := l.upgrade(ctx, user, hash, password); err != nil {
			return Identity{}, err
		}
	}
	return Identity{Subject: user.Subject, Methods: []string{"pwd"}, Credential: nameOf(hash)}, nil
}

// verify returns the form of password that is the one behind hash, see registration.PasswordForms, and ErrRejected when none is or
// there is no hash. It runs in the pool as one piece, so that nobody waits twice. What is longer than any password may be is
// compared like what is wrong: failures that cost nothing could be counted up in no time.
func (l *Local) verify(ctx context.Context, hash, password string) (form string, err error) {
	decoys, weight := l.work.decoys(l.Directory.HashKinds(), hash)
	forms, matches := registration.PasswordForms(password), false
	err = l.Pool.Do(ctx, weight, func() {
		for _, form = range forms {
			if matches = hash != "" && l.Check(hash, form); matches {
				return
			}
		}
		for _, decoy := range decoys {
			for _, f := range forms {
				l.Check(decoy, f)
			}
		}
	})
	if err == nil && !matches {
		err = ErrRejected
	}
	return form, err
}
