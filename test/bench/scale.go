package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// workers is how many apply at a time, and how many write plainly beside it.
	workers = 8
	// plainRound bounds how many clients' objects one round of the plain writer makes.
	plainRound = 2500
	// probes is how many more clients are applied, one after the other, for each latency at a size.
	probes = 100
)

// benchOperator measures the operator at each of some sizes: from the first apply to every OIDCClient Ready beside a plain writer of
// the same objects, one more client, restart, memory, and the work of one event.
func benchOperator(ctx context.Context, programs *programs, sizes []int) (err error) {
	log.SetLogger(logr.Discard())
	progress("start the API server of the plain writer")
	plain, err := newPlainWriter(ctx, programs)
	if err != nil {
		return fmt.Errorf("plain writer: %w", err)
	}
	defer func() { err = errors.Join(err, plain.stop()) }()
	for _, size := range sizes {
		if err := benchSize(ctx, programs, plain, size); err != nil {
			return fmt.Errorf("%d clients: %w", size, err)
		}
	}
	return nil
}

func benchSize(ctx context.Context, programs *programs, plain *plainWriter, size int) (err error) {
	fmt.Printf("\n%d OIDCClients, load %s\n\n", size, loadAverage())
	s := &site{programs: programs, admitted: tenantLabels()}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.logIn(ctx); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if err := benchFill(ctx, s, plain, size); err != nil {
		return err
	}
	if err := s.reportMemory(); err != nil {
		return err
	}
	progress("one more client")
	if err := s.benchEach(ctx, "apply to Ready", "ready", probes, alone(s.applyToReady)); err != nil {
		return err
	}
	if err := s.benchEach(ctx, "apply to first token", "token", probes, alone(s.applyToToken)); err != nil {
		return err
	}
	all := size + 2*probes
	if err := s.awaitRegistered(ctx, all); err != nil {
		return err
	}
	progress("restart of the operator")
	if err := s.benchRestart(ctx, all); err != nil {
		return err
	}
	return s.benchWork(ctx, size)
}

// benchFill applies size clients with the plain writer's rounds before and after, since the machine's load changes.
func benchFill(ctx context.Context, s *site, plain *plainWriter, size int) error {
	if err := plain.rounds(ctx, min(size/2+1, plainRound)); err != nil {
		return err
	}
	before := childTimes()
	took, err := s.fill(ctx, size)
	if err != nil {
		return err
	}
	after := childTimes()
	filled := pace{size, took, totalOf(after) - totalOf(before)}
	metrics, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	spent := workIn(metrics)
	if err := plain.rounds(ctx, min(size/2+1, plainRound)); err != nil {
		return err
	}
	for _, beside := range []struct {
		what string
		pace
	}{{"apply to all Ready / plain writer", plain.whole}, {"the same / without status and event", plain.bare}} {
		byClock, byProcessor := filled.against(beside.pace)
		report(beside.what, "%.0f %%, by CPU %.0f %%   (%.1f/s in %s; plain %.1f/s)",
			100*byClock, 100*byProcessor, filled.rate(), took.Round(100*time.Millisecond), beside.rate())
	}
	report("work of the operator for each of them", "%.2f reconciles, %.2f writes, %.2f reads",
		float64(spent.reconciles[clientController])/float64(size), float64(spent.writes)/float64(size), float64(spent.reads)/float64(size))
	var times []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		times = append(times, fmt.Sprintf("%s %s", name, ((after[name]-before[name])/time.Duration(size)).Round(10*time.Microsecond)))
	}
	report("processor time for each of them", "%s", strings.Join(times, ", "))
	plain.whole, plain.bare = pace{}, pace{}
	return nil
}

// alone lets some time go by first, so that what was done before is over: a replica gathers what changes within a tenth of a second
// into one report.
func alone(timed func(ctx context.Context, name string) (time.Duration, error)) func(ctx context.Context, name string) (time.Duration, error) {
	return func(ctx context.Context, name string) (time.Duration, error) {
		time.Sleep(200 * time.Millisecond)
		return timed(ctx, name)
	}
}

func (s *site) reportMemory() error {
	for _, p := range []struct {
		name string
		*process
	}{{"operator", s.operator}, {"provider", s.provider}} {
		now, err := p.residentKiB()
		if err != nil {
			return err
		}
		peak, err := p.peakKiB()
		if err != nil {
			return err
		}
		report(p.name+": resident memory", "%.0f MiB, at most %.0f MiB until then", float64(now)/1024, float64(peak)/1024)
	}
	return nil
}
