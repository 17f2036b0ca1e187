// Command operator runs the controllers of oidc-operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/oidc-operator/oidc-operator/controllers"
)

// version is set by the linker.
var version = "dev"

type flags struct {
	metrics, probes         string
	leaderElect             bool
	leaderElectionNamespace string
	providerImage           string
	concurrency             int
	probeServices           string
	level                   slog.Level
	showVersion             bool
}

func main() {
	os.Exit(start(os.Args[1:]))
}

// start runs the operator and returns its exit status. Whatever ends it is one line of JSON on standard error, also before the flags are known.
func start(args []string) int {
	level := &slog.LevelVar{}
	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	slog.SetDefault(slog.New(handler))
	f, err := parseFlags(flag.CommandLine, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flag.CommandLine.SetOutput(os.Stdout)
		flag.CommandLine.PrintDefaults()
		return 0
	case err != nil:
		slog.Error("operator not started", "error", err.Error())
		return 2
	case f.showVersion:
		fmt.Println(version)
		return 0
	}
	level.Set(f.level)
	boundMemory()
	if err := run(ctrl.SetupSignalHandler(), f, handler); err != nil {
		slog.Error("operator stopped", "error", err.Error())
		return 1
	}
	return 0
}

// parseFlags reads the command line. controller-runtime has registered --kubeconfig in flag.CommandLine already.
func parseFlags(set *flag.FlagSet, args []string) (flags, error) {
	var f flags
	set.Init("operator", flag.ContinueOnError)
	set.SetOutput(io.Discard) // what is wrong is in the error
	set.StringVar(&f.metrics, "metrics-bind-address", ":8080", "address of the metrics endpoint; 0 turns it off")
	set.StringVar(&f.probes, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	set.BoolVar(&f.leaderElect, "leader-elect", false, "let only one of several operators work at a time")
	set.StringVar(&f.leaderElectionNamespace, "leader-election-namespace", "", "namespace of the leader's Lease; empty: the pod's own")
	set.StringVar(&f.providerImage, "provider-image", "", "image of the providers' pods (required)")
	set.StringVar(&f.probeServices, "probe-services", "auto",
		"make a call through the Service of a provider before saying that it is available: true, false, or auto, which is true in a pod")
	set.IntVar(&f.concurrency, "concurrency", 8, "how many OIDCClients, OIDCProviders and OIDCUsers each are worked on at a time")
	logLevel := set.String("log-level", "info", "debug, info or error")
	set.BoolVar(&f.showVersion, "version", false, "print the version and exit")
	if err := set.Parse(args); err != nil {
		return f, fmt.Errorf("read flags: %w; see --help", err)
	}
	level, known := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "error": slog.LevelError}[strings.ToLower(*logLevel)]
	f.level = level
	switch {
	case f.showVersion:
	case set.NArg() > 0:
		return f, fmt.Errorf("%q is no flag: the operator takes no arguments; see --help", set.Arg(0))
	case !known:
		return f, fmt.Errorf("--log-level must be debug, info or error, not %q", *logLevel)
	case f.providerImage == "":
		return f, errors.New("--provider-image is required: the image that holds /provider")
	}
	return f, nil
}

// boundMemory collects garbage earlier than Go does by itself, unless the environment says when: what the operator holds is mostly its
// cache of all clients and Secrets, which lives long, and as much again would be reserved for garbage.
func boundMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

func run(ctx context.Context, f flags, handler slog.Handler) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	// Not sooner: GetConfig logs the error that it returns, too.
	logger := logr.FromSlogHandler(handler)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	mgr, err := newManager(config, f)
	if err != nil {
		return err
	}
	options := controllers.Options{ProviderImage: f.providerImage, Concurrency: f.concurrency, Metrics: metrics.Registry}
	probes, err := probesServices(f.probeServices, config)
	if err != nil {
		return err
	}
	if probes {
		options.Probe = controllers.ProbeDiscovery
	}
	if err := controllers.SetUp(ctx, mgr, options); err != nil {
		return err
	}
	slog.Info("operator starts", "version", version)
	return mgr.Start(ctx)
}

// probesServices reads --probe-services. Services can be reached only in the network of the cluster, and so in its pods.
func probesServices(value string, config *rest.Config) (bool, error) {
	if value == "auto" {
		inCluster, err := rest.InClusterConfig()
		return err == nil && inCluster.Host == config.Host, nil
	}
	probes, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("--probe-services must be true, false or auto, not %q", value)
	}
	return probes, nil
}

func newManager(config *rest.Config, f flags) (ctrl.Manager, error) {
	scheme, err := controllers.NewScheme()
	if err != nil {
		return nil, err
	}
	// The API server has its own priority and fairness; a limit here would only delay credentials.
	config.QPS = -1
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         controllers.CacheOptions(),
		Metrics:                       metricsserver.Options{BindAddress: f.metrics},
		HealthProbeBindAddress:        f.probes,
		LeaderElection:                f.leaderElect,
		LeaderElectionID:              "oidc-operator",
		LeaderElectionNamespace:       f.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, fmt.Errorf("create manager: %w", err)
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return nil, fmt.Errorf("add health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("readyz", healthz.Ping); err != nil {
		return nil, fmt.Errorf("add readiness check: %w", err)
	}
	return mgr, nil
}
