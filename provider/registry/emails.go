package registry

import (
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// emails are the names of the documents of users by their e-mail address, folded. Unlike usernames and subjects addresses may be shared.
type emails map[string][]string

// noteEmail adds or removes the e-mail address of a user's document, if there is one. The caller holds mu.
func (x *Index) noteEmail(name string, there bool) {
	e, ok := x.users.byName[name]
	if !ok || e.doc.Email == "" {
		return
	}
	key := registration.FoldEmail(e.doc.Email)
	if there {
		x.emails[key] = append(x.emails[key], name)
		return
	}
	rest := slices.DeleteFunc(x.emails[key], func(other string) bool { return other == name })
	if len(rest) == 0 {
		delete(x.emails, key)
		return
	}
	x.emails[key] = rest
}

// EmailIsUnique tells whether no two users in force have this e-mail address, in whatever case.
func (x *Index) EmailIsUnique(email string) bool {
	key := registration.FoldEmail(email)
	x.mu.RLock()
	defer x.mu.RUnlock()
	users := 0
	for _, name := range x.emails[key] {
		if x.users.byName[name].shadowedBy == "" {
			users++
		}
	}
	return users <= 1
}
