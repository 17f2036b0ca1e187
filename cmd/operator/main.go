// Command operator runs the controllers of oidc-operator.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
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
	logLevel                string
	showVersion             bool
}

func main() {
	f := parseFlags()
	if f.showVersion {
		fmt.Println(version)
		return
	}
	boundMemory()
	if err := run(ctrl.SetupSignalHandler(), f); err != nil {
		slog.Error("operator stopped", "error", err.Error())
		os.Exit(1)
	}
}

// parseFlags reads the command line. controller-runtime has registered --kubeconfig already.
func parseFlags() flags {
	var f flags
	flag.StringVar(&f.metrics, "metrics-bind-address", ":8080", "address of the metrics endpoint; 0 turns it off")
	flag.StringVar(&f.probes, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	flag.BoolVar(&f.leaderElect, "leader-elect", false, "let only one of several operators work at a time")
	flag.StringVar(&f.leaderElectionNamespace, "leader-election-namespace", "", "namespace of the leader's Lease; empty: the pod's own")
	flag.StringVar(&f.providerImage, "provider-image", "", "image of the providers' pods (required)")
	flag.IntVar(&f.concurrency, "concurrency", 8, "how many OIDCClients, OIDCProviders and OIDCUsers each are worked on at a time")
	flag.StringVar(&f.logLevel, "log-level", "info", "debug, info or error")
	flag.BoolVar(&f.showVersion, "version", false, "print the version and exit")
	flag.Parse()
	return f
}

// boundMemory collects garbage earlier than Go does by itself, unless the environment says when: what the operator holds is mostly its
// cache of all clients and Secrets, which lives long, and as much again would be reserved for garbage.
func boundMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

func run(ctx context.Context, f flags) error {
	if f.providerImage == "" {
		return fmt.Errorf("--provider-image is required: the image that holds /provider")
	}
	if err := setUpLogging(f.logLevel); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	mgr, err := newManager(config, f)
	if err != nil {
		return err
	}
	options := controllers.Options{ProviderImage: f.providerImage, Concurrency: f.concurrency, Metrics: metrics.Registry}
	if err := controllers.SetUp(ctx, mgr, options); err != nil {
		return err
	}
	slog.Info("operator starts", "version", version)
	return mgr.Start(ctx)
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

func setUpLogging(level string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "error": slog.LevelError}
	l, ok := levels[strings.ToLower(level)]
	if !ok {
		return fmt.Errorf("--log-level must be debug, info or error, not %q", level)
	}
	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l})
	slog.SetDefault(slog.New(handler))
	logger := logr.FromSlogHandler(handler)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	return nil
}
