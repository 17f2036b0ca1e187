package registry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

const (
	kindClient   = registration.KindClient
	kindUser     = registration.KindUser
	kindKey      = registration.KindSigningKey
	kindSettings = registration.KindSettings
)

func client(id string, change ...func(*registration.Client)) []byte {
	c := registration.Client{
		ClientID:     id,
		RedirectURIs: []string{"https://app.example.com/callback"},
		Scope:        "openid profile email",
		Secrets:      []registration.ClientSecret{{ID: "1", Hash: registration.HashSecret("secret of " + id)}},
	}
	for _, f := range change {
		f(&c)
	}
	return text(c)
}

func user(username, subject string) []byte {
	return text(registration.User{Username: username, Subject: subject, Groups: []string{"staff"}})
}

func text(doc any) []byte {
	data, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return data
}

func signingKey(t *testing.T, name string) (kid string, data []byte) {
	t.Helper()
	kid, jwk, err := keys.Generate("ES256", 0)
	if err != nil {
		t.Fatal(err)
	}
	return kid, text(registration.SigningKey{
		Name: name, Algorithm: "ES256", CreatedAt: time.Unix(1, 0).UTC(),
		Keys: []registration.Key{{KeyID: kid, Phase: registration.PhaseActive, CreatedAt: time.Unix(1, 0).UTC(), PrivateJWK: jwk}},
	})
}

func newIndex(t testing.TB) (*registry.Index, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	x, err := registry.NewIndex(slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return x, log
}

// step is one thing that a source reports.
type step struct {
	kind registration.Kind
	name string
	data []byte // nil: the document is gone
}

func TestIndexClients(t *testing.T) {
	bad := client("app", func(c *registration.Client) { c.RedirectURIs = []string{"https://app.example.com/#fragment"} })
	tests := map[string]struct {
		steps       []step
		wantClients []string
		wantRefused int
		wantLogged  []string
	}{
		"a registered client is found": {
			steps:       []step{{kindClient, "a", client("app")}},
			wantClients: []string{"app"},
		},
		"a client whose document is gone is not found": {
			steps: []step{{kindClient, "a", client("app")}, {kindClient, "a", nil}},
		},
		"a client that changes its ID is found by the new one only": {
			steps:       []step{{kindClient, "a", client("old")}, {kindClient, "a", client("new")}},
			wantClients: []string{"new"},
		},
		"an invalid new version withdraws the client and is logged once": {
			steps:       []step{{kindClient, "a", client("app")}, {kindClient, "a", bad}, {kindClient, "a", bad}},
			wantRefused: 1,
			wantLogged:  []string{`name=a faults="[redirect_uris[0]: `},
		},
		"a mended client is found again": {
			steps:       []step{{kindClient, "a", bad}, {kindClient, "a", client("app")}},
			wantClients: []string{"app"},
			wantLogged:  []string{"name=a"},
		},
		"an invalid document that goes away is forgotten": {
			steps:      []step{{kindClient, "a", bad}, {kindClient, "a", nil}},
			wantLogged: []string{"name=a"},
		},
		"of two with one ID the first by name counts, whichever came first": {
			steps: []step{
				{kindClient, "b", client("app", func(c *registration.Client) { c.ClientName = "second" })},
				{kindClient, "a", client("app", func(c *registration.Client) { c.ClientName = "first" })},
			},
			wantClients: []string{"app=first"},
			wantRefused: 1,
			wantLogged:  []string{`name=b`},
		},
		"the second takes over when the first goes": {
			steps: []step{
				{kindClient, "a", client("app", func(c *registration.Client) { c.ClientName = "first" })},
				{kindClient, "b", client("app", func(c *registration.Client) { c.ClientName = "second" })},
				{kindClient, "a", nil},
			},
			wantClients: []string{"app=second"},
			wantLogged:  []string{"name=b"},
		},
		"the second takes over when the first becomes invalid": {
			steps: []step{
				{kindClient, "a", client("app")},
				{kindClient, "b", client("app", func(c *registration.Client) { c.ClientName = "second" })},
				{kindClient, "a", bad},
			},
			wantClients: []string{"app=second"},
			wantRefused: 1,
			wantLogged:  []string{"name=b", "name=a"},
		},
		"a conflict that stays is logged once": {
			steps: []step{
				{kindClient, "a", client("app")},
				{kindClient, "b", client("app")},
				{kindClient, "a", client("app", func(c *registration.Client) { c.ClientName = "changed" })},
				{kindClient, "b", client("app", func(c *registration.Client) { c.ClientName = "changed too" })},
			},
			wantClients: []string{"app=changed"},
			wantRefused: 1,
			wantLogged:  []string{"name=b"},
		},
		"a document of an unknown kind is refused": {
			steps:       []step{{"robot", "a", client("app")}},
			wantRefused: 1,
			wantLogged:  []string{"name=a"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			x, log := newIndex(t)
			run(x, tt.steps)
			for _, want := range tt.wantClients {
				id, displayName, named := strings.Cut(want, "=")
				c, ok := x.Client(id)
				if !ok || c.ClientID != id || named && c.ClientName != displayName {
					t.Errorf("Client(%q) = %+v, %t; want %s", id, c, ok, want)
				}
			}
			want := registry.Counts{Clients: len(tt.wantClients), Refused: tt.wantRefused}
			if got := x.Counts(); got != want {
				t.Errorf("Counts() = %+v; want %+v", got, want)
			}
			expectLog(t, log, tt.wantLogged)
		})
	}
}

func run(x *registry.Index, steps []step) {
	for _, s := range steps {
		if s.data == nil {
			x.Remove(s.kind, s.name)
			continue
		}
		_ = x.Upsert(s.kind, s.name, s.data) // what an error means is checked by what is in force and in the log
	}
}

// expectLog wants exactly one line for each of parts, in order.
func expectLog(t *testing.T, log *bytes.Buffer, parts []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
	if log.Len() == 0 {
		lines = nil
	}
	if len(lines) != len(parts) {
		t.Fatalf("logged %d lines; want %d:\n%s", len(lines), len(parts), log)
	}
	for i, part := range parts {
		if !strings.Contains(lines[i], part) {
			t.Errorf("log line %d is %q; want it to hold %q", i, lines[i], part)
		}
	}
}

func TestIndexUsers(t *testing.T) {
	tests := map[string]struct {
		steps        []step
		wantByName   map[string]string // username -> subject, "" for not found
		wantSubjects map[string]bool
		wantCounts   registry.Counts
	}{
		"a user is found by username in any case and by subject": {
			steps:        []step{{kindUser, "ada", user("Ada", "1")}},
			wantByName:   map[string]string{"ada": "1", "ADA": "1", "bob": ""},
			wantSubjects: map[string]bool{"1": true, "2": false},
			wantCounts:   registry.Counts{Users: 1},
		},
		"a renamed user is found by the new name only": {
			steps:        []step{{kindUser, "ada", user("ada", "1")}, {kindUser, "ada", user("countess", "1")}},
			wantByName:   map[string]string{"ada": "", "countess": "1"},
			wantSubjects: map[string]bool{"1": true},
			wantCounts:   registry.Counts{Users: 1},
		},
		"usernames that differ in case are one": {
			steps:        []step{{kindUser, "b", user("Ada", "2")}, {kindUser, "a", user("ada", "1")}},
			wantByName:   map[string]string{"ada": "1"},
			wantSubjects: map[string]bool{"1": true, "2": false},
			wantCounts:   registry.Counts{Users: 1, Refused: 1},
		},
		"who lacks the subject is not found by username either": {
			steps:        []step{{kindUser, "a", user("ada", "1")}, {kindUser, "b", user("bob", "1")}},
			wantByName:   map[string]string{"ada": "1", "bob": ""},
			wantSubjects: map[string]bool{"1": true},
			wantCounts:   registry.Counts{Users: 1, Refused: 1},
		},
		"who comes after one that is not in force is not in force": {
			steps: []step{
				{kindUser, "a", user("ada", "1")}, {kindUser, "b", user("ada", "2")}, {kindUser, "c", user("carol", "2")},
			},
			wantByName:   map[string]string{"ada": "1", "carol": ""},
			wantSubjects: map[string]bool{"1": true, "2": false},
			wantCounts:   registry.Counts{Users: 1, Refused: 2},
		},
		"all are in force once the conflict is mended": {
			steps: []step{
				{kindUser, "a", user("ada", "1")},
				{kindUser, "b", user("ada", "2")},
				{kindUser, "c", user("carol", "2")},
				{kindUser, "b", user("bob", "3")},
			},
			wantByName:   map[string]string{"ada": "1", "carol": "2", "bob": "3"},
			wantSubjects: map[string]bool{"1": true, "2": true, "3": true},
			wantCounts:   registry.Counts{Users: 3},
		},
		"an invalid new version withdraws the user": {
			steps:        []step{{kindUser, "a", user("ada", "1")}, {kindUser, "a", user("ada", "")}},
			wantByName:   map[string]string{"ada": ""},
			wantSubjects: map[string]bool{"1": false},
			wantCounts:   registry.Counts{Refused: 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			x, _ := newIndex(t)
			run(x, tt.steps)
			for username, want := range tt.wantByName {
				u, ok := x.UserByName(username)
				if ok != (want != "") || ok && u.Subject != want {
					t.Errorf("UserByName(%q) = %+v, %t; want subject %q", username, u, ok, want)
				}
			}
			for subject, want := range tt.wantSubjects {
				if u, ok := x.UserBySubject(subject); ok != want {
					t.Errorf("UserBySubject(%q) = %+v, %t; want %t", subject, u, ok, want)
				}
			}
			if got := x.Counts(); got != tt.wantCounts {
				t.Errorf("Counts() = %+v; want %+v", got, tt.wantCounts)
			}
		})
	}
}
