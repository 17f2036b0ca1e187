package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

func main() {
	seconds := flag.Int("seconds", 3, "how long each rate is measured, in seconds, three times")
	clients := flag.Int("clients", 100, "how many OIDCClients are applied one after the other")
	only := flag.String("only", "", "run only what has this in its name: provider, cluster")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, time.Duration(*seconds)*time.Second, *clients, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, d time.Duration, clients int, only string) error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = []byte("unknown")
	}
	fmt.Printf("%s %s/%s, GOMAXPROCS %d, load before: %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), strings.TrimSpace(string(load)))
	programs, err := buildPrograms(ctx)
	if err != nil {
		return err
	}
	defer programs.remove()
	if strings.Contains("provider", only) {
		if err := benchProvider(ctx, programs, d); err != nil {
			return fmt.Errorf("provider: %w", err)
		}
	}
	if strings.Contains("cluster", only) {
		if err := benchCluster(ctx, programs, clients); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
	}
	return nil
}

// report prints one figure.
func report(name, format string, args ...any) {
	fmt.Printf("%-44s %s\n", name, fmt.Sprintf(format, args...))
}
