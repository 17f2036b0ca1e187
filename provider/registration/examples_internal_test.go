package registration

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func clientWithExample(expected string) *Client {
	return &Client{ClientID: "app", Claims: []Claim{{Name: "a", Expression: "user.username", Examples: []Example{
		{User: json.RawMessage(`{"username":"ada"}`), Expected: json.RawMessage(expected)},
	}}}}
}

// Examples are evaluated once for each version of what they depend on, and for each such version.
func TestExamplesAreEvaluatedOnce(t *testing.T) {
	c := clientWithExample(`"ada"`)
	if errs := c.tryExamples(); len(errs) != 0 {
		t.Fatal(errs)
	}
	digest, err := c.examplesDigest()
	if err != nil {
		t.Fatal(err)
	}
	remembered := []error{errors.New("remembered")}
	tried.byDigest[digest] = remembered
	t.Cleanup(func() { delete(tried.byDigest, digest) })
	if errs := clientWithExample(`"ada"`).tryExamples(); !slices.Equal(errs, remembered) {
		t.Errorf("the same examples are evaluated again: %v", errs)
	}
	for name, change := range map[string]func(c *Client){
		"the client ID":    func(c *Client) { c.ClientID = "other" },
		"the name":         func(c *Client) { c.ClientName = "Other" },
		"the claim":        func(c *Client) { c.Claims[0].Name = "b" },
		"the expression":   func(c *Client) { c.Claims[0].Expression = "user.username + ''" },
		"the person":       func(c *Client) { c.Claims[0].Examples[0].User = json.RawMessage(`{"username": "ada"}`) },
		"what is expected": func(c *Client) { c.Claims[0].Examples[0].Expected = json.RawMessage(` "ada"`) },
		"the time":         func(c *Client) { c.Claims[0].Examples[0].Now = time.Unix(1, 0) },
		"another example":  func(c *Client) { c.Claims[0].Examples = append(c.Claims[0].Examples, c.Claims[0].Examples[0]) },
		"one for the rule": func(c *Client) {
			c.AccessRule, c.AccessExamples = "true", []Example{{Expected: json.RawMessage("true")}}
		},
		"the claim it's of": func(c *Client) { c.Claims = append([]Claim{{Name: "z", Expression: "1"}}, c.Claims...) },
	} {
		c := clientWithExample(`"ada"`)
		change(c)
		if errs := c.tryExamples(); len(errs) != 0 {
			t.Errorf("%s is different, and the result is %v", name, errs)
		}
	}
}

func TestExampleResultsAreBounded(t *testing.T) {
	r := exampleResults{byDigest: map[[32]byte][]error{}}
	for i := range exampleResultsKept + 10 {
		r.of([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, func() []error { return nil })
	}
	if len(r.byDigest) != exampleResultsKept {
		t.Errorf("%d are kept", len(r.byDigest))
	}
}

// All examples of a client together have one budget, and no more than a few faults are told.
func TestExamplesHaveABudget(t *testing.T) {
	groups := `{"groups":["` + strings.TrimSuffix(strings.Repeat(`abcdefg","`, 150), `","`) + `"]}`
	c := &Client{ClientID: "app"}
	for i := range MaxClaims {
		claim := Claim{Name: fmt.Sprint("c", i), Expression: "size(user.groups.filter(g, g != 'x' && g != 'y' && g != 'z' && g != 'u'))"}
		for range maxExamples {
			claim.Examples = append(claim.Examples, Example{User: json.RawMessage(groups), Expected: json.RawMessage("150")})
		}
		c.Claims = append(c.Claims, claim)
	}
	errs := c.validateExpressions()
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "costs too much together") {
		t.Errorf("%d examples that are dear are judged %v", MaxClaims*maxExamples, errs)
	}
	for i := range c.Claims {
		c.Claims[i].Expression = "'x'"
	}
	if errs := c.validateExpressions(); len(errs) != maxExampleFaults {
		t.Errorf("%d faults are told", len(errs))
	}
	c = clientWithExample(`"` + strings.Repeat("x", MaxExampleBytes) + `"`)
	if errs := c.validateExpressions(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "claims[0].examples[0]: must be at most 2048 bytes long") {
		t.Errorf("one that is too long is judged %v", errs)
	}
}
