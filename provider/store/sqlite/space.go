package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// A database that fills its volume cannot even delete, because a deletion is written to the log first. So the database file is kept
// smaller than the volume, and what is left is for the log, for the purge, and for a file of zeros. Where others fill the same volume, that
// file is deleted: there is room then to purge, to sign in and to refresh, until they leave some.
const (
	// defaultMaxBytes is for volumes that many share and nobody has measured.
	defaultMaxBytes = 4 << 30
	// minMaxBytes holds an empty database with its log.
	minMaxBytes = 1 << 20
	// reservedPart of the volume, at most largestReserve, is not for the database file.
	reservedPart   = 8
	largestReserve = 128 << 20
	// ballastPart of the reserve, at most largestBallast, is in the file of zeros; purgePart is what the database file may grow during a
	// purge; logPart is how much of the log makes a checkpoint.
	ballastPart    = 4
	largestBallast = 16 << 20
	purgePart      = 16
	logPart        = 8
	// largestCheckpoint is in pages, see writerPragmas.
	largestCheckpoint = 2000
	largestLog        = 64 << 20
	pageSize          = 4096 // SQLite's default, which is that of every database made here
)

// The shares of the largest size, in percent, up to which there is room for what nobody has signed in for: for strangers' requests, and for
// tokens that clients get for themselves. The rest is for people.
const (
	strangersShare = 75
	clientsShare   = 90
)

// space is the room that a database has.
type space struct {
	path     string
	maxBytes int64
	// volume returns how large the volume is and how much of it is free. It may not be known.
	volume func(dir string) (total, free int64, known bool)

	// pages is the largest size of the database file, used what of it is in use; pages is 0 until the first adjust.
	pages, used atomic.Int64
	// low reports that the volume is full, or was until a moment ago.
	low     atomic.Bool
	reserve int64
}

func newSpace(path string, maxBytes int64) *space {
	if maxBytes <= 0 {
		maxBytes = defaultMaxBytes
	}
	s := &space{path: path, maxBytes: maxBytes, volume: volumeOf}
	s.measure()
	return s
}

// measure returns how many pages the database file may have, and how much is free on the volume.
func (s *space) measure() (pages, free int64, known bool) {
	size := s.maxBytes
	total, free, known := s.volume(filepath.Dir(s.path))
	if known {
		size = min(size, total, fileSize(s.path)+fileSize(s.walPath())+fileSize(s.ballastPath())+free)
	}
	size = max(size, minMaxBytes)
	s.reserve = min(size/reservedPart, largestReserve)
	return (size - s.reserve) / pageSize, free, known
}

func (s *space) walPath() string     { return s.path + "-wal" }
func (s *space) ballastPath() string { return s.path + "-reserve" }

func (s *space) ballast() int64 { return min(s.reserve/ballastPart, largestBallast) }

// log returns after how many pages the log is moved into the database, and how many bytes of its file are kept.
func (s *space) log() (checkpoint, limit int64) {
	return max(32, min(largestCheckpoint, s.reserve/logPart/pageSize)), min(largestLog, s.reserve/2)
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// freeForStart makes room for what opening writes: the index of the log, and a migration.
func (s *space) freeForStart() {
	if _, free, known := s.measure(); known && free < s.ballast() {
		_ = os.Remove(s.ballastPath()) // when it cannot be removed, opening says what is wrong
	}
}

// adjust finds out how large the database may be now: a volume can grow, and others can fill it.
func (s *space) adjust(c *conn) error {
	pages, free, known := s.measure()
	if pages != s.pages.Load() {
		s.pages.Store(pages)
		if err := s.retract(c); err != nil {
			return err
		}
	}
	if known {
		s.fillReserve(free)
	}
	used, err := usedPages(c)
	s.used.Store(used)
	return err
}

// fillReserve makes the file of zeros where there is room for it, and notes whether the volume is full.
func (s *space) fillReserve(free int64) {
	ballast := s.ballast()
	there := fileSize(s.ballastPath()) >= ballast
	if !there && free >= 2*ballast {
		there = allocate(s.ballastPath(), ballast) == nil
		if !there {
			_ = os.Remove(s.ballastPath())
		}
		free -= ballast
	}
	s.low.Store(!there || free+fileSize(s.walPath()) < ballast)
}

// extend lets the database file grow a little beyond its largest size, for a purge: a deletion may need a page before it frees many.
func (s *space) extend(c *conn) error {
	return setMaxPages(c, s.pages.Load()+s.reserve/purgePart/pageSize)
}

// retract takes back what extend has allowed.
func (s *space) retract(c *conn) error { return setMaxPages(c, s.pages.Load()) }

// setMaxPages limits the database file. SQLite makes no limit smaller than the file is.
func setMaxPages(c *conn, pages int64) error {
	_, err := c.exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	return err
}

// usedPages returns how many pages of the database are in use.
func usedPages(c *conn) (used int64, err error) {
	if err := get(c, "PRAGMA page_count", func(r *row) { used = r.number() }); err != nil {
		return 0, err
	}
	err = get(c, "PRAGMA freelist_count", func(r *row) { used -= r.number() })
	return used, err
}

// roomFor returns store.ErrFull when more than a share of the database, in percent, is in use.
func (s *space) roomFor(c *conn, share int64) error {
	if s.low.Load() {
		return store.ErrFull
	}
	used, err := usedPages(c)
	if err == nil && used*100 >= s.pages.Load()*share {
		return store.ErrFull
	}
	return err
}

// relieve makes room on a volume that others have filled, and reports whether there is more now.
func (s *space) relieve(c *conn) bool {
	if _, free, known := s.measure(); !known || free >= s.ballast() {
		return false // it is the database that has reached its largest size
	}
	s.low.Store(true)
	removed := os.Remove(s.ballastPath()) == nil
	// With the log moved into the database, the next changes are written over what is in its file, which nobody else can take.
	moved := false
	err := get(c, "PRAGMA wal_checkpoint(RESTART)", func(r *row) { moved = r.number() == 0 })
	return removed || err == nil && moved
}

// isFull tells that there was no room for a change.
func isFull(err error) bool {
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		return false
	}
	switch failed.Code() {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE:
		return true
	}
	return false
}

// Size returns how many bytes of the database are in use, as of the last Purge, and how many it may have.
func (s *Store) Size() (used, limit int64) {
	return s.space.used.Load() * pageSize, s.space.pages.Load() * pageSize
}
