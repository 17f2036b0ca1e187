package registry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// The kinds of hashes are those of the users that there are, whatever happens to their documents.
func TestHashKinds(t *testing.T) {
	x, _ := newIndex(t)
	const (
		argon  = "$argon2id$v=19$m=8,t=1,p=1"
		bcrypt = "$2b$10"
	)
	person := func(name, kind string) []byte {
		u := registration.User{Username: name, Subject: "sub-" + name}
		switch kind {
		case argon:
			u.PasswordHash = argon + "$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ"
		case bcrypt:
			u.PasswordHash = bcrypt + "$" + strings.Repeat("a", 53)
		}
		return text(u)
	}
	upsert := func(data []byte, name string) func() {
		return func() { _ = x.Upsert(kindUser, name, data) } // what is invalid is meant to be
	}
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"nobody", func() {}, nil},
		{"without a password", upsert(person("none", ""), "none"), nil},
		{"one of a kind", upsert(person("ada", bcrypt), "ada"), []string{bcrypt}},
		{"two of a kind", upsert(person("bert", bcrypt), "bert"), []string{bcrypt}},
		{"the same again", upsert(person("bert", bcrypt), "bert"), []string{bcrypt}},
		{"two kinds", upsert(person("ada", argon), "ada"), []string{argon, bcrypt}},
		{"one kind is gone", func() { x.Remove(kindUser, "bert") }, []string{argon}},
		{"gone twice", func() { x.Remove(kindUser, "bert") }, []string{argon}},
		{"with another password", upsert(person("ada", bcrypt), "ada"), []string{bcrypt}},
		{"an invalid version", upsert([]byte(`{"sub":""}`), "ada"), nil},
		{"everything anew", func() {
			x.ReplaceAll([]registry.Document{{Kind: kindUser, Name: "c", Data: person("c", argon)}, {Kind: kindUser, Name: "ada", Data: person("ada", bcrypt)}})
		}, []string{argon, bcrypt}},
		{"the other is left", func() { x.ReplaceAll([]registry.Document{{Kind: kindUser, Name: "c", Data: person("c", argon)}}) }, []string{argon}},
	} {
		step.do()
		got := x.HashKinds()
		slices.Sort(got)
		slices.Sort(step.want)
		if !slices.Equal(got, step.want) {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}
