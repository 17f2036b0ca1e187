package presets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
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

// groupsEvenIfNone is the claim groups for applications that tell an empty list from none at all: of somebody who is in no group, the
// directory tells no such claim, and they then fail, or leave the person in the groups of last time.
func groupsEvenIfNone() v1alpha1.ClientClaim {
	return v1alpha1.ClientClaim{Name: "groups", Expression: "user.groups"}
}

// checkScopeOf returns an error when a standard claim that field asks for is not told, because spec.scopes lacks its scope.
func checkScopeOf(claim, field string, scopes []string) error {
	if scope := oidc.ScopeOfClaim(claim); scope != "" && !slices.Contains(scopes, scope) {
		return fmt.Errorf("spec.scopes must hold %s, because %s needs the claim %s; add it, or remove spec.scopes", scope, field, claim)
	}
	return nil
}

// withScopeOf returns scopes with the one that a claim comes with.
func withScopeOf(claim string, scopes []string) []string {
	if scope := oidc.ScopeOfClaim(claim); scope != "" && !slices.Contains(scopes, scope) {
		return append(scopes, scope)
	}
	return scopes
}
