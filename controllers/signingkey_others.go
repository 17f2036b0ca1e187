package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// ringProvider returns the provider of the SigningKey that a Secret was made for, as "namespace/name", or "" for any other Secret. It goes
// by the name: a key that is retained has lost the label.
func ringProvider(secret *corev1.Secret) string {
	end := strings.LastIndex(secret.Name, "-"+string(registration.KindSigningKey)+"-")
	if end < 0 || secret.Type != registration.SecretType || secret.Data[registration.KindSigningKey.File()] == nil {
		return ""
	}
	return secret.Namespace + "/" + secret.Name[:end]
}

// otherRings returns what the provider's other SigningKeys hold and remember. What cannot be read is told at the SigningKey that it belongs to.
func otherRings(ctx context.Context, reader client.Reader, k *v1alpha1.SigningKey) ([]*keyRing, error) {
	list := &corev1.SecretList{}
	if err := reader.List(ctx, list, client.InNamespace(k.Namespace), client.MatchingFields{indexKeyRing: k.ProviderKey().String()}); err != nil {
		return nil, fmt.Errorf("list keys of provider %s: %w", k.ProviderKey(), err)
	}
	var others []*keyRing
	for i := range list.Items {
		if list.Items[i].Name == signingKeySecretName(k) {
			continue
		}
		if ring, err := readKeyRing(&list.Items[i]); err == nil {
			others = append(others, ring)
		}
	}
	return others, nil
}

// claims says why another SigningKey must not have a key of this ring, or returns "".
func (r *keyRing) claims(keyID string) string {
	switch {
	case r.find(keyID) != nil:
		return fmt.Sprintf("is the key of SigningKey %q, and a key ID stands in a JWKS only once; use another key", r.document.Name)
	case slices.Contains(r.memory.Used, keyID):
		return fmt.Sprintf("is key %s, which SigningKey %q has used before; a key ID is never used again, put another key there", keyID, r.document.Name)
	default:
		return ""
	}
}
