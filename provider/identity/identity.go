package identity

import (
	"context"
	"errors"
)

// Identity is a person who has proved who they are.
type Identity struct {
	// Subject is the "sub" of a registered user.
	Subject string
	// Methods are the "amr" values of the proof (RFC 8176), such as "pwd".
	Methods []string
	// Credential names the password that was proven, for Outdated; empty when it was none of this provider's.
	Credential string
}

// What an Authenticator answers besides success. Any other error means that the source is unavailable.
var (
	// ErrRejected: no such person, the wrong password, or a person who may not log in. It does not tell which, neither to
	// the caller nor by the time it takes.
	ErrRejected = errors.New("username or password is wrong")
	// ErrBusy: more logins are waiting than can be served soon; trying again in a few seconds may succeed.
	ErrBusy = errors.New("too many logins are waiting")
)

// Authenticator proves a person by what they typed. It is safe for concurrent use.
type Authenticator interface {
	Authenticate(ctx context.Context, username, password string) (Identity, error)
}
