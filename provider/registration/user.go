package registration

import (
	"errors"
	"regexp"
	"strings"
)

// User is a person of the embedded directory. The names are those of OpenID Connect Core section 5.1.
type User struct {
	// Subject is the "sub" claim: at most 255 ASCII characters, never reassigned.
	Subject string `json:"sub"`
	// Username is what the person types to log in, and the "preferred_username" claim. See FoldUsername for what distinguishes two.
	Username            string   `json:"preferred_username"`
	Name                string   `json:"name,omitempty"`
	GivenName           string   `json:"given_name,omitempty"`
	FamilyName          string   `json:"family_name,omitempty"`
	MiddleName          string   `json:"middle_name,omitempty"`
	Nickname            string   `json:"nickname,omitempty"`
	Profile             string   `json:"profile,omitempty"`
	Picture             string   `json:"picture,omitempty"`
	Website             string   `json:"website,omitempty"`
	Gender              string   `json:"gender,omitempty"`
	Birthdate           string   `json:"birthdate,omitempty"`
	Zoneinfo            string   `json:"zoneinfo,omitempty"`
	Locale              string   `json:"locale,omitempty"`
	Email               string   `json:"email,omitempty"`
	EmailVerified       bool     `json:"email_verified,omitempty"`
	PhoneNumber         string   `json:"phone_number,omitempty"`
	PhoneNumberVerified bool     `json:"phone_number_verified,omitempty"`
	Address             *Address `json:"address,omitempty"`
	Groups              []string `json:"groups,omitempty"`
	// UpdatedAt is the "updated_at" claim in seconds since the epoch; zero means unknown.
	UpdatedAt int64 `json:"updated_at,omitempty"`

	// PasswordHash is a hash of one of the HashKinds. Empty: nobody can log in with a password.
	PasswordHash string `json:"password_hash,omitempty"`
	// Disabled refuses logins and ends what the person has open.
	Disabled bool `json:"disabled,omitempty"`
}

// Address is the claim of OpenID Connect Core section 5.1.1.
type Address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}

var (
	subjectPattern  = regexp.MustCompile(`^[\x21-\x7e]{1,255}$`)
	usernamePattern = regexp.MustCompile(`^[^\s\x00-\x1f\x7f]{1,255}$`)
)

// ValidSubject tells whether a text can be a "sub".
func ValidSubject(subject string) bool { return subjectPattern.MatchString(subject) }

// FoldEmail returns the form in which two e-mail addresses are compared. What stands before the @ may in theory differ in case
// between two people (RFC 5321 section 2.4); nowhere are such two to be taken for each other.
func FoldEmail(email string) string {
	return strings.ToLower(email)
}

// Validate returns every fault of the document, each as a *FieldError.
func (u *User) Validate() error {
	var errs []error
	if !ValidSubject(u.Subject) {
		errs = append(errs, invalid("sub", "must be 1 to 255 printable ASCII characters without spaces"))
	}
	if !usernamePattern.MatchString(u.Username) {
		errs = append(errs, invalid("preferred_username", "must be 1 to 255 characters without spaces or control characters"))
	}
	if u.Email != "" && strings.Count(u.Email, "@") == 0 {
		errs = append(errs, invalid("email", "must hold an @"))
	}
	if u.EmailVerified && u.Email == "" {
		errs = append(errs, invalid("email_verified", "must be unset when email is"))
	}
	if u.PasswordHash != "" {
		if err := ValidatePasswordHash(u.PasswordHash); err != nil {
			errs = append(errs, invalid("password_hash", "%s", err))
		}
	}
	return errors.Join(errs...)
}
