package expression

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// User is what an expression sees of a person, under the names that an OIDCUser has. What is not known is empty: a field is
// always there.
type User struct {
	// Subject is what the directory knows the person by, whatever a client's "sub" is.
	Subject             string   `json:"subject"`
	Username            string   `json:"username"`
	DisplayName         string   `json:"displayName"`
	GivenName           string   `json:"givenName"`
	FamilyName          string   `json:"familyName"`
	MiddleName          string   `json:"middleName"`
	Nickname            string   `json:"nickname"`
	Profile             string   `json:"profile"`
	Picture             string   `json:"picture"`
	Website             string   `json:"website"`
	Gender              string   `json:"gender"`
	Birthdate           string   `json:"birthdate"`
	Zoneinfo            string   `json:"zoneinfo"`
	Locale              string   `json:"locale"`
	Email               string   `json:"email"`
	EmailVerified       bool     `json:"emailVerified"`
	PhoneNumber         string   `json:"phoneNumber"`
	PhoneNumberVerified bool     `json:"phoneNumberVerified"`
	Address             Address  `json:"address"`
	Groups              []string `json:"groups"`
	// UpdatedAt is in seconds since the epoch; zero when it is not known.
	UpdatedAt int64 `json:"updatedAt"`
}

// Address is a person's postal address.
type Address struct {
	Formatted     string `json:"formatted"`
	StreetAddress string `json:"streetAddress"`
	Locality      string `json:"locality"`
	Region        string `json:"region"`
	PostalCode    string `json:"postalCode"`
	Country       string `json:"country"`
}

// Client is what an expression sees of the client that it belongs to.
type Client struct {
	ClientID    string `json:"clientID"`
	DisplayName string `json:"displayName"`
}

// The sizes on which the estimate of an expression's cost rests, in characters and in groups. They leave room above what an
// OIDCUser can hold, for directories of another kind.
const (
	maxText   = 2048
	maxGroup  = 256
	maxGroups = 500
)

// ParseUser reads the user of an example: a JSON object with fields of User. One that User does not have is an error, because
// an example that is misspelt proves nothing.
func ParseUser(data []byte) (*User, error) {
	user := &User{}
	if len(data) == 0 {
		return user, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("must be an object")
	}
	// encoding/json would take username in any case.
	if err := knownFields(members, reflect.TypeFor[User]()); err != nil {
		return nil, err
	}
	if address, ok := members["address"]; ok {
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(address, &inner); err != nil {
			return nil, fmt.Errorf("must have an object as address")
		}
		if err := knownFields(inner, reflect.TypeFor[Address]()); err != nil {
			return nil, fmt.Errorf("address %w", err)
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(user); err != nil {
		return nil, fmt.Errorf("must hold texts, true or false, and a list of texts as groups, as an OIDCUser does")
	}
	return user, nil
}

func knownFields(members map[string]json.RawMessage, of reflect.Type) error {
	known := fieldNames(of)
	for name := range members {
		if !slices.Contains(known, name) {
			return fmt.Errorf("has no field %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

func fieldNames(of reflect.Type) []string {
	names := make([]string, of.NumField())
	for i := range names {
		names[i] = of.Field(i).Tag.Get("json")
	}
	return names
}

// withinBounds tells whether a person is as small as the estimate of costs supposes.
func (u *User) withinBounds() bool {
	a := &u.Address
	for _, text := range []string{
		u.Subject, u.Username, u.DisplayName, u.GivenName, u.FamilyName, u.MiddleName, u.Nickname, u.Profile, u.Picture, u.Website,
		u.Gender, u.Birthdate, u.Zoneinfo, u.Locale, u.Email, u.PhoneNumber,
		a.Formatted, a.StreetAddress, a.Locality, a.Region, a.PostalCode, a.Country,
	} {
		if longer(text, maxText) {
			return false
		}
	}
	return len(u.Groups) <= maxGroups && !slices.ContainsFunc(u.Groups, func(group string) bool { return longer(group, maxGroup) })
}

func longer(text string, limit int) bool {
	return len(text) > limit && utf8.RuneCountInString(text) > limit
}
