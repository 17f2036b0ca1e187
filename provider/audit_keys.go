package provider

import (
	"context"
	"log/slog"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/keys"
)

// keyAuditInterval is how often the keys are looked at: comparing two pointers.
const keyAuditInterval = time.Second

// RunKeyAudit writes an audit record for every change of the signing keys until ctx ends. The first ones tell what keys
// there are when it begins.
func (p *Provider) RunKeyAudit(ctx context.Context) {
	ticker := time.NewTicker(keyAuditInterval)
	defer ticker.Stop()
	var seen *keys.Set
	for {
		if set := p.registry.Keys(); set != seen {
			p.recordKeys(ctx, seen, set)
			seen = set
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// recordKeys tells what differs between two sets; before may be nil.
func (p *Provider) recordKeys(ctx context.Context, before, after *keys.Set) {
	phases := map[string]keys.Info{}
	if before != nil {
		for _, key := range before.All() {
			phases[key.KeyID] = key
		}
	}
	for _, key := range after.All() {
		if old, known := phases[key.KeyID]; !known || old.Phase != key.Phase {
			p.recordKey(ctx, key, string(key.Phase), string(old.Phase))
		}
		delete(phases, key.KeyID)
	}
	for _, key := range phases {
		p.recordKey(ctx, key, "Gone", string(key.Phase))
	}
}

func (p *Provider) recordKey(ctx context.Context, key keys.Info, phase, previous string) {
	p.record(ctx, auditKeysChanged, slog.String("kid", key.KeyID), slog.String("alg", key.Algorithm), slog.String("phase", phase),
		slog.String("previous_phase", previous))
}
