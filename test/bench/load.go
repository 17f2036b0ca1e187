package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"
)

// connections is how many keep-alive connections put load on a server.
const connections = 32

// flow does one unit of work on a connection. Each connection has a flow of its own, which may remember things.
type flow func(c *conn) error

// measured is what a load has seen.
type measured struct {
	perSecond float64
	// cpu is the processor time of this process for one unit of work, the load's own included.
	cpu      time.Duration
	p50, p99 time.Duration
}

// measure runs a flow on each of some connections until d has passed.
func measure(ctx context.Context, address string, d time.Duration, newFlow func(worker int) (flow, error)) (measured, error) {
	took := make([][]time.Duration, connections)
	errs := make(chan error, connections)
	var workers sync.WaitGroup
	start, cpu := time.Now(), processorTime()
	for worker := range connections {
		workers.Go(func() {
			var err error
			if took[worker], err = drive(ctx, address, start.Add(d), worker, newFlow); err != nil {
				errs <- err
			}
		})
	}
	workers.Wait()
	elapsed, cpu := time.Since(start), processorTime()-cpu
	close(errs)
	all := slices.Concat(took...)
	if err := <-errs; err != nil || len(all) == 0 {
		return measured{}, fmt.Errorf("after %d answers: %w", len(all), err)
	}
	return measured{float64(len(all)) / elapsed.Seconds(), cpu / time.Duration(len(all)), quantile(all, 0.5), quantile(all, 0.99)}, nil
}

// processorTime returns what this process has used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func drive(ctx context.Context, address string, until time.Time, worker int, newFlow func(worker int) (flow, error)) (took []time.Duration, err error) {
	c, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }() // nothing is lost with it
	work, err := newFlow(worker)
	if err != nil {
		return nil, err
	}
	for begun := time.Now(); begun.Before(until) && ctx.Err() == nil; {
		if err := work(c); err != nil {
			return took, err
		}
		now := time.Now()
		took = append(took, now.Sub(begun))
		begun = now
	}
	return took, ctx.Err()
}

// measureLoop calls work from one goroutine for each worker until d has passed.
func measureLoop(d time.Duration, workers int, work func() error) (measured, error) {
	done := make([]int, workers)
	var group sync.WaitGroup
	errs := make(chan error, workers)
	start, cpu := time.Now(), processorTime()
	for worker := range workers {
		group.Go(func() {
			for time.Since(start) < d {
				if err := work(); err != nil {
					errs <- err
					return
				}
				done[worker]++
			}
		})
	}
	group.Wait()
	elapsed, cpu := time.Since(start), processorTime()-cpu
	close(errs)
	sum := 0
	for _, n := range done {
		sum += n
	}
	return measured{perSecond: float64(sum) / elapsed.Seconds(), cpu: cpu / time.Duration(max(sum, 1))}, <-errs
}

// ratio is what was measured beside its base.
type ratio struct{ base, got measured }

// rate is how much of the base's rate was reached.
func (r ratio) rate() float64 { return r.got.perSecond / r.base.perSecond }

// cpu is the same by processor time, which other programs on the machine disturb less.
func (r ratio) cpu() float64 { return float64(r.base.cpu) / float64(r.got.cpu) }

// compare measures base and subject in turn, rounds times, and returns the round with the median rate. In turn, so that what
// else the machine does falls on both.
func compare(rounds int, base, subject func() (measured, error)) (ratio, error) {
	all := make([]ratio, rounds)
	for i := range all {
		var err error
		if all[i].base, err = base(); err != nil {
			return ratio{}, err
		}
		if all[i].got, err = subject(); err != nil {
			return ratio{}, err
		}
	}
	slices.SortFunc(all, func(a, b ratio) int { return cmp.Compare(a.rate(), b.rate()) })
	return all[rounds/2], nil
}

// quantile returns the q-quantile of values, which it sorts.
func quantile[T float64 | time.Duration](values []T, q float64) T {
	slices.Sort(values)
	return values[min(len(values)-1, int(q*float64(len(values))))]
}
