package provider

import (
	"context"
	"time"
)

// How what has expired is deleted: in small batches with pauses, so that a login never waits for a long one.
const (
	purgeInterval = time.Minute
	purgeBatch    = 500
	purgePause    = 50 * time.Millisecond
)

// RunPurge deletes from storage what has expired, now and then until ctx ends.
func (p *Provider) RunPurge(ctx context.Context) {
	for pause := purgeInterval; ; {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		deleted, err := p.Purge(ctx)
		if err != nil && ctx.Err() == nil {
			p.logger.ErrorContext(ctx, "purge failed", "error", err)
		}
		if pause = purgeInterval; deleted == purgeBatch {
			pause = purgePause
		}
	}
}

// Purge deletes one batch of what has expired and returns how many rows that were. It deletes nothing before the
// registrations are read: they say how long a session may idle.
func (p *Provider) Purge(ctx context.Context) (deleted int, err error) {
	if !p.synced() {
		return 0, nil
	}
	now := p.now()
	return p.store.Purge(ctx, now, now.Add(-time.Duration(p.registry.Settings().Sessions.Idle)), purgeBatch)
}
