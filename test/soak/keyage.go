package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// memoryFile is where the operator remembers, beside the document of a signing key, since when every replica has had the new one.
const memoryFile = "memory.json"

// keySecret reads the Secret of the signing key.
func (s *site) keySecret(ctx context.Context) (*corev1.Secret, error) {
	list := &corev1.SecretList{}
	err := s.client.List(ctx, list, client.InNamespace(providerNamespace), client.MatchingLabels{registration.LabelKind: string(registration.KindSigningKey)})
	if err != nil {
		return nil, err
	}
	if len(list.Items) != 1 {
		return nil, fmt.Errorf("there are %d Secrets of signing keys; want 1", len(list.Items))
	}
	return &list.Items[0], nil
}

func readMemory(secret *corev1.Secret) (map[string]any, error) {
	memory := map[string]any{}
	return memory, json.Unmarshal(secret.Data[memoryFile], &memory)
}

// published tells why the time before the new key signs has not begun.
func (s *site) published(ctx context.Context) error {
	secret, err := s.keySecret(ctx)
	if err != nil {
		return err
	}
	memory, err := readMemory(secret)
	if err != nil {
		return err
	}
	if _, has := memory["servedAt"]; !has {
		return errors.New("not every replica serves the new signing key")
	}
	return nil
}

// ageKeys makes what stands in the signing key's Secret as old as though time had passed. The API allows no rotation in less than
// minutes, and 24 hours until a key is forgotten. All else about it is real: every replica has to serve the key before.
func (s *site) ageKeys(ctx context.Context, passed time.Duration) error {
	return await(ctx, func() error {
		secret, err := s.keySecret(ctx)
		if err != nil {
			return err
		}
		if err := age(secret, passed); err != nil {
			return err
		}
		if err := s.client.Update(ctx, secret); err != nil && !apierrors.IsConflict(err) {
			return err
		} else if err != nil {
			return errors.New("the operator has written the Secret meanwhile")
		}
		return nil
	})
}

func age(secret *corev1.Secret, passed time.Duration) error {
	var document registration.SigningKey
	if err := json.Unmarshal(secret.Data[registration.KindSigningKey.File()], &document); err != nil {
		return errors.New("the Secret of the signing key cannot be read")
	}
	for i := range document.Keys {
		key := &document.Keys[i]
		for _, t := range []*time.Time{&key.CreatedAt, &key.ActivatedAt, &key.RetiresAt} {
			if !t.IsZero() {
				*t = t.Add(-passed)
			}
		}
	}
	memory, err := readMemory(secret)
	if err != nil {
		return err
	}
	if served, has := memory["servedAt"].(string); has {
		since, err := time.Parse(time.RFC3339, served)
		if err != nil {
			return err
		}
		memory["servedAt"] = since.Add(-passed)
	}
	for file, content := range map[string]any{registration.KindSigningKey.File(): document, memoryFile: memory} {
		if secret.Data[file], err = json.Marshal(content); err != nil {
			return err
		}
	}
	return nil
}
