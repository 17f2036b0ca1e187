package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// stateDir holds everything the demo writes, below the current directory.
const stateDir = ".demo"

func main() {
	assets := flag.String("kube-assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory with etcd, kube-apiserver and kubectl")
	showSecrets := flag.Bool("show-secrets", false, "print the values of the Secret's keys")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flag.Arg(0), *assets, *showSecrets); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, verb, assets string, showSecrets bool) error {
	dir, err := filepath.Abs(stateDir)
	if err != nil {
		return err
	}
	switch verb {
	case "up":
		if assets, err = filepath.Abs(assets); err != nil {
			return err
		}
		return up(ctx, &demo{dir: dir, assets: assets, showSecrets: showSecrets, start: time.Now()})
	case "down":
		return down(dir)
	}
	return fmt.Errorf("say up or down")
}
