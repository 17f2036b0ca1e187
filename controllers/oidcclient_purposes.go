package controllers

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// purposeOf returns what a Secret is there for already, in words, or "" when nothing refers to it. Whoever may make OIDCClients in a
// namespace may not therefore read its Secrets: a database's address that came along as a client secret would be copied to where they may.
func (r *clientReconciler) purposeOf(ctx context.Context, secret client.ObjectKey) (string, error) {
	named := []client.ListOption{client.InNamespace(secret.Namespace), client.MatchingFields{indexSecretName: secret.Name}}
	providers := &v1alpha1.OIDCProviderList{}
	if err := r.client.List(ctx, providers, named...); err != nil {
		return "", fmt.Errorf("list providers of secret %s: %w", secret, err)
	}
	if len(providers.Items) > 0 {
		if providers.Items[0].DSNSecretName() != secret.Name {
			return fmt.Sprintf("the certificate of OIDCProvider %q", providers.Items[0].Name), nil
		}
		return fmt.Sprintf("the database of OIDCProvider %q", providers.Items[0].Name), nil
	}
	signingKeys := &v1alpha1.SigningKeyList{}
	if err := r.client.List(ctx, signingKeys, named...); err != nil {
		return "", fmt.Errorf("list signing keys of secret %s: %w", secret, err)
	}
	if len(signingKeys.Items) > 0 {
		return fmt.Sprintf("SigningKey %q", signingKeys.Items[0].Name), nil
	}
	users := &v1alpha1.OIDCUserList{}
	if err := r.client.List(ctx, users, named...); err != nil {
		return "", fmt.Errorf("list users of secret %s: %w", secret, err)
	}
	if len(users.Items) > 0 {
		return fmt.Sprintf("the password of OIDCUser %q", users.Items[0].Name), nil
	}
	return "", nil
}
