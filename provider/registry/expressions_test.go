package registry_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// A registration comes with its expressions ready, and without the examples, which were tried when it was read. One whose
// expression or example is wrong is not in force.
func TestExpressionsOfARegistration(t *testing.T) {
	x, _ := newIndex(t)
	text := func(rule, expected string) []byte {
		return []byte(`{"client_id":"a","redirect_uris":["https://a.example.com"],"scope":"openid","token_endpoint_auth_method":"none",` +
			`"access_rule":` + rule + `,"access_examples":[{"user":{"username":"ada"},"expected":` + expected + `}]}`)
	}
	if err := x.Upsert(registration.KindClient, "a", text(`"user.username == 'ada'"`, "true")); err != nil {
		t.Fatal(err)
	}
	client, ok := x.Client("a")
	if !ok || client.AccessExamples != nil {
		t.Fatalf("the client is %+v", client)
	}
	for username, want := range map[string]bool{"ada": true, "bob": false} {
		if got, err := client.EvaluateAccess(client.ExpressionInput((&registration.User{Username: username}).ForExpressions(), time.Now())); got != want || err != nil {
			t.Errorf("%s gets in: %v (%v)", username, got, err)
		}
	}
	for _, wrong := range [][]byte{text(`"user.name"`, "true"), text(`"user.username == 'bob'"`, "true")} {
		if !json.Valid(wrong) {
			t.Fatal("the test is wrong")
		}
		if err := x.Upsert(registration.KindClient, "a", wrong); err == nil {
			t.Error("it is taken")
		}
		if _, ok := x.Client("a"); ok {
			t.Error("a client whose rule nobody can read is in force")
		}
	}
}
