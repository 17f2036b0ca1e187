package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	issuer        string
	listen        string
	adminListen   string
	tlsCert       string
	tlsKey        string
	storage       storageOptions
	registrations string
	kube          kubeOptions
	replica       string
	logLevel      string
	auditLog      string
	proxies       string
	perAddress    int
	shutdownDelay time.Duration
}

func serveCommand() *cobra.Command {
	o := &serveOptions{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the issuer",
		Example: "  provider serve --issuer http://localhost:8080 --data-dir ./data --registrations ./registrations\n" +
			"  provider serve --issuer https://id.example.com --data-dir /var/lib/provider --provider-name sso --namespace sso",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			logger, err := newLogger(o.logLevel)
			if err != nil {
				return err
			}
			return logged(ctx, logger, serve(ctx, o, logger))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.issuer, "issuer", "", "issuer URL, used verbatim (required)")
	f.StringVar(&o.listen, "listen", "", "address to serve on (default :8080, with TLS :8443, with a directory and an http issuer localhost:8080)")
	f.StringVar(&o.adminListen, "admin-listen", ":8081", "address for /healthz, /readyz and /metrics")
	f.StringVar(&o.tlsCert, "tls-cert-file", "", "PEM certificate chain; read again when it changes")
	f.StringVar(&o.tlsKey, "tls-key-file", "", "PEM private key of the certificate; read again when it changes")
	f.StringVar(&o.storage.dataDir, "data-dir", "", "directory of the embedded database")
	f.Int64Var(&o.storage.dataSize, "data-size", 0,
		"how many bytes the embedded database may take of its volume, with all that belongs to it (default: the volume's size, 4 GiB at most)")
	f.StringVar(&o.storage.dsnFile, "postgres-dsn-file", "",
		"file with the connection string of a PostgreSQL database, instead of --data-dir: postgres://user:password@host:5432/database")
	f.StringVar(&o.registrations, "registrations", "", "directory of registration files")
	f.StringVar(&o.kube.provider, "provider-name", "", "name of the OIDCProvider whose registrations are served, instead of --registrations")
	f.StringVar(&o.kube.namespace, "namespace", "", "namespace of the OIDCProvider")
	f.StringVar(&o.kube.kubeconfig, "kubeconfig", "", "kubeconfig file (default: the service account of the pod)")
	f.StringVar(&o.replica, "replica-name", defaultReplica(), "name under which this replica reports what it serves")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info or error")
	f.StringVar(&o.auditLog, "audit-log", "stdout", "where security events are written: stdout, stderr, off or a file, opened anew on SIGHUP")
	f.StringVar(&o.proxies, "trusted-proxies", "",
		"networks of the reverse proxies whose X-Forwarded-For is believed, with commas between them, or none (default: this machine)")
	f.IntVar(&o.perAddress, "max-connections-per-address", perAddress,
		"how many connections one IPv4 address or IPv6 /64 may have open, and half of what an IPv6 /48 may; reverse proxies may have more; 0 means any number")
	f.DurationVar(&o.shutdownDelay, "shutdown-delay", defaultShutdownDelay(),
		"how long to go on serving after SIGTERM, until nobody sends requests here any more")
	return cmd
}

func defaultReplica() string {
	if pod := os.Getenv("POD_NAME"); pod != "" {
		return pod
	}
	host, err := os.Hostname()
	if err != nil {
		return "provider"
	}
	return host
}

// defaultShutdownDelay is for load balancers to notice; outside a cluster there is none.
func defaultShutdownDelay() time.Duration {
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return 3 * time.Second
	}
	return 0
}

func (o *serveOptions) validate() error {
	switch {
	case o.issuer == "":
		return errors.New("--issuer is required")
	case o.registrations == "" && o.kube.provider == "":
		return errors.New("--registrations or --provider-name is required")
	case o.registrations != "" && o.kube.provider != "":
		return errors.New("--registrations and --provider-name exclude each other")
	case o.kube.provider != "" && o.kube.namespace == "":
		return errors.New("--provider-name needs --namespace")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return errors.New("--tls-cert-file and --tls-key-file need each other")
	case o.perAddress < 0:
		return errors.New("--max-connections-per-address must not be negative")
	}
	return o.storage.validate()
}

func newLogger(level string) (*slog.Logger, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "error": slog.LevelError}
	chosen, ok := levels[level]
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: chosen}))
	if !ok {
		return nil, logged(context.Background(), logger, errors.New("--log-level must be debug, info or error"))
	}
	return logger, nil
}

// errLogged is an error that was told already.
type errLogged struct{ error }

// terminationLog is where Kubernetes takes a container's last words from. Nobody else has such a file.
const terminationLog = "/dev/termination-log"

// logged tells of an error that ends the process: once, in the log, and to Kubernetes, which shows it in the pod's status.
func logged(ctx context.Context, logger *slog.Logger, err error) error {
	if err == nil {
		return nil
	}
	logger.ErrorContext(ctx, "provider stopped", "error", err)
	if f, openErr := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0); openErr == nil {
		_, _ = f.WriteString(err.Error()) // the log has it
		_ = f.Close()
	}
	return &errLogged{err}
}

// serve runs until ctx ends and then stops without failing a request: requests that are under way are answered, then the report and
// the database are closed, and last of all the admin port, so that every probe is answered until there is no process any more.
func serve(ctx context.Context, o *serveOptions, logger *slog.Logger) (err error) {
	if err := o.validate(); err != nil {
		return err
	}
	metrics := newMetrics()
	var ready atomic.Pointer[func() error] // nil until there is a provider
	admin, err := listenAdmin(o.adminListen, provider.AdminHandler(metrics, func() error {
		if ready := ready.Load(); ready != nil {
			return (*ready)()
		}
		return provider.ErrStarting
	}), logger)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	served := make(chan error, 1)
	go func() {
		served <- admin.serve()
		end() // without probes it would be killed
	}()
	defer func() { err = errors.Join(err, admin.server.Close(), <-served) }()

	known, err := readProxies(o.proxies)
	if err != nil {
		return err
	}
	audit, err := openAuditLog(o.auditLog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, audit.close()) }()
	tracer := newTracer(ctx, o.replica, logger)
	defer tracer.close(ctx, logger)
	db, err := newStorage(&o.storage, metrics, tracer.tracerProvider(), logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	index, err := registry.NewIndex(logger)
	if err != nil {
		return err
	}
	source, err := newSource(o, index, db.report, logger)
	if err != nil {
		return err
	}
	p, err := provider.New(provider.Options{
		Issuer: o.issuer, Registry: index, Store: db, Synced: source.Synced, Awaits: db.awaited, Logger: logger, Metrics: metrics,
		Audit: audit.logger, TrustedProxies: known.trusted, ProxyNetworks: known.unknown, Tracer: tracer.tracerProvider(),
	})
	if err != nil {
		return err
	}
	public, err := listenPublic(o, known, p.Handler(), metrics, logger)
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "serving", "version", version, "issuer", o.issuer, "listen", public.Addr().String(), "admin_listen", admin.Addr().String())
	r := &runner{options: o, provider: p, source: source, storage: db, audit: audit, public: public, logger: logger}
	isReady := r.ready
	ready.Store(&isReady)
	return r.run(ctx)
}

func newMetrics() *prometheus.Registry {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "oidc_provider_build_info", Help: "Always 1; the labels tell what runs.",
			ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
		}, func() float64 { return 1 }))
	return metrics
}

// runner is what serve has put together.
type runner struct {
	options  *serveOptions
	provider *provider.Provider
	source   source
	storage  *storage
	audit    *auditLog
	public   *listener
	logger   *slog.Logger
	draining atomic.Bool
}

// ready is what /readyz tells. In a cluster it stays good until the end: a pod that is deleted gets no new requests because it is being
// deleted, and a probe that failed would only be an event that looks like a fault.
func (r *runner) ready() error {
	if r.draining.Load() && r.options.kube.provider == "" {
		return errors.New("shutting down")
	}
	return r.provider.Ready()
}

// run keeps everything going until ctx ends or one part fails, and then stops the parts in order: first what takes
// requests, then what the requests need.
func (r *runner) run(ctx context.Context) error {
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	group, failed := errgroup.WithContext(background)
	group.Go(func() error { return r.storage.Run(failed) })
	group.Go(func() error {
		// Connections wait until it is known whether storage works: a replica that has just started would answer 503 to what another could do.
		if err := r.storage.settle(failed, r.source.OthersWork); err != nil {
			return err
		}
		return r.public.serve()
	})
	group.Go(func() error { r.reportStorage(failed); return nil })
	group.Go(func() error { return r.source.Run(failed, func() bool { return r.provider.Ready() == nil }) })
	group.Go(func() error { r.provider.RunPurge(failed); return nil })
	group.Go(func() error { r.provider.RunKeyAudit(failed); return nil })
	group.Go(func() error { r.audit.run(failed, r.logger); return nil })
	group.Go(func() error { r.provider.RunLogoutNotices(failed); return nil })
	group.Go(func() error { return r.public.watchCertificate(failed) })
	select {
	case <-ctx.Done():
		r.logger.InfoContext(background, "shutting down")
		r.draining.Store(true)
		r.provider.Drain()
		select {
		case <-time.After(r.options.shutdownDelay):
		case <-failed.Done():
		}
	case <-failed.Done():
	}
	stopErr := r.public.stop(background)
	stopBackground()
	return errors.Join(group.Wait(), stopErr)
}

// reportStorage tells others whenever storage begins or ceases to work.
func (r *runner) reportStorage(ctx context.Context) {
	for {
		select {
		case <-r.storage.Changed():
			r.source.Report()
		case <-ctx.Done():
			return
		}
	}
}
