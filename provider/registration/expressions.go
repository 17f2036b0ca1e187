package registration

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/oidc/expression"
)

// Claim is a claim that a client is told beside those of the directory, or in place of one of them.
type Claim struct {
	// Name is the claim's name. It is none of the protocol's own.
	Name string `json:"name"`
	// Expression gives the value, see package expression. Null and the empty text leave the claim out.
	Expression string `json:"expression"`
	// Examples are what Validate tries.
	Examples []Example `json:"examples,omitempty"`
}

// Example is a test of an expression.
type Example struct {
	// User is an object with fields of expression.User; those that it leaves out are empty.
	User json.RawMessage `json:"user,omitempty"`
	// Now is the time; zero means the first moment of the year 2000.
	Now time.Time `json:"now,omitzero"`
	// Expected is the value that the expression must give for the user; null or nothing: none.
	Expected json.RawMessage `json:"expected,omitempty"`
}

// The values of Client.ClaimsIn: where claims about a person stand.
const (
	// ClaimsInBoth tells them in the ID token and by userinfo.
	ClaimsInBoth     = "Both"
	ClaimsInIDToken  = "IDToken"
	ClaimsInUserinfo = "Userinfo"
)

// Bounds of expressions in one registration.
const (
	MaxClaims   = 32
	maxExamples = 16
	// maxTotalCost is what all claims of a client together can cost, and maxUsualTotal what they can cost for most people: they are
	// evaluated for each of its tokens.
	maxTotalCost  = 2_000_000
	maxUsualTotal = 50_000
	// maxExamplesCost is what all examples of a client together may cost.
	maxExamplesCost = 200_000
	// MaxExampleBytes is how long user and expected of an example may be together, as JSON.
	MaxExampleBytes = 2048
)

// claimPattern keeps to characters that need no quoting anywhere. It admits URIs and the language tags of OpenID Connect Core
// section 5.2.
var claimPattern = regexp.MustCompile(`^[A-Za-z0-9_.:/#-]{1,128}$`)

// OwnClaims returns the names of Claims.
func (c *Client) OwnClaims() []string {
	if len(c.Claims) == 0 {
		return nil
	}
	names := make([]string, len(c.Claims))
	for i := range c.Claims {
		names[i] = c.Claims[i].Name
	}
	return names
}

// protocolClaims are the claims by which tokens are recognized and checked (RFC 7519 section 4.1, OpenID Connect Core section 2,
// RFC 9068, logout, RFC 7800 and what else relying parties decide by). Another value in one of them would be a forgery.
func protocolClaims() []string {
	return []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "auth_time", "acr", "amr", "azp", "sid", "at_hash", "c_hash", "s_hash",
		"events", "toe", "txn", "cnf", "client_id", "scope", "act", "may_act", "sub_jwk", "sub_id", "active", "token_type", "username",
		"_claim_names", "_claim_sources", "authorization_details",
	}
}

// resultOf returns what a claim must be: those of OpenID Connect Core section 5.1 have a type that relying parties rely on.
func resultOf(claim string) expression.Result {
	switch claim {
	case "email_verified", "phone_number_verified":
		return expression.Truth
	case "updated_at":
		return expression.Number
	case "address":
		return expression.Object
	case "groups":
		return expression.Texts
	}
	if oidc.ScopeOfClaim(claim) != "" {
		return expression.Text
	}
	return expression.Any
}

// What is asked of the expressions of a client.
func claimKind(claim string) expression.Kind { return expression.Kind{Result: resultOf(claim)} }

func subjectKind() expression.Kind { return expression.Kind{Result: expression.Text, Timeless: true} }
func accessKind() expression.Kind  { return expression.Kind{Result: expression.Truth} }

// validateExpressions compiles every expression and tries the examples.
func (c *Client) validateExpressions() []error {
	var errs []error
	if !slices.Contains([]string{"", ClaimsInBoth, ClaimsInIDToken, ClaimsInUserinfo}, c.ClaimsIn) {
		errs = append(errs, invalid("claims_in", "must be IDToken, Userinfo or Both"))
	}
	if len(c.Claims) > MaxClaims {
		errs = append(errs, invalid("claims", "must be at most %d", MaxClaims))
		return errs
	}
	if (c.SubjectExpression != "") != (c.SubjectMode == SubjectExpression) {
		errs = append(errs, invalid("subject_expression", "must be set for subject_mode Expression, and only then"))
	}
	errs = append(errs, c.validateClaims()...)
	if c.SubjectExpression != "" {
		if _, err := expression.Compile(c.SubjectExpression, subjectKind()); err != nil {
			errs = append(errs, invalid("subject_expression", "%s", err))
		}
	}
	if c.AccessRule != "" {
		if _, err := expression.Compile(c.AccessRule, accessKind()); err != nil {
			errs = append(errs, invalid("access_rule", "%s", err))
		}
	}
	errs = append(errs, c.orphanExamples()...)
	if len(errs) > 0 {
		return errs
	}
	return c.tryExamples()
}

// orphanExamples tells of examples of what is not there: whoever wrote them meant something.
func (c *Client) orphanExamples() []error {
	var errs []error
	if len(c.SubjectExamples) > 0 && c.SubjectExpression == "" {
		errs = append(errs, invalid("subject_examples", "must be unset without subject_expression"))
	}
	if len(c.AccessExamples) > 0 && c.AccessRule == "" {
		errs = append(errs, invalid("access_examples", "must be unset without access_rule"))
	}
	return errs
}

func (c *Client) validateClaims() []error {
	var errs []error
	var most, mostly uint64
	for i, claim := range c.Claims {
		field := index("claims", i)
		switch {
		case !claimPattern.MatchString(claim.Name):
			errs = append(errs, invalid(field+".name", "must be 1 to 128 of the characters A-Z a-z 0-9 _ . : / # -"))
		case claim.Name == oidc.ClaimSubject:
			errs = append(errs, invalid(field+".name", "must not be sub, which the subject mode decides; choose the mode Expression for an expression"))
		case slices.Contains(protocolClaims(), claim.Name):
			errs = append(errs, invalid(field+".name", "must not be %s, which is the protocol's; choose another name", claim.Name))
		case slices.ContainsFunc(c.Claims[:i], func(earlier Claim) bool { return earlier.Name == claim.Name }):
			errs = append(errs, invalid(field+".name", "must not be %s a second time", claim.Name))
		}
		program, err := expression.Compile(claim.Expression, claimKind(claim.Name))
		if err != nil {
			errs = append(errs, invalid(field+".expression", "%s", err))
			continue
		}
		m, n := program.MaxCost()
		most, mostly = most+m, mostly+n
	}
	if most > maxTotalCost || mostly > maxUsualTotal {
		errs = append(errs, invalid("claims", "can cost too much together (%d units of %d, or %d of %d for most people): loop over less",
			most, maxTotalCost, mostly, maxUsualTotal))
	}
	return errs
}

// maxContacts is how many Client.Contacts there may be, maxContact how long one may be, in characters.
const maxContacts, maxContact = 4, 256

func (c *Client) validateContacts() []error {
	var errs []error
	if len(c.Contacts) > maxContacts {
		errs = append(errs, invalid("contacts", "must be at most %d", maxContacts))
	}
	for i, contact := range c.Contacts {
		if strings.TrimSpace(contact) == "" || utf8.RuneCountInString(contact) > maxContact || strings.ContainsFunc(contact, unicode.IsControl) {
			errs = append(errs, invalid(index("contacts", i), "must be 1 to %d characters in one line", maxContact))
		}
	}
	return errs
}
