package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LoginLimits slows down those who guess passwords.
type LoginLimits struct {
	// maxAttempts is how many wrong passwords a username takes before it has to wait: 1 to 100. Unset: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxAttempts *int32 `json:"maxAttempts,omitempty"`

	// window is how long wrong passwords count, and the longest that anybody has to wait: 1s to 24h. Unset: 15m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="window must be between 1s and 24h"
	Window *metav1.Duration `json:"window,omitempty"`
}

// Branding is how the login pages look.
type Branding struct {
	// title stands over every page. Unset: the provider's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=50
	Title string `json:"title,omitempty"`

	// accentColor is the color of buttons and links: #rgb or #rrggbb. Unset: the provider's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=7
	// +kubebuilder:validation:XValidation:rule="self.matches('^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$')",message="accentColor must be #rgb or #rrggbb, such as #0a6"
	AccentColor string `json:"accentColor,omitempty"`

	// logoConfigMapRef names the ConfigMap key, in data or binaryData, that holds an image of at most 256 KiB. A change is
	// shown without restart. Unset: no logo.
	// +optional
	LogoConfigMapRef *LogoReference `json:"logoConfigMapRef,omitempty"`
}

// LogoReference names one key of a ConfigMap in the provider's namespace.
type LogoReference struct {
	// name is that of the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// key is the key of the image. Its ending says what the image is: .svg, .png, .jpg, .jpeg or .webp.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('[.](svg|png|jpe?g|webp)$')",message="key must end in .svg, .png, .jpg, .jpeg or .webp, which says what the image is"
	Key string `json:"key,omitempty"`
}
