package controllers

import (
	"context"
	"fmt"
	"slices"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The indexes of the cache: every question that a reconcile asks is answered by one, never by looking at all objects.
const (
	indexOwner         = "owner"         // Secret by AnnotationOwner
	indexLeaseProvider = "leaseProvider" // Lease by the provider that the replica belongs to
	indexProvider      = "provider"      // SigningKey, OIDCClient, OIDCUser by provider "namespace/name"
	indexClientID      = "clientID"      // OIDCClient by provider and client ID
	indexAppID         = "appID"         // OIDCClient by provider and app_id of Synology SSO Server's protocol
	indexReserving     = "reserving"     // OIDCClient by the namespace, not its own, that its client ID begins with
	indexAlgorithm     = "algorithm"     // OIDCClient by provider and the signing algorithms that it asks for, or anyAlgorithm
	indexUsername      = "username"      // OIDCUser by provider and folded username
	indexSubject       = "subject"       // OIDCUser by provider and subject, that of the spec and that in force
	indexEmail         = "email"         // OIDCUser by provider and folded e-mail address
	indexSecretName    = "secretName"    // OIDCClient, OIDCUser by the Secret that holds, or is to hold, the credentials or their source; OIDCProvider by those of its DSN and its certificate; SigningKey by that of its import
	indexConfigMapName = "configMapName" // OIDCProvider by the ConfigMap of its logo
	indexReservation   = "reservation"   // Secret that reserves a client ID, by provider and the namespace for which it does
	indexRecordedAppID = "recordedAppID" // Secret of a registration or reservation by provider and app_id of Synology SSO Server's protocol
	indexIssuer        = "issuer"        // OIDCProvider by its issuer, see uniqueIssuer
	indexKeyRing       = "keyRing"       // Secret with a SigningKey's keys, also one that is gone, by provider "namespace/name"
)

// anyAlgorithm stands in indexAlgorithm for a client to which every algorithm matters with which its provider signs.
const anyAlgorithm = "*"

// scoped makes an index value that is unique for each provider.
func scoped(provider types.NamespacedName, value string) string {
	return provider.String() + "\n" + value
}

// addIndexes registers every index. Each covers one kind; K is its pointer type.
func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	one := func(value string) []string {
		if value == "" {
			return nil
		}
		return []string{value}
	}
	for _, add := range []func() error{
		index(ctx, indexer, indexOwner, func(s *corev1.Secret) []string {
			return one(s.Annotations[resources.AnnotationOwner])
		}),
		index(ctx, indexer, indexKeyRing, func(s *corev1.Secret) []string {
			return one(ringProvider(s))
		}),
		index(ctx, indexer, indexReservation, func(s *corev1.Secret) []string {
			if owner := recordedOwnerOf(s); owner != nil && isReservation(s) {
				return one(scoped(providerOfRegistration(s), owner.client.Namespace))
			}
			return nil
		}),
		index(ctx, indexer, indexRecordedAppID, func(s *corev1.Secret) []string {
			if appID := s.Annotations[annotationAppID]; appID != "" && recordedOwnerOf(s) != nil {
				return one(scoped(providerOfRegistration(s), appID))
			}
			return nil
		}),
		index(ctx, indexer, indexLeaseProvider, func(l *coordinationv1.Lease) []string {
			return one(l.Labels[registration.LabelProvider])
		}),
		index(ctx, indexer, indexProvider, func(k *v1alpha1.SigningKey) []string {
			return one(k.ProviderKey().String())
		}),
		index(ctx, indexer, indexProvider, func(c *v1alpha1.OIDCClient) []string {
			return one(c.ProviderKey().String())
		}),
		index(ctx, indexer, indexProvider, func(u *v1alpha1.OIDCUser) []string {
			return one(u.ProviderKey().String())
		}),
		index(ctx, indexer, indexClientID, func(c *v1alpha1.OIDCClient) []string {
			return one(scoped(c.ProviderKey(), c.ClientID()))
		}),
		index(ctx, indexer, indexAppID, func(c *v1alpha1.OIDCClient) []string {
			sso := presets.SynologySSO(c)
			if sso == nil {
				return nil
			}
			return one(scoped(c.ProviderKey(), sso.AppID))
		}),
		index(ctx, indexer, indexReserving, func(c *v1alpha1.OIDCClient) []string {
			return one(reservingNamespace(c))
		}),
		index(ctx, indexer, indexAlgorithm, func(c *v1alpha1.OIDCClient) []string {
			var values []string
			effective := presets.Effective(c)
			for _, algorithm := range effective.SigningAlgorithms() {
				values = append(values, scoped(c.ProviderKey(), algorithm))
			}
			if heedsAlgorithms(effective) {
				values = append(values, scoped(c.ProviderKey(), anyAlgorithm))
			}
			return values
		}),
		index(ctx, indexer, indexUsername, func(u *v1alpha1.OIDCUser) []string {
			return one(scoped(u.ProviderKey(), registration.FoldUsername(u.Username())))
		}),
		index(ctx, indexer, indexSubject, func(u *v1alpha1.OIDCUser) []string {
			var subjects []string
			for _, subject := range []string{u.Spec.Subject, u.Status.Subject} {
				if subject != "" && !slices.Contains(subjects, scoped(u.ProviderKey(), subject)) {
					subjects = append(subjects, scoped(u.ProviderKey(), subject))
				}
			}
			return subjects
		}),
		index(ctx, indexer, indexEmail, func(u *v1alpha1.OIDCUser) []string {
			if u.Spec.Email == "" {
				return nil
			}
			return one(scoped(u.ProviderKey(), registration.FoldEmail(u.Spec.Email)))
		}),
		index(ctx, indexer, indexSecretName, func(c *v1alpha1.OIDCClient) []string {
			return append(one(c.ExistingSecretName()), c.SecretName())
		}),
		index(ctx, indexer, indexSecretName, func(u *v1alpha1.OIDCUser) []string {
			return one(u.PasswordSecretName())
		}),
		index(ctx, indexer, indexSecretName, func(p *v1alpha1.OIDCProvider) []string {
			return append(one(p.DSNSecretName()), one(p.TLSSecretName())...)
		}),
		index(ctx, indexer, indexSecretName, func(k *v1alpha1.SigningKey) []string {
			return one(k.ImportSecretName())
		}),
		index(ctx, indexer, indexIssuer, func(p *v1alpha1.OIDCProvider) []string {
			return one(uniqueIssuer(p))
		}),
		index(ctx, indexer, indexConfigMapName, func(p *v1alpha1.OIDCProvider) []string {
			return one(p.LogoConfigMapName())
		}),
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

func index[T any, P interface {
	*T
	client.Object
}](ctx context.Context, indexer client.FieldIndexer, name string, values func(P) []string) func() error {
	return func() error {
		err := indexer.IndexField(ctx, P(new(T)), name, func(obj client.Object) []string {
			typed, ok := obj.(P)
			if !ok {
				return nil
			}
			return values(typed)
		})
		if err != nil {
			return fmt.Errorf("index %s: %w", name, err)
		}
		return nil
	}
}
