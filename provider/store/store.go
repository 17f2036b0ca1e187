package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

// Handle is the SHA-256 of a bearer value (a session cookie, an authorization code, an access token). Only handles are
// stored, so that whoever reads the database cannot use what is in it.
type Handle [sha256.Size]byte

// HandleOf returns the handle of a bearer value.
func HandleOf(value string) Handle {
	return sha256.Sum256([]byte(value))
}

// What a Store answers besides success. Any other error means that storage is unavailable.
var (
	// ErrNotFound: there is no such thing, or no longer.
	ErrNotFound = errors.New("not found")
	// ErrCodeRedeemed: the code was redeemed before (RFC 6749 section 4.1.2: revoke what came from it).
	ErrCodeRedeemed = errors.New("authorization code was redeemed before")
)

// Session is a browser in which a person has logged in.
type Session struct {
	Handle Handle
	// ID is the "sid" claim: public, and no key to the session.
	ID      string
	Subject string
	// AuthTime is when the person last proved who they are ("auth_time").
	AuthTime time.Time
	// AuthMethods are the "amr" values of that proof (RFC 8176).
	AuthMethods []string
	// Credential names what the person proved who they are with, without telling anything about it. A session whose
	// person has another credential now is over.
	Credential string
	LastSeenAt time.Time
	ExpiresAt  time.Time
}

// Code is an authorization code that was handed out (RFC 6749 section 4.1.2).
type Code struct {
	Handle Handle
	// GrantID names everything that comes from this authorization, so that it can be revoked as one.
	GrantID     string
	ClientID    string
	Subject     string
	SessionID   string
	RedirectURI string
	Scopes      []string
	Nonce       string
	// CodeChallenge is the S256 challenge (RFC 7636 section 4.2); empty when the request had none.
	CodeChallenge string
	AuthTime      time.Time
	AuthMethods   []string
	ExpiresAt     time.Time
}

// AccessToken is an opaque access token that was handed out.
type AccessToken struct {
	Handle    Handle
	GrantID   string
	ClientID  string
	Subject   string
	SessionID string
	Scopes    []string
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Consent is what a person has agreed to tell a client.
type Consent struct {
	Subject   string
	ClientID  string
	Scopes    []string
	GrantedAt time.Time
}

// Store keeps what a provider must not forget. All methods are safe for concurrent use, by several processes where the
// engine allows it. A method that returns nil has made its change durable; one that returns an error has made none.
// One that takes a context whose end comes before the change has begun returns the context's error; what a call has changed
// is seen by every call that begins after it returned.
//
// Times are kept to the microsecond, in UTC. Lists keep their order; an empty one comes back as nil. Their words (scopes,
// authentication methods) hold no spaces. The caller, not the store, decides whether something has expired; expired rows
// may be returned until they are purged.
type Store interface {
	// CreateSession stores a new session.
	CreateSession(ctx context.Context, s Session) error
	// Session returns a session, or ErrNotFound.
	Session(ctx context.Context, h Handle) (Session, error)
	// TouchSession moves LastSeenAt forward, never back. It returns nil also when the session is gone.
	TouchSession(ctx context.Context, h Handle, lastSeenAt time.Time) error
	// DeleteSession ends a session. It returns nil also when the session is gone.
	DeleteSession(ctx context.Context, h Handle) error

	// PutConsent stores a consent in place of an earlier one of the same subject and client.
	PutConsent(ctx context.Context, c Consent) error
	// Consent returns what a subject agreed to tell a client, or ErrNotFound.
	Consent(ctx context.Context, subject, clientID string) (Consent, error)

	// CreateCode stores a new authorization code.
	CreateCode(ctx context.Context, c Code) error
	// Code returns a code and whether it was redeemed before, or ErrNotFound. It does not redeem it.
	Code(ctx context.Context, h Handle) (c Code, redeemed bool, err error)
	// RedeemCode marks a code as redeemed and stores the access token that it was exchanged for, both or neither. Of any
	// number of concurrent calls exactly one succeeds; the others get ErrCodeRedeemed. A redeemed code is remembered
	// until keepUntil, so that a replay is recognized. ErrNotFound: there is no such code.
	RedeemCode(ctx context.Context, h Handle, t AccessToken, keepUntil time.Time) error
	// AccessToken returns an access token, or ErrNotFound.
	AccessToken(ctx context.Context, h Handle) (AccessToken, error)
	// RevokeGrant deletes every access token of a grant.
	RevokeGrant(ctx context.Context, grantID string) error

	// Purge deletes at most limit rows that expired before now and returns how many it deleted. Sessions count as expired
	// also when they were last seen before idleSince.
	Purge(ctx context.Context, now, idleSince time.Time, limit int) (deleted int, err error)
	// Ping tells whether storage can be read and written at all.
	Ping(ctx context.Context) error
	// Close releases the store after every running call has ended. Every later call but Close returns an error.
	Close() error
}
