package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/oidc-operator/oidc-operator/provider"
)

// auditLog is where audit records go.
type auditLog struct {
	// logger is nil when nobody wants to know.
	logger *slog.Logger
	// file is nil when it is none of ours.
	file *auditFile
}

// openAuditLog opens what --audit-log names.
func openAuditLog(target string) (*auditLog, error) {
	switch target {
	case "off":
		return &auditLog{}, nil
	case "stdout":
		return &auditLog{logger: provider.NewAuditLogger(os.Stdout)}, nil
	case "stderr":
		return &auditLog{logger: provider.NewAuditLogger(os.Stderr)}, nil
	case "":
		return nil, errors.New("--audit-log must be stdout, stderr, off or the path of a file")
	}
	f := &auditFile{path: target}
	if err := f.reopen(); err != nil {
		return nil, err
	}
	return &auditLog{logger: provider.NewAuditLogger(f), file: f}, nil
}

// run opens the file anew on every SIGHUP until ctx ends: whoever rotates logs has moved the old one away. A file that
// cannot be opened leaves the one before in use.
func (a *auditLog) run(ctx context.Context, logger *slog.Logger) {
	if a.file == nil {
		return
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-hangup:
			if err := a.file.reopen(); err != nil {
				logger.ErrorContext(ctx, "the audit log cannot be opened anew; the file before stays in use", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (a *auditLog) close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}

// auditFile is a file that is only added to.
type auditFile struct {
	path string
	mu   sync.Mutex
	file *os.File
}

var _ io.WriteCloser = (*auditFile)(nil)

func (f *auditFile) reopen() error {
	fresh, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open audit log: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.file
	f.file = fresh
	if old == nil {
		return nil
	}
	return old.Close()
}

// Write implements io.Writer.
func (f *auditFile) Write(data []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Write(data)
}

// Close implements io.Closer.
func (f *auditFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Close()
}
