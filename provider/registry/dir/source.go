package dir

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/oidc-operator/oidc-operator/provider/registry"
)

const (
	// settleTime is how long the directory must be quiet before it is read: a tool that writes ten files is read once,
	// and a file that is written in place is read when it is complete.
	settleTime = 20 * time.Millisecond
	// maxSettleTime ends waiting for quiet in a directory that never is.
	maxSettleTime = 500 * time.Millisecond
	// retryInterval is how long a directory that is gone or unreadable is left alone.
	retryInterval = time.Second
)

// Source keeps an index up to date with a directory.
type Source struct {
	path   string
	index  *registry.Index
	logger *slog.Logger
	synced atomic.Bool

	lastFault string
	strangers string
}

// New returns a source that reads the directory at path.
func New(path string, index *registry.Index, logger *slog.Logger) *Source {
	return &Source{path: filepath.Clean(path), index: index, logger: logger}
}

// Synced tells whether the whole directory was read at least once.
func (s *Source) Synced() bool {
	return s.synced.Load()
}

// Run reads the directory and then keeps reading it whenever it changes, until ctx is done; then it returns nil. It returns an
// error only when the directory cannot be read at the start. When that happens later, what is registered stays in
// force until the directory can be read again: a volume that is away for a moment must not log everybody out.
func (s *Source) Run(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch registrations: %w", err)
	}
	defer func() { _ = watcher.Close() }() // it never fails on the systems we run on
	// Watched before it is read, so that nothing can change unnoticed in between.
	if err := watcher.Add(s.path); err != nil {
		return fmt.Errorf("watch registrations directory %s: %w", s.path, err)
	}
	if err := s.reload(); err != nil {
		return err
	}
	s.follow(ctx, watcher)
	return nil
}

// follow reloads after changes have settled, until ctx is done.
func (s *Source) follow(ctx context.Context, watcher *fsnotify.Watcher) {
	reload := time.NewTimer(0)
	reload.Stop()
	var changedSince time.Time
	schedule := func(now time.Time, wait time.Duration) {
		if changedSince.IsZero() {
			changedSince = now
		}
		reload.Reset(min(wait, max(0, changedSince.Add(maxSettleTime).Sub(now))))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-watcher.Events:
			if event.Op == fsnotify.Chmod {
				continue // also sent when only a time stamp changes; what cannot be read is tried again anyway
			}
			schedule(time.Now(), settleTime)
		case err := <-watcher.Errors:
			// Most likely too many events at once: some are lost, so everything is read.
			s.logger.Warn("watching registrations was disturbed", slog.Any("error", err))
			schedule(time.Now(), settleTime)
		case <-reload.C:
			changedSince = time.Time{}
			if err := s.rewatch(watcher); err != nil {
				s.logFault(err)
				reload.Reset(retryInterval)
			}
		}
	}
}

// rewatch watches the directory that has the path now, which may be another one than before, and reads it.
func (s *Source) rewatch(watcher *fsnotify.Watcher) error {
	if err := watcher.Remove(s.path); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
		return fmt.Errorf("watch registrations directory %s: %w", s.path, err)
	}
	if err := watcher.Add(s.path); err != nil {
		return fmt.Errorf("watch registrations directory %s: %w", s.path, err)
	}
	return s.reload()
}

func (s *Source) reload() error {
	docs, strangers, err := scan(s.path)
	if err != nil {
		return err
	}
	s.index.ReplaceAll(docs)
	s.synced.Store(true)
	s.lastFault = ""
	if names := strings.Join(strangers, " "); names != s.strangers {
		s.strangers = names
		if names != "" {
			s.logger.Warn("files are ignored: they are not named NAME.client.json, NAME.user.json, NAME.signing-key.json or settings.json",
				slog.String("files", names))
		}
	}
	return nil
}

func (s *Source) logFault(err error) {
	if err.Error() == s.lastFault {
		return
	}
	s.lastFault = err.Error()
	s.logger.Error("registrations cannot be read; what was read before stays in force", slog.Any("error", err))
}
