package synologysso

import (
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// CheckDirectory proves that the directory on which an application insists is the one that the provider is configured to be. An
// application that names none is content with any.
func (r *Request) CheckDirectory(s registration.SynologySSO) error {
	if r.DomainName != "" && (s.DomainName == "" || foldDomain(r.DomainName) != foldDomain(s.DomainName)) {
		return fault(InvalidDirectoryService, "domain_name is not the domain of this provider")
	}
	if r.LDAPBaseDN != "" && (s.LDAPBaseDN == "" || foldDN(r.LDAPBaseDN) != foldDN(s.LDAPBaseDN)) {
		return fault(InvalidDirectoryService, "ldap_baseDN is not the base DN of this provider")
	}
	return nil
}

// foldDomain makes equal what DNS holds for equal: letters in either case, and a dot at the end.
func foldDomain(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
}

// foldDN makes equal what directories hold for equal in the names that bases have (RFC 4514, RFC 4518): letters in either case, and
// spaces around a comma, a plus or an equals sign. An escaped character stays what it is.
func foldDN(name string) string {
	var out strings.Builder
	pending, last := 0, byte(',') // spaces that count only between other characters
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == ' ':
			pending++
			continue
		case c == ',' || c == '+' || c == '=':
			pending = 0
		case last == ',' || last == '+' || last == '=':
			pending = 0
		}
		out.WriteString(strings.Repeat(" ", pending))
		pending, last = 0, c
		out.WriteByte(c)
		if c == '\\' && i+1 < len(name) {
			i++
			out.WriteByte(name[i])
			last = '\\'
		}
	}
	return strings.ToLower(out.String())
}
