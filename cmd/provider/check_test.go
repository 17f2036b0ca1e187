package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// What a provider would decide can be seen without one.
func TestCheckClient(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	client := func(rest string) string {
		return write("app.client.json", `{"client_id":"app","redirect_uris":["https://app.example.com/cb"],"scope":"openid","token_endpoint_auth_method":"none",`+rest+`}`)
	}
	ada := write("ada.user.json", `{"sub":"s-1","preferred_username":"ada","email":"ada@example.com","groups":["staff"]}`)
	claims := `"claims":[{"name":"mail","expression":"user.email.upperAscii()","examples":[{"user":{"email":"a@b"},"expected":"A@B"}]},{"name":"x","expression":"user.groups[3]"},{"name":"y","expression":"user.nickname"}]`
	for name, c := range map[string]struct {
		text string
		args []string
		want []string // parts of the output, or of the error where the first is "error"
	}{
		"examples that hold": {claims, nil, []string{`"client_id": "app"`, `"examples": 1`}},
		"for a person": {
			claims + `,"subject_mode":"Expression","subject_expression":"'u-' + user.username","access_rule":"'staff' in user.groups"`,
			[]string{"--user", ada},
			[]string{`"access_rule": true`, `"sub": "u-ada"`, `"mail": "ADA@EXAMPLE.COM"`, `"x": "index out of bounds: 3"`},
		},
		"at a time": {
			`"access_rule":"now < timestamp('2026-01-01T00:00:00Z')"`, []string{"--user", ada, "--now", "2025-12-31T00:00:00Z"}, []string{`"access_rule": true`},
		},
		"an example that does not hold": {
			strings.Replace(claims, `"A@B"`, `"a@b"`, 1), nil, []string{"error", `app.client.json: claims[0].examples[0]: gives "A@B" instead of "a@b"`},
		},
		"a position":          {`"access_rule":"usr.email == ''"`, nil, []string{"error", `access_rule: 1:1: undeclared reference to 'usr'`}},
		"no subject":          {`"subject_mode":"Expression","subject_expression":"user.nickname"`, []string{"--user", ada}, []string{`"sub": "\"\" cannot be a subject`}},
		"a time that is none": {claims, []string{"--user", ada, "--now", "soon"}, []string{"error", "--now must be a time"}},
		"no such person":      {claims, []string{"--user", filepath.Join(dir, "bob.user.json")}, []string{"error", "bob.user.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := output(t, "", append([]string{"client", "check", client(c.text)}, c.args...)...)
			if failed := c.want[0] == "error"; failed != (err != nil) {
				t.Fatalf("%v: %s%s", err, stdout, stderr)
			} else if failed {
				stdout, c.want = stderr, c.want[1:]
			}
			for _, part := range c.want {
				if !strings.Contains(stdout, part) {
					t.Errorf("it does not say %s: %s", part, stdout)
				}
			}
		})
	}
}

// Expressions can be given at the registration, and wrong ones are refused there.
func TestCreateClientWithExpressions(t *testing.T) {
	dir := t.TempDir()
	created(t, "", "client", "create", "app", "--registrations", dir, "--redirect-uri", callback, "--claim", "first_name=user.givenName",
		"--claim", "a=user.groups == ['b'] ? 1 : 2", "--claims-in", "IDToken", "--subject-mode", "Expression", "--subject-expression", "user.username",
		"--access-rule", "'staff' in user.groups", "--contact", "it@example.com")
	got := parsed[registration.Client](t, filepath.Join(dir, "app.client.json"))
	if len(got.Claims) != 2 || got.Claims[0].Name != "first_name" || got.Claims[1].Expression != "user.groups == ['b'] ? 1 : 2" || got.ClaimsIn != "IDToken" ||
		got.SubjectExpression != "user.username" || got.AccessRule != "'staff' in user.groups" || got.Contacts[0] != "it@example.com" {
		t.Errorf("the client is %+v", got)
	}
	for says, claim := range map[string]string{"1:1: undeclared reference": "b=usr.name", "--claim must be NAME=EXPRESSION": "user.name"} {
		if _, stderr, err := output(t, "", "client", "create", "other", "--registrations", dir, "--redirect-uri", callback, "--claim", claim); err == nil || !strings.Contains(stderr, says) {
			t.Errorf("%s: %v %s", claim, err, stderr)
		}
	}
}
