package provider

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
)

// disabledPeople remembers, by subject, whose sessions and grants this process has ended since they were disabled.
type disabledPeople struct {
	mu    sync.Mutex
	ended map[string]bool
}

// endDisabled ends the sessions of people who were disabled and all that applications hold of them, for good: none of it comes back
// to life with the person, whether or not somebody has tried to use it meanwhile. Whatever begins after that is refused, because
// they are disabled.
//
// Who is gone is another matter: a directory that is read anew may have them again in a moment.
func (p *Provider) endDisabled(ctx context.Context) error {
	p.disabled.mu.Lock()
	defer p.disabled.mu.Unlock()
	still := map[string]bool{}
	for _, subject := range p.registry.DisabledSubjects() {
		still[subject] = true
		if p.disabled.ended[subject] {
			continue
		}
		if err := p.endPerson(ctx, subject); err != nil {
			return err
		}
		p.disabled.ended[subject] = true
	}
	maps.DeleteFunc(p.disabled.ended, func(subject string, _ bool) bool { return !still[subject] })
	return nil
}

// endPerson ends all that somebody has begun who is disabled.
func (p *Provider) endPerson(ctx context.Context, subject string) error {
	sessions, err := p.store.SessionsOf(ctx, subject)
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	for i := range sessions {
		if err := p.endSessionElsewhere(ctx, sessions[i], personDisabled); err != nil {
			return err
		}
	}
	grants, err := p.store.DeleteGrantsOf(ctx, subject)
	if err != nil {
		return fmt.Errorf("revoke grants: %w", err)
	}
	for _, g := range grants {
		p.record(ctx, auditGrantRevoked, slog.String("sub", subject), slog.String("session_id", g.SessionID), slog.String("grant_id", g.ID),
			slog.String("client_id", g.Client.ID), slog.String("reason", personDisabled))
	}
	return nil
}
