package oidc

// The scopes (OpenID Connect Core section 5.4, and groups by common use).
const (
	ScopeOpenID  = "openid"
	ScopeProfile = "profile"
	ScopeEmail   = "email"
	ScopePhone   = "phone"
	ScopeAddress = "address"
	ScopeGroups  = "groups"
)

// Scopes lists every scope that a client can be registered for, in the order in which people are shown them.
func Scopes() []string {
	return []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopePhone, ScopeAddress, ScopeGroups}
}
