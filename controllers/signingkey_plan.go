package controllers

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// signingKeyPlan is what is to be done about a SigningKey.
type signingKeyPlan struct {
	ready verdict
	// progress is how far its keys are; nil when nothing is known of them.
	progress *keyProgress
	// secret is what should stand; nil: nothing is to be written.
	secret *acorev1.SecretApplyConfiguration
}

// again returns how long after now something is to be done, if nothing else happens before; zero: never.
func (plan signingKeyPlan) again(now time.Time) time.Duration {
	if plan.progress == nil || plan.progress.next.IsZero() {
		return 0
	}
	return max(plan.progress.next.Sub(now), time.Millisecond)
}

// unchanged is the plan of leaving everything as it is, for a reason.
func (state signingKeyState) unchanged(why verdict) signingKeyPlan {
	plan := signingKeyPlan{ready: why}
	if state.ring != nil {
		plan.progress = &keyProgress{ring: state.ring}
	}
	return plan
}

// generateKey makes a private key: its key ID and the key as a private JWK.
type generateKey func(algorithm string, rsaBits int) (keyID string, privateJWK json.RawMessage, err error)

// planSigningKey decides about a SigningKey. It calls generate when a key is to be made.
func planSigningKey(k *v1alpha1.SigningKey, state signingKeyState, now time.Time, generate generateKey) (signingKeyPlan, error) {
	owner := resources.Owner(kindSigningKey, client.ObjectKeyFromObject(k))
	switch {
	case state.provider == nil:
		return signingKeyPlan{ready: providerNotFound(k.ProviderKey())}, nil
	case state.secret != nil && !ownedBy(owner)(state.secret):
		return signingKeyPlan{ready: keySecretTaken(state.secret)}, nil
	case state.ringFault != nil:
		return signingKeyPlan{ready: invalidKey(k, state.secret, state.ringFault.Error())}, nil //nolint:nilerr // it is told in status; repeating would not mend it
	}
	ring, err := currentRing(k, state, now)
	if err != nil {
		return signingKeyPlan{}, err
	}
	if state.secret != nil {
		if fault := ringFaults(k, ring); fault != "" {
			return signingKeyPlan{ready: invalidKey(k, state.secret, fault)}, nil
		}
	}
	imported, obstacle := judgeImport(k, state)
	progress, err := advanceKeys(ring, keyStep{
		now:      now,
		interval: k.RotationInterval(), publishBefore: k.PublishBefore(), retainAfter: k.RetainAfter(),
		rotate: k.Annotations[v1alpha1.AnnotationRotate], revoke: k.RevokedKeyIDs(),
		served: state.served, imports: k.Spec.Import != nil, imported: imported,
		generate: func() (registration.Key, error) {
			keyID, jwk, err := generate(k.Algorithm(), k.RSABits())
			if err != nil {
				return registration.Key{}, fmt.Errorf("generate %s key: %w", k.Algorithm(), err)
			}
			return registration.Key{KeyID: keyID, PrivateJWK: jwk}, nil
		},
	})
	if err != nil {
		return signingKeyPlan{}, err
	}
	if progress.refused != "" {
		obstacle = new(importRefused(k, progress.refused))
	}
	plan := signingKeyPlan{ready: judgeKeys(k, progress, obstacle), progress: progress}
	if len(progress.unknown) > 0 { // who revokes a key is in a hurry, and must not take a slip for done
		plan.ready.message += fmt.Sprintf("; annotation %s names %.64q, which is no key of this SigningKey: correct it, see status.keys",
			v1alpha1.AnnotationRevoke, progress.unknown[0])
	}
	if state.secret == nil && len(progress.ring.document.Keys) == 0 {
		return plan, nil // there is nothing to keep yet
	}
	plan.secret, err = buildKeySecret(k, state, progress.ring)
	return plan, err
}

// currentRing returns the ring as k finds it: empty at first, without a key that could sign after a SigningKey of the same
// name, or with the key of one that is to be taken up again.
func currentRing(k *v1alpha1.SigningKey, state signingKeyState, now time.Time) (*keyRing, error) {
	if state.ring == nil {
		return &keyRing{
			document: registration.SigningKey{Name: k.Name, Algorithm: k.Algorithm(), CreatedAt: k.CreationTimestamp.UTC()},
			memory:   keyMemory{Owner: k.UID},
		}, nil
	}
	ring := state.ring.clone()
	if earlier := ring.memory.Owner; earlier != "" && earlier != k.UID && !retains(state.secret) {
		// That the other one was deleted, nobody has seen before this one was there.
		if err := retireAll(ring, now); err != nil {
			return nil, err
		}
	}
	ring.memory.Owner = k.UID
	if ring.in(registration.PhaseActive) != nil || len(ring.document.Keys) == 0 {
		return ring, nil
	}
	for i := range ring.document.Keys {
		// Of a key that was replaced only the public half is left, so this one was retained.
		if key := &ring.document.Keys[i]; key.Phase == registration.PhaseRetiring && hasPrivateHalf(key, ring.document.Algorithm) {
			key.Phase, key.RetiresAt = registration.PhaseActive, time.Time{}
			return ring, nil
		}
	}
	ring.document.Algorithm, ring.document.CreatedAt = k.Algorithm(), k.CreationTimestamp.UTC()
	return ring, nil
}

func hasPrivateHalf(key *registration.Key, algorithm string) bool {
	jwk, err := key.Parse(algorithm)
	return err == nil && !jwk.IsPublic()
}

// buildKeySecret returns the Secret that holds a ring. It replaces exactly what was observed: a key that was made because a
// cache lags behind must not take the place of one that signs already.
func buildKeySecret(k *v1alpha1.SigningKey, state signingKeyState, ring *keyRing) (*acorev1.SecretApplyConfiguration, error) {
	owner := resources.Owner(kindSigningKey, client.ObjectKeyFromObject(k))
	data, err := ring.data()
	if err != nil {
		return nil, err
	}
	secret, err := buildRegistration(k.ProviderKey(), registration.KindSigningKey, signingKeySecretName(k), owner, ring.document)
	if err != nil {
		return nil, err
	}
	secret.WithData(data)
	if state.secret != nil {
		secret.WithResourceVersion(state.secret.ResourceVersion)
	}
	if k.Spec.DeletionPolicy == v1alpha1.DeletionPolicyRetain {
		return secret.WithAnnotations(map[string]string{resources.AnnotationDeletionPolicy: string(v1alpha1.DeletionPolicyRetain)}), nil
	}
	// It is collected when both are gone: after the SigningKey alone, what its keys have signed must still be verified.
	return secret.WithOwnerReferences(
		resources.OwnerReference(kindSigningKey, k),
		resources.SharedOwnerReference(kindProvider, state.provider)), nil
}

func keySecretTaken(secret metav1.Object) verdict {
	return stall(v1alpha1.ReasonRegistrationNotOwned, fmt.Sprintf(
		"Secret %q exists and is not owned by this SigningKey; delete it", secret.GetName()))
}

func invalidKey(k *v1alpha1.SigningKey, secret *corev1.Secret, fault string) verdict {
	return stall(v1alpha1.ReasonInvalidKey, fmt.Sprintf(
		"Secret %q does not hold a usable %s key: %s; restore it, or delete it to get a new key", secret.Name, k.Algorithm(), fault))
}

func importRefused(k *v1alpha1.SigningKey, why string) verdict {
	return stall(v1alpha1.ReasonImportRefused, fmt.Sprintf("Secret %q, key %q %s", k.ImportSecretName(), k.ImportSecretKey(), why))
}

// judgeImport returns the key that spec.import refers to, or says why there is none.
func judgeImport(k *v1alpha1.SigningKey, state signingKeyState) (*registration.Key, *verdict) {
	switch {
	case k.Spec.Import == nil:
		return nil, nil
	case !state.imported.found:
		return nil, new(wait(v1alpha1.ReasonImportNotFound, fmt.Sprintf(
			"Secret %q of spec.import does not exist in namespace %q; create it", k.ImportSecretName(), k.Namespace)))
	case len(state.imported.value) == 0:
		return nil, new(wait(v1alpha1.ReasonImportNotFound, fmt.Sprintf(
			"Secret %q has nothing under the key %q; put a private key there or correct spec.import.secretRef.key", k.ImportSecretName(), k.ImportSecretKey())))
	}
	keyID, jwk, err := keys.Import(state.imported.value, k.Algorithm())
	if err != nil {
		return nil, new(importRefused(k, err.Error()))
	}
	if state.ring == nil || state.ring.find(keyID) == nil {
		for _, other := range state.others {
			if why := other.claims(keyID); why != "" {
				return nil, new(importRefused(k, why))
			}
		}
	}
	return &registration.Key{KeyID: keyID, PrivateJWK: jwk}, nil
}

// judgeKeys decides ConditionReady. A SigningKey in the middle of a rotation is ready: logins work.
func judgeKeys(k *v1alpha1.SigningKey, p *keyProgress, obstacle *verdict) verdict {
	active := p.ring.in(registration.PhaseActive)
	if obstacle != nil {
		v := *obstacle
		if active != nil {
			v.message += fmt.Sprintf("; until then key %s goes on signing", active.KeyID)
		}
		return v
	}
	if active == nil {
		return wait(v1alpha1.ReasonAwaitingSigningKey, "there is no active key")
	}
	message := fmt.Sprintf("Secret %q holds the active key", signingKeySecretName(k))
	switch pending := p.ring.in(registration.PhasePublished); {
	case pending != nil && p.ring.memory.ServedAt.IsZero():
		message += "; the next one waits until every provider replica serves it"
	case pending != nil:
		message += "; the next one is published"
	case p.held:
		message += fmt.Sprintf("; a rotation waits, because there are %d keys already", len(p.ring.document.Keys))
	}
	return accept(v1alpha1.ReasonReady, message)
}

// ringFaults says why a Secret that stands holds nothing of use to k, or returns "".
func ringFaults(k *v1alpha1.SigningKey, ring *keyRing) string {
	document := &ring.document
	if document.Algorithm != k.Algorithm() {
		return fmt.Sprintf("it holds a %s key", document.Algorithm)
	}
	if len(document.Keys) == 0 && len(ring.memory.Used) == 0 {
		return "it holds no active key"
	}
	if err := document.Validate(); err != nil {
		return registration.FieldErrors(err)[0].Error()
	}
	for _, phase := range []registration.Phase{registration.PhaseActive, registration.PhasePublished} {
		if count(document.Keys, phase) > 1 {
			return fmt.Sprintf("it holds more than one %s key", strings.ToLower(string(phase)))
		}
	}
	active := ring.in(registration.PhaseActive)
	if active == nil || k.Spec.Import != nil || slices.Contains(ring.memory.Imported, active.KeyID) {
		return ""
	}
	if bits := rsaBits(active, k.Algorithm()); bits != 0 && bits != k.RSABits() {
		return fmt.Sprintf("it holds an RSA key of %d bits and spec.rsaBits is %d", bits, k.RSABits())
	}
	return ""
}

func count(keys []registration.Key, phase registration.Phase) int {
	n := 0
	for i := range keys {
		if keys[i].Phase == phase {
			n++
		}
	}
	return n
}

// rsaBits returns the size of an RSA key that is valid, or 0 for a key of another kind.
func rsaBits(key *registration.Key, algorithm string) int {
	jwk, err := key.Parse(algorithm)
	if err != nil {
		return 0
	}
	private, ok := jwk.Key.(*rsa.PrivateKey)
	if !ok {
		return 0
	}
	return private.N.BitLen()
}
