package resources

import (
	"crypto/sha256"
	"encoding/hex"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ametav1 "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Labels and annotations of what the operator makes.
const (
	// LabelManagedBy with the value ManagedBy is on every object that the operator makes. Its caches hold only those.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "oidc-operator"
	// AnnotationOwner names the resource for which an object was made, as Owner returns it.
	AnnotationOwner = "oidc-operator.dev/owner"
	// LabelReservation is on a Secret that keeps what a registration of the kind in its value had for the namespace that had it.
	LabelReservation = "oidc-operator.dev/reservation"
	// AnnotationDeletionPolicy is on what outlives its owner for a while: the DeletionPolicy that the owner had.
	AnnotationDeletionPolicy = "oidc-operator.dev/deletion-policy"

	labelName      = "app.kubernetes.io/name"
	labelInstance  = "app.kubernetes.io/instance"
	labelComponent = "app.kubernetes.io/component"
	appName        = "oidc-provider"
)

// SecretTypeCredentials is the type of the Secrets that hold a client's credentials or a user's generated password. The
// API server keeps a Secret's type, so that applying can never take over a Secret that somebody else has made.
const SecretTypeCredentials = "oidc-operator.dev/credentials"

// Managed tells whether an object carries the operator's label.
func Managed(obj metav1.Object) bool {
	return obj.GetLabels()[LabelManagedBy] == ManagedBy
}

// Owner returns the value of AnnotationOwner for a resource: "Kind/namespace/name".
func Owner(kind string, key types.NamespacedName) string {
	return kind + "/" + key.Namespace + "/" + key.Name
}

// OwnerReference makes the garbage collector delete an object with its owner, which must be in the same namespace.
func OwnerReference(kind string, owner metav1.Object) *ametav1.OwnerReferenceApplyConfiguration {
	return ametav1.OwnerReference().
		WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).
		WithKind(kind).
		WithName(owner.GetName()).
		WithUID(owner.GetUID()).
		WithController(true).
		WithBlockOwnerDeletion(false)
}

// SharedOwnerReference makes owner one of several owners: the object is collected when all of them are gone.
func SharedOwnerReference(kind string, owner metav1.Object) *ametav1.OwnerReferenceApplyConfiguration {
	return OwnerReference(kind, owner).WithController(false)
}

// RegistrationName returns the name of the registration Secret for what identifies a registration to the provider: a client
// ID, a folded username or a SigningKey's name. Equal identities get equal names, so that a provider cannot have two.
func RegistrationName(provider string, kind registration.Kind, identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return provider + "-" + string(kind) + "-" + hex.EncodeToString(sum[:10])
}

// SettingsName returns the name of the registration Secret that holds a provider's settings.
func SettingsName(provider string) string {
	return provider + "-settings"
}

func labels(p *v1alpha1.OIDCProvider) map[string]string {
	return map[string]string{
		LabelManagedBy:             ManagedBy,
		registration.LabelProvider: p.Name,
		labelName:                  appName,
		labelInstance:              p.Name,
		labelComponent:             "provider",
	}
}

// PodLabels are on the pods of every provider. Nobody can give them others by spec.template.
func PodLabels() map[string]string {
	return map[string]string{labelName: appName}
}

// PodSelector selects the pods of one provider.
func PodSelector(p *v1alpha1.OIDCProvider) map[string]string {
	return selector(p)
}

// PodProvider returns the name of the provider that a pod belongs to, or "".
func PodProvider(pod metav1.Object) string {
	return pod.GetLabels()[labelInstance]
}

func selector(p *v1alpha1.OIDCProvider) map[string]string {
	return map[string]string{labelName: appName, labelInstance: p.Name}
}

// metadata is what the builders set on every object.
type metadata[T any] interface {
	WithLabels(entries map[string]string) T
	WithAnnotations(entries map[string]string) T
	WithOwnerReferences(values ...*ametav1.OwnerReferenceApplyConfiguration) T
}

// owned gives an object the provider's labels, owner annotation and owner reference.
func owned[T metadata[T]](p *v1alpha1.OIDCProvider, object T) T {
	return kept(p, object).WithOwnerReferences(OwnerReference("OIDCProvider", p))
}

// kept is owned without owner reference: the object outlives the provider.
func kept[T metadata[T]](p *v1alpha1.OIDCProvider, object T) T {
	return object.WithLabels(labels(p)).WithAnnotations(map[string]string{AnnotationOwner: Owner("OIDCProvider", p.Key())})
}
