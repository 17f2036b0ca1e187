package provider

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
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

	// own are claims of the client's registration, see withOwn. None has a value of nil, or a value in a field above.
	own []ownClaim
}

// claimsTarget is where claims are told.
type claimsTarget int

const (
	inIDToken claimsTarget = iota
	inUserinfo
)

// tells tells whether a client is told the claims of scopes in a place.
func (where claimsTarget) tells(client *registration.Client) bool {
	switch client.ClaimsIn {
	case registration.ClaimsInIDToken:
		return where == inIDToken
	case registration.ClaimsInUserinfo:
		return where == inUserinfo
	default:
		return true
	}
}

// claimsFor returns the claims that a person's client is told in one place: those of the scopes of this exchange, unless it is
// told them elsewhere, and those that the grant's request asked for one by one (OpenID Connect Core section 5.5).
func (p *Provider) claimsFor(
	where claimsTarget, client *registration.Client, u *registration.User, subject string, scopes []string, grant *store.Grant,
) claims {
	c := claims{Subject: subject}
	request := requestedClaims(client, scopes, grant)
	if request == nil && !where.tells(client) {
		return c
	}
	own := p.ownClaims(client, u)
	if where.tells(client) {
		c = claimsOf(u, subject, scopes)
		c.apply(own, scopes, u)
	}
	if request == nil {
		return c
	}
	requested := request.IDToken
	if where == inUserinfo {
		requested = request.Userinfo
	}
	all := claimsOf(u, subject, oidc.Scopes())
	all.apply(own, oidc.Scopes(), u)
	for name, claim := range requested {
		// A claim that is requested with a value and has another is left out (section 5.5.1).
		if value := all.get(name); value != nil && claim.Allows(value) {
			c.copy(name, &all)
		}
	}
	return c
}

// requestedClaims returns the claims that a grant's request asked for one by one, or nil.
func requestedClaims(client *registration.Client, scopes []string, grant *store.Grant) *oidc.ClaimsRequest {
	if grant.Claims == "" || !slices.Contains(scopes, oidc.ScopeOpenID) {
		return nil
	}
	own := client.OwnClaims()
	request, err := oidc.ReadClaims(grant.Claims, own...)
	if err != nil { // an earlier version kept something else; the scopes still hold
		return nil
	}
	// What the client is no longer registered for is left out, as with scopes.
	return request.Granted(client.Scopes(), own...)
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

// field returns where a claim about a person stands in c, or nil when there is no such claim.
func (c *claims) field(name string) any {
	switch name {
	case "name":
		return &c.Name
	case "given_name":
		return &c.GivenName
	case "family_name":
		return &c.FamilyName
	case "middle_name":
		return &c.MiddleName
	case "nickname":
		return &c.Nickname
	case "preferred_username":
		return &c.PreferredUsername
	case "profile":
		return &c.Profile
	case "picture":
		return &c.Picture
	case "website":
		return &c.Website
	case "gender":
		return &c.Gender
	case "birthdate":
		return &c.Birthdate
	case "zoneinfo":
		return &c.Zoneinfo
	case "locale":
		return &c.Locale
	case "updated_at":
		return &c.UpdatedAt
	case "email":
		return &c.Email
	case "email_verified":
		return &c.EmailVerified
	case "phone_number":
		return &c.PhoneNumber
	case "phone_number_verified":
		return &c.PhoneNumberVerified
	case "address":
		return &c.Address
	case "groups":
		return &c.Groups
	default:
		return nil
	}
}

// apply puts claims of the client's registration in the place of those of the directory. One whose name is a standard claim's
// is told with that claim's scope, any other with openid.
func (c *claims) apply(own []ownClaim, scopes []string, u *registration.User) {
	if len(own) == 0 {
		return
	}
	replaced := map[string]json.RawMessage{}
	for _, claim := range own {
		if slices.Contains(scopes, cmp.Or(oidc.ScopeOfClaim(claim.name), oidc.ScopeOpenID)) {
			c.set(claim)
			replaced[claim.name] = claim.value
		}
	}
	// What the directory has verified is its own address and number, and nothing that an expression gives.
	c.EmailVerified = verified(c.EmailVerified, replaced, "email", u.Email)
	c.PhoneNumberVerified = verified(c.PhoneNumberVerified, replaced, "phone_number", u.PhoneNumber)
}

func verified(flag *bool, replaced map[string]json.RawMessage, name, known string) *bool {
	value, other := replaced[name]
	var text string
	switch {
	case flag == nil || !other:
		return flag
	case value == nil:
		return nil
	case json.Unmarshal(value, &text) == nil && text == known:
		return flag
	default:
		return new(bool)
	}
}

// set takes a claim of the client's registration.
func (c *claims) set(claim ownClaim) {
	switch field := c.field(claim.name).(type) {
	case *string:
		*field = ""
	case *int64:
		*field = 0
	case **bool:
		*field = nil
	case **registration.Address:
		*field = nil
	case *[]string:
		*field = nil
	}
	c.own = slices.DeleteFunc(c.own, func(earlier ownClaim) bool { return earlier.name == claim.name })
	if claim.value != nil {
		c.own = append(c.own, claim)
	}
}

// get returns the value of a claim about a person as JSON would show it, or nil when it has none.
func (c *claims) get(name string) any {
	for _, claim := range c.own {
		if claim.name == name {
			return claim.value
		}
	}
	switch field := c.field(name).(type) {
	case *string:
		if *field != "" {
			return *field
		}
	case *int64:
		if *field != 0 {
			return *field
		}
	case **bool:
		if *field != nil {
			return **field
		}
	case **registration.Address:
		if *field != nil {
			return *field
		}
	case *[]string:
		if len(*field) > 0 {
			return *field
		}
	}
	return nil
}

// copy takes the value of a claim about a person from another.
func (c *claims) copy(name string, from *claims) {
	for _, claim := range from.own {
		if claim.name == name {
			c.set(claim)
			return
		}
	}
	switch to := c.field(name).(type) {
	case *string:
		*to = *from.field(name).(*string)
	case *int64:
		*to = *from.field(name).(*int64)
	case **bool:
		*to = *from.field(name).(**bool)
	case **registration.Address:
		*to = *from.field(name).(**registration.Address)
	case *[]string:
		*to = *from.field(name).(*[]string)
	}
}
