package provider

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"sync"

	"golang.org/x/time/rate"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// A client secret that a person has chosen is registered as a password hash, of which each comparison is costly. Wrong ones are
// counted for each client and network. Beyond guessBurst they are compared in a lane of their own, one at a time and laneRate a
// second, so that a flood of them costs little. They are never refused unseen, because the right one may be among them; and a
// secret that was right once is recognized without a hash from then on, whatever floods there are.
const (
	laneRate  = 10
	laneBurst = 10
	// laneQueue bounds how many wait in the lane, and laneShare how many of one network.
	laneQueue = 64
	laneShare = 8
	// provenKept bounds how many secrets are recognized.
	provenKept = 4096
)

// secretLane is where secrets are compared after too many wrong ones.
type secretLane struct {
	turns   *identity.Pool
	limiter *rate.Limiter

	mu      sync.Mutex
	waiting map[string]int // by network
}

func newSecretLane() *secretLane {
	return &secretLane{turns: identity.NewPool(1, laneQueue), limiter: rate.NewLimiter(laneRate, laneBurst), waiting: map[string]int{}}
}

// do runs f when it is its turn. The error is errQuota when too many wait already.
func (l *secretLane) do(ctx context.Context, network string, f func() error) error {
	if !l.enter(network) {
		return errQuota
	}
	defer l.leave(network)
	var failed error
	err := l.turns.Do(ctx, 1, func() {
		if l.limiter.Wait(ctx) != nil { // nobody waits for it any more, or not for long enough
			failed = errQuota
			return
		}
		failed = f()
	})
	if err != nil {
		return errQuota
	}
	return failed
}

func (l *secretLane) enter(network string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting[network] >= laneShare {
		return false
	}
	l.waiting[network]++
	return true
}

func (l *secretLane) leave(network string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting[network]--; l.waiting[network] == 0 {
		delete(l.waiting, network)
	}
}

// provenSecrets recognizes secrets that were right, by a digest with a key that lives as long as the process.
type provenSecrets struct {
	key [sha256.Size]byte

	mu      sync.RWMutex
	digests map[string][sha256.Size]byte // by hash
}

func newProvenSecrets() *provenSecrets {
	s := &provenSecrets{digests: map[string][sha256.Size]byte{}}
	_, _ = rand.Read(s.key[:]) // never fails: the program is stopped instead
	return s
}

func (s *provenSecrets) digest(hash, secret string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(hash))
	mac.Write([]byte(secret))
	mac.Sum(sum[:0])
	return sum
}

// knows reports whether secret was behind hash before. It may not know one that was.
func (s *provenSecrets) knows(hash, secret string) bool {
	s.mu.RLock()
	known, ok := s.digests[hash]
	s.mu.RUnlock()
	if !ok {
		return false
	}
	sum := s.digest(hash, secret)
	return hmac.Equal(known[:], sum[:])
}

func (s *provenSecrets) note(hash, secret string) {
	sum := s.digest(hash, secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.digests) >= provenKept {
		for some := range maps.Keys(s.digests) { // whichever: it is found out anew by the next use
			delete(s.digests, some)
			break
		}
	}
	s.digests[hash] = sum
}

// checkHashedSecret compares with a password hash: costly, so that it waits for its turn like a login.
func (p *Provider) checkHashedSecret(ctx context.Context, client *registration.Client, hash, secret string) (matches bool, err error) {
	if p.proven.knows(hash, secret) {
		return true, nil
	}
	from := network(infoOf(ctx).address)
	key := from + " " + client.ClientID
	compare := func() error {
		return p.pool.Do(ctx, registration.HashWeight(hash), func() { matches = registration.CheckSecret(hash, secret) })
	}
	// What is under way counts as wrong until it is not, so that many at a time are no more than many one after the other.
	if p.guesses.take(key, 1, p.now()) {
		err = compare()
	} else {
		err = p.lane.do(ctx, from, compare)
	}
	if err != nil {
		return false, err
	}
	if matches {
		p.proven.note(hash, secret)
	}
	return matches, nil
}
