// Package v1alpha1 holds the API of oidc-operator: OIDCProvider, SigningKey, OIDCClient and OIDCUser, all namespaced.
//
// Each kind has three files: its fields with their validation (_types.go), its conditions with every reason they can carry
// (_conditions.go), and pure methods (_funcs.go).
//
// +kubebuilder:object:generate=true
// +groupName=oidc-operator.dev
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="applyconfiguration"
package v1alpha1
