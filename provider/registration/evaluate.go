package registration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc/expression"
)

// ForExpressions returns what expressions see of the person.
func (u *User) ForExpressions() *expression.User {
	seen := &expression.User{
		Subject: u.Subject, Username: u.Username, DisplayName: u.Name, GivenName: u.GivenName, FamilyName: u.FamilyName,
		MiddleName: u.MiddleName, Nickname: u.Nickname, Profile: u.Profile, Picture: u.Picture, Website: u.Website, Gender: u.Gender,
		Birthdate: u.Birthdate, Zoneinfo: u.Zoneinfo, Locale: u.Locale, Email: u.Email, EmailVerified: u.EmailVerified,
		PhoneNumber: u.PhoneNumber, PhoneNumberVerified: u.PhoneNumberVerified, Groups: u.Groups, UpdatedAt: u.UpdatedAt,
	}
	if u.Address != nil {
		seen.Address = expression.Address(*u.Address)
	}
	return seen
}

// ForExpressions returns what expressions see of the client.
func (c *Client) ForExpressions() *expression.Client {
	return &expression.Client{ClientID: c.ClientID, DisplayName: c.ClientName}
}

// ExpressionInput returns what the client's expressions are evaluated with. All claims of a token share one, which bounds what they
// cost together.
func (c *Client) ExpressionInput(user *expression.User, now time.Time) *expression.Input {
	return &expression.Input{User: user, Client: c.ForExpressions(), Now: now}
}

// EvaluateClaim returns the value of Claims[i] for a person, or nil when it is left out.
func (c *Client) EvaluateClaim(i int, in *expression.Input) (json.RawMessage, error) {
	program, err := expression.Compile(c.Claims[i].Expression, claimKind(c.Claims[i].Name))
	if err != nil {
		return nil, fmt.Errorf("compile claim: %w", err)
	}
	return program.Evaluate(in)
}

// EvaluateSubject returns what SubjectExpression gives for a person: it can be empty, or no "sub" at all.
func (c *Client) EvaluateSubject(in *expression.Input) (string, error) {
	program, err := expression.Compile(c.SubjectExpression, subjectKind())
	if err != nil {
		return "", fmt.Errorf("compile subject: %w", err)
	}
	return program.Text(in)
}

// EvaluateAccess tells whether AccessRule lets a person in. Without a rule it lets in everybody, with one that fails nobody.
func (c *Client) EvaluateAccess(in *expression.Input) (bool, error) {
	if c.AccessRule == "" {
		return true, nil
	}
	program, err := expression.Compile(c.AccessRule, accessKind())
	if err != nil {
		return false, fmt.Errorf("compile access rule: %w", err)
	}
	return program.Truth(in)
}

// WithoutExamples returns the client without the examples of its expressions, which have done their part when it is valid: a
// provider of another version must not refuse it because of one.
func (c *Client) WithoutExamples() *Client {
	bare := *c
	bare.Claims = slices.Clone(c.Claims)
	for i := range bare.Claims {
		bare.Claims[i].Examples = nil
	}
	bare.SubjectExamples, bare.AccessExamples = nil, nil
	return &bare
}

// compare says how a result differs from the expected one, or returns "".
func compare(expected, got json.RawMessage, err error) string {
	if err != nil {
		cause := errors.Unwrap(err)
		if cause == nil {
			cause = err
		}
		return shortened(fmt.Sprintf("fails instead of giving %s: %s", shown(expected), cause))
	}
	var want, have any
	if len(expected) > 0 {
		if err := json.Unmarshal(expected, &want); err != nil {
			return "has no JSON as expected"
		}
	}
	if len(got) > 0 {
		if err := json.Unmarshal(got, &have); err != nil {
			return "gives what is no JSON"
		}
	}
	if want == "" { // as an expression means it
		want = nil
	}
	if reflect.DeepEqual(want, have) {
		return ""
	}
	return fmt.Sprintf("gives %s instead of %s", shown(got), shown(expected))
}

// shown returns JSON for a message.
func shown(value json.RawMessage) string {
	var compact bytes.Buffer
	if len(value) == 0 || json.Compact(&compact, value) != nil || compact.String() == "null" {
		return "no value"
	}
	return shortened(compact.String())
}

func shortened(text string) string {
	const limit = 200
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "..."
	}
	return text
}
