package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// What strangers can make the provider do at no cost to them is bounded for each network that they come from. The bounds are
// those of one replica and are kept in memory: they save resources, they guard no secret on their own.
const (
	// keptRate is how many bytes a second strangers of one network can have kept in storage in the long run, keptBurst how many
	// at once, and keptOverhead what a row takes besides them. What is kept is deleted within an hour or so, see storedLifetime.
	keptRate     = 32 << 10
	keptBurst    = 4 << 20
	keptOverhead = 512
	// guessRate is how many secrets a second are compared at once with the costly hashes of one client, see secretLane for the others,
	// and guessBurst how many of them at a time.
	guessRate  = 0.1
	guessBurst = 30
	// exchangeRate is how many tokens of Synology SSO Server's protocol that are none a second are told so to one network, and
	// exchangeBurst how many at once.
	exchangeRate  = 20
	exchangeBurst = 200
	// quotasKept bounds how many networks are told apart, and quotasSwept how often those are looked for that count no more.
	quotasKept  = 4096
	quotasSwept = time.Second
)

// errUnavailable is any error that says that a request cannot be served now, but later.
var errUnavailable = &oidc.Error{Code: oidc.CodeTemporarilyUnavailable}

// errQuota is what is said to whoever has used up a quota.
// It is also what whoever guesses client secrets is told.
var errQuota = &oidc.Error{Code: oidc.CodeTemporarilyUnavailable, Description: "too many such requests come from this network; try again soon"}

// errFull is what is said when storage keeps its last room for those who sign in.
var errFull = &oidc.Error{Code: oidc.CodeTemporarilyUnavailable, Description: "storage is nearly full; try again later"}

// notStored says why something was not stored that storage may refuse because it is nearly full.
func (p *Provider) notStored(ctx context.Context, what string, err error) error {
	if !errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%s: %w", what, err)
	}
	p.metrics.limits[limitVolume].Inc()
	now, last := p.now().UnixNano(), p.fullAt.Load()
	if now-last >= int64(waitingWarned) && p.fullAt.CompareAndSwap(last, now) {
		p.logger.ErrorContext(ctx, "storage is nearly full: requests of people who have not signed in, and clients' own tokens, are refused; give it a larger volume")
	}
	return errFull
}

// mayKeep reports whether so many bytes may be stored for somebody who sends a request for a client without proof of who they are. Of
// those who share an address because a proxy is not named nobody uses up more than the quota of one client.
func (p *Provider) mayKeep(ctx context.Context, clientID string, bytes int) bool {
	request := infoOf(ctx)
	key := wideNetwork(request.address)
	if request.shared {
		key += " " + clientID
	}
	if p.kept.take(key, bytes+keptOverhead, p.now()) {
		return true
	}
	p.metrics.limits[limitNetwork].Inc()
	return false
}

// wideNetwork returns the network that one site may have of an address: of IPv6 a /48.
func wideNetwork(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil || parsed.Is4() || parsed.Is4In6() {
		return address
	}
	prefix, err := parsed.WithZone("").Prefix(48)
	if err != nil {
		return address
	}
	return prefix.String()
}

// quotas are limits by key.
type quotas struct {
	rate  rate.Limit
	burst int

	mu      sync.Mutex
	byKey   map[string]*rate.Limiter
	sweptAt time.Time
	// others is the limit that all share who come when there are too many keys.
	others *rate.Limiter
}

func newQuotas(limit rate.Limit, burst int) *quotas {
	return &quotas{rate: limit, burst: burst, byKey: map[string]*rate.Limiter{}, others: rate.NewLimiter(limit, burst)}
}

// take takes n from the quota of a key. It returns false, and takes nothing, when there is not enough left.
func (q *quotas) take(key string, n int, now time.Time) bool {
	return q.of(key, now).AllowN(now, n)
}

// left reports whether take would succeed.
func (q *quotas) left(key string, n int, now time.Time) bool {
	return q.of(key, now).TokensAt(now) >= float64(n)
}

func (q *quotas) of(key string, now time.Time) *rate.Limiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	limiter := q.byKey[key]
	if limiter != nil {
		return limiter
	}
	if len(q.byKey) >= quotasKept {
		q.sweep(now)
	}
	if len(q.byKey) >= quotasKept {
		return q.others
	}
	limiter = rate.NewLimiter(q.rate, q.burst)
	q.byKey[key] = limiter
	return limiter
}

// sweep forgets the keys whose quota is full again.
func (q *quotas) sweep(now time.Time) {
	if now.Sub(q.sweptAt) < quotasSwept {
		return
	}
	q.sweptAt = now
	for key, limiter := range q.byKey {
		if limiter.TokensAt(now) >= float64(q.burst) {
			delete(q.byKey, key)
		}
	}
}
