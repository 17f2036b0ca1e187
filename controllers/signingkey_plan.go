package controllers

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// signingKeyPlan is what is to be done about a SigningKey.
type signingKeyPlan struct {
	ready verdict
	// document is what the Secret holds, or is to hold; nil when there is nothing that could sign.
	document *registration.SigningKey
	// secret is what should stand; nil: nothing is to be written.
	secret *acorev1.SecretApplyConfiguration
	// remove is a Secret that belongs to an earlier SigningKey of the same name, or nil.
	remove *corev1.Secret
}

// generateKey makes a private key: its key ID and the key as a private JWK.
type generateKey func(algorithm string, rsaBits int) (keyID string, privateJWK json.RawMessage, err error)

// planSigningKey decides about a SigningKey. It calls generate when there is no key yet.
func planSigningKey(k *v1alpha1.SigningKey, state signingKeyState, now time.Time, generate generateKey) (signingKeyPlan, error) {
	owner := resources.Owner(kindSigningKey, client.ObjectKeyFromObject(k))
	switch {
	case !state.providerExists:
		return signingKeyPlan{ready: providerNotFound(k.ProviderKey())}, nil
	case state.secret != nil && !ownedBy(owner)(state.secret):
		return signingKeyPlan{ready: keySecretTaken(state.secret)}, nil
	case state.secret != nil && ofEarlier(k, state.secret):
		// Its key was deleted with that SigningKey, and the garbage collector is about to take the Secret away.
		return signingKeyPlan{remove: state.secret, ready: wait(v1alpha1.ReasonAwaitingSigningKey, "the key of a deleted SigningKey of the same name is being removed")}, nil
	}
	document, err := keyDocument(k, state.secret, now, generate)
	if err != nil {
		return signingKeyPlan{}, err
	}
	if faults := keyFaults(k, document); faults != "" {
		return signingKeyPlan{ready: stall(v1alpha1.ReasonInvalidKey, fmt.Sprintf(
			"Secret %q does not hold a usable %s key: %s; restore it, or delete it to get a new key", state.secret.Name, k.Algorithm(), faults))}, nil
	}
	secret, err := buildRegistration(k.ProviderKey(), registration.KindSigningKey, signingKeySecretName(k), owner, document)
	if err != nil {
		return signingKeyPlan{}, err
	}
	if k.Spec.DeletionPolicy != v1alpha1.DeletionPolicyRetain {
		secret.WithOwnerReferences(resources.OwnerReference(kindSigningKey, k))
	}
	return signingKeyPlan{
		ready:    accept(v1alpha1.ReasonReady, fmt.Sprintf("Secret %q holds the active key", signingKeySecretName(k))),
		document: document,
		secret:   secret,
	}, nil
}

func keySecretTaken(secret metav1.Object) verdict {
	return stall(v1alpha1.ReasonRegistrationNotOwned, fmt.Sprintf(
		"Secret %q exists and is not owned by this SigningKey; delete it", secret.GetName()))
}

// ofEarlier tells whether a Secret is owned by a SigningKey of the same name that is gone. A retained one has no owner
// reference and is taken up again.
func ofEarlier(k *v1alpha1.SigningKey, secret *corev1.Secret) bool {
	controller := metav1.GetControllerOf(secret)
	return controller != nil && controller.UID != k.UID
}

// keyDocument returns the document in the Secret, or one with a new active key when there is no Secret. What cannot be
// read comes back without keys.
func keyDocument(k *v1alpha1.SigningKey, secret *corev1.Secret, now time.Time, generate generateKey) (*registration.SigningKey, error) {
	if secret != nil {
		document := &registration.SigningKey{}
		if err := json.Unmarshal(secret.Data[registration.KindSigningKey.File()], document); err != nil {
			return &registration.SigningKey{Algorithm: k.Algorithm()}, nil //nolint:nilerr // reported as a document without keys
		}
		return document, nil
	}
	keyID, jwk, err := generate(k.Algorithm(), k.RSABits())
	if err != nil {
		return nil, fmt.Errorf("generate %s key: %w", k.Algorithm(), err)
	}
	now = now.UTC().Truncate(time.Second)
	return &registration.SigningKey{
		Name:      k.Name,
		Algorithm: k.Algorithm(),
		CreatedAt: k.CreationTimestamp.UTC(),
		Keys:      []registration.Key{{KeyID: keyID, Phase: registration.PhaseActive, CreatedAt: now, ActivatedAt: now, PrivateJWK: jwk}},
	}, nil
}

// keyFaults says why a document cannot sign for k, or returns "".
func keyFaults(k *v1alpha1.SigningKey, document *registration.SigningKey) string {
	if document.Algorithm != k.Algorithm() {
		return fmt.Sprintf("it holds a %s key", document.Algorithm)
	}
	if activeKey(document) == nil {
		return "it holds no active key"
	}
	if err := document.Validate(); err != nil {
		return registration.FieldErrors(err)[0].Error()
	}
	if bits := rsaBits(activeKey(document), k.Algorithm()); bits != 0 && bits != k.RSABits() {
		return fmt.Sprintf("it holds an RSA key of %d bits and spec.rsaBits is %d", bits, k.RSABits())
	}
	return ""
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

// activeKey returns the first key that signs, or nil.
func activeKey(document *registration.SigningKey) *registration.Key {
	for i := range document.Keys {
		if document.Keys[i].Phase == registration.PhaseActive {
			return &document.Keys[i]
		}
	}
	return nil
}
