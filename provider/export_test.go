package provider

import (
	"context"

	"golang.org/x/time/rate"
)

// WakeLogoutNotices makes RunLogoutNotices look at once, as a clock that was set forward cannot.
func (p *Provider) WakeLogoutNotices() { p.notices.wakeUp() }

// TellOfLogouts sends what is due and returns when it is sent.
func (p *Provider) TellOfLogouts(ctx context.Context) {
	p.notices.takeDue(ctx)
	p.notices.running.Wait()
}

// ShrinkBounds makes what one user and one client may store small enough for a test: so many codes and refresh tokens, sessions, and tokens of
// a client's own. After each one it is looked whether there are more.
func (p *Provider) ShrinkBounds(kept int) {
	b := newBounds()
	b.codes, b.families, b.sessionsKept, b.failures, b.notices = kept, kept, kept, kept, kept
	b.grants.every, b.sessions.every = 1, 1
	b.tokens.step, b.tokens.kept = 1, kept
	b.assertions = newQuotas(rate.Limit(10), 10*60)
	p.bounds = b
}
