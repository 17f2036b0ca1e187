package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// options are what a run is told.
type options struct {
	// duration is for how long there is load at least. A round of disturbances that has begun is gone through.
	duration time.Duration
	// root is the directory of the project.
	root string
	// pause is how long each worker waits between two flows.
	pause time.Duration
}

func main() {
	o := options{root: "."}
	flag.DurationVar(&o.duration, "duration", 3*time.Minute, "for how long there is load; the round that has begun is gone through")
	flag.DurationVar(&o.pause, "pause", 20*time.Millisecond, "how long each worker waits between two flows")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak: "+err.Error())
		os.Exit(1)
	}
}

// run goes through rounds of disturbances under load and tells out what came of it. Its error is the verdict.
func run(ctx context.Context, out io.Writer, o options) (err error) {
	log.SetLogger(logr.Discard())
	s := &site{ledger: newLedger(), root: o.root}
	defer func() { err = errors.Join(err, s.stop(err != nil, out)) }()
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	probing, stopProbing := context.WithCancel(ctx)
	defer stopProbing()
	go s.service.probe(probing)
	if err := s.service.awaitReady(ctx, len(s.providers)); err != nil {
		return err
	}
	say(out, "soak: 2 providers on PostgreSQL serve; load for at least %s\n", o.duration)
	began := time.Now()
	load, err := startLoad(ctx, s, o.pause)
	if err != nil {
		return fmt.Errorf("start the load: %w", err)
	}
	disturbed := s.disturb(ctx, load, began.Add(o.duration))
	load.stop()
	s.ledger.print(out, time.Since(began), s.service.retried.Load())
	if disturbed != nil {
		return fmt.Errorf("disturb: %w", disturbed)
	}
	if err := s.ledger.verdict(); err != nil {
		return err
	}
	say(out, "\nno call has failed\n")
	return nil
}
