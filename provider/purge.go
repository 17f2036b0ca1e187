package provider

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// How what has expired is deleted: in small batches with pauses, so that a login never waits for a long one.
const (
	purgeInterval = time.Minute
	purgeBatch    = 500
	purgePause    = 50 * time.Millisecond
	// purgeMargin is for how long what has expired is kept, because it may not have for a replica whose clock is slow: an assertion
	// that was used must not be good once more there.
	purgeMargin = 2 * time.Minute
)

// RunPurge deletes from storage what has expired, now and then until ctx ends. Replicas that share storage each do so, at
// times that drift apart: what one has deleted the others do not find.
func (p *Provider) RunPurge(ctx context.Context) {
	for pause := aboutAs(purgeInterval); ; {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		deleted, err := p.Purge(ctx)
		if err != nil && ctx.Err() == nil {
			p.metrics.purgeErrors.Inc()
			p.logger.Log(ctx, levelOf(err), "purge failed", "error", err)
		}
		if pause = aboutAs(purgeInterval); err == nil && deleted >= purgeBatch {
			pause = aboutAs(purgePause) // there is more
		}
	}
}

// levelOf returns the level at which the failure of something that is tried again and again is logged. That storage is away is logged
// once, by who watches it.
func levelOf(err error) slog.Level {
	if errors.Is(err, store.ErrUnavailable) {
		return slog.LevelDebug
	}
	return slog.LevelError
}

// aboutAs returns a duration between half and one and a half of d, so that replicas that start together do not go on so.
func aboutAs(d time.Duration) time.Duration {
	return d/2 + rand.N(d) //nolint:gosec // when it happens is no secret
}

// Purge deletes one batch of what has expired and returns how many rows that were. It deletes nothing before the
// registrations are read: they say how long a session may idle.
//
// Sessions are among that. Nobody has logged out of one that has merely run out, so that only clients which want to know are told;
// but the clients of a person who is gone or has been given another password are told of it now at the latest. Those of a
// person who is disabled end at once, see endDisabled.
func (p *Provider) Purge(ctx context.Context) (deleted int, err error) {
	if !p.synced() {
		return 0, nil
	}
	if err := p.endDisabled(ctx); err != nil {
		return 0, err
	}
	now := p.now().Add(-purgeMargin)
	ended := map[string]endedSession{} // by ID: storage may ask twice
	deleted, err = p.store.Purge(ctx, now, now.Add(-time.Duration(p.registry.Settings().Sessions.Idle)), purgeBatch,
		func(session store.Session, clients []store.Client) []store.Notice {
			var back []store.Notice
			_, reason := p.person(session.Subject, session.Credential)
			if reason == "" {
				back, reason = p.toldOfExpiry(&session, clients), sessionExpired
			} else {
				back, _ = p.toldOf(&session, clients)
			}
			ended[session.ID] = endedSession{session.Subject, reason, len(back)}
			return back
		})
	if err != nil {
		return 0, err
	}
	p.metrics.purged.Add(float64(deleted))
	p.recordEnded(ctx, ended)
	if deleted >= purgeBatch {
		return deleted, nil
	}
	trimmed, err := p.trimTotals(ctx, purgeBatch)
	return deleted + trimmed, err
}

// sessionExpired is the reason of the end of a session that was too old or idle for too long.
const sessionExpired = "expired"

// endedSession is what is told of a session that a purge has ended.
type endedSession struct {
	subject, reason string
	notices         int
}

func (p *Provider) recordEnded(ctx context.Context, ended map[string]endedSession) {
	waiting := 0
	for id, e := range ended {
		waiting += e.notices
		p.record(ctx, auditSessionEnded, slog.String("sub", e.subject), slog.String("session_id", id), slog.String("reason", e.reason))
	}
	if waiting > 0 {
		p.notices.wakeUp()
	}
}
