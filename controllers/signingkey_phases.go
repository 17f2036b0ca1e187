package controllers

import (
	"fmt"
	"slices"
	"time"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The life of a signing key. Only the operator moves a key from one phase to the next, so that while it is down all phases
// hold, and it moves each key at most one phase at a time.
//
//	                 interval, rotate, another
//	                 key in the import's Secret          served by every replica
//	                            |                        for publishBefore, and still
//	                            v                               |
//	the first key,       +-------------+                        v            +----------+
//	or after a revoke -> |  Published  | ----------------------------------> |  Active  |
//	no key is Active     | in the JWKS |     at once, when the active         |  signs   |
//	     |               +-------------+     key was revoked                 +----------+
//	     |                      |                                             |   |   ^
//	     +----------------------|---------------------------------------------|---|---+
//	                            |                                             |   |
//	                            | revoke, or                           revoke |   | the next key is Active,
//	                            | another import                              |   | or the SigningKey is deleted
//	                            v                                             v   v
//	                     +-------------+      retainAfter, or revoke        +------------+
//	                     |    gone     | <--------------------------------- |  Retiring  |
//	                     +-------------+                                    |  verifies  |
//	                                                                        +------------+

// retireMargin is added to retainAfter: replicas take a moment to sign with another key, and clocks differ.
const retireMargin = 10 * time.Minute

// maxKeys bounds a SigningKey's part of the JWKS, which relying parties fetch. A rotation that would exceed it waits.
const maxKeys = 12

// keyStep is what advanceKeys depends on, beside the ring.
type keyStep struct {
	now                                  time.Time
	interval, publishBefore, retainAfter time.Duration
	// rotate is the value of v1alpha1.AnnotationRotate, revoke the key IDs in v1alpha1.AnnotationRevoke.
	rotate string
	revoke []string
	// served tells whether there are provider replicas and all of them have applied the Secret as it stands.
	served bool
	// imports tells that the key comes from spec.import; imported is that key, or nil when there is none that could be used.
	imports  bool
	imported *registration.Key
	// generate makes a key otherwise.
	generate func() (registration.Key, error)
}

// transition is something that has happened to a key. It becomes an event.
type transition struct {
	reason, note string
	warning      bool
}

// keyProgress is what advanceKeys has come to.
type keyProgress struct {
	ring        *keyRing
	transitions []transition
	// next is when something is to be done, if nothing else happens before; zero: never.
	next time.Time
	// rotates is when another key begins to sign, as far as is known; zero: nobody knows.
	rotates time.Time
	// held tells that a rotation waits because there are as many keys as there may be.
	held bool
	// refused says why the imported key is not taken, or is "".
	refused string
	// unknown are key IDs that were to be revoked and never were any of the SigningKey's.
	unknown []string
	// published tells that the published key is from just now, so that no replica can have it.
	published bool
}

// advanceKeys moves the keys of a ring as far as they may go now. It is pure but for generate.
func advanceKeys(ring *keyRing, step keyStep) (*keyProgress, error) {
	step.now = step.now.UTC().Truncate(time.Second)
	p := &keyProgress{ring: ring.clone()}
	p.ring.memory.RetainAfter = registration.Duration(step.retainAfter)
	p.mistrustFuture(step)
	p.revoke(step)
	p.retire(step)
	p.followImport(step)
	if err := p.activateFirst(step); err != nil {
		return nil, err
	}
	if err := p.publish(step); err != nil {
		return nil, err
	}
	if err := p.activateNext(step); err != nil {
		return nil, err
	}
	p.schedule(step)
	return p, nil
}

func (p *keyProgress) tell(reason, format string, args ...any) {
	p.transitions = append(p.transitions, transition{reason: reason, note: fmt.Sprintf(format, args...)})
}

func (p *keyProgress) warn(reason, format string, args ...any) {
	p.transitions = append(p.transitions, transition{reason: reason, note: fmt.Sprintf(format, args...), warning: true})
}

// answer remembers a request for a rotation. That it was taken back is not one.
func (p *keyProgress) answer(rotate string) {
	if rotate != "" {
		p.ring.memory.RotateHandled = rotate
	}
}

// mistrustFuture brings times that lie further ahead than they can into reach: a clock that was wrong when they were written
// must not make a key wait for years. Waiting begins anew then, so that nothing happens too early either.
func (p *keyProgress) mistrustFuture(step keyStep) {
	if p.ring.memory.ServedAt.After(step.now) {
		p.ring.memory.ServedAt = step.now
	}
	latest := step.now.Add(retainFor(step.retainAfter) + retireMargin)
	for i := range p.ring.document.Keys {
		key := &p.ring.document.Keys[i]
		if key.ActivatedAt.After(step.now) {
			key.ActivatedAt = step.now
		}
		if key.Phase == registration.PhaseRetiring && (key.RetiresAt.IsZero() || key.RetiresAt.After(latest)) {
			key.RetiresAt = latest
		}
	}
}

// revoke drops the keys that nobody shall trust any more.
func (p *keyProgress) revoke(step keyStep) {
	for _, keyID := range step.revoke {
		if key := p.ring.find(keyID); key != nil {
			p.warn(v1alpha1.ReasonKeyRevoked, "key %s, which was %s, is taken out of the JWKS at once", keyID, key.Phase)
			p.ring.drop(keyID, true)
		} else if !slices.Contains(p.ring.memory.Used, keyID) {
			p.unknown = append(p.unknown, keyID)
		}
	}
}

// retire drops what nothing can be verified with any more.
func (p *keyProgress) retire(step keyStep) {
	for _, key := range slices.Clone(p.ring.document.Keys) {
		if key.Phase == registration.PhaseRetiring && !key.RetiresAt.After(step.now) {
			p.tell(v1alpha1.ReasonKeyRetired, "key %s has left the JWKS", key.KeyID)
			p.ring.drop(key.KeyID, true)
		}
	}
}

// followImport drops a published key that is no longer the one in the Secret, and finds out whether that one may be used.
func (p *keyProgress) followImport(step keyStep) {
	if step.imported == nil {
		return
	}
	keyID := step.imported.KeyID
	known := p.ring.find(keyID)
	switch {
	case slices.Contains(p.ring.memory.Used, keyID), slices.Contains(step.revoke, keyID):
		p.refused = fmt.Sprintf("is key %s, which was used before and is gone; a key ID is never used again, put another key there", keyID)
		return
	case known != nil && known.Phase == registration.PhaseRetiring:
		p.refused = fmt.Sprintf("is key %s, which another has replaced; a key ID is never used again, put another key there", keyID)
		return
	}
	if pending := p.ring.in(registration.PhasePublished); pending != nil && pending.KeyID != keyID {
		p.tell(v1alpha1.ReasonKeyWithdrawn, "key %s never signed and is dropped, because the Secret of spec.import holds another one", pending.KeyID)
		p.ring.drop(pending.KeyID, false)
	}
}

// activateFirst makes a key active at once when none is, since waiting would only mean that nobody can log in.
func (p *keyProgress) activateFirst(step keyStep) error {
	if p.ring.in(registration.PhaseActive) != nil {
		return nil
	}
	p.answer(step.rotate) // there is nothing to rotate from
	if pending := p.ring.in(registration.PhasePublished); pending != nil {
		pending.Phase, pending.ActivatedAt = registration.PhaseActive, step.now
		p.ring.memory.ServedAt = time.Time{}
		p.tell(v1alpha1.ReasonKeyActivated, "key %s signs", pending.KeyID)
		return nil
	}
	key, err := p.newKey(step)
	if key == nil || err != nil {
		return err
	}
	key.Phase, key.CreatedAt, key.ActivatedAt = registration.PhaseActive, step.now, step.now
	p.ring.document.Keys = append(p.ring.document.Keys, *key)
	p.tell(v1alpha1.ReasonKeyActivated, "key %s signs", key.KeyID)
	return nil
}

// newKey returns the key from the import, or makes one; nil when there is none to be had.
func (p *keyProgress) newKey(step keyStep) (*registration.Key, error) {
	if step.imports {
		if step.imported == nil || p.refused != "" {
			return nil, nil //nolint:nilnil // the reason is known to who has read the Secret
		}
		p.ring.memory.Imported = append(p.ring.memory.Imported, step.imported.KeyID)
		return new(*step.imported), nil
	}
	key, err := step.generate()
	return &key, err
}

// publish begins a rotation that is due or asked for. One that is under way answers whoever asks for another.
func (p *keyProgress) publish(step keyStep) error {
	active, pending := p.ring.in(registration.PhaseActive), p.ring.in(registration.PhasePublished)
	if active == nil {
		return nil
	}
	asked := step.rotate != "" && step.rotate != p.ring.memory.RotateHandled
	due := step.interval > 0 && !step.now.Before(active.ActivatedAt.Add(step.interval-step.publishBefore))
	wanted := asked || due
	if step.imports {
		wanted = step.imported != nil && p.refused == "" && step.imported.KeyID != active.KeyID
		if asked {
			p.answer(step.rotate)
			p.warn(v1alpha1.ReasonRotationIgnored, "an imported key is rotated by putting another one into the Secret of spec.import")
		}
	}
	switch {
	case pending != nil:
		p.answer(step.rotate)
		return nil
	case !wanted:
		return nil
	case len(p.ring.document.Keys) >= maxKeys:
		p.held = true
		return nil
	}
	key, err := p.newKey(step)
	if err != nil {
		return err
	}
	key.Phase, key.CreatedAt = registration.PhasePublished, step.now
	p.ring.document.Keys = append(p.ring.document.Keys, *key)
	p.ring.memory.ServedAt, p.published = time.Time{}, true
	p.answer(step.rotate)
	p.tell(v1alpha1.ReasonKeyPublished, "key %s is published; it signs after every provider replica has served it for %s", key.KeyID, step.publishBefore)
	return nil
}

// activateNext lets the published key sign when relying parties have had the time to fetch it, wherever they ask.
func (p *keyProgress) activateNext(step keyStep) error {
	active, pending := p.ring.in(registration.PhaseActive), p.ring.in(registration.PhasePublished)
	// What the replicas have applied is the Secret as it stands: it says nothing of a key that is not in it yet.
	if active == nil || pending == nil || p.published || !step.served {
		return nil
	}
	if p.ring.memory.ServedAt.IsZero() {
		p.ring.memory.ServedAt = step.now
	}
	if step.now.Before(p.ring.memory.ServedAt.Add(step.publishBefore)) {
		return nil
	}
	if err := retireActive(p.ring, step.now, step.retainAfter); err != nil {
		return err
	}
	pending.Phase, pending.ActivatedAt = registration.PhaseActive, step.now
	p.ring.memory.ServedAt = time.Time{}
	p.tell(v1alpha1.ReasonKeyActivated, "key %s signs; key %s only verifies until %s", pending.KeyID, active.KeyID, active.RetiresAt.Format(time.RFC3339))
	return nil
}

// retireActive leaves of the active key what is needed to verify what it has signed.
func retireActive(ring *keyRing, now time.Time, retainAfter time.Duration) error {
	active := ring.in(registration.PhaseActive)
	public, err := keys.Public(active.PrivateJWK)
	if err != nil {
		return fmt.Errorf("retire key %s: %w", active.KeyID, err)
	}
	active.Phase, active.PrivateJWK = registration.PhaseRetiring, public
	active.RetiresAt = now.UTC().Truncate(time.Second).Add(retainFor(retainAfter) + retireMargin)
	return nil
}

// retainFor keeps to the longest that a token can be valid, whatever is asked for.
func retainFor(retainAfter time.Duration) time.Duration {
	return max(retainAfter, registration.MaxTokenLifetime)
}

// schedule finds out when something is to be done next.
func (p *keyProgress) schedule(step keyStep) {
	at := func(t time.Time) {
		if p.next.IsZero() || t.Before(p.next) {
			p.next = t
		}
	}
	for _, key := range p.ring.document.Keys {
		if key.Phase == registration.PhaseRetiring {
			at(key.RetiresAt)
		}
	}
	active, pending := p.ring.in(registration.PhaseActive), p.ring.in(registration.PhasePublished)
	switch {
	case active == nil:
	case pending != nil:
		// While replicas lag behind, their reports tell when to go on.
		if !p.ring.memory.ServedAt.IsZero() {
			p.rotates = p.ring.memory.ServedAt.Add(step.publishBefore)
			if p.rotates.After(step.now) {
				at(p.rotates)
			}
		}
	case step.interval > 0 && !p.held:
		p.rotates = active.ActivatedAt.Add(step.interval)
		at(p.rotates.Add(-step.publishBefore))
	}
}
