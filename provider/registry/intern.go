package registry

import (
	"unique"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// intern makes equal texts share their memory. Thousands of registrations repeat the same few scopes, groups and modes.
func intern(s string) string {
	return unique.Make(s).Value()
}

func internClient(c *registration.Client) {
	c.Scope = intern(c.Scope)
	c.TokenEndpointAuthMethod = intern(c.TokenEndpointAuthMethod)
	c.IDTokenSignedResponseAlg = intern(c.IDTokenSignedResponseAlg)
	c.Consent = intern(c.Consent)
}

func internUser(u *registration.User) {
	u.Zoneinfo = intern(u.Zoneinfo)
	u.Locale = intern(u.Locale)
	for i := range u.Groups {
		u.Groups[i] = intern(u.Groups[i])
	}
}
