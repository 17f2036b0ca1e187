package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/health"
	"github.com/oidc-operator/oidc-operator/provider/store/measured"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
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

// engine is what the options name, before it is opened.
type engine struct {
	// system is its name in OpenTelemetry.
	system   string
	open     func(context.Context) (store.Store, error)
	describe func(error) store.Fault
}

// engine returns an error for what is wrong with the options. Whether the database is there is seen when it is opened.
func (o *storageOptions) engine() (engine, error) {
	if o.dsnFile == "" {
		path := filepath.Join(o.dataDir, "provider.db")
		return engine{
			system: "sqlite",
			open: func(ctx context.Context) (store.Store, error) {
				if err := os.MkdirAll(o.dataDir, 0o700); err != nil {
					return nil, fmt.Errorf("create data directory: %w", err)
				}
				return opened(sqlite.Open(ctx, path, sqlite.Options{MaxBytes: o.dataSize}))
			},
			describe: func(err error) store.Fault { return sqlite.Describe(path, err) },
		}, nil
	}
	dsn, err := readDSN(o.dsnFile)
	if err != nil {
		return engine{}, err
	}
	name, err := postgres.Name(dsn)
	if err != nil {
		return engine{}, fmt.Errorf("--postgres-dsn-file %s: %w", o.dsnFile, err)
	}
	return engine{
		system: "postgresql",
		open: func(ctx context.Context) (store.Store, error) {
			return opened(postgres.Open(ctx, dsn, postgres.Options{}))
		},
		describe: func(err error) store.Fault { return postgres.Describe(name, err) },
	}, nil
}

// opened makes an engine's answer one of store.Store.
func opened[S store.Store](s S, err error) (store.Store, error) {
	if err != nil {
		return nil, err
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

// storage is a store that answers store.ErrUnavailable until the monitor has opened it.
type storage struct {
	*measured.Store
	*health.Monitor
	logger *slog.Logger
	// settled tells that readiness waits for storage no longer.
	settled atomic.Bool
}

func newStorage(o *storageOptions, metrics prometheus.Registerer, tracer trace.TracerProvider, logger *slog.Logger) (*storage, error) {
	engine, err := o.engine()
	if err != nil {
		return nil, err
	}
	s := &storage{logger: logger}
	if s.Store, err = measured.New(memory.Closed("it is not open yet"), engine.system, metrics, tracer); err != nil {
		return nil, err
	}
	s.Monitor, err = health.New(health.Options{
		Open: engine.open, Opened: func(opened store.Store) {
			s.Store.Replace(opened)
			if sized, ok := opened.(interface{ Size() (used, limit int64) }); ok {
				if err := registerSize(metrics, sized.Size); err != nil {
					logger.Error("the size of the database is not among the metrics", "error", err)
				}
			}
		}, Describe: engine.describe, Logger: logger, Metrics: metrics,
	})
	if err != nil {
		return nil, err
	}
	s.Store.OnFailure(s.Monitor.Suspect)
	return s, nil
}

// report returns the annotation registration.AnnotationStorage.
func (s *storage) report() string {
	fault := s.Fault()
	if fault == nil {
		return ""
	}
	reasons := map[store.FaultKind]registration.StorageReason{
		store.FaultUnreachable: registration.StorageDatabaseUnavailable,
		store.FaultFull:        registration.StorageVolumeFull,
		store.FaultOther:       registration.StorageFailed,
		store.FaultOpening:     registration.StorageFailed,
	}
	return registration.StorageFault{Reason: reasons[fault.Kind], Message: fault.Message}.String()
}

// open tells whether storage was opened.
func (s *storage) open() bool {
	select {
	case <-s.Opened():
		return true
	default:
		return false
	}
}

// errStorageUnknown: nobody knows yet whether requests can be served.
var errStorageUnknown = errors.New("storage is not open yet")

// awaited is provider.Options.Awaits.
func (s *storage) awaited() error {
	if !s.settled.Load() {
		return errStorageUnknown
	}
	return nil
}

// How long a replica that cannot open its storage waits while others can, and how often it asks about them. Longer than a Lease counts,
// so that the reports of replicas that are gone, or have not noticed yet, do not decide.
const (
	ownFaultPatience = 90 * time.Second
	askInterval      = 2 * time.Second
)

// settle lets the replica become ready when storage is open, or when it is away for everybody: then somebody has to serve discovery and
// the key set. As long as another replica reports that its own works, the fault is this one's, a wrong connection string perhaps, and a
// rolling update must not go on with it. In the end it says so and stops; but never while it is still opening, which may be a migration
// that would begin anew each time.
func (s *storage) settle(ctx context.Context, othersWork func(context.Context) (bool, error)) error {
	select {
	case <-s.Known():
	case <-ctx.Done():
		return nil
	}
	since := time.Now()
	for !s.open() {
		fault := s.Fault()
		work, err := othersWork(ctx)
		if err != nil {
			s.logger.WarnContext(ctx, "cannot ask whether other replicas work", "error", err)
		}
		if err == nil && !work {
			break
		}
		if work && fault != nil && fault.Kind != store.FaultOpening && time.Since(since) >= ownFaultPatience {
			return fmt.Errorf("%s; the storage of other replicas works", fault.Message)
		}
		select {
		case <-s.Opened():
		case <-time.After(askInterval):
		case <-ctx.Done():
			return nil
		}
	}
	s.settled.Store(true)
	return nil
}
