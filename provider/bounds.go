package provider

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// What one user or one client can make grow in storage is trimmed: the oldest goes. So that this costs next to nothing, each replica counts
// in memory how often it has stored something for whom, and looks at storage once in a while; somebody may have a little more until then.
const (
	// codesKept is how many grants of a user are kept that have no refresh token, familiesKept how many that have one.
	codesKept    = 1000
	familiesKept = 1000
	// grantsCounted is how many codes a user gets between two looks, and grantsTrimmed how many grants are deleted at a time.
	grantsCounted = 50
	grantsTrimmed = 5000
	// sessionsKept is how many sessions of a user are kept, sessionsCounted how many begin between two looks.
	sessionsKept    = 2000
	sessionsCounted = 20
	// clientTokensKept is how many opaque tokens a client may have that it got for itself, by each replica; every clientTokensStep of them it is
	// noted when that was.
	clientTokensKept = 100_000
	clientTokensStep = 1000
	// assertionsKept is how many IDs of assertions are remembered of one client in the long run, assertionsAhead for how many seconds it may
	// go beyond that.
	assertionsKept  = 200_000
	assertionsAhead = 60
	// failuresKept and noticesKept are totals.
	failuresKept = 200_000
	noticesKept  = 100_000
	// talliesKept bounds how many users are counted at a time, and how many clients. When there are more users, all are counted anew.
	talliesKept = 20_000
)

// bounds trim what users and clients store.
type bounds struct {
	codes, families, sessionsKept, failures, notices int
	grants, sessions                                 tally
	tokens                                           milestones
	// assertions holds, for each client, for how many more seconds its assertions may be remembered, in all.
	assertions *quotas
}

func newBounds() *bounds {
	return &bounds{
		codes: codesKept, families: familiesKept, sessionsKept: sessionsKept, failures: failuresKept, notices: noticesKept,
		grants: tally{every: grantsCounted}, sessions: tally{every: sessionsCounted},
		tokens:     milestones{step: clientTokensStep, kept: clientTokensKept / clientTokensStep},
		assertions: newQuotas(rate.Limit(assertionsKept), assertionsKept*assertionsAhead),
	}
}

// tally counts by key.
type tally struct {
	every int

	mu     sync.Mutex
	counts map[string]int
}

// due counts one more of key, and reports whether there were so many that it is time to look.
func (t *tally) due(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil || len(t.counts) >= talliesKept {
		t.counts = map[string]int{}
	}
	if t.counts[key]++; t.counts[key] < t.every {
		return false
	}
	delete(t.counts, key)
	return true
}

// milestones remember by key when each step of a long count was reached.
type milestones struct {
	step, kept int

	mu    sync.Mutex
	byKey map[string]*milestone
}

type milestone struct {
	count int
	times []time.Time
}

// reached counts one more of key. Each time a step is reached with more behind it than are to be kept, it returns when those began.
func (m *milestones) reached(key string, now time.Time) (before time.Time, trim bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byKey == nil {
		m.byKey = map[string]*milestone{}
	}
	k := m.byKey[key]
	if k == nil {
		if len(m.byKey) >= talliesKept { // of clients, most of which are gone: whichever is forgotten is counted anew
			for some := range m.byKey {
				delete(m.byKey, some)
				break
			}
		}
		k = &milestone{}
		m.byKey[key] = k
	}
	if k.count++; k.count < m.step {
		return before, false
	}
	k.count, k.times = 0, append(k.times, now)
	if len(k.times) <= m.kept {
		return before, false
	}
	before, k.times = k.times[0], slices.Delete(k.times, 0, 1)
	return before, true
}

// trimGrants is called when a user has got a code. That something cannot be trimmed now is no reason to fail the request.
func (p *Provider) trimGrants(ctx context.Context, subject string) {
	if !p.bounds.grants.due(subject) {
		return
	}
	deleted, err := p.store.TrimGrantsOf(ctx, subject, p.bounds.codes, p.bounds.families, grantsTrimmed)
	p.trimmed(ctx, limitGrants, deleted, err, slog.String("sub", subject))
}

// trimSessions is called when a session of a user has begun, and ends those that were not used for the longest.
func (p *Provider) trimSessions(ctx context.Context, subject string) {
	if !p.bounds.sessions.due(subject) {
		return
	}
	sessions, err := p.store.SessionsOf(ctx, subject)
	ended := 0
	if err == nil && len(sessions) > p.bounds.sessionsKept {
		slices.SortFunc(sessions, func(a, b store.Session) int {
			return cmp.Or(a.LastSeenAt.Compare(b.LastSeenAt), cmp.Compare(a.ID, b.ID))
		})
		for _, session := range sessions[:min(len(sessions)-p.bounds.sessionsKept, 2*sessionsCounted)] {
			if _, err = p.logOut(ctx, session); err != nil {
				break
			}
			ended++
			p.record(ctx, auditSessionEnded, slog.String("sub", session.Subject), slog.String("session_id", session.ID), slog.String("reason", sessionTooMany))
		}
	}
	p.trimmed(ctx, limitSessions, ended, err, slog.String("sub", subject))
}

// sessionTooMany is the reason of the end of a session whose user has too many newer ones.
const sessionTooMany = "too_many"

// trimClientTokens is called when a client has got a token for itself.
func (p *Provider) trimClientTokens(ctx context.Context, client *registration.Client) {
	before, trim := p.bounds.tokens.reached(client.ClientID, p.now())
	if !trim {
		return
	}
	deleted, err := p.store.TrimAccessTokens(ctx, client.ClientID, before, 2*p.bounds.tokens.step)
	p.trimmed(ctx, limitTokens, deleted, err, slog.String("client_id", client.ClientID))
}

// trimTotals deletes failed logins and logout notices beyond their totals, and returns how many rows that were.
func (p *Provider) trimTotals(ctx context.Context, most int) (deleted int, err error) {
	for _, total := range []struct {
		limit limit
		keep  int
		trim  func(ctx context.Context, keep, limit int) (int, error)
	}{{limitFailures, p.bounds.failures, p.store.TrimFailures}, {limitNotices, p.bounds.notices, p.store.TrimNotices}} {
		n, err := total.trim(ctx, total.keep, most)
		if err != nil {
			return deleted, err
		}
		p.trimmed(ctx, total.limit, n, nil)
		deleted += n
	}
	return deleted, nil
}

func (p *Provider) trimmed(ctx context.Context, l limit, deleted int, err error, about ...slog.Attr) {
	attributes := append(about, slog.String("limit", string(l)))
	switch {
	case err != nil && ctx.Err() == nil:
		p.logger.LogAttrs(ctx, slog.LevelError, "storage cannot be trimmed", append(attributes, slog.Any("error", err))...)
	case deleted > 0:
		p.metrics.limits[l].Inc()
		p.logger.LogAttrs(ctx, slog.LevelDebug, "the oldest gave way in storage", append(attributes, slog.Int("rows", deleted))...)
	}
}

// errAssertions is what a client is told that signs more assertions than can be remembered until they expire.
var errAssertions = &oidc.Error{
	Code: oidc.CodeTemporarilyUnavailable, Description: "too many client assertions must be remembered until they expire; let them expire sooner, or ask for fewer tokens",
}

// mayRemember reports whether another assertion of a client may be remembered until it expires.
func (p *Provider) mayRemember(client *registration.Client, now, expiresAt time.Time) bool {
	if p.bounds.assertions.left(client.ClientID, assertionCost(now, expiresAt), now) {
		return true
	}
	p.metrics.limits[limitAssertions].Inc()
	return false
}

// noteRemembered counts an assertion that is remembered. One that was sent before counts for nothing, whoever sends it.
func (p *Provider) noteRemembered(client *registration.Client, now, expiresAt time.Time) {
	p.bounds.assertions.take(client.ClientID, assertionCost(now, expiresAt), now)
}

// assertionCost is for how many seconds an assertion must be remembered.
func assertionCost(now, expiresAt time.Time) int { return max(1, int(seconds(expiresAt.Sub(now)))) }
