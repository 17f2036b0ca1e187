package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TokenLifetimes sets how long what the provider issues is valid.
type TokenLifetimes struct {
	// authorizationCode is how long a code can be redeemed: 1s to 10m. Unset: 60s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('10m')",message="authorizationCode must be between 1s and 10m"
	AuthorizationCode *metav1.Duration `json:"authorizationCode,omitempty"`

	// accessToken is how long an access token is valid: 1s to 24h. Unset: 15m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="accessToken must be between 1s and 24h"
	AccessToken *metav1.Duration `json:"accessToken,omitempty"`

	// idToken is how long an ID token is valid: 1s to 24h. Unset: 15m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="idToken must be between 1s and 24h"
	IDToken *metav1.Duration `json:"idToken,omitempty"`

	// refreshToken is how long tokens can be renewed without a login.
	// +optional
	RefreshToken RefreshTokenLifetimes `json:"refreshToken,omitzero"`
}

// RefreshTokenLifetimes sets how long tokens can be renewed without a login.
type RefreshTokenLifetimes struct {
	// idle ends a refresh token that was not used for so long: 1s to 17520h (two years). Unset: 720h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('17520h')",message="idle must be between 1s and 17520h"
	Idle *metav1.Duration `json:"idle,omitempty"`

	// absolute ends every refresh token so long after the login that it comes from: 1s to 17520h (two years). Unset: 2160h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('17520h')",message="absolute must be between 1s and 17520h"
	Absolute *metav1.Duration `json:"absolute,omitempty"`
}

// SessionLifetimes limits how long a browser stays logged in.
type SessionLifetimes struct {
	// idle ends a session that was not used for so long: at least 1m. Unset: 12h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m')",message="idle must be at least 1m"
	Idle *metav1.Duration `json:"idle,omitempty"`

	// absolute ends a session so long after the login: at least 1m. Unset: 168h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m')",message="absolute must be at least 1m"
	Absolute *metav1.Duration `json:"absolute,omitempty"`
}
