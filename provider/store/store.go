package store

import (
	"context"
	"errors"
	"time"
)

// What a Store answers besides success. Any other error wraps ErrUnavailable, or is the context's.
var (
	// ErrNotFound: there is no such thing, or no longer.
	ErrNotFound = errors.New("not found")
	// ErrRedeemed: the code, refresh token or device code was redeemed before, here or elsewhere.
	ErrRedeemed = errors.New("redeemed before")
	// ErrReplayed: the value was used before.
	ErrReplayed = errors.New("used before")
	// ErrFull: there is no room left for what nobody has signed in for, see Store.
	ErrFull = errors.New("storage is nearly full")
	// ErrUnavailable: storage cannot be read or written now; trying again later may succeed.
	ErrUnavailable = errors.New("storage is unavailable")
)

// Client names the registration for which something is kept. A client ID may be registered anew, for something else: what is kept for
// another UID is not there for that one.
type Client struct {
	// ID is the client ID.
	ID string
	// UID is that of the registration, see registration.Client. It may be empty.
	UID string
}

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
	// UserAgent and Address say where the login came from, for the person to recognize it.
	UserAgent  string
	Address    string
	LastSeenAt time.Time
	ExpiresAt  time.Time
}

// Consent is what a person has agreed to tell a client.
type Consent struct {
	Subject   string
	Client    Client
	Scopes    []string
	GrantedAt time.Time
}

// Grant is one authorization of a client by a person: the code that was handed out for it, and the family of refresh
// tokens that follows. Everything that comes from it names it, so that deleting the grant revokes all of that at once.
type Grant struct {
	// ID is made by NewID.
	ID      string
	Client  Client
	Subject string
	// SessionID is empty for a grant of the device flow.
	SessionID string
	// Credential names what the person had proved who they are with, as that of a Session does.
	Credential string
	Scopes     []string
	// Resources are the resource indicators of the authorization request (RFC 8707 section 2).
	Resources []string
	// Claims is the claims parameter (OpenID Connect Core section 5.5), as JSON; empty when there was none.
	Claims      string
	AuthTime    time.Time
	AuthMethods []string
	CreatedAt   time.Time
	// ExpiresAt is when nothing is left of the grant that anybody could use.
	ExpiresAt time.Time
	// Code is zero for a grant of the device flow.
	Code Code
	// Refresh is zero while there is no refresh token.
	Refresh Refresh
	// Session is how the session of SessionID stood when the grant was read. It is zero when there is none, or none any more,
	// and is not stored with the grant.
	Session SessionTimes
}

// DeletedGrant tells what grant was deleted.
type DeletedGrant struct {
	ID     string
	Client Client
	// SessionID is empty for a grant of the device flow.
	SessionID string
}

// SessionTimes are those by which a session ends.
type SessionTimes struct {
	LastSeenAt time.Time
	ExpiresAt  time.Time
}

// Authorization sums up what a client may do for a person by all grants with the same scopes and resources.
type Authorization struct {
	Client    Client
	Scopes    []string
	Resources []string
	// Since is when the first of the grants was made.
	Since time.Time
	// LastUsed is when something was last issued for one of them.
	LastUsed time.Time
}

// Code is the authorization code of a grant (RFC 6749 section 4.1.2).
type Code struct {
	Handle      Handle
	RedirectURI string
	Nonce       string
	// CodeChallenge is the S256 challenge (RFC 7636 section 4.2); empty when the request had none.
	CodeChallenge string
	// KeyThumbprint is the "dpop_jkt" of the authorization request (RFC 9449 section 10); empty when it had none.
	KeyThumbprint string
	ExpiresAt     time.Time
	Redeemed      bool
}

// Refresh is where a family of refresh tokens stands.
type Refresh struct {
	// Handle is that of the token that is good now.
	Handle Handle
	// Previous is that of the token before it; zero for the first.
	Previous Handle
	// Key makes each token out of the one before it. Without that token it is worth nothing.
	Key [32]byte
	// KeyThumbprint is that of the DPoP key to which the tokens are bound (RFC 9449 section 5); empty when they are not.
	KeyThumbprint string
	// RotatedAt is when Handle took the place of Previous.
	RotatedAt time.Time
	// IdleUntil is when the token ends unless it is used; ExpiresAt when the family ends.
	IdleUntil time.Time
	ExpiresAt time.Time
}

// AccessToken is an opaque access token that was handed out.
type AccessToken struct {
	Handle Handle
	// GrantID is empty when the client acts for itself (RFC 6749 section 4.4).
	GrantID string
	Client  Client
	Scopes  []string
	// Resources are the audience that was asked for (RFC 8707 section 2.2).
	Resources []string
	// KeyThumbprint is that of the DPoP key to which the token is bound (RFC 9449 section 6); empty when it is not.
	KeyThumbprint string
	IssuedAt      time.Time
	ExpiresAt     time.Time
}

// PushedRequest is an authorization request that the client has sent beforehand (RFC 9126).
type PushedRequest struct {
	// Handle is that of the request_uri.
	Handle Handle
	Client Client
	// Network is where the request came from, when nobody has authenticated for it; empty when the client has.
	Network string
	// Parameters is the request, application/x-www-form-urlencoded.
	Parameters string
	ExpiresAt  time.Time
}

// DeviceRequest is what a device waits for (RFC 8628).
type DeviceRequest struct {
	// Handle is that of the device code.
	Handle Handle
	// UserCode is what the person types, without separators. No two live requests have the same.
	UserCode string
	Client   Client
	// Network is where the request came from, when nobody has authenticated for it; empty when the client has.
	Network   string
	Scopes    []string
	Resources []string
	// Interval is how long the device must wait between two polls.
	Interval time.Duration
	// PolledAt is when the device asked last; zero when it has not asked yet.
	PolledAt time.Time
	// Denied tells that the person said no.
	Denied bool
	// GrantID is what the person said yes with; empty until then.
	GrantID   string
	ExpiresAt time.Time
}

// waitingOverhead is about what a waiting request takes in a database besides its text.
const waitingOverhead = 512

// Size returns how many bytes the request counts for, see WaitingShare.
func (r *PushedRequest) Size() int64 {
	return int64(waitingOverhead + len(r.Parameters) + len(r.Client.ID) + len(r.Network))
}

// Size returns how many bytes the request counts for, see WaitingShare.
func (r *DeviceRequest) Size() int64 {
	size := waitingOverhead + len(r.Client.ID) + len(r.Network)
	for _, words := range [][]string{r.Scopes, r.Resources} {
		for _, word := range words {
			size += len(word) + 1
		}
	}
	return int64(size)
}

// WaitingShare is how much is stored of the requests of one client from one network for which nobody has signed in yet: pushed
// authorization requests and device requests.
type WaitingShare struct {
	ClientID string
	// Network is that of the requests, empty for those of a client that has authenticated.
	Network string
	// Bytes is the sum of the requests' Size.
	Bytes int64
}

// Failures counts the failed logins of somebody or from somewhere.
type Failures struct {
	Count  int
	LastAt time.Time
	// ExpiresAt is when the count starts again.
	ExpiresAt time.Time
}

// Password is one that a person has chosen, in place of the registered one.
type Password struct {
	Subject string
	// Hash is one of registration.HashPassword.
	Hash string
	// Replaces names the registered credential that was in force then. With another one registered, this password counts for nothing.
	Replaces  string
	ChangedAt time.Time
}

// Notice is a back-channel logout that a client must be told of (OpenID Connect Back-Channel Logout).
type Notice struct {
	// ID is made by NewID.
	ID     string
	Client Client
	// Subject is the person, as registered, not as the client knows them.
	Subject   string
	SessionID string
	// Attempts counts how often it was taken by TakeNotices.
	Attempts int
	// NextAt is when it is due.
	NextAt    time.Time
	ExpiresAt time.Time
}

// Tell returns what clients must be told of the end of a session: clients, by ID, are those that have got a code in it. It runs in the
// transaction that ends the session, maybe more than once, and must not call the store. Nil tells nobody.
type Tell func(session Session, clients []Client) []Notice

// Store keeps what a provider must not forget. All methods are safe for concurrent use, by several processes where the
// engine allows it. A method that returns nil has made its change durable; one that returns an error has made none.
// One that takes a context whose end comes before the change has begun returns the context's error; what a call has changed
// is seen by every call that begins after it returned.
//
// An engine with a limit to its size keeps room for what people need who sign in: before it is reached, CreatePushedRequest,
// CreateDeviceRequest and CreateAccessToken return ErrFull, and Purge works when nothing else does.
//
// Times are kept to the microsecond, in UTC. Lists keep their order; an empty one comes back as nil. Their words (scopes,
// authentication methods, resources) hold no spaces. The caller, not the store, decides whether something has expired;
// expired rows may be returned until they are purged, unless a method says otherwise.
type Store interface {
	Sessions
	Consents
	Grants
	AccessTokens
	DeviceRequests
	Logins
	Notices
	UserNumbers
	Bounds

	// CreatePushedRequest stores a new pushed authorization request.
	CreatePushedRequest(ctx context.Context, r PushedRequest) error
	// PushedRequest returns one, or ErrNotFound.
	PushedRequest(ctx context.Context, h Handle) (PushedRequest, error)
	// DeletePushedRequest uses one up. It returns nil also when it is gone.
	DeletePushedRequest(ctx context.Context, h Handle) error

	// UseOnce remembers a value until expiresAt. Of any number of concurrent calls with the same handle exactly one succeeds, the
	// others and all later ones, while it is remembered, get ErrReplayed. At expiresAt or later it may be used anew.
	UseOnce(ctx context.Context, h Handle, now, expiresAt time.Time) error

	// Purge deletes at most limit rows that expired before now and returns how many it deleted. Sessions count as expired
	// also when they were last seen before idleSince; they end as by EndSession. Of several that purge at a time, one ends a session.
	Purge(ctx context.Context, now, idleSince time.Time, limit int, tell Tell) (deleted int, err error)
	// Ping tells whether storage can be read and written at all.
	Ping(ctx context.Context) error
	// Close releases the store after every running call has ended. Every later call but Close returns an error.
	Close() error
}

// Sessions are the browsers in which people are logged in.
type Sessions interface {
	// CreateSession stores a new session.
	CreateSession(ctx context.Context, s Session) error
	// RenewSession stores a session in place of the earlier one of the same ID, whose clients are its clients. ErrNotFound: there is
	// none, or none any more, and s is not stored.
	RenewSession(ctx context.Context, s Session) error
	// Session returns a session, or ErrNotFound.
	Session(ctx context.Context, h Handle) (Session, error)
	// SessionByID returns a session, or ErrNotFound.
	SessionByID(ctx context.Context, id string) (Session, error)
	// SessionsOf returns the sessions of a subject, newest login first.
	SessionsOf(ctx context.Context, subject string) ([]Session, error)
	// TouchSession moves LastSeenAt forward, never back. It returns nil also when the session is gone.
	TouchSession(ctx context.Context, h Handle, lastSeenAt time.Time) error
	// EndSession deletes a session and stores what its clients must be told of it, both or neither. A client gets a code in a
	// session before the session ends, and is among those of whom tell learns, or gets none. Nothing happens when the session is
	// gone: it returns nil.
	EndSession(ctx context.Context, id string, tell Tell) error
}

// Consents are what people have agreed to.
type Consents interface {
	// PutConsent stores a consent in place of an earlier one of the same subject and client ID.
	PutConsent(ctx context.Context, c Consent) error
	// Consent returns what a subject agreed to tell a client, or ErrNotFound.
	Consent(ctx context.Context, subject string, client Client) (Consent, error)
	// ConsentsOf returns the consents of a subject, newest first.
	ConsentsOf(ctx context.Context, subject string) ([]Consent, error)
	// Revoke deletes a subject's consent for a client ID, whatever the UID, together with every grant of the two, and tells whether
	// there was any of that. The client stays one of its sessions' clients.
	Revoke(ctx context.Context, subject, clientID string) (revoked bool, err error)
}

// Grants are what clients may do for people.
type Grants interface {
	// CreateGrant stores a new grant, and remembers that its client is one of its session's, in place of another with that ID.
	// ErrNotFound: it has a SessionID, and there is no such session any more.
	CreateGrant(ctx context.Context, g Grant) error
	// Grant returns a grant, or ErrNotFound.
	Grant(ctx context.Context, id string) (Grant, error)
	// AuthorizationsOf sums up the grants of a subject that have not expired at now, ordered by client ID, at most limit.
	AuthorizationsOf(ctx context.Context, subject string, now time.Time, limit int) ([]Authorization, error)
	// RedeemCode marks a grant's code as redeemed and stores, all or nothing, what it was exchanged for: the first refresh
	// token (zero: none), the access token (nil: none is stored) and the grant's new ExpiresAt. Of any number of concurrent
	// calls exactly one succeeds; the others get ErrRedeemed. ErrNotFound: there is no such grant, or its session has ended.
	RedeemCode(ctx context.Context, id string, r Refresh, t *AccessToken, expiresAt time.Time) error
	// RotateRefresh puts r in the place of the grant's Refresh whose Handle is from, and stores the access token (nil: none is
	// stored) and the grant's new ExpiresAt, all or nothing. ErrRedeemed: from is not the one that is good now. ErrNotFound:
	// there is no such grant.
	RotateRefresh(ctx context.Context, id string, from Handle, r Refresh, t *AccessToken, expiresAt time.Time) error
	// DeleteGrant revokes everything that came from a grant. It returns nil also when the grant is gone.
	DeleteGrant(ctx context.Context, id string) error
	// DeleteGrantsOf revokes everything that came from the grants of a subject, whatever the client, and returns which those were, in
	// the order of their IDs.
	DeleteGrantsOf(ctx context.Context, subject string) ([]DeletedGrant, error)
}

// AccessTokens are the opaque ones.
type AccessTokens interface {
	// CreateAccessToken stores a token.
	CreateAccessToken(ctx context.Context, t AccessToken) error
	// AccessToken returns a token and its grant, which is zero when the client acts for itself. ErrNotFound: there is no such
	// token, or its grant is gone.
	AccessToken(ctx context.Context, h Handle) (AccessToken, Grant, error)
	// DeleteAccessToken revokes a token. It returns nil also when it is gone.
	DeleteAccessToken(ctx context.Context, h Handle) error
}

// DeviceRequests are the devices that wait for a person.
type DeviceRequests interface {
	// CreateDeviceRequest stores a request. ErrReplayed: another one has this user code; choose another code.
	CreateDeviceRequest(ctx context.Context, r DeviceRequest) error
	// DeviceRequestByUserCode returns a request, or ErrNotFound.
	DeviceRequestByUserCode(ctx context.Context, userCode string) (DeviceRequest, error)
	// DecideDeviceRequest stores what the person decided: yes with the grant, which has no session, or no with nil. ErrRedeemed: it was decided
	// before. ErrNotFound: there is no such request.
	DecideDeviceRequest(ctx context.Context, h Handle, g *Grant) error
	// PollDeviceRequest sets PolledAt and Interval and returns the request as it was before, or ErrNotFound.
	PollDeviceRequest(ctx context.Context, h Handle, polledAt time.Time, interval time.Duration) (DeviceRequest, error)
	// RedeemDeviceRequest uses up a request that has a grant, and stores what it was exchanged for as RedeemCode does. Of any
	// number of concurrent calls exactly one succeeds; the others get ErrNotFound.
	RedeemDeviceRequest(ctx context.Context, h Handle, r Refresh, t *AccessToken, expiresAt time.Time) error
}

// Logins are what slows down guessing, and passwords that people have changed.
type Logins interface {
	// Failures returns the failed logins counted under key that have not expired at now; zero when there are none.
	Failures(ctx context.Context, key Handle, now time.Time) (Failures, error)
	// AddFailure counts one more, beginning anew at what has expired, and returns the new count.
	AddFailure(ctx context.Context, key Handle, now, expiresAt time.Time) (Failures, error)
	// ClearFailures forgets the failed logins under key.
	ClearFailures(ctx context.Context, key Handle) error
	// PutPassword stores a password in place of an earlier one of the same subject.
	PutPassword(ctx context.Context, p Password) error
	// Password returns the password that a subject has chosen, or ErrNotFound.
	Password(ctx context.Context, subject string) (Password, error)
}

// UserNumbers are whole numbers by which applications know people that cannot keep a subject.
type UserNumbers interface {
	// UserNumber returns the number of a subject. One that has none is given the first of candidates that no other subject has,
	// for good. Every call for a subject, by whichever process and with whatever candidates, returns the same number, and no two
	// subjects have the same. ErrReplayed: others have every candidate.
	UserNumber(ctx context.Context, subject string, candidates []int64) (int64, error)
}

// Bounds keep what strangers, clients and users can make grow from filling the storage. Each deletes what is oldest.
type Bounds interface {
	// WaitingShares sums up the waiting requests, also expired ones, by client ID and network, in no particular order. room is how many bytes
	// of them the engine has room for, zero when it knows no limit.
	WaitingShares(ctx context.Context) (shares []WaitingShare, room int64, err error)
	// DropWaiting deletes the oldest waiting requests of a client ID from a network: as few as make up so many bytes, at most limit
	// requests. It returns the bytes of those that were deleted, zero when there are none.
	DropWaiting(ctx context.Context, clientID, network string, bytes int64, limit int) (dropped int64, err error)
	// TrimGrantsOf deletes the oldest grants of a subject beyond codes without a refresh token and families with one, at most limit of
	// each, and returns how many it deleted.
	TrimGrantsOf(ctx context.Context, subject string, codes, families, limit int) (deleted int, err error)
	// TrimAccessTokens deletes the oldest access tokens that a client ID got for itself before a time, at most limit, and returns how many
	// it deleted. The time counts to the millisecond.
	TrimAccessTokens(ctx context.Context, clientID string, before time.Time, limit int) (deleted int, err error)
	// TrimFailures deletes the counts of failed logins that end first beyond keep, at most limit, and returns how many it deleted.
	TrimFailures(ctx context.Context, keep, limit int) (deleted int, err error)
	// TrimNotices deletes notices beyond keep, at most limit: the oldest of the client ID that has the most. It returns how many it deleted.
	TrimNotices(ctx context.Context, keep, limit int) (deleted int, err error)
}

// Notices are logouts of which clients have not been told yet. They are made by Sessions.EndSession and Store.Purge.
type Notices interface {
	// TakeNotices returns at most limit notices that are due at now, also expired ones, the longest due first. Each has one
	// more attempt and is due again at until, so that no other replica takes it meanwhile.
	TakeNotices(ctx context.Context, now, until time.Time, limit int) ([]Notice, error)
	// PostponeNotice sets when a notice is due again.
	PostponeNotice(ctx context.Context, id string, nextAt time.Time) error
	// DeleteNotice forgets a notice. It returns nil also when it is gone.
	DeleteNotice(ctx context.Context, id string) error
	// CountNotices returns how many wait.
	CountNotices(ctx context.Context) (int, error)
}
