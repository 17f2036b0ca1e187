package presets

import "strings"

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
