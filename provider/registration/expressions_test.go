package registration_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func example(user, expected string) registration.Example {
	return registration.Example{User: json.RawMessage(user), Expected: json.RawMessage(expected)}
}

func claim(name, text string, examples ...registration.Example) registration.Claim {
	return registration.Claim{Name: name, Expression: text, Examples: examples}
}

func TestExpressionsValidate(t *testing.T) {
	ada := `{"username":"ada","groups":["staff"]}`
	claims := func(claims ...registration.Claim) func(*registration.Client) {
		return func(c *registration.Client) { c.Claims = claims }
	}
	for name, test := range map[string]struct {
		change      func(*registration.Client)
		field, says string
	}{
		"a claim":                    {claims(claim("preferred_username", "user.username + '@example.com'", example(ada, `"ada@example.com"`))), "", ""},
		"a URI as name":              {claims(claim("https://example.com/roles", "user.groups")), "", ""},
		"a language tag":             {claims(claim("name#de", "user.displayName")), "", ""},
		"no name":                    {claims(claim("", "user.username")), "claims[0].name", "1 to 128"},
		"a name that needs quoting":  {claims(claim(`a"b`, "user.username")), "claims[0].name", "1 to 128"},
		"the issuer":                 {claims(claim("iss", "user.username")), "claims[0].name", "must not be iss"},
		"a token's binding":          {claims(claim("cnf", "user.username")), "claims[0].name", "must not be cnf"},
		"the subject":                {claims(claim("sub", "user.username")), "claims[0].name", "mode Expression"},
		"twice":                      {claims(claim("a", "1"), claim("a", "2")), "claims[1].name", "a second time"},
		"wrong in the second":        {claims(claim("a", "1"), claim("b", "'x' + usr.name")), "claims[1].expression", "1:7: undeclared reference to 'usr'"},
		"a standard claim's type":    {claims(claim("email_verified", "user.email")), "claims[0].expression", "1:1: must give a bool and gives string"},
		"groups of another type":     {claims(claim("groups", "user.username")), "claims[0].expression", "a list of strings"},
		"a name of another type":     {claims(claim("name", "1")), "claims[0].expression", "must give a string"},
		"an address of another type": {claims(claim("address", "'London'")), "claims[0].expression", "must give a map"},
		"a time of another type":     {claims(claim("updated_at", "now")), "claims[0].expression", "must give a number"},
		"empty":                      {claims(claim("a", "")), "claims[0].expression", "1:1"},
		"too many": {func(c *registration.Client) {
			for i := range registration.MaxClaims + 1 {
				c.Claims = append(c.Claims, claim(fmt.Sprint("c", i), "1"))
			}
		}, "claims", "at most 32"},
		"too much together": {func(c *registration.Client) {
			for i := range 8 {
				c.Claims = append(c.Claims, claim(fmt.Sprint("c", i), "user.groups.map(g, g.lowerAscii().replace('a', 'b'))"))
			}
		}, "claims", "can cost too much together"},
		"in a place that is none": {func(c *registration.Client) { c.ClaimsIn = "AccessToken" }, "claims_in", "IDToken, Userinfo or Both"},

		"an example that is wrong":         {claims(claim("a", "user.username", example(ada, `"bob"`))), "claims[0].examples[0]", `gives "ada" instead of "bob"`},
		"the second example":               {claims(claim("a", "user.username", example(ada, `"ada"`), example(`{}`, `"x"`))), "claims[0].examples[1]", `gives no value instead of "x"`},
		"a value that should not be":       {claims(claim("a", "user.groups", example(ada, ``))), "claims[0].examples[0]", `gives ["staff"] instead of no value`},
		"no value, as null":                {claims(claim("a", "user.nickname", example(ada, `null`), example(ada, ``), example(ada, `""`))), "", ""},
		"numbers":                          {claims(claim("a", "size(user.groups)", example(ada, `1.0`))), "", ""},
		"maps in another order":            {claims(claim("a", "{'x': 1, 'y': [true]}", example(ada, ` {"y":[ true],"x":1 }`))), "", ""},
		"an example that fails":            {claims(claim("a", "user.groups[3]", example(ada, `"x"`))), "claims[0].examples[0]", `fails instead of giving "x": index out of bounds`},
		"an unknown field in an example":   {claims(claim("a", "1", example(`{"name":"x"}`, `1`))), "claims[0].examples[0].user", `has no field "name"; there are subject, username`},
		"what is expected is no JSON":      {claims(claim("a", "1", example(ada, `{`))), "claims[0].examples[0]", "no JSON"},
		"the time of an example":           {claims(claim("a", "now", registration.Example{Now: time.Unix(0, 0), Expected: json.RawMessage(`"1970-01-01T00:00:00Z"`)})), "", ""},
		"the time of an example, by rule":  {claims(claim("a", "now", example(ada, `"2000-01-01T00:00:00Z"`))), "", ""},
		"the client in an example":         {claims(claim("a", "client.clientID", example(ada, `"matrix.synapse"`))), "", ""},
		"an example of what is not there":  {func(c *registration.Client) { c.AccessExamples = []registration.Example{example(ada, `true`)} }, "access_examples", "without access_rule"},
		"an example of a missing subject":  {func(c *registration.Client) { c.SubjectExamples = []registration.Example{example(ada, `"x"`)} }, "subject_examples", "without subject_expression"},
		"a long result is cut in messages": {claims(claim("a", "user.username", example(`{"username":"`+strings.Repeat("x", 500)+`"}`, `"y"`))), "claims[0].examples[0]", `xxx... instead of "y"`},

		"a subject":                     {subjectOf("user.email.lowerAscii()", example(`{"email":"Ada@example.com"}`, `"ada@example.com"`)), "", ""},
		"a subject that depends on now": {subjectOf("user.username + string(now)"), "subject_expression", "1:24: now is not available"},
		"a subject of another type":     {subjectOf("user.groups"), "subject_expression", "must give a string"},
		"an example that is no subject": {subjectOf("user.displayName", example(`{"displayName":"Ada Lovelace"}`, `"Ada Lovelace"`)), "subject_examples[0]", `"Ada Lovelace" cannot be a subject`},
		"a subject without mode":        {func(c *registration.Client) { c.SubjectExpression = "user.username" }, "subject_expression", "only then"},
		"the mode without a subject":    {func(c *registration.Client) { c.SubjectMode = registration.SubjectExpression }, "subject_expression", "must be set"},

		"a rule":                     {rule("'staff' in user.groups", example(ada, `true`), example(`{}`, `false`)), "", ""},
		"a rule that is no truth":    {rule("user.groups"), "access_rule", "must give a bool"},
		"a rule that nothing can be": {rule("null"), "access_rule", "must give a bool"},
		"an example that gets in":    {rule("'staff' in user.groups", example(ada, `false`)), "access_examples[0]", "gives true instead of false"},

		"a contact":              {func(c *registration.Client) { c.Contacts = []string{"it@example.com"} }, "", ""},
		"a contact of nothing":   {func(c *registration.Client) { c.Contacts = []string{" "} }, "contacts[0]", "one line"},
		"a contact of two lines": {func(c *registration.Client) { c.Contacts = []string{"a\nb"} }, "contacts[0]", "one line"},
	} {
		t.Run(name, func(t *testing.T) {
			c := validClient()
			test.change(c)
			err := c.Validate()
			checkFields(t, err, test.field)
			if test.says != "" && !strings.Contains(err.Error(), test.says) {
				t.Errorf("says %v", err)
			}
		})
	}
}

func subjectOf(text string, examples ...registration.Example) func(*registration.Client) {
	return func(c *registration.Client) {
		c.SubjectMode, c.SubjectExpression, c.SubjectExamples = registration.SubjectExpression, text, examples
	}
}

func rule(text string, examples ...registration.Example) func(*registration.Client) {
	return func(c *registration.Client) { c.AccessRule, c.AccessExamples = text, examples }
}

// What is evaluated is what was validated, and what cannot be compiled lets nobody in and tells nothing.
func TestExpressionsThatAreEvaluated(t *testing.T) {
	user := (&registration.User{Username: "ada", Address: &registration.Address{Country: "UK"}}).ForExpressions()
	c := validClient()
	rule("user.username == 'ada'")(c)
	subjectOf("user.address.country")(c)
	c.Claims = []registration.Claim{claim("a", "user.address.country")}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if allowed, err := c.EvaluateAccess(c.ExpressionInput(user, time.Now())); !allowed || err != nil {
		t.Errorf("nobody gets in: %v", err)
	}
	if subject, err := c.EvaluateSubject(c.ExpressionInput(user, time.Time{})); subject != "UK" || err != nil {
		t.Errorf("the subject is %q (%v)", subject, err)
	}
	if value, err := c.EvaluateClaim(0, c.ExpressionInput(user, time.Now())); string(value) != `"UK"` || err != nil {
		t.Errorf("the claim is %s (%v)", value, err)
	}
	c.AccessRule, c.SubjectExpression, c.Claims[0].Expression = "user.username", "now", "usr"
	if allowed, err := c.EvaluateAccess(c.ExpressionInput(user, time.Now())); allowed || err == nil {
		t.Errorf("somebody gets in: %v", err)
	}
	if subject, err := c.EvaluateSubject(c.ExpressionInput(user, time.Time{})); subject != "" || err == nil {
		t.Errorf("the subject is %q", subject)
	}
	if value, err := c.EvaluateClaim(0, c.ExpressionInput(user, time.Now())); value != nil || err == nil {
		t.Errorf("the claim is %s", value)
	}
}

// What is registered carries no examples, and the document that they stand in is left as it is.
func TestWithoutExamples(t *testing.T) {
	c := validClient()
	c.Claims = []registration.Claim{claim("a", "user.username", example(`{"username":"ada"}`, `"ada"`))}
	subjectOf("user.username", example(`{"username":"ada"}`, `"ada"`))(c)
	rule("true", example(`{}`, `true`))(c)
	bare, err := json.Marshal(c.WithoutExamples())
	if err != nil || strings.Contains(string(bare), "examples") || !strings.Contains(string(bare), "user.username") {
		t.Errorf("registered is %s (%v)", bare, err)
	}
	if len(c.Claims[0].Examples) != 1 || len(c.SubjectExamples) != 1 || len(c.AccessExamples) != 1 {
		t.Error("the examples of the original are gone")
	}
	if _, err := registration.Parse[registration.Client](bare); err != nil {
		t.Error(err)
	}
}
