package registry_test

import (
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func withEmail(username, subject, email string) []byte {
	return text(registration.User{Username: username, Subject: subject, Email: email})
}

func TestEmailIsUnique(t *testing.T) {
	one := step{kindUser, "a", withEmail("ada", "1", "ada@example.com")}
	for name, c := range map[string]struct {
		steps  []step
		unique bool
	}{
		"of nobody":                       {nil, true},
		"of one":                          {[]step{one}, true},
		"of one who is reported twice":    {[]step{one, {kindUser, "a", withEmail("ada", "1", "ADA@example.com")}}, true},
		"of two":                          {[]step{one, {kindUser, "b", withEmail("bob", "2", "ada@example.com")}}, false},
		"of two, in another case":         {[]step{one, {kindUser, "b", withEmail("bob", "2", "Ada@Example.COM")}}, false},
		"of two others":                   {[]step{one, {kindUser, "b", withEmail("bob", "2", "bob@example.com")}, {kindUser, "c", withEmail("carol", "3", "bob@example.com")}}, true},
		"of a second who is gone":         {[]step{one, {kindUser, "b", withEmail("bob", "2", "ada@example.com")}, {kindUser, "b", nil}}, true},
		"of a second who has another":     {[]step{one, {kindUser, "b", withEmail("bob", "2", "ada@example.com")}, {kindUser, "b", withEmail("bob", "2", "")}}, true},
		"of a second who is not in force": {[]step{one, {kindUser, "b", withEmail("ada", "2", "ada@example.com")}}, true},
		"of a second who is in force at last": {
			[]step{one, {kindUser, "b", withEmail("ada", "2", "ada@example.com")}, {kindUser, "b", withEmail("bob", "2", "ada@example.com")}}, false,
		},
		"of a second who is renamed": {[]step{one, {kindUser, "b", withEmail("augusta", "1", "ada@example.com")}, {kindUser, "a", nil}}, true},
		"of a second who is not valid any more": {
			[]step{one, {kindUser, "b", withEmail("bob", "2", "ada@example.com")}, {kindUser, "b", withEmail("bob", "", "ada@example.com")}}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := newIndex(t)
			run(x, c.steps)
			if got := x.EmailIsUnique("ada@EXAMPLE.com"); got != c.unique {
				t.Errorf("unique: %v", got)
			}
		})
	}
}
