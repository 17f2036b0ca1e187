package provider

import (
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// claims are what a client gets to know of a person (OpenID Connect Core sections 5.1 and 5.4). Those that have no value
// are left out.
type claims struct {
	Subject string `json:"sub"`

	Name              string `json:"name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	MiddleName        string `json:"middle_name,omitempty"`
	Nickname          string `json:"nickname,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
	Profile           string `json:"profile,omitempty"`
	Picture           string `json:"picture,omitempty"`
	Website           string `json:"website,omitempty"`
	Gender            string `json:"gender,omitempty"`
	Birthdate         string `json:"birthdate,omitempty"`
	Zoneinfo          string `json:"zoneinfo,omitempty"`
	Locale            string `json:"locale,omitempty"`
	UpdatedAt         int64  `json:"updated_at,omitempty"`

	Email               string `json:"email,omitempty"`
	EmailVerified       *bool  `json:"email_verified,omitempty"`
	PhoneNumber         string `json:"phone_number,omitempty"`
	PhoneNumberVerified *bool  `json:"phone_number_verified,omitempty"`

	Address *registration.Address `json:"address,omitempty"`
	Groups  []string              `json:"groups,omitempty"`
}

// claimsOf returns the claims of a person, known to the client as subject, for the granted scopes.
func claimsOf(u *registration.User, subject string, scopes []string) claims {
	c := claims{Subject: subject}
	if slices.Contains(scopes, oidc.ScopeProfile) {
		c.Name, c.GivenName, c.FamilyName, c.MiddleName, c.Nickname = u.Name, u.GivenName, u.FamilyName, u.MiddleName, u.Nickname
		c.PreferredUsername, c.Profile, c.Picture, c.Website = u.Username, u.Profile, u.Picture, u.Website
		c.Gender, c.Birthdate, c.Zoneinfo, c.Locale, c.UpdatedAt = u.Gender, u.Birthdate, u.Zoneinfo, u.Locale, u.UpdatedAt
	}
	if slices.Contains(scopes, oidc.ScopeEmail) && u.Email != "" {
		c.Email, c.EmailVerified = u.Email, &u.EmailVerified
	}
	if slices.Contains(scopes, oidc.ScopePhone) && u.PhoneNumber != "" {
		c.PhoneNumber, c.PhoneNumberVerified = u.PhoneNumber, &u.PhoneNumberVerified
	}
	if slices.Contains(scopes, oidc.ScopeAddress) && u.Address != nil && *u.Address != (registration.Address{}) {
		c.Address = u.Address
	}
	if slices.Contains(scopes, oidc.ScopeGroups) {
		c.Groups = u.Groups
	}
	return c
}
