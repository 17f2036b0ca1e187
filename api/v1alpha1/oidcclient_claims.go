package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// ClientClaim is a claim that an application is told beside those of the directory, or in place of one of them.
type ClientClaim struct {
	// name is the claim's name. That of a standard claim, such as preferred_username, replaces its value, and is told with its
	// scope; any other is told with openid.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.:/#-]+$')",message="name must consist of the characters A-Z a-z 0-9 _ . : / # -"
	// +kubebuilder:validation:XValidation:rule="self != 'sub'",message="name must not be sub, which spec.subject decides; set its mode Expression and its expression"
	// +kubebuilder:validation:XValidation:rule="!(self in ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'nonce', 'auth_time', 'acr', 'amr', 'azp', 'sid', 'at_hash', 'c_hash', 's_hash', 'events', 'cnf', 'client_id', 'scope'])",message="name must not be a claim of the protocol, by which tokens are checked; choose another"
	Name string `json:"name,omitempty"`

	// expression gives the value, in CEL, from user, client and now: user.username + '@example.com'. Null and the empty text
	// leave the claim out, as does an expression that has no result for somebody. docs/claims.md has the fields and functions.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Expression string `json:"expression,omitempty"`

	// examples are people and what the expression must give for them. The OIDCClient is not accepted while one does not hold.
	// Unset: none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Examples []ExpressionExample `json:"examples,omitempty"`
}

// ExpressionExample is a test of an expression.
type ExpressionExample struct {
	// user is who logs in, with fields of an OIDCUser's spec: {username: ada, groups: [staff]}. What is left out is empty;
	// {} is somebody of whom nothing is known.
	// +required
	// +kubebuilder:pruning:PreserveUnknownFields
	User *runtime.RawExtension `json:"user,omitempty"`

	// now is when. Unset: 2000-01-01T00:00:00Z.
	// +optional
	Now *metav1.Time `json:"now,omitempty"`

	// expected is what the expression must give: any value. Unset: none, so that the claim is left out.
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Expected *runtime.RawExtension `json:"expected,omitempty"`
}

// ClaimsPlacement says where claims about a person stand.
//
// +kubebuilder:validation:Enum=Both;IDToken;Userinfo
type ClaimsPlacement string

// The places.
const (
	// ClaimsInBoth tells them in the ID token and by userinfo.
	ClaimsInBoth ClaimsPlacement = "Both"
	// ClaimsInIDToken tells them in the ID token.
	ClaimsInIDToken ClaimsPlacement = "IDToken"
	// ClaimsInUserinfo tells them by userinfo.
	ClaimsInUserinfo ClaimsPlacement = "Userinfo"
)
