package registry_test

import (
	"slices"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// Who is disabled is known without a look at everybody, whatever happens to their documents.
func TestDisabledSubjects(t *testing.T) {
	x, _ := newIndex(t)
	person := func(username string, disabled bool) []byte {
		return text(registration.User{Username: username, Subject: "sub-" + username, Disabled: disabled})
	}
	upsert := func(name string, data []byte) func() {
		return func() { _ = x.Upsert(kindUser, name, data) } // what is invalid is meant to be
	}
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"nobody", func() {}, nil},
		{"somebody who is not", upsert("b", person("ada", false)), nil},
		{"disabled", upsert("b", person("ada", true)), []string{"sub-ada"}},
		{"the same again", upsert("b", person("ada", true)), []string{"sub-ada"}},
		{"another one", upsert("c", person("bert", true)), []string{"sub-ada", "sub-bert"}},
		{"another document comes first, which does not say so", upsert("a", person("ada", false)), []string{"sub-bert"}},
		{"and is gone", func() { x.Remove(kindUser, "a") }, []string{"sub-ada", "sub-bert"}},
		{"enabled", upsert("b", person("ada", false)), []string{"sub-bert"}},
		{"an invalid version", upsert("c", []byte(`{"sub":""}`)), nil},
		{"everything anew", func() {
			x.ReplaceAll([]registry.Document{{Kind: kindUser, Name: "b", Data: person("ada", true)}})
		}, []string{"sub-ada"}},
		{"gone", func() { x.Remove(kindUser, "b") }, nil},
	} {
		step.do()
		got := x.DisabledSubjects()
		slices.Sort(got)
		if !slices.Equal(got, step.want) {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}
