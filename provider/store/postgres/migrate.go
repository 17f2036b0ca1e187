package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// migrationWait is for how many seconds a program waits for another that migrates the same database.
	migrationWait = 60
	// migrationLock is the number of the advisory lock, which no other program takes by chance.
	migrationLock = 0x6f696463_70726f76
)

// undefinedTable is the SQLSTATE of a query for a table that is not there.
const undefinedTable = "42P01"

// migrate brings the schema up to date, under a lock: whichever replica is first does it. A database that is up to date costs one
// query.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	known, err := newestMigration(files)
	if err != nil {
		return err
	}
	name := nameOf(s.pool.Config().ConnConfig)
	switch version, err := s.schemaVersion(ctx); {
	case err != nil:
		return err
	case version == known:
		return nil
	case version > known:
		return fmt.Errorf("%w: %s has schema version %d, but this one knows no version after %d: "+
			"start a program at least as new as the one that wrote it", store.ErrNewerSchema, name, version, known)
	}
	if err := s.runGoose(ctx, files); err != nil {
		return wrap(ctx, "migrate "+name, err)
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
func (s *Store) schemaVersion(ctx context.Context) (version int64, err error) {
	err = s.pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+goose.DefaultTablename).Scan(&version)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == undefinedTable {
		return 0, nil
	}
	if err != nil {
		return 0, wrap(ctx, "read schema version", err)
	}
	return version, nil
}

func (s *Store) runGoose(ctx context.Context, files fs.FS) (err error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrationLock), lock.WithLockTimeout(1, migrationWait))
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
