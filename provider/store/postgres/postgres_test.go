package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/postgres"
	"github.com/oidc-operator/oidc-operator/provider/store/storetest"
	"github.com/oidc-operator/oidc-operator/test/pgtest"
)

func open(t testing.TB, dsn string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	dsn := pgtest.New(t).Database(t)
	if err := open(t, dsn).Close(); err != nil { // the first one makes the tables
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) store.Store {
		exec(t, dsn, `DELETE FROM sessions; DELETE FROM session_clients; DELETE FROM consents; DELETE FROM grants; DELETE FROM access_tokens; DELETE FROM device_requests;
			DELETE FROM pushed_requests; DELETE FROM used_values; DELETE FROM failures; DELETE FROM passwords; DELETE FROM notices;
			DELETE FROM user_numbers`)
		return open(t, dsn)
	})
}

// exec runs statements on a connection of its own.
func exec(t testing.TB, dsn, sql string) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

func TestStoreIsDurable(t *testing.T) {
	var server *pgtest.Server // made by the process that is not to be killed
	storetest.RunDurable(t, storetest.Durable{
		Location: func(st *testing.T) string {
			if server == nil {
				server = pgtest.New(t)
			}
			return server.Database(st)
		},
		Open: func(ctx context.Context, dsn string) (store.Store, error) {
			return postgres.Open(ctx, dsn, postgres.Options{})
		},
	})
}

func TestOpenRefuses(t *testing.T) {
	server := pgtest.New(t)
	newer := server.Database(t)
	if err := open(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	exec(t, newer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	wrongPassword := strings.Replace(newer, server.Password(), "wrong-"+secret, 1)
	tests := map[string]struct{ dsn, want string }{
		"nothing":                               {" \n", "cannot be parsed"},
		"a string that is none":                 {"secret " + secret, "cannot be parsed"},
		"a password that is not encoded":        {"postgres://provider:" + secret + "/#@localhost:5432/sso", "cannot be parsed"},
		"an impossible port":                    {"postgres://provider:" + secret + "@localhost:port/sso", "cannot be parsed"},
		"an impossible port among words":        {"host=localhost port=port password=" + secret, "cannot be parsed"},
		"an unknown sslmode":                    {"postgres://provider:" + secret + "@localhost/sso?sslmode=" + secret, "cannot be parsed"},
		"a host that is not there":              {"postgres://provider:" + secret + "@127.0.0.1:1/sso", "storage is unavailable"},
		"a wrong password":                      {wrongPassword, "refuses the user or the password"},
		"a database that is not there":          {strings.Replace(newer, "/test1", "/missing", 1), "does not exist on its server"},
		"a database that a newer program wrote": {newer, "schema version 99999, but this one knows no version after "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := postgres.Open(t.Context(), tt.dsn, postgres.Options{})
			if err == nil {
				_ = s.Close()
				t.Fatal("Open() succeeded")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open() = %v; want an error with %q", err, tt.want)
			}
			for _, password := range []string{secret, server.Password()} {
				if strings.Contains(err.Error(), password) {
					t.Error("the error of Open contains the password")
				}
			}
		})
	}
}

// secret is a password, or where people put one by mistake.
const secret = "hunter2-hunter2"

func TestSeveralProgramsMayStartOnAnEmptyDatabase(t *testing.T) {
	dsn := pgtest.New(t).Database(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := postgres.Open(context.Background(), dsn, postgres.Options{})
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

// What the database or the role have as defaults must not make answers less durable, or races be decided otherwise.
func TestDefaultsOfTheDatabaseDoNotMatter(t *testing.T) {
	dsn := pgtest.New(t).Database(t)
	exec(t, dsn, "ALTER DATABASE test1 SET synchronous_commit = off; ALTER DATABASE test1 SET default_transaction_isolation = 'serializable'")
	s := open(t, dsn)
	defer func() { _ = s.Close() }()
	for setting, want := range map[string]string{"synchronous_commit": "on", "transaction_isolation": "read committed", "enable_seqscan": "off"} {
		got, err := postgres.Setting(t.Context(), s, setting)
		if err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", setting, got, err, want)
		}
	}
}

// Statistics of the tables decide how a statement is run, but not how much it deletes.
func TestAPurgeIsBoundedHoweverItIsPlanned(t *testing.T) {
	dsn := pgtest.New(t).Database(t)
	for _, way := range []string{"hashjoin", "mergejoin", "hashagg", "sort", "material"} { // what is left is to read the batch for each row
		exec(t, dsn, "ALTER DATABASE test1 SET enable_"+way+" = off")
	}
	s := open(t, dsn)
	defer func() { _ = s.Close() }()
	exec(t, dsn, "INSERT INTO used_values SELECT int4send(i), i FROM generate_series(1, 7) i")
	deleted, err := s.Purge(t.Context(), time.Now(), time.Time{}, 5, nil)
	if err != nil || deleted != 5 {
		t.Errorf("Purge() = %d, %v; want 5", deleted, err)
	}
}

func grant(name string) store.Grant {
	at := time.UnixMicro(1_800_000_000_000_000).UTC()
	return store.Grant{ID: name, Client: store.Client{ID: "client"}, Subject: "subject", AuthTime: at, CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
}

func TestTwoStoresOnOneDatabaseAreOne(t *testing.T) {
	dsn := pgtest.New(t).Database(t)
	stores := []*postgres.Store{open(t, dsn), open(t, dsn)}
	for _, s := range stores {
		defer func() { _ = s.Close() }()
	}
	for round := range 5 {
		id := fmt.Sprint("grant ", round)
		if err := stores[0].CreateGrant(t.Context(), grant(id)); err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				token := &store.AccessToken{Handle: store.HandleOf(fmt.Sprint(id, i)), GrantID: id}
				switch err := stores[i%2].RedeemCode(t.Context(), id, store.Refresh{}, token, time.Now()); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, store.ErrRedeemed):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 64 calls on two stores redeemed one code; want 1", won.Load())
		}
	}
}
