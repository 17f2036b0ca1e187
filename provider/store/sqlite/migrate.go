package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationWait is how long, in milliseconds, a program waits for another that migrates the same database.
const migrationWait = "busy_timeout(60000)"

// migrate brings the schema up to date and makes the database keep a write-ahead log. A database where both are so already
// costs three queries. path is that of the database file.
func migrate(ctx context.Context, c *conn, path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	known, err := newestMigration(files)
	if err != nil {
		return err
	}
	version, err := schemaVersion(c)
	if err != nil {
		return err
	}
	if version > known {
		return fmt.Errorf("%w: database %s has schema version %d, but this one knows no version after %d: "+
			"start a program at least as new as the one that wrote it", store.ErrNewerSchema, path, version, known)
	}
	mode, err := journalMode(c, "PRAGMA journal_mode")
	if err != nil || version == known && mode == "wal" {
		return err
	}
	unlock, err := lockMigration(path)
	if err != nil {
		return err
	}
	defer unlock()
	// Two connections that change the mode at the same time would be in each other's way, and SQLite does not wait then.
	if _, err := journalMode(c, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	if err := runGoose(ctx, path, files); err != nil {
		return fmt.Errorf("migrate database %s: %w", path, err)
	}
	return nil
}

// newestMigration returns the highest number in front of a migration file's name.
func newestMigration(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	var newest int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("read number of migration %s: %w", name, err)
		}
		newest = max(newest, version)
	}
	return newest, nil
}

// schemaVersion returns the number of the last migration that was applied, or 0 for an empty database.
func schemaVersion(c *conn) (version int64, err error) {
	err = get(c, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", func(*row) {}, goose.DefaultTablename)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err == nil {
		err = get(c, "SELECT coalesce(max(version_id), 0) FROM "+goose.DefaultTablename, func(r *row) { version = r.number() })
	}
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}

// journalMode runs a pragma that reads or changes how transactions are kept, which the file remembers, and returns how
// they are.
func journalMode(c *conn, pragma string) (mode string, err error) {
	if err := get(c, pragma, func(r *row) { mode = r.text() }); err != nil {
		return "", fmt.Errorf("journal mode of database: %w", err)
	}
	return mode, nil
}

// lockMigration waits until no other program migrates the database. The lock is one of SQLite on an empty file beside
// the database, so that it works wherever SQLite does and ends with the process that holds it.
func lockMigration(path string) (unlock func(), err error) {
	lock := path + ".migration-lock"
	if err := createFile(lock); err != nil {
		return nil, err
	}
	c, err := connect(dsn(lock, migrationWait, "journal_mode(MEMORY)")) // no file beside it, for which a full disk has no room
	if err != nil {
		return nil, fmt.Errorf("lock migration: %w", err)
	}
	if _, err := c.exec("BEGIN EXCLUSIVE"); err != nil {
		return nil, errors.Join(fmt.Errorf("lock migration: %w", err), c.close())
	}
	return func() { _ = c.close() }, nil // closing lets go of the lock, and nothing was written
}

func runGoose(ctx context.Context, path string, files fs.FS) (err error) {
	db, err := sql.Open("sqlite", dsn(path)+"&_txlock=immediate")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
