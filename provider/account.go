package provider

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// The pages on which people see to their own logins.
const (
	pathAccount             = "/account"
	pathAccountSessions     = "/account/sessions"
	pathAccountApplications = "/account/applications"
	pathAccountPassword     = "/account/password"
)

// fieldDone is the parameter by which a page of the account tells what was just done. Anybody can write it into a link; all it
// does is to show one of a few sentences.
const fieldDone = "done"

const (
	doneEnded    = "ended"
	doneOthers   = "others"
	doneRevoked  = "revoked"
	donePassword = "password"
)

func doneOf(r *http.Request) string {
	query, _, err := readQuery(r)
	if done := query.Get(fieldDone); err == nil && slices.Contains([]string{doneEnded, doneOthers, doneRevoked, donePassword}, done) {
		return done
	}
	return ""
}

// ownHandler serves a page for the person who is logged in.
type ownHandler func(w http.ResponseWriter, r *http.Request, b *browser) error

// own leads to the login page whoever is not logged in, and back when they are.
func (p *Provider) own(path string, serve ownHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		b, err := p.currentBrowser(r)
		if err != nil {
			return err
		}
		if b == nil {
			return p.askLogin(w, path)
		}
		return serve(w, r, b)
	}
}

// ownFormHandler takes a form of the person who is logged in.
type ownFormHandler func(w http.ResponseWriter, r *http.Request, b *browser, fields oidc.Parameters) error

// ownForm takes forms from pages that own has served. Whoever is not logged in any more has to be before anything happens.
func (p *Provider) ownForm(path string, serve ownFormHandler) handler {
	return p.form(func(w http.ResponseWriter, r *http.Request, fields oidc.Parameters) error {
		return p.own(path, func(w http.ResponseWriter, r *http.Request, b *browser) error {
			if err := p.checkForm(r, fields, path, b); err != nil {
				err.again = p.base + path
				return err
			}
			return serve(w, r, b, fields)
		})(w, r)
	})
}

// serveAccount shows a person what is known of them.
func (p *Provider) serveAccount(w http.ResponseWriter, r *http.Request, b *browser) error {
	sessions, err := p.sessionsOf(r.Context(), b)
	if err != nil {
		return err
	}
	applications, err := p.authorizedBy(r.Context(), b.user)
	if err != nil {
		return err
	}
	page := web.Account{
		Person: personOf(b.user), Username: b.user.Username, Details: detailsOf(b.user), Done: doneOf(r),
		Sessions: p.base + pathAccountSessions, SessionCount: len(sessions),
		Applications: p.base + pathAccountApplications, ApplicationCount: len(applications),
		Logout: p.base + pathConfirmLogout, Token: p.formToken(w, r, pathConfirmLogout, b),
	}
	if p.changer(b.user) != nil {
		page.Password = p.base + pathAccountPassword
	}
	return p.render(w, r, http.StatusOK, page)
}

func detailsOf(u *registration.User) []web.Detail {
	name := cmp.Or(u.Name, strings.TrimSpace(u.GivenName+" "+u.FamilyName))
	details := []web.Detail{
		{Name: "name", Value: name},
		{Name: "username", Value: u.Username},
		{Name: "email", Value: u.Email, Verified: u.EmailVerified},
		{Name: "phone", Value: u.PhoneNumber, Verified: u.PhoneNumberVerified},
		{Name: "address", Value: addressLine(u.Address)},
		{Name: "groups", Value: strings.Join(u.Groups, ", ")},
	}
	return slices.DeleteFunc(details, func(d web.Detail) bool { return d.Value == "" })
}

// changer returns what changes a user's password, or nil when they have none here.
func (p *Provider) changer(u *registration.User) identity.PasswordChanger {
	changer, ok := p.people.(identity.PasswordChanger)
	if !ok || u.PasswordHash == "" {
		return nil
	}
	return changer
}
