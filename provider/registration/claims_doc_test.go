package registration_test

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc/expression"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// claimsPage returns docs/claims.md.
func claimsPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/claims.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows returns the cells of a table of the page, by its first line. A | in a cell is written \|.
func rows(t *testing.T, page, heading string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/claims.md has no table %s", heading)
	}
	var cells [][]string
	for i, line := range strings.Split(rest, "\n") {
		if !strings.HasPrefix(line, "|") {
			break
		}
		if i == 0 {
			continue // the line below the heading
		}
		row := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
		row = row[1 : len(row)-1]
		for j := range row {
			row[j] = strings.TrimSpace(strings.ReplaceAll(row[j], "\x00", "|"))
		}
		cells = append(cells, row)
	}
	return cells
}

func code(cell string) string { return strings.TrimSuffix(strings.TrimPrefix(cell, "`"), "`") }

// Every row of the page's tables holds: what an expression gives for the person of the page, and what is refused in which words.
func TestClaimsPage(t *testing.T) {
	page := claimsPage(t)
	person := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(page)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	table := rows(t, page, "| for | expression | gives |")
	if person == nil || len(table) < 20 {
		t.Fatalf("the page has %d expressions, and the person %q", len(table), person)
	}
	for _, row := range table {
		text, gives := code(row[1]), row[2]
		t.Run(text, func(t *testing.T) {
			c := validClient()
			c.ClientID, c.ClientName = "docs.wiki", "Wiki"
			example := registration.Example{User: json.RawMessage(person[1]), Now: now}
			reason, fails := strings.CutPrefix(gives, "fails: ")
			if gives != "nothing" && !fails {
				example.Expected = json.RawMessage(code(gives))
			}
			c.Claims = []registration.Claim{{Name: "x", Expression: text, Examples: []registration.Example{example}}}
			err := c.Validate()
			if !fails {
				if err != nil {
					t.Error(err)
				}
				return
			}
			program, compileErr := expression.Compile(text, expression.Kind{})
			user, parseErr := expression.ParseUser(example.User)
			if err == nil || compileErr != nil || parseErr != nil {
				t.Fatal(err, compileErr, parseErr)
			}
			var known *expression.Error
			_, err = program.Evaluate(&expression.Input{User: user, Client: c.ForExpressions(), Now: now})
			if known, _ = err.(*expression.Error); known == nil || known.Reason != reason { //nolint:errorlint // it is returned as it is
				t.Errorf("fails with %v", err)
			}
		})
	}
	refused := rows(t, page, "| expression | message |")
	if len(refused) < 8 {
		t.Fatalf("%d expressions are refused", len(refused))
	}
	for _, row := range refused {
		if _, err := expression.Compile(code(row[0]), expression.Kind{}); err == nil || !strings.HasPrefix(err.Error(), code(row[1])) {
			t.Errorf("%s: %v, not %s", row[0], err, row[1])
		}
	}
}

// The page names every field of a person, and none that does not exist.
func TestClaimsPageFields(t *testing.T) {
	documented := map[string]bool{}
	for _, row := range rows(t, claimsPage(t), "| field of `user` | type | |") {
		names := row[0]
		if strings.Contains(names, "`address`") {
			names += row[2]
		}
		for _, name := range regexp.MustCompile("`([A-Za-z.]+)`").FindAllStringSubmatch(names, -1) {
			documented[name[1]] = true
		}
	}
	want := map[string]bool{}
	for field := range reflect.TypeFor[expression.User]().Fields() {
		want[field.Tag.Get("json")] = true
	}
	for field := range reflect.TypeFor[expression.Address]().Fields() {
		want["address."+field.Tag.Get("json")] = true
	}
	if !reflect.DeepEqual(documented, want) {
		t.Errorf("the page names %v; there are %v", documented, want)
	}
}
