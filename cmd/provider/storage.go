package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/measured"
	"github.com/oidc-operator/oidc-operator/provider/store/postgres"
	"github.com/oidc-operator/oidc-operator/provider/store/sqlite"
)

// storageOptions say where the provider keeps what it must not forget.
type storageOptions struct {
	dataDir string
	// dsnFile holds a connection string. It is no flag itself because everybody on a machine can read those.
	dsnFile string
	// dataSize is how many bytes the embedded database may take, see sqlite.Options.
	dataSize int64
}

func (o *storageOptions) validate() error {
	switch {
	case o.dataDir == "" && o.dsnFile == "":
		return errors.New("--data-dir or --postgres-dsn-file is required")
	case o.dataDir != "" && o.dsnFile != "":
		return errors.New("--data-dir and --postgres-dsn-file exclude each other")
	case o.dataSize < 0 || o.dataSize > 0 && o.dataDir == "":
		return errors.New("--data-size must be a number of bytes, and needs --data-dir")
	}
	return nil
}

// openStorage opens storage that is measured.
func openStorage(ctx context.Context, o *storageOptions, registerer prometheus.Registerer, tracer trace.TracerProvider) (store.Store, error) {
	engine, system, err := openEngine(ctx, o)
	if err != nil {
		return nil, err
	}
	if sized, ok := engine.(interface{ Size() (used, limit int64) }); ok {
		if err := registerSize(registerer, sized.Size); err != nil {
			return nil, errors.Join(err, engine.Close())
		}
	}
	s, err := measured.New(engine, system, registerer, tracer)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return s, nil
}

// registerSize makes metrics of how large a database is, and how large it may be.
func registerSize(registerer prometheus.Registerer, size func() (used, limit int64)) error {
	for _, gauge := range []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "oidc_provider_store_size_bytes", Help: "How much of the embedded database is in use, as of the last purge.",
		}, func() float64 { used, _ := size(); return float64(used) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "oidc_provider_store_size_limit_bytes", Help: "How large the embedded database may be on its volume, as of the last purge.",
		}, func() float64 { _, limit := size(); return float64(limit) }),
	} {
		if err := registerer.Register(gauge); err != nil {
			return fmt.Errorf("register storage metrics: %w", err)
		}
	}
	return nil
}

// openEngine returns the engine and its name in OpenTelemetry.
func openEngine(ctx context.Context, o *storageOptions) (engine store.Store, system string, err error) {
	if o.dsnFile != "" {
		dsn, err := readDSN(o.dsnFile)
		if err != nil {
			return nil, "", err
		}
		s, err := postgres.Open(ctx, dsn, postgres.Options{})
		if err != nil {
			return nil, "", fmt.Errorf("open the database of --postgres-dsn-file %s: %w", o.dsnFile, err)
		}
		return s, "postgresql", nil
	}
	if err := os.MkdirAll(o.dataDir, 0o700); err != nil {
		return nil, "", fmt.Errorf("create data directory: %w", err)
	}
	s, err := sqlite.Open(ctx, filepath.Join(o.dataDir, "provider.db"), sqlite.Options{MaxBytes: o.dataSize})
	if err != nil {
		return nil, "", fmt.Errorf("open database: %w", err)
	}
	return s, "sqlite", nil
}

// readDSN reads a connection string, of which its errors tell nothing.
func readDSN(path string) (string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the path is the administrator's choice
	if err != nil {
		return "", fmt.Errorf("read --postgres-dsn-file: %w", err)
	}
	dsn := strings.TrimSpace(string(text))
	if dsn == "" {
		return "", fmt.Errorf("--postgres-dsn-file %s is empty; write a connection string into it: postgres://user:password@host:5432/database", path)
	}
	return dsn, nil
}
