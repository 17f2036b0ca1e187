package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// certificate is a TLS certificate that follows its files.
type certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
	logger            *slog.Logger
}

// settleTime is how long the files must be quiet before they are read: certificate and key change one after the other.
const settleTime = 100 * time.Millisecond

func loadCertificate(certFile, keyFile string, logger *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, logger: logger}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("load TLS certificate %s: %w", c.certFile, err)
	}
	c.current.Store(&pair)
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// watch reads the files again after they have changed, until ctx ends. The directories are watched, not the files:
// Kubernetes swaps a symbolic link beside them. A pair that cannot be read leaves the one before in use.
func (c *certificate) watch(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch TLS certificate: %w", err)
	}
	defer func() { _ = watcher.Close() }() // it never fails on the systems we run on
	for _, dir := range []string{filepath.Dir(c.certFile), filepath.Dir(c.keyFile)} {
		if err := watcher.Add(dir); err != nil {
			return fmt.Errorf("watch TLS certificate directory %s: %w", dir, err)
		}
	}
	// Once at the start: the files may have changed between loading and watching.
	settled := time.NewTimer(settleTime)
	defer settled.Stop()
	for {
		select {
		case <-watcher.Events:
			settled.Reset(settleTime)
		case err := <-watcher.Errors:
			c.logger.ErrorContext(ctx, "watch TLS certificate", "error", err)
			settled.Reset(settleTime)
		case <-settled.C:
			if err := c.load(); err != nil {
				c.logger.ErrorContext(ctx, "the TLS certificate cannot be read; the one before stays in use", "error", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
