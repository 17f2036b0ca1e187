package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Who owns a client ID of a provider. Relying parties and APIs trust it by name, so that it never passes to another namespace by itself.
//
//  1. "<namespace>.…" belongs to that namespace while it exists, except that an OIDCClient that was created before the namespace keeps it. When a
//     registration ends while an OIDCClient of another namespace asks for it, it stays reserved by rule 2, also after the namespace.
//  2. Any other belongs to the namespace that the registration Secret under its name records, whatever has become of the OIDCClient: deleted, not
//     admitted, moved to another provider. When the registration ends, the Secret stays as a reservation, see needsReservation.
//  3. One that no Secret records goes to the oldest OIDCClient that the provider admits.
//  4. Within the namespace that owns it the oldest OIDCClient has it. When that is gone, the next takes over, as another client.
//  5. The owner gives it up by the annotation v1alpha1.AnnotationReleaseClientID on the OIDCClient, which leaves no reservation when its
//     registration ends; an administrator of the provider by deleting the reservation.
//  6. A namespace that has maxReservations reservations gets no further client ID under rule 3: what it can leave behind is bounded.
//
// An app_id of Synology SSO Server's protocol follows the same rules, by the annotation annotationAppID of the same Secret. One that is made
// from a client ID belongs to that client, as at the provider.
//
// Usernames, subjects and the names and IDs of signing keys cannot pass to another namespace: OIDCUsers and SigningKeys are in the namespace of
// their provider. Of two there, the older has it, and the next takes over. A key ID is never used again (signingkey_ring.go).

// maxReservations is how many reservations a namespace may have at a provider before it gets no further client IDs.
const maxReservations = 100

const (
	// annotationClientID on a reservation holds the client ID, of which its name is a digest.
	annotationClientID = "oidc-operator.dev/client-id"
	// annotationAppID on a registration or reservation holds the app_id of Synology SSO Server's protocol.
	annotationAppID = "oidc-operator.dev/app-id"
)

// recordedOwner is the OIDCClient that a registration Secret or reservation was made for, and that Secret.
type recordedOwner struct {
	client, secret types.NamespacedName
}

// recordedOwnerOf returns the owner that a Secret records, or nil.
func recordedOwnerOf(secret *corev1.Secret) *recordedOwner {
	if secret == nil || secret.Type != registration.SecretType || !resources.Managed(secret) {
		return nil
	}
	rest, ok := strings.CutPrefix(secret.Annotations[resources.AnnotationOwner], kindClient+"/")
	namespace, name, cut := strings.Cut(rest, "/")
	if !ok || !cut {
		return nil
	}
	return &recordedOwner{client: types.NamespacedName{Namespace: namespace, Name: name}, secret: client.ObjectKeyFromObject(secret)}
}

// isReservation reports whether a Secret keeps a client ID for the namespace whose registration has ended.
func isReservation(secret *corev1.Secret) bool {
	return secret.Type == registration.SecretType && secret.Labels[resources.LabelReservation] != "" && !isRegistration(secret)
}

// ownedByForm reports whether a client ID belongs to a namespace by its form.
func ownedByForm(clientID, namespace string) bool {
	return strings.HasPrefix(clientID, namespace+".")
}

// observeOwnership reads who owns the client ID and the app_id that c asks for.
func (r *clientReconciler) observeOwnership(ctx context.Context, c *v1alpha1.OIDCClient, state *clientState) (err error) {
	if state.reservedFor, err = r.reservedFor(ctx, c); err != nil {
		return err
	}
	record := standingRegistration{registrationKey(c), state.registration}
	if record.cached == nil && !ownedByForm(c.ClientID(), c.Namespace) {
		// Past the cache: the ID must not pass to another namespace because the cache does not show a registration yet.
		if record.cached, err = readSecret(ctx, r.objects.live, record.name); err != nil {
			return err
		}
	}
	owner := recordedOwnerOf(record.cached)
	if owner != nil && owner.client.Namespace != c.Namespace {
		state.recorded = owner
	}
	if owner == nil && (!ownedByForm(c.ClientID(), c.Namespace) || presets.SynologySSO(c) != nil) {
		if state.reservations, err = r.reservations(ctx, c); err != nil {
			return err
		}
	}
	if state.appIDHolder, err = r.appIDHolder(ctx, c, state); err != nil {
		return err
	}
	state.holder, err = r.holder(ctx, c, owner, record, state)
	return err
}

// reservations returns how many client IDs c's provider keeps for c's namespace.
func (r *clientReconciler) reservations(ctx context.Context, c *v1alpha1.OIDCClient) (int, error) {
	list := &corev1.SecretList{}
	err := r.client.List(ctx, list, client.InNamespace(c.ProviderKey().Namespace), client.UnsafeDisableDeepCopy,
		client.MatchingFields{indexReservation: scoped(c.ProviderKey(), c.Namespace)})
	if err != nil {
		return 0, fmt.Errorf("list reservations of namespace %s: %w", c.Namespace, err)
	}
	return len(list.Items), nil
}

// holder returns the OIDCClient because of which c does not get its client ID, or nil. One that may not have the ID cannot keep it from
// others. What is returned is the cache's own.
func (r *clientReconciler) holder(ctx context.Context, c *v1alpha1.OIDCClient, owner *recordedOwner, record standingRegistration, state *clientState) (*v1alpha1.OIDCClient, error) {
	same := &v1alpha1.OIDCClientList{}
	if err := r.client.List(ctx, same, client.MatchingFields{indexClientID: scoped(c.ProviderKey(), c.ClientID())}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list clients of the same client ID: %w", err)
	}
	incumbent, err := r.objects.incumbent(ctx, record, contested(c, same.Items))
	if err != nil {
		return nil, err
	}
	var holder *v1alpha1.OIDCClient
	for i := range same.Items {
		other := &same.Items[i]
		outside := owner != nil && other.Namespace != owner.client.Namespace
		first := holder == nil || precedes(kindClient, incumbent, other, holder)
		if other.UID == c.UID || outside || !first || state.recorded == nil && !precedes(kindClient, incumbent, other, c) {
			continue
		}
		allowed, err := namespaceAllowed(ctx, r.client, state.provider, other.Namespace)
		if err != nil {
			return nil, err
		}
		reserved, err := r.reservedFor(ctx, other)
		if err != nil {
			return nil, err
		}
		if allowed && reserved == "" || state.recorded != nil {
			holder = other
		}
	}
	return holder, nil
}

// appIDHolder returns the OIDCClient because of which c does not get its app_id, or nil. The one whose client ID the app_id is made from
// comes first, as it does at the provider; of the others those of the namespace that has it already, and of them the oldest.
func (r *clientReconciler) appIDHolder(ctx context.Context, c *v1alpha1.OIDCClient, state *clientState) (*v1alpha1.OIDCClient, error) {
	sso := presets.SynologySSO(c)
	if sso == nil {
		return nil, nil //nolint:nilnil // there is nothing to hold
	}
	derived := func(c *v1alpha1.OIDCClient) bool { return registration.SynologyAppID(c.ClientID()) == sso.AppID }
	here, elsewhere, err := r.recordedAppID(ctx, c, sso.AppID)
	if err != nil {
		return nil, err
	}
	if !here && !derived(c) {
		state.recordedAppID = elsewhere
	}
	same := &v1alpha1.OIDCClientList{}
	if err := r.client.List(ctx, same, client.MatchingFields{indexAppID: scoped(c.ProviderKey(), sso.AppID)}); err != nil {
		return nil, fmt.Errorf("list clients of the same app_id: %w", err)
	}
	for i := range same.Items {
		other := &same.Items[i]
		switch {
		case other.UID == c.UID, derived(c) && !derived(other):
			continue
		case derived(c) == derived(other) && (here && other.Namespace != c.Namespace || !precedes(kindClient, "", other, c)):
			continue
		}
		if allowed, err := namespaceAllowed(ctx, r.client, state.provider, other.Namespace); err != nil || allowed {
			return other, err
		}
	}
	return nil, nil //nolint:nilnil // nobody has it
}

// recordedAppID reports whether Secrets record an app_id for c's namespace (here), and returns the owner in another one that they record.
func (r *clientReconciler) recordedAppID(ctx context.Context, c *v1alpha1.OIDCClient, appID string) (here bool, elsewhere *recordedOwner, err error) {
	list := &corev1.SecretList{}
	err = r.client.List(ctx, list, client.InNamespace(c.ProviderKey().Namespace), client.UnsafeDisableDeepCopy,
		client.MatchingFields{indexRecordedAppID: scoped(c.ProviderKey(), appID)})
	if err != nil {
		return false, nil, fmt.Errorf("list registrations of the same app_id: %w", err)
	}
	for i := range list.Items {
		switch owner := recordedOwnerOf(&list.Items[i]); {
		case owner == nil:
		case owner.client.Namespace == c.Namespace:
			here = true
		default:
			elsewhere = owner
		}
	}
	return here, elsewhere, nil
}

// judgeOwnership says why c does not own the client ID and the app_id that it asks for, or returns nil.
func judgeOwnership(c *v1alpha1.OIDCClient, state clientState) *verdict {
	taken := func(reason, format string, args ...any) *verdict {
		v := stall(reason, fmt.Sprintf(format, args...))
		return &v
	}
	switch {
	case state.reservedFor != "":
		return taken(v1alpha1.ReasonClientIDTaken, "client ID %q is reserved for namespace %q, whose name it begins with; create the OIDCClient there or with another spec.clientID",
			c.ClientID(), state.reservedFor)
	case state.recorded != nil && state.holder != nil:
		older := ""
		if precedes(kindClient, "", state.holder, c) {
			older = "older "
		}
		return taken(v1alpha1.ReasonClientIDTaken, "client ID %q belongs to the %sOIDCClient %q in namespace %q; create this one with another spec.clientID, or have that one give it up by the annotation %s and be deleted",
			c.ClientID(), older, state.holder.Name, state.holder.Namespace, v1alpha1.AnnotationReleaseClientID)
	case state.recorded != nil:
		return taken(v1alpha1.ReasonClientIDTaken, "client ID %q is reserved for namespace %q, whose OIDCClient %q had it last; create this one with another spec.clientID, or have an administrator of the provider give it up: %s",
			c.ClientID(), state.recorded.client.Namespace, state.recorded.client.Name, releaseCommand(state.recorded))
	case state.holder != nil:
		return taken(v1alpha1.ReasonClientIDTaken, "client ID %q belongs to the older OIDCClient %q in namespace %q; delete one of the two or create this one with another spec.clientID",
			c.ClientID(), state.holder.Name, state.holder.Namespace)
	case state.reservations >= maxReservations:
		return taken(v1alpha1.ReasonTooManyReservations, "%d client IDs are reserved for namespace %q already, of OIDCClients that are gone; leave spec.clientID unset, which needs no reservation, or have an administrator of the provider "+
			"delete some: kubectl -n %s get secrets -l %s", state.reservations, c.Namespace, c.ProviderKey().Namespace, resources.LabelReservation)
	case state.appIDHolder != nil:
		return taken(v1alpha1.ReasonAppIDTaken, "app_id %q belongs to OIDCClient %q in namespace %q; set another spec.preset.synologySSO.appID, or leave it out",
			presets.SynologySSO(c).AppID, state.appIDHolder.Name, state.appIDHolder.Namespace)
	case state.recordedAppID != nil:
		return taken(v1alpha1.ReasonAppIDTaken, "app_id %q belongs to namespace %q, whose OIDCClient %q had it last; set another spec.preset.synologySSO.appID, leave it out, or have an administrator of the provider give it up: %s",
			presets.SynologySSO(c).AppID, state.recordedAppID.client.Namespace, state.recordedAppID.client.Name, releaseCommand(state.recordedAppID))
	}
	return nil
}

func releaseCommand(owner *recordedOwner) string {
	return fmt.Sprintf("kubectl -n %s delete secret %s", owner.secret.Namespace, owner.secret.Name)
}

// registeredIDs are the IDs in a client's registration.
type registeredIDs struct {
	ClientID    string `json:"client_id"`
	SynologySSO *struct {
		AppID string `json:"app_id"`
	} `json:"synology_sso"`
}

func idsIn(secret *corev1.Secret) registeredIDs {
	var ids registeredIDs
	if data := secret.Data[registration.KindClient.File()]; json.Unmarshal(data, &ids) != nil || ids.ClientID == "" {
		ids.ClientID = secret.Annotations[annotationClientID]
	}
	return ids
}

// needsReservation reports whether the end of a registration leaves a reservation: not of what belongs to the namespace by its form, nor of
// what its owner gives up.
func needsReservation(secret *corev1.Secret) bool {
	owner := recordedOwnerOf(secret)
	if owner == nil || secret.Labels[registration.LabelKind] != string(registration.KindClient) || releases(secret) {
		return false
	}
	return !ownedByForm(idsIn(secret).ClientID, owner.client.Namespace) || secret.Annotations[annotationAppID] != ""
}

// releases reports whether the OIDCClient of a registration, or an OIDCClient itself, gives its client ID up.
func releases(obj client.Object) bool {
	return obj.GetAnnotations()[v1alpha1.AnnotationReleaseClientID] == "true"
}
