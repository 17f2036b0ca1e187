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
	c.ClaimsIn, c.SubjectMode = intern(c.ClaimsIn), intern(c.SubjectMode)
	c.SubjectExpression, c.AccessRule = intern(c.SubjectExpression), intern(c.AccessRule)
	for i := range c.Claims {
		c.Claims[i].Name, c.Claims[i].Expression = intern(c.Claims[i].Name), intern(c.Claims[i].Expression)
		c.Claims[i].Examples = nil // they were tried, and weigh more than all the rest
	}
	c.SubjectExamples, c.AccessExamples = nil, nil
}

func internUser(u *registration.User) {
	u.Zoneinfo = intern(u.Zoneinfo)
	u.Locale = intern(u.Locale)
	for i := range u.Groups {
		u.Groups[i] = intern(u.Groups[i])
	}
}
