package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// Storage is where a provider keeps what it must not forget.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.embedded) && has(self.postgres))",message="embedded and postgres cannot be combined; remove one or the other"
type Storage struct {
	// embedded keeps it in a SQLite database on a volume of the pod.
	// +optional
	Embedded EmbeddedStorage `json:"embedded,omitzero"`

	// postgres keeps it in a PostgreSQL database, which any number of replicas can share.
	// +optional
	Postgres *PostgresStorage `json:"postgres,omitempty"`
}

// EmbeddedStorage is a SQLite database on a volume.
//
// +kubebuilder:validation:XValidation:rule="!has(self.emptyDir) || (!has(self.size) && !has(self.storageClassName) && !has(self.deletionPolicy))",message="emptyDir cannot be combined with size, storageClassName or deletionPolicy; remove one or the other"
type EmbeddedStorage struct {
	// size of the PersistentVolumeClaim. It can grow where the storage class allows, and not shrink. Unset: 1Gi.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0",message="size cannot shrink"
	Size *resource.Quantity `json:"size,omitempty"`

	// storageClassName of the PersistentVolumeClaim, set once. Unset: the cluster's default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storageClassName cannot be changed, because a PersistentVolumeClaim keeps its storage class"
	StorageClassName string `json:"storageClassName,omitempty"`

	// deletionPolicy says what happens to the PersistentVolumeClaim when the OIDCProvider is deleted. Unset: Retain.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// emptyDir keeps the database in the pod's own scratch space: everybody is logged out whenever the pod is replaced.
	// +optional
	EmptyDir *EmptyDir `json:"emptyDir,omitempty"`
}

// EmptyDir chooses scratch space that lives as long as the pod. It has no fields.
type EmptyDir struct{}

// PostgresStorage is a database that speaks PostgreSQL's protocol.
type PostgresStorage struct {
	// dsnSecretRef names the Secret key that says how to reach the database: a URI such as
	// postgres://user:password@host:5432/database?sslmode=verify-full. When it changes, the pods are replaced one by one.
	// +required
	DSNSecretRef DSNSecretReference `json:"dsnSecretRef,omitzero"`
}

// DSNSecretReference names one key of a Secret in the provider's namespace.
type DSNSecretReference struct {
	// name is that of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// key is the key in the Secret's data. Unset: uri.
	// +optional
	// +default="uri"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}
