package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// checked is what client check prints.
type checked struct {
	ClientID string `json:"client_id"`
	// Examples is how many examples hold.
	Examples int `json:"examples"`
	// The others are what expressions give for a person. What has no result says why in Failed, by the name of the field.
	AccessRule *bool                      `json:"access_rule,omitempty"`
	Subject    string                     `json:"sub,omitempty"`
	Claims     map[string]json.RawMessage `json:"claims,omitempty"`
	Failed     map[string]string          `json:"failed,omitempty"`
}

// checkClientCommand makes the command that tries a registration without a provider.
func checkClientCommand() *cobra.Command {
	var user, now string
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Check the registration of a client and the examples of its expressions, and show what they give for a person",
		Example: "  provider client check registrations/app.client.json\n" +
			"  provider client check registrations/app.client.json --user registrations/ada.user.json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := readDocument[registration.Client](args[0])
			if err != nil {
				return err
			}
			answer := checked{ClientID: client.ClientID, Examples: len(client.SubjectExamples) + len(client.AccessExamples)}
			for _, c := range client.Claims {
				answer.Examples += len(c.Examples)
			}
			if user != "" {
				person, err := readDocument[registration.User](user)
				if err != nil {
					return err
				}
				at := time.Now()
				if now != "" {
					if at, err = time.Parse(time.RFC3339, now); err != nil {
						return errors.New("--now must be a time such as 2026-01-02T15:04:05Z")
					}
				}
				answer.evaluate(client, person, at)
			}
			encoder := json.NewEncoder(cmd.OutOrStdout())
			encoder.SetIndent("", "  ")
			encoder.SetEscapeHTML(false)
			return encoder.Encode(answer)
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "registration file of a person, for whom the expressions are evaluated")
	cmd.Flags().StringVar(&now, "now", "", "the time for which they are evaluated (default: now)")
	return cmd
}

// readDocument reads and checks a registration file, with every fault on a line of its own.
func readDocument[D any, P interface {
	*D
	registration.Document
}](path string) (*D, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the administrator's choice
	if err != nil {
		return nil, fmt.Errorf("read registration: %w", err)
	}
	document, err := registration.Parse[D, P](data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return document, nil
}

func (a *checked) evaluate(client *registration.Client, person *registration.User, now time.Time) {
	in := client.ExpressionInput(person.ForExpressions(), now)
	a.Claims, a.Failed = map[string]json.RawMessage{}, map[string]string{}
	for i, claim := range client.Claims {
		value, err := client.EvaluateClaim(i, in)
		switch {
		case err != nil:
			a.fail(claim.Name, err)
		case value != nil:
			a.Claims[claim.Name] = value
		}
	}
	if client.SubjectMode == registration.SubjectExpression {
		subject, err := client.EvaluateSubject(client.ExpressionInput(in.User, time.Time{}))
		switch {
		case err != nil:
			a.fail("sub", err)
		case !registration.ValidSubject(subject):
			a.fail("sub", fmt.Errorf("%q cannot be a subject, which is 1 to 255 printable ASCII characters without spaces", subject))
		default:
			a.Subject = subject
		}
	}
	if client.AccessRule != "" {
		allowed, err := client.EvaluateAccess(client.ExpressionInput(in.User, now))
		if err != nil {
			a.fail("access_rule", err)
		}
		a.AccessRule = &allowed
	}
}

// fail says all that is known: it is on the terminal of whoever has the file of the person.
func (a *checked) fail(what string, err error) {
	if cause := errors.Unwrap(err); cause != nil {
		err = cause
	}
	a.Failed[what] = err.Error()
}
