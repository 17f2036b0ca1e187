package oidc

// The scopes (OpenID Connect Core section 5.4, and groups by common use).
const (
	ScopeOpenID  = "openid"
	ScopeProfile = "profile"
	ScopeEmail   = "email"
	ScopePhone   = "phone"
	ScopeAddress = "address"
	ScopeGroups  = "groups"
	// ScopeOfflineAccess asks for refresh tokens that outlive the session (OpenID Connect Core section 11).
	ScopeOfflineAccess = "offline_access"
)

// Scopes lists every scope that the provider itself knows, in the order in which people are shown them. Others mean
// something to resource servers.
func Scopes() []string {
	return []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopePhone, ScopeAddress, ScopeGroups, ScopeOfflineAccess}
}

// ValidScope tells whether a scope can be registered: a scope-token of RFC 6749 section 3.3 of at most 128 characters.
func ValidScope(scope string) bool {
	if scope == "" || len(scope) > 128 {
		return false
	}
	for _, c := range []byte(scope) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
