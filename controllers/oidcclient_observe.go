package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// clientState is everything that a decision about an OIDCClient depends on.
type clientState struct {
	// provider is nil when it does not exist.
	provider *v1alpha1.OIDCProvider
	// namespaceAllowed tells whether the provider admits clients of the namespace.
	namespaceAllowed bool
	// holder is the OIDCClient that has the client ID, or nil, and recorded the owner in another namespace that the provider's Secrets record.
	holder   *v1alpha1.OIDCClient
	recorded *recordedOwner
	// appIDHolder and recordedAppID are the same of the app_id of Synology SSO Server's protocol.
	appIDHolder   *v1alpha1.OIDCClient
	recordedAppID *recordedOwner
	// reservations is how many client IDs are kept for the namespace, when it asks for another one.
	reservations int
	// credentials is the Secret under the name in the spec, whoever made it, or nil.
	credentials *corev1.Secret
	// purpose is what credentials is there for already when it is not the OIDCClient's, or "", and ownerGone reports that it was made for
	// another OIDCClient, which does not exist any more.
	purpose   string
	ownerGone bool
	// registration is the registration Secret under its name as the cache has it, whoever it is for, or nil.
	registration *corev1.Secret
	// standing is what registration says of this OIDCClient, or nil, see registeredFor.
	standing *registration.Client
	// reservedFor is another namespace whose name a client ID from the spec begins with, as its default client IDs do, or "".
	reservedFor string
	// unsignable is an algorithm that the OIDCClient asks for and the provider has no active key of, or "". awaitedKey is the SigningKey that is
	// about to have one, also when it is yet to be created.
	unsignable, awaitedKey string
	// algorithms are those with which the provider signs, for a client whose preset has something to say about them.
	algorithms []string
	// owned are the Secrets that say that they were made for the OIDCClient, in any namespace: a registration is where its
	// provider is, or was. Only those in the OIDCClient's own namespace may be believed.
	owned []corev1.Secret
	// brought is what existingSecretRef names; nil without one.
	brought *broughtSecret
	// reached tells how far the provider's replicas are with the registration, nobody that none is ready, uses when which secret was used, by
	// its ID, and unknown until when it may have been used unnoticed. All are only there for a client that has several secrets.
	reached verdict
	nobody  bool
	uses    map[string]time.Time
	unknown map[string]time.Time
}

func (r *clientReconciler) observe(ctx context.Context, c *v1alpha1.OIDCClient) (clientState, error) {
	var state clientState
	var err error
	if state.owned, err = secretsOf(ctx, r.client, resources.Owner(kindClient, client.ObjectKeyFromObject(c))); err != nil {
		return state, err
	}
	// Asked past the cache when it has none, so that a cache that lags behind our own write never leads to a second secret.
	credentials := &corev1.Secret{}
	if found, err := r.objects.get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: c.SecretName()}, credentials); err != nil {
		return state, err
	} else if found {
		state.credentials = credentials
	}
	if err := r.observeUnowned(ctx, c, &state); err != nil {
		return state, err
	}
	if state.registration, err = readSecret(ctx, r.client, registrationKey(c)); err != nil {
		return state, err
	}
	state.standing = registeredFor(c, state.registration)
	if err = r.observeSecrets(ctx, c, &state); err != nil {
		return state, err
	}
	provider := &v1alpha1.OIDCProvider{}
	if err := r.client.Get(ctx, c.ProviderKey(), provider); apierrors.IsNotFound(err) {
		return state, nil
	} else if err != nil {
		return state, fmt.Errorf("get provider: %w", err)
	}
	state.provider = provider
	if state.namespaceAllowed, err = namespaceAllowed(ctx, r.client, provider, c.Namespace); err != nil {
		return state, err
	}
	if err = r.observeAlgorithms(ctx, c, &state); err != nil {
		return state, err
	}
	return state, r.observeOwnership(ctx, c, &state)
}

// observeAlgorithms looks at the provider's keys where it matters which there are. Any active key will do for a client that
// asks for none.
func (r *clientReconciler) observeAlgorithms(ctx context.Context, c *v1alpha1.OIDCClient, state *clientState) error {
	wanted := c.SigningAlgorithms()
	if len(wanted) == 0 && !heedsAlgorithms(c) {
		return nil
	}
	signingKeys := &v1alpha1.SigningKeyList{}
	if err := r.client.List(ctx, signingKeys, client.MatchingFields{indexProvider: c.ProviderKey().String()}); err != nil {
		return fmt.Errorf("list signing keys: %w", err)
	}
	for i := range signingKeys.Items {
		if k := &signingKeys.Items[i]; k.Status.ActiveKeyID != "" {
			state.algorithms = append(state.algorithms, k.Algorithm())
		}
	}
	slices.Sort(state.algorithms)
	state.algorithms = slices.Compact(state.algorithms)
	for _, algorithm := range wanted {
		if !slices.Contains(state.algorithms, algorithm) {
			state.unsignable, state.awaitedKey = algorithm, awaitedKey(c, signingKeys.Items, algorithm)
			return nil
		}
	}
	return nil
}

// awaitedKey returns the SigningKey that is about to have an active key of an algorithm, or "". A provider without any gets the default one.
func awaitedKey(c *v1alpha1.OIDCClient, signingKeys []v1alpha1.SigningKey, algorithm string) string {
	if len(signingKeys) == 0 && algorithm == v1alpha1.DefaultAlgorithm {
		return defaultKeyName(c.ProviderKey())
	}
	for i := range signingKeys {
		if signingKeys[i].Algorithm() == algorithm {
			return signingKeys[i].Name
		}
	}
	return ""
}
