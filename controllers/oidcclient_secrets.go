package controllers

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// maxSecrets is how many client secrets a registration holds at a time: the provider compares with each of them.
const maxSecrets = 8

// secretsState is everything that a decision about an OIDCClient's client secret depends on.
type secretsState struct {
	now time.Time
	// value is the client secret in the application's Secret, or "". issued is what is noted there.
	value  string
	issued issuance
	// heldIn is the name of the Secret that it is from.
	heldIn string
	// adopting tells that the Secret is to be taken over: nothing in it was made by the operator.
	adopting bool
	// created is when the Secret was created.
	created time.Time
	// registered are the secrets that the provider knows, apart from those that are revoked.
	registered []registration.ClientSecret
	revoked    revocations
	// reached tells how far the provider's replicas are with what is registered; nobody, that none of them is ready.
	reached verdict
	nobody  bool
	// brought is what existingSecretRef names; nil without one.
	brought *broughtSecret
	// uses tells when registered secrets were used last, by their ID; unknown until when they may have been used unnoticed.
	uses, unknown map[string]time.Time
	// announced is when the next rotation was said to be; zero when nothing was said.
	announced time.Time
}

// broughtSecret is a client secret that somebody else keeps.
type broughtSecret struct {
	value string
	// verdict says why value cannot be used unless its outcome is done.
	verdict verdict
}

// secretsPlan is what is to be done about a client secret. Every step of a rotation is one write, and the next is decided anew
// from what is observed then:
//
//	registration          Secret   step
//	{A}                   A        something asks for B: announce
//	{A, B pending}        A        every replica has applied that: switch
//	{A, B pending}        B        settle
//	{B, A until t}        B        t has passed: settle
//	{B}                   B
//	{A}                   A        A is revoked: announce B without A
//	{B pending, A ended}  A        every replica has applied that, or there is none: switch
type secretsPlan struct {
	// value is what the application's Secret is to hold; empty: there is nothing yet that it could hold.
	value string
	// currentID is the ID of value.
	currentID string
	// issued is what is to be noted in the application's Secret.
	issued issuance
	// registered are the secrets that the provider is to accept. The first is the one in the application's Secret.
	registered []registration.ClientSecret
	// first tells that value was never registered: its registration waits until it stands in the Secret.
	first bool
	// switches tells that value replaces another one in the Secret, retires that something is accepted for less long than it was
	// said before. Neither may be decided from a cache that lags behind.
	switches, retires bool
	// revokes are the IDs of the secrets that are revoked now.
	revokes []string
	// announces tells that a new secret is made known to the provider.
	announces bool
	// replacements are those that were replaced and are still accepted, the one that ends last first.
	replacements []v1alpha1.PreviousSecretStatus
	// waits tells that replicas have to apply what is registered before the next step.
	waits bool
	// pending says why value is not yet what it will be, or is nil.
	pending *verdict
	// notes are what somebody should know although nothing has failed.
	notes []string
	// restart tells that the workloads have to be restarted for value.
	restart bool
	// nextRotation and wake are when a rotation is due and when a secret ends; zero: never.
	nextRotation, wake time.Time
}

// planSecrets decides about a client secret. It calls newSecret when one must be made.
func planSecrets(c *v1alpha1.OIDCClient, state secretsState, made *madeSecret, newSecret func() string) secretsPlan {
	plan := secretsPlan{issued: state.issued}
	current := state.current(made)
	plan.nextRotation = nextRotation(c, state)
	target := plan.target(c, state, current, made, newSecret)
	switch {
	case target == "":
		plan.registered = unexpired(state.registered, state.now)
	case current != nil && target == state.value:
		plan.settle(c, state, *current)
	case current == nil && len(unexpired(state.registered, state.now)) == 0 && len(state.revoked.ends) == 0:
		entry := clientSecret(made.hash(target, state.brought == nil))
		plan.first, plan.value, plan.registered = true, target, []registration.ClientSecret{entry}
		plan.note(c, state, entry.ID)
		plan.issued.restarted = entry.ID // nothing runs with another one
	default:
		plan.replace(c, state, current, target, made)
	}
	if len(plan.registered) > 0 && plan.value != "" && plan.currentID == "" {
		plan.currentID = plan.registered[0].ID
	}
	plan.replacements = replacements(c, plan, state.uses)
	plan.revokes = state.revoked.ends
	plan.retires = retires(state.registered, plan.registered, state.now) || len(plan.revokes) > 0
	plan.registered = append(plan.registered, state.revoked.remembered(made, state.value, state.existing())...)
	if id := state.revoked.unknown(plan.registered); id != "" {
		plan.notes = append(plan.notes, fmt.Sprintf("annotation %s names %.64q, which is no client secret of this OIDCClient: correct it, see status.credentials",
			v1alpha1.AnnotationRevoke, id))
	}
	return plan
}

// clientSecret returns what is registered of a secret.
func clientSecret(hash string) registration.ClientSecret {
	return registration.ClientSecret{ID: registration.SecretID(hash), Hash: hash}
}

// secretPattern is what a client secret that we have made looks like.
var secretPattern = regexp.MustCompile(`^[A-Za-z0-9]{32,128}$`)

// current returns the secret in the application's Secret as it is to be registered, or nil when there is none that can be.
func (s secretsState) current(made *madeSecret) *registration.ClientSecret {
	if s.revoked.covers(s.value, made) {
		return nil
	}
	if i := made.find(s.value, s.registered); i >= 0 {
		found := clientSecret(s.registered[i].Hash)
		return &found
	}
	generated := secretPattern.MatchString(s.value) && s.brought == nil && !s.adopting &&
		(s.issued.secretID == "" || s.issued.secretID == registration.SecretID(registration.HashSecret(s.value)))
	if !generated && registration.ValidateForeignSecret(s.value) != nil {
		return nil
	}
	fresh := clientSecret(made.hash(s.value, generated))
	return &fresh
}

// target returns the secret that the application's Secret is to hold in the end, or "" when there is none.
func (p *secretsPlan) target(c *v1alpha1.OIDCClient, state secretsState, current *registration.ClientSecret, made *madeSecret, newSecret func() string) string {
	standing := ""
	if current != nil {
		standing = state.value
	}
	requested := state.request(c) != "" && state.request(c) != state.issued.handled
	if state.brought != nil {
		made.fresh = ""
		if requested {
			p.notes = append(p.notes, "annotation "+v1alpha1.AnnotationRotate+" does nothing while spec.credentials.existingSecretRef is set; rotate by changing that Secret")
		}
		if state.brought.verdict.outcome == done && state.revoked.covers(state.brought.value, made) {
			p.pending = new(revokedExisting(c))
			return standing
		}
		if state.brought.verdict.outcome == done {
			return state.brought.value
		}
		p.pending = &state.brought.verdict
		return standing
	}
	if state.revoked.covers(made.fresh, made) {
		made.fresh = ""
	}
	if state.adopting && state.value != "" && current == nil {
		fault := stall(v1alpha1.ReasonClientSecretInvalid, fmt.Sprintf("the client secret under %q in Secret %q %s; replace it, or remove it to have one made",
			c.CredentialsKeys().ClientSecret, c.SecretName(), registration.ValidateForeignSecret(state.value)))
		p.pending = &fault
		return ""
	}
	due := requested || !p.nextRotation.IsZero() && !state.now.Before(p.nextRotation)
	if standing != "" && due && len(unexpired(state.registered, state.now)) >= maxSecrets && made.fresh == "" {
		p.notes = append(p.notes, fmt.Sprintf("a rotation waits until one of %d earlier client secrets has expired", maxSecrets-1))
		due = false
	}
	if standing != "" && !due {
		made.fresh = ""
		return standing
	}
	if made.fresh == "" {
		made.fresh = newSecret()
	}
	return made.fresh
}

// existing returns the client secret in the Secret of existingSecretRef, or "".
func (s secretsState) existing() string {
	if s.brought == nil {
		return ""
	}
	return s.brought.value
}

// request returns what the annotation says that asks for a rotation, in a form that fits another annotation.
func (secretsState) request(c *v1alpha1.OIDCClient) string {
	return briefly(c.Annotations[v1alpha1.AnnotationRotate])
}

// settle is for a Secret that holds what it shall: the others are on their way out.
func (p *secretsPlan) settle(c *v1alpha1.OIDCClient, state secretsState, current registration.ClientSecret) {
	p.value = state.value
	if state.issued.secretID != current.ID {
		p.issued.secretID = current.ID
		switch {
		case state.issued.secretID == "":
		case state.hashedAgain(current):
			if p.issued.restarted == state.issued.secretID {
				p.issued.restarted = current.ID
			}
		default: // somebody has put another one into the Secret
			p.issued.rotatedAt = state.now
		}
	}
	if p.issued.rotatedAt.IsZero() {
		p.issued.rotatedAt = state.now
		if !state.created.IsZero() {
			p.issued.rotatedAt = state.created
		}
	}
	workloads := len(c.Spec.Credentials.RolloutRestart) > 0
	if !workloads || p.issued.restarted == "" {
		p.issued.restarted = current.ID
	}
	p.restart = workloads && p.issued.restarted != current.ID
	p.registered = append([]registration.ClientSecret{current}, p.replaced(c, state, current.ID, "")...)
	if len(state.registered) == 0 && p.issued.handled == "" {
		p.issued.handled = state.request(c) // asked for before there was anything to replace
	}
}

// hashedAgain tells whether the ID of the secret in the Secret differs from the one that is noted there for the salt of its hash alone: the
// registration with the hash that was noted is gone, or was never written.
func (s secretsState) hashedAgain(current registration.ClientSecret) bool {
	return len(s.registered) == 0 && current.Hash != registration.HashSecret(s.value)
}

// replace goes one step towards target: it is announced to the provider, and given to the application when every replica
// knows it. Where the application has nothing that works, no replica need be there to know it: one that comes reads it first.
func (p *secretsPlan) replace(c *v1alpha1.OIDCClient, state secretsState, current *registration.ClientSecret, target string, made *madeSecret) {
	i := made.find(target, state.registered)
	if i >= 0 && state.registered[i].Pending && (state.reached.outcome == done || state.nobody && current == nil) {
		p.switches, p.value, p.registered = true, target, state.registered
		p.currentID = state.registered[i].ID
		p.note(c, state, p.currentID)
		if len(c.Spec.Credentials.RolloutRestart) == 0 {
			p.issued.restarted = p.currentID
		}
		return
	}
	pending := clientSecret("")
	if i >= 0 {
		pending = clientSecret(state.registered[i].Hash)
	} else {
		pending = clientSecret(made.hash(target, state.brought == nil))
	}
	pending.Pending = true
	p.announces, p.waits = i < 0, true
	why := "the provider's replicas have to learn of it first"
	if i >= 0 && state.registered[i].Pending {
		why = state.reached.message
	}
	if current == nil {
		waiting := wait(v1alpha1.ReasonAwaitingReplicas, "a new client secret has been made and is not in the Secret yet: "+why)
		p.pending = &waiting
		p.registered = append([]registration.ClientSecret{pending}, p.replaced(c, state, "", pending.ID)...)
		return
	}
	p.notes = append(p.notes, "a new client secret will follow: "+why)
	p.value = state.value
	p.registered = append([]registration.ClientSecret{*current, pending}, p.replaced(c, state, current.ID, pending.ID)...)
}

// note records that a secret is put into the Secret now.
func (p *secretsPlan) note(c *v1alpha1.OIDCClient, state secretsState, id string) {
	p.issued.secretID, p.issued.rotatedAt, p.issued.handled = id, state.now, state.request(c)
}

// replaced returns the secrets that are neither the current one nor the pending one, and still accepted. Without a current one
// nothing ends that has no end yet: its successor is not in the Secret.
func (p *secretsPlan) replaced(c *v1alpha1.OIDCClient, state secretsState, currentID, pendingID string) []registration.ClientSecret {
	var kept []registration.ClientSecret
	for _, s := range unexpired(state.registered, state.now) {
		if s.ID == currentID || s.ID == pendingID || s.Pending {
			continue // a pending one that nobody asks for any more was never given to anybody
		}
		if currentID != "" {
			since := replacedAt(state, currentID)
			if end := since.Add(c.Retention()); s.NotAfter.IsZero() || s.NotAfter.After(end) {
				s.NotAfter = end.UTC().Truncate(time.Second)
			}
			unused := since.Add(c.Overlap())
			// A use that nobody knows of counts as one: who is cut off wrongly cannot log anybody in, and the deadline ends it anyway.
			if used := laterOf(state.uses[s.ID], state.unknown[s.ID]); !used.IsZero() {
				unused = laterOf(unused, used.Add(registration.UseResolution+c.Overlap()))
			}
			if !s.NotAfter.After(state.now) || c.RetiresWhenUnused() && !unused.After(state.now) {
				continue
			}
			if c.RetiresWhenUnused() {
				p.wakeAt(unused)
			}
		}
		p.wakeAt(s.NotAfter)
		kept = append(kept, s)
	}
	slices.SortStableFunc(kept, func(a, b registration.ClientSecret) int {
		switch {
		case endsBefore(b.NotAfter, a.NotAfter):
			return -1
		case endsBefore(a.NotAfter, b.NotAfter):
			return 1
		default:
			return strings.Compare(a.ID, b.ID)
		}
	})
	return kept[:min(len(kept), maxSecrets-1)]
}

// replacements describes the secrets that were replaced and still work. Uses from before a secret was replaced are of no interest.
func replacements(c *v1alpha1.OIDCClient, plan secretsPlan, uses map[string]time.Time) []v1alpha1.PreviousSecretStatus {
	var found []v1alpha1.PreviousSecretStatus
	for _, s := range plan.registered[min(1, len(plan.registered)):] {
		if s.Pending || s.NotAfter.IsZero() {
			continue
		}
		since := plan.issued.rotatedAt
		if len(found) > 0 { // it was replaced by another that was replaced, too
			since = s.NotAfter.Add(-c.Retention())
		}
		described := v1alpha1.PreviousSecretStatus{SecretID: s.ID, ExpiresAt: new(metav1.NewTime(s.NotAfter))}
		if used := uses[s.ID]; !used.IsZero() && !used.Before(since.Truncate(registration.UseResolution)) {
			described.LastUsedAt = new(metav1.NewTime(used))
		}
		found = append(found, described)
	}
	return found
}

// replacedAt is when the secret before the current one was replaced: when we did it, or, if somebody else has, now.
func replacedAt(state secretsState, currentID string) time.Time {
	if state.issued.secretID == currentID && !state.issued.rotatedAt.IsZero() {
		return state.issued.rotatedAt
	}
	return state.now
}

func (p *secretsPlan) wakeAt(t time.Time) {
	if !t.IsZero() && (p.wake.IsZero() || t.Before(p.wake)) {
		p.wake = t
	}
}

func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// unexpired returns the secrets that are accepted at now.
func unexpired(secrets []registration.ClientSecret, now time.Time) []registration.ClientSecret {
	var found []registration.ClientSecret
	for _, s := range secrets {
		if s.NotAfter.IsZero() || s.NotAfter.After(now) {
			found = append(found, s)
		}
	}
	return found
}

// retires tells whether a secret that is accepted at now would be no more, or for less long.
func retires(before, after []registration.ClientSecret, now time.Time) bool {
	for _, s := range unexpired(before, now) {
		i := slices.IndexFunc(after, func(t registration.ClientSecret) bool { return t.ID == s.ID })
		if i < 0 || endsBefore(after[i].NotAfter, s.NotAfter) {
			return true
		}
	}
	return false
}

// endsBefore compares ends of which zero means never.
func endsBefore(a, b time.Time) bool {
	switch {
	case a.IsZero():
		return false
	case b.IsZero():
		return true
	default:
		return cmp.Less(a.Unix(), b.Unix())
	}
}
