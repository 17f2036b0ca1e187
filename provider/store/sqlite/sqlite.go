package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// Options of a Store. The zero value is what a provider wants.
type Options struct {
	// Readers is how many queries may run at the same time. Zero means 4.
	Readers int
	// MaxBytes is how large the database may be with all that belongs to it. Zero means 4 GiB. It is never larger than its volume.
	MaxBytes int64
}

const defaultReaders = 4

// Store is a store.Store in an SQLite file.
type Store struct {
	directory string
	writer    *writer
	write     *conn
	readers   chan *conn
	space     *space

	// calls is held shared by every call, so that Close can wait for them.
	calls  sync.RWMutex
	closed bool
}

var _ store.Store = (*Store)(nil)

var errClosed = errors.New("store is closed")

// Open opens the database file at path. It is created, readable by nobody else, when it is not there; its directory must exist.
// The schema is brought up to date. A database that was written by a newer program is refused.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if err := createFile(path); err != nil {
		return nil, err
	}
	space := newSpace(path, opts.MaxBytes)
	space.freeForStart()
	write, err := connect(dsn(path, writerPragmas(space)...))
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, write, path); err != nil {
		return nil, errors.Join(err, write.close())
	}
	if err := space.adjust(write); err != nil {
		return nil, errors.Join(fmt.Errorf("limit size of database: %w", err), write.close())
	}
	if opts.Readers <= 0 {
		opts.Readers = defaultReaders
	}
	s := &Store{directory: filepath.Dir(path), write: write, readers: make(chan *conn, opts.Readers), space: space}
	for range opts.Readers {
		c, err := connect(dsn(path, "query_only(1)"))
		if err != nil {
			return nil, errors.Join(err, s.closeReaders(), write.close())
		}
		s.readers <- c
	}
	s.writer = newWriter(write, space.relieve)
	return s, nil
}

// writerPragmas are the settings of the connection that writes. synchronous=FULL is what makes an answer durable: with
// WAL and anything less the last transactions are lost when the power goes. Pages that many transactions touch are written
// once per checkpoint, so these are made somewhat rarer than by default (8 MiB of log), and the cache (8 MiB, taken up only
// when needed) holds the pages between two of them. On a small volume the log is smaller.
func writerPragmas(s *space) []string {
	checkpoint, limit := s.log()
	return []string{
		"synchronous(FULL)", fmt.Sprintf("wal_autocheckpoint(%d)", checkpoint), "cache_size(-8192)", fmt.Sprintf("journal_size_limit(%d)", limit),
	}
}

// createFile makes a file that only its owner can read, or takes everybody else's rights from one that is there: SQLite itself
// would leave it to the umask. Its other files take over the rights of this one.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is the administrator's choice
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = f.Chmod(0o600)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make database %s private: %w", path, err)
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes the name of a new file durable.
func syncDirectory(path string) error {
	d, err := os.Open(path) //nolint:gosec // see createFile
	if err != nil {
		return fmt.Errorf("open directory of database: %w", err)
	}
	err = d.Sync()
	if errors.Is(err, fs.ErrInvalid) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // some file systems cannot do it, and need not
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("sync directory of database: %w", err)
	}
	return nil
}

// change makes a change durable; operation is what an error begins with.
func (s *Store) change(ctx context.Context, operation string, run func(*conn) error) error {
	s.calls.RLock()
	defer s.calls.RUnlock()
	if s.closed {
		return wrap(operation, errClosed)
	}
	return wrap(operation, s.writer.do(ctx, run))
}

// read runs a query that sees every change that was answered before.
func (s *Store) read(ctx context.Context, operation string, run func(*conn) error) error {
	s.calls.RLock()
	defer s.calls.RUnlock()
	if s.closed {
		return wrap(operation, errClosed)
	}
	if err := ctx.Err(); err != nil {
		return wrap(operation, err)
	}
	select {
	case c := <-s.readers:
		defer func() { s.readers <- c }()
		return wrap(operation, run(c))
	case <-ctx.Done():
		return wrap(operation, ctx.Err())
	}
}

// wrap says what was being done when something went wrong. Answers are returned as they are, and whatever is neither an
// answer nor the end of the caller's context means that storage is unavailable.
func wrap(operation string, err error) error {
	switch {
	case err == nil || isAnswer(err):
		return err
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", operation, err)
	}
	return fmt.Errorf("%s: %w: %w", operation, store.ErrUnavailable, err)
}

// Ping implements store.Store. It writes, because a read-only disk can still be read, and asks the file system for room, because a row can
// still be changed on a full one.
func (s *Store) Ping(ctx context.Context) error {
	if err := room(s.directory); err != nil {
		return wrap("ping", err)
	}
	return s.change(ctx, "ping", func(c *conn) error {
		_, err := c.exec("UPDATE pings SET count = count + 1 WHERE id = 1")
		return err
	})
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.writer.close()
	// The writer's connection goes last: the last one to close moves the log into the database, and readers may not write.
	return errors.Join(s.closeReaders(), s.write.close())
}

func (s *Store) closeReaders() error {
	var errs []error
	for len(s.readers) > 0 {
		errs = append(errs, (<-s.readers).close())
	}
	return errors.Join(errs...)
}
