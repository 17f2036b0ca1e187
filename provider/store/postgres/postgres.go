package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/gather"
)

// Options of a Store. The zero value is what a provider wants.
type Options struct {
	// MaxConns is how many connections one process holds at most. Zero means what the connection string says in
	// pool_max_conns, else 10.
	MaxConns int
}

const (
	defaultMaxConns = 10
	// connectTimeout bounds one attempt to reach the database, callTimeout everything that one call waits for, so that a
	// request learns within seconds that the database is down.
	connectTimeout = 3 * time.Second
	callTimeout    = 5 * time.Second
)

// Store is a store.Store in a PostgreSQL database.
type Store struct {
	pool *pgxpool.Pool
	// reads and changes are the statements that share a round trip, and the changes a commit.
	reads, changes *gather.Queue[*statement]
	sharing        sync.WaitGroup
}

var _ store.Store = (*Store)(nil)

// Open connects to a database and brings its schema up to date. dsn is a URL (postgres://user:password@host:5432/database) or a list of
// keywords and values (host=... user=...), as libpq takes them. A database that was written by a newer program is refused.
// Errors never contain the dsn; one that wraps store.ErrUnavailable means that the database cannot be reached now.
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	config, err := parse(dsn, opts)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, errors.New("open database: the settings of the pool (pool_...) in the connection string are refused")
	}
	s := &Store{pool: pool, reads: gather.New[*statement](), changes: gather.New[*statement]()}
	if err := s.migrate(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	for range sharers {
		s.sharing.Go(func() { s.share(s.reads) })
		s.sharing.Go(func() { s.share(s.changes) })
	}
	return s, nil
}

// errMalformed does not wrap what the parser says, because that may quote parts of the string, and with them the password.
var errMalformed = errors.New("the connection string of the database cannot be parsed: it is neither a URL such as " +
	"postgres://user:password@host:5432/database?sslmode=verify-full, in which special characters of the password are percent-encoded, " +
	"nor a list of keywords and values such as host=db.example.com user=provider password=secret dbname=sso")

// ambiguous reports whether a URL has an @ behind the one that ends user and password: the password was not encoded then, and a part of it
// would be taken for the host or the database, which are told to everybody.
func ambiguous(dsn string) bool {
	rest, isURL := strings.CutPrefix(dsn, "postgres://")
	if !isURL {
		rest, isURL = strings.CutPrefix(dsn, "postgresql://")
	}
	if !isURL {
		return false
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	return strings.Contains(rest, "@")
}

// isSettingName reports whether a server could have a setting of this name.
func isSettingName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func parse(dsn string, opts Options) (*pgxpool.Config, error) {
	if strings.TrimSpace(dsn) == "" {
		return nil, errMalformed // it would mean whatever the environment says
	}
	if ambiguous(dsn) {
		return nil, errMalformed
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errMalformed
	}
	for name := range config.ConnConfig.RuntimeParams {
		if !isSettingName(name) { // the rest of something that was not encoded or quoted
			return nil, errMalformed
		}
	}
	switch {
	case opts.MaxConns > 0:
		config.MaxConns = int32(min(opts.MaxConns, 10000))
	case !strings.Contains(dsn, "pool_max_conns"):
		config.MaxConns = defaultMaxConns
	}
	config.ConnConfig.ConnectTimeout = min(config.ConnConfig.ConnectTimeout, connectTimeout)
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "oidc-provider"
	}
	config.AfterConnect = prepareSession
	return config, nil
}

// prepareSession makes a new connection what durability and the statements rest on, whatever the defaults of the database or of the
// role are: a commit is answered when it is on disk, and a statement sees what was committed before it began.
//
// Every statement of a request finds its rows by an index. PostgreSQL plans it once for a connection, maybe while there is so little in
// a table that reading all of it is quicker, and would go on doing so when there is much, until the table is analyzed. So it is told not to.
func prepareSession(ctx context.Context, c *pgx.Conn) error {
	var commit, isolation string
	err := c.QueryRow(ctx, `SELECT coalesce(current_setting('synchronous_commit', true), ''), current_setting('default_transaction_isolation'),
		(SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_seqscan')`).Scan(&commit, &isolation, nil)
	if err == nil && commit == "off" {
		_, err = c.Exec(ctx, "SET synchronous_commit = on")
	}
	if err == nil && isolation != "read committed" {
		_, err = c.Exec(ctx, "SET default_transaction_isolation = 'read committed'")
	}
	return err
}

// Ping implements store.Store. It writes, because a standby or a full disk can still be read.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, "UPDATE pings SET count = count + 1 WHERE id = 1"); err != nil {
		return wrap(ctx, "ping", err)
	}
	return nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.reads.Close()
	s.changes.Close()
	s.sharing.Wait()
	s.pool.Close()
	return nil
}
