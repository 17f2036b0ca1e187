package sqlite

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// What was stored before session_clients were a table of their own is still told of, and belongs to whoever it belonged to.
func TestMigrationToSessionClients(t *testing.T) {
	path := filepath.Join(t.TempDir(), "provider.db")
	first, err := migrations.ReadFile("migrations/00001_initial.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := runGoose(t.Context(), path, fstest.MapFS{"00001_initial.sql": {Data: first}}); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	grant := func(id, client, session, handle string) string {
		return `INSERT INTO grants VALUES ('` + id + `', '` + client + `', 'ada', '` + session + `', '', '', '', 0, '', 0, 0, ` + handle +
			`, '', '', '', '', 0, 0, NULL, NULL, NULL, '', NULL, NULL, NULL)`
	}
	for _, statement := range []string{
		`INSERT INTO sessions VALUES (zeroblob(32), 'sid', 'ada', 0, '', 'credential', '', '', 0, 0)`,
		grant("note", "chat", "sid", "NULL"), grant("code", "wiki", "sid", "zeroblob(32)"), grant("old", "wiki", "over", "zeroblob(32)"),
		grant("device", "tv", "", "NULL"),
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for id, want := range map[string]string{"code": "credential", "old": "", "device": ""} {
		if g, err := s.Grant(t.Context(), id); err != nil || g.Credential != want || g.Client.UID != "" {
			t.Errorf("grant %s has the credential %q (%v); want %q", id, g.Credential, err, want)
		}
	}
	if _, err := s.Grant(t.Context(), "note"); err == nil {
		t.Error("the note is still a grant")
	}
	var told []store.Client
	if err := s.EndSession(t.Context(), "sid", func(_ store.Session, clients []store.Client) []store.Notice {
		told = slices.Clone(clients)
		return nil
	}); err != nil || !slices.Equal(told, []store.Client{{ID: "chat"}, {ID: "wiki"}}) {
		t.Errorf("told are %v (%v)", told, err)
	}
}
