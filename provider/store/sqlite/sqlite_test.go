package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/sqlite"
	"github.com/oidc-operator/oidc-operator/provider/store/storetest"
)

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, filepath.Join(t.TempDir(), "provider.db"))
	})
}

func TestStoreIsDurable(t *testing.T) {
	storetest.RunDurable(t, storetest.Durable{
		Location: func(t *testing.T) string { return filepath.Join(t.TempDir(), "provider.db") },
		Open: func(ctx context.Context, path string) (store.Store, error) {
			return sqlite.Open(ctx, path, sqlite.Options{})
		},
	})
}

func TestNobodyElseCanReadTheFiles(t *testing.T) {
	tests := map[string]func(t *testing.T, path string){
		"a new database": func(*testing.T, string) {},
		"a database that was open to others": func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, nil, 0o666); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "provider.db")
			prepare(t, path)
			s := open(t, path)
			defer func() { _ = s.Close() }()
			if err := s.Ping(t.Context()); err != nil { // the log is made at the first change
				t.Fatal(err)
			}
			files, err := filepath.Glob(path + "*")
			if err != nil || len(files) < 3 {
				t.Fatalf("found %v, %v; want the database, its log and its index", files, err)
			}
			for _, f := range files {
				info, err := os.Stat(f)
				if err != nil {
					t.Fatal(err)
				}
				if got := info.Mode().Perm(); got != 0o600 {
					t.Errorf("mode of %s is %o; want 600", filepath.Base(f), got)
				}
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		path func(t *testing.T) string
		want string
	}{
		"a directory that is not there": {
			path: func(t *testing.T) string { return filepath.Join(t.TempDir(), "missing", "provider.db") },
			want: "no such file or directory",
		},
		"a file that is no database": {
			path: func(t *testing.T) string {
				path := filepath.Join(t.TempDir(), "provider.db")
				if err := os.WriteFile(path, []byte(strings.Repeat("this is no database. ", 100)), 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			},
			want: "not a database",
		},
		"a database that a newer program wrote": {
			path: func(t *testing.T) string {
				path := filepath.Join(t.TempDir(), "provider.db")
				if err := open(t, path).Close(); err != nil {
					t.Fatal(err)
				}
				change(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")
				return path
			},
			want: "schema version 99999, but this one knows no version after ",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := tt.path(t)
			s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open() = %v; want an error with %q", err, tt.want)
			}
		})
	}
}

func TestAnyPathWillDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "100% odd? #name&mode=memory", "it's provider.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the database is not at its path: %v, %v", info, err)
	}
}

func TestSeveralProgramsMayStartOnAnEmptyDatabase(t *testing.T) {
	for range 20 {
		startTogether(t, filepath.Join(t.TempDir(), "provider.db"))
	}
}

// A database that was restored from a dump has no write-ahead log before its first start.
func TestSeveralProgramsMayStartOnARestoredDatabase(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "provider.db")
		if err := open(t, path).Close(); err != nil {
			t.Fatal(err)
		}
		change(t, path, "PRAGMA journal_mode = DELETE")
		startTogether(t, path)
		if header, err := os.ReadFile(path); err != nil || header[18] != 2 { // 2 is WAL: https://sqlite.org/fileformat.html
			t.Fatalf("the database has no write-ahead log: %v", err)
		}
	}
}

func startTogether(t *testing.T, path string) {
	t.Helper()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = s.Close() }()
			if err := s.Ping(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Two programs have the database open while one takes over from the other.
func TestTwoStoresShareOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "provider.db")
	a, b := open(t, path), open(t, path)
	defer func() { _ = b.Close() }()
	ctx := t.Context()
	now := time.Now()
	if err := a.CreateGrant(ctx, store.Grant{ID: "g", AuthTime: now, CreatedAt: now, ExpiresAt: now}); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 2)
	for name, s := range map[string]*sqlite.Store{"a": a, "b": b} {
		go func() {
			token := &store.AccessToken{Handle: store.HandleOf(name), GrantID: "g", IssuedAt: now, ExpiresAt: now}
			errs <- s.RedeemCode(ctx, "g", store.Refresh{}, token, now)
		}()
	}
	first, second := <-errs, <-errs
	if (first == nil) == (second == nil) {
		t.Errorf("redeeming through two stores: %v and %v; want one success", first, second)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if g, err := b.Grant(ctx, "g"); err != nil || !g.Code.Redeemed {
		t.Errorf("the other store sees redeemed = %t, %v; want true", g.Code.Redeemed, err)
	}
}

// A change that cannot be written must be reported, not swallowed with the batch, and must not break the store.
func TestALockedDatabaseIsAnErrorAndPasses(t *testing.T) {
	t.Parallel() // it waits for the lock as long as a caller would
	path := filepath.Join(t.TempDir(), "provider.db")
	s := open(t, path)
	defer func() { _ = s.Close() }()
	db := database(t, path)
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	exec := func(sql string) {
		if _, err := conn.ExecContext(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("BEGIN IMMEDIATE")
	if _, err := s.Session(t.Context(), store.HandleOf("x")); err != store.ErrNotFound { //nolint:errorlint // it is returned as it is
		t.Errorf("reading beside a writer: %v; want %v", err, store.ErrNotFound)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "locked") {
		t.Errorf("Ping of a locked database: %v; want %v and why", err, store.ErrUnavailable)
	}
	exec("ROLLBACK")
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping after the lock is gone: %v", err)
	}
}

func database(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func change(t *testing.T, path, statement string) {
	t.Helper()
	db := database(t, path)
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
