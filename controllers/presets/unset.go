package presets

import (
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// orElse returns value, or what it stands for when it is unset.
func orElse[T ~string](value, unset T) T {
	if value == "" {
		return unset
	}
	return value
}

// isTrue returns a switch, or what it stands for when it is unset.
func isTrue(value *bool, unset bool) bool {
	if value == nil {
		return unset
	}
	return *value
}

// withoutSlash returns a URL to which a path can be appended.
func withoutSlash(url string) string {
	return strings.TrimRight(url, "/")
}

// withScopeOf returns scopes with the one that a claim comes with.
func withScopeOf(claim string, scopes []string) []string {
	if scope := oidc.ScopeOfClaim(claim); scope != "" && !slices.Contains(scopes, scope) {
		return append(scopes, scope)
	}
	return scopes
}
